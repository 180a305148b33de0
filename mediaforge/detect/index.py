"""The reference index: one immutable file a title in a folder, and all of them together in memory for searching.

A file is a header, the title's id, times, codes and a SHA-256 of all that (little-endian). It is written whole under a
temporary name and then renamed, so readers need no lock: they see a title as it was or as it is.
"""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.codes import WORDS, Codes, distances
from mediaforge.detect.video import REFERENCE_CROPS, Fingerprint
from mediaforge.errors import StoreError, UnknownId
from mediaforge.media import is_id
from mediaforge.steps import write_whole

_SUFFIX = ".mfp"
_MAGIC = b"MFFP"
_VERSION = 1
_HEADER = struct.Struct("<4sHHHIQQ")  # magic, version, crops, bytes of the title's id, frames, seconds as a fraction
_DIGEST_BYTES = 32

_QUERY_BLOCK, _FRAME_BLOCK = 64, 4096  # compared at a time: measured as the fastest, 6 ms for a code among 10^6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """One title as the index keeps it."""

    title: str
    seconds: Fraction
    times: NDArray[np.int64]  # (frames,) milliseconds, rising
    codes: NDArray[np.uint64]  # (frames, crops, WORDS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hits:
    """Which query codes are near which reference frames: three columns of equal length."""

    query: NDArray[np.intp]  # row of the query code
    frame: NDArray[np.intp]  # row in References.times
    distance: NDArray[np.uint16]  # bits, over the frame's nearest crop


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class References:
    """All titles in memory. Title k owns the frames starts[k] to starts[k + 1]."""

    titles: tuple[str, ...]
    seconds: tuple[Fraction, ...]
    starts: NDArray[np.int64]  # (titles + 1,)
    times: NDArray[np.int64]  # (frames,) milliseconds, rising within a title
    codes: NDArray[np.uint64]  # (frames, crops, WORDS)

    def lookup(self, codes: Codes, radius: int) -> Hits:
        """All frames with a crop at most `radius` bits from a query code (n, WORDS).

        An exact search: every code is compared. Good for about a million reference codes (a day of film).
        """
        found = list(self._near(codes, radius))
        columns = zip(*found, strict=True) if found else ((), (), ())
        query, frame, distance = (np.concatenate(column) if column else np.empty(0, np.intp) for column in columns)
        return Hits(query=query, frame=frame, distance=distance.astype(np.uint16))

    def _near(self, codes: Codes, radius: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.uint16]]]:
        for frame in range(0, len(self.times), _FRAME_BLOCK):
            block = self.codes[frame : frame + _FRAME_BLOCK]
            for query in range(0, len(codes), _QUERY_BLOCK):
                some = codes[query : query + _QUERY_BLOCK]
                bits = distances(some, block[:, 0])
                for crop in range(1, block.shape[1]):
                    np.minimum(bits, distances(some, block[:, crop]), out=bits)
                rows, columns = np.nonzero(bits <= radius)
                yield rows + query, columns + frame, bits[rows, columns]


class Index:
    """The reference titles under a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, title: str, seen: Fingerprint) -> None:
        """Keep a title's fingerprint, in place of an earlier one. Raises StoreError where it cannot be written."""
        self._write(self._path(title), _packed(title, seen))

    def adopt(self, title: str, other: "Index") -> None:
        """Take over a title from another index, after checking it. Raises UnknownId and StoreError as `read` and `add`."""
        other.read(title)
        self._write(self._path(title), other._path(title).read_bytes())

    def remove(self, title: str) -> None:
        """Forget a title. Raises UnknownId where it is not there."""
        path = self._path(title)
        try:
            path.unlink()
        except FileNotFoundError:
            raise UnknownId("fingerprint of title", title, "`fingerprint list` names those there are") from None
        except OSError as error:
            raise StoreError(path, f"cannot be removed ({error.strerror}); mend permissions") from error

    def titles(self) -> tuple[str, ...]:
        """The ids of all titles, sorted."""
        return tuple(sorted(path.stem for path in self.folder.glob(f"*{_SUFFIX}") if is_id(path.stem)))

    def size_bytes(self, title: str) -> int:
        """What a title takes on disk."""
        return self._path(title).stat().st_size

    def read(self, title: str) -> Reference:
        """One title. Raises UnknownId where it is not there, StoreError where its file is damaged."""
        path = self._path(title)
        try:
            return _unpacked(path, path.read_bytes())
        except FileNotFoundError:
            raise UnknownId("fingerprint of title", title, "`fingerprint list` names those there are") from None
        except OSError as error:
            raise StoreError(path, f"cannot be read ({error.strerror}); mend permissions") from error

    def load(self) -> References:
        """All titles, ready to be searched. Raises StoreError naming the file that is damaged."""
        found = tuple(self._present())
        frames = [len(reference.times) for reference in found]
        return References(
            titles=tuple(reference.title for reference in found),
            seconds=tuple(reference.seconds for reference in found),
            starts=np.array([0, *accumulate(frames)], np.int64),
            times=np.concatenate([np.empty(0, np.int64), *(reference.times for reference in found)]),
            codes=np.concatenate(
                [np.empty((0, len(REFERENCE_CROPS), WORDS), np.uint64), *(reference.codes for reference in found)]
            ),
        )

    def _present(self) -> Iterator[Reference]:
        for title in self.titles():
            try:
                yield self.read(title)
            except UnknownId:  # removed since it was listed
                continue

    def _write(self, path: Path, content: bytes) -> None:
        try:
            write_whole(path, content)
        except OSError as error:
            raise StoreError(path, f"cannot be written ({error.strerror}); free space and rerun") from error

    def _path(self, title: str) -> Path:
        if not is_id(title):
            raise StoreError(self.folder, f"{title!r} cannot name a title; use ASCII letters, digits, - and _")
        return self.folder / f"{title}{_SUFFIX}"


def _packed(title: str, seen: Fingerprint) -> bytes:
    name = title.encode("ascii")
    frames, crops, _ = seen.reference_codes.shape
    header = _HEADER.pack(_MAGIC, _VERSION, crops, len(name), frames, seen.seconds.numerator, seen.seconds.denominator)
    body = header + name + seen.times.astype("<i8").tobytes() + seen.reference_codes.astype("<u8").tobytes()
    return body + hashlib.sha256(body).digest()


def _unpacked(path: Path, content: bytes) -> Reference:
    body, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
    if len(body) < _HEADER.size or body[:4] != _MAGIC:
        raise _damaged(path, "is no fingerprint")
    _, version, crops, name_bytes, frames, numerator, denominator = _HEADER.unpack_from(body)
    if version != _VERSION or crops != len(REFERENCE_CROPS):
        raise _damaged(path, f"was written by another mediaforge (version {version})")
    if hashlib.sha256(body).digest() != digest:
        raise _damaged(path, "is damaged (its checksum disagrees)")
    times_at = _HEADER.size + name_bytes
    title = body[_HEADER.size : times_at].decode("ascii")
    if title != path.stem:
        raise _damaged(path, f"holds the title {title!r}")
    times = np.frombuffer(body, "<i8", count=frames, offset=times_at).astype(np.int64)
    codes = np.frombuffer(body, "<u8", offset=times_at + times.nbytes).astype(np.uint64)
    return Reference(
        title=title,
        seconds=Fraction(numerator, denominator),
        times=times,
        codes=codes.reshape(frames, crops, WORDS),
    )


def _damaged(path: Path, what: str) -> StoreError:
    return StoreError(path, f"{what}; remove it with `fingerprint remove {path.stem}` and add the title again")
