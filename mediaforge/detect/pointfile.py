"""The titles' local features on disk: one immutable file a title beside its codes, memory-mapped.

A file is a header, the title's id, times, starts, codes, places and a SHA-256 of all that (little-endian). It is written
whole under a temporary name and then renamed, so readers need no lock.
"""

import hashlib
import mmap
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from mediaforge.detect.features import CODE_WORDS, Features, without
from mediaforge.errors import StoreError, UnknownId
from mediaforge.media import Span, is_id
from mediaforge.steps import write_whole

_SUFFIX = ".mfl"
_MAGIC = b"MFFL"
_VERSION = 1
_HEADER = struct.Struct("<4sHHIId8x")  # magic, version, bytes of the title's id, pictures, points, shape; 32 bytes in all
_DIGEST_BYTES = 32

NOTHING: Mapping[str, tuple[Span, ...]] = MappingProxyType({})


class PointFiles(Mapping[str, Features]):
    """The local features of the titles under a folder. A title that was added before there were any has none."""

    def __init__(self, folder: Path, excluded: Mapping[str, tuple[Span, ...]] = NOTHING) -> None:
        """`excluded` names spans of titles that do not count."""
        self.folder = folder
        self.excluded = excluded

    def __getitem__(self, title: str) -> Features:
        """Raises KeyError for a title without features, StoreError where its file is damaged."""
        path = self._path(title)
        try:
            with path.open("rb") as file:
                features = _unpacked(path, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            return without(features, self.excluded[title]) if title in self.excluded else features
        except FileNotFoundError:
            raise KeyError(title) from None
        except ValueError as error:  # an empty file cannot be mapped
            raise _damaged(path, "is empty") from error
        except OSError as error:
            raise StoreError(path, f"cannot be read ({error.strerror}); mend permissions") from error

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(path.stem for path in self.folder.glob(f"*{_SUFFIX}") if is_id(path.stem)))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def add(self, title: str, features: Features) -> None:
        """Keep a title's features, in place of earlier ones. Raises StoreError."""
        self._write(title, _packed(title, features))

    def adopt(self, title: str, other: "PointFiles") -> None:
        """Take over a title from another folder, after checking it. Raises UnknownId, StoreError."""
        if title not in other:
            raise UnknownId("features of title", title, "`fingerprint add` makes them")
        self._write(title, other._path(title).read_bytes())

    def remove(self, title: str) -> None:
        """Forget a title's features, if there are any."""
        try:
            self._path(title).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(self._path(title), f"cannot be removed ({error.strerror}); mend permissions") from error

    def size_bytes(self, title: str) -> int:
        """What a title's features take on disk."""
        path = self._path(title)
        return path.stat().st_size if path.exists() else 0

    def _write(self, title: str, content: bytes) -> None:
        try:
            write_whole(self._path(title), content)
        except OSError as error:
            raise StoreError(self._path(title), f"cannot be written ({error.strerror}); free space and rerun") from error

    def _path(self, title: str) -> Path:
        if not is_id(title):
            raise StoreError(self.folder, f"{title!r} cannot name a title; use ASCII letters, digits, - and _")
        return self.folder / f"{title}{_SUFFIX}"


def _packed(title: str, features: Features) -> bytes:
    name = title.encode("ascii")
    header = _HEADER.pack(_MAGIC, _VERSION, len(name), len(features.times), len(features.codes), features.shape)
    body = b"".join(
        (
            header,
            name,
            features.times.astype("<i8").tobytes(),
            features.starts.astype("<i8").tobytes(),
            features.codes.astype("<u8").tobytes(),
            features.places.tobytes(),
        )
    )
    return body + hashlib.sha256(body).digest()


def _unpacked(path: Path, content: mmap.mmap) -> Features:
    if len(content) < _HEADER.size + _DIGEST_BYTES or content[:4] != _MAGIC:
        raise _damaged(path, "holds no features")
    _, version, name_bytes, pictures, points, shape = _HEADER.unpack_from(content)
    if version != _VERSION:
        raise _damaged(path, f"was written by another mediaforge (version {version})")
    body = memoryview(content)[:-_DIGEST_BYTES]
    if hashlib.sha256(body).digest() != content[-_DIGEST_BYTES:]:
        raise _damaged(path, "is damaged (its checksum disagrees)")
    if bytes(body[_HEADER.size : _HEADER.size + name_bytes]) != path.stem.encode():
        raise _damaged(path, "holds another title's features")
    times_at = _HEADER.size + name_bytes
    starts_at = times_at + 8 * pictures
    codes_at = starts_at + 8 * (pictures + 1)
    places_at = codes_at + 8 * CODE_WORDS * points
    return Features(
        times=np.frombuffer(body, "<i8", count=pictures, offset=times_at),
        starts=np.frombuffer(body, "<i8", count=pictures + 1, offset=starts_at),
        codes=np.frombuffer(body, "<u8", count=CODE_WORDS * points, offset=codes_at).reshape(points, CODE_WORDS),
        places=np.frombuffer(body, np.uint8, count=4 * points, offset=places_at).reshape(points, 4),
        shape=shape,
    )


def _damaged(path: Path, what: str) -> StoreError:
    return StoreError(path, f"{what}; remove it with `fingerprint remove {path.stem}` and add the title again")
