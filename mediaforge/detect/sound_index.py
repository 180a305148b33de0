"""The sounds of all titles on disk: one immutable file a title, and a table for looking them up that is made from those.

A file is a header, the title's id, its sound tracks and a SHA-256 of all that (little-endian); a peak takes two bytes: the
frames since the one before, and its tone. Files are written whole under a temporary name and then renamed, so readers
need no lock.

The table holds nothing of its own. It lies in a folder named after the digests of the files it was made from, is
mapped into memory, not read, and whoever finds that there is none for the files of now makes it.
"""

import contextlib
import hashlib
import shutil
import struct
import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.sound import SoundPrint
from mediaforge.detect.sound_references import SoundReference, SoundReferences, sound_references
from mediaforge.errors import StoreError
from mediaforge.media import is_id
from mediaforge.steps import write_whole

_SUFFIX = ".mfa"
_MAGIC = b"MFSF"
_VERSION = 1  # of the files; another way to find peaks or to count their times needs another
_HEADER = struct.Struct("<4sHHH")  # magic, version, tracks, bytes of the title's id
_TRACK = struct.Struct("<QQI")  # seconds as a fraction, rows
_DIGEST_BYTES = 32
_LONGEST = 255  # frames in a row without a peak: a row that only counts them has this gap

_TABLE_VERSION = 1
_TABLE_ARRAYS = ("starts", "times", "tones", "entries")


class SoundIndex:
    """The sounds of titles under a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, title: str, tracks: Sequence[SoundPrint]) -> None:
        """Keep the sound tracks of a title, in place of earlier ones. Raises StoreError where they cannot be written."""
        write_whole(self._path(title), _packed(title, tracks))

    def adopt(self, title: str, other: "SoundIndex") -> None:
        """Take over a title from another index, after checking it; where it has no sound there, an earlier one goes."""
        try:
            content = other._path(title).read_bytes()
        except FileNotFoundError:
            self.remove(title)
            return
        _unpacked(other._path(title), content)
        write_whole(self._path(title), content)

    def remove(self, title: str) -> None:
        """Forget a title, if it is there."""
        path = self._path(title)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(path, f"cannot be removed ({error.strerror}); mend permissions") from error

    def titles(self) -> tuple[str, ...]:
        """The ids of all titles that have sound, sorted."""
        return tuple(sorted(path.stem for path in self.folder.glob(f"*{_SUFFIX}") if is_id(path.stem)))

    def size_bytes(self, title: str) -> int:
        """What a title's sound takes on disk, without its share of the table; 0 where it has none."""
        path = self._path(title)
        return path.stat().st_size if path.exists() else 0

    def read(self, title: str) -> tuple[SoundReference, ...]:
        """The sound tracks of one title; none where it has no sound. Raises StoreError where its file is damaged."""
        path = self._path(title)
        try:
            return _unpacked(path, path.read_bytes())
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise StoreError(path, f"cannot be read ({error.strerror}); mend permissions") from error

    def load(self) -> SoundReferences:
        """All titles, ready to be searched. Raises StoreError naming the file that is damaged."""
        titles = self.titles()
        table = self.folder / f"table-{self._state(titles)}"
        found = _mapped(table)
        if found is not None:
            return found
        made = sound_references([track for title in titles for track in self.read(title)])
        self._keep(table, made)
        return made

    def _state(self, titles: Sequence[str]) -> str:
        """What the table is made from: every file's own digest, which is its end."""
        digest = hashlib.sha256(struct.pack("<HH", _VERSION, _TABLE_VERSION))
        for title in titles:
            with contextlib.suppress(OSError), self._path(title).open("rb") as file:
                file.seek(-_DIGEST_BYTES, 2)
                digest.update(title.encode() + b"\0" + file.read())
        return digest.hexdigest()[:32]

    def _keep(self, table: Path, made: SoundReferences) -> None:
        """Write the table for the next reader, and drop those of before. An index that cannot be written is still searched."""
        with contextlib.suppress(OSError):
            draft = Path(tempfile.mkdtemp(prefix=".table-", dir=self.folder))
            try:
                (draft / "titles").write_text(
                    "".join(f"{title} {seconds}\n" for title, seconds in zip(made.titles, made.seconds, strict=True))
                )
                for name in _TABLE_ARRAYS:
                    np.save(draft / f"{name}.npy", getattr(made, name))
                old = [path for path in self.folder.glob("table-*") if path != table]
                draft.rename(table)  # refused where another reader was faster
                for path in old:
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                shutil.rmtree(draft, ignore_errors=True)

    def _path(self, title: str) -> Path:
        if not is_id(title):
            raise StoreError(self.folder, f"{title!r} cannot name a title; use ASCII letters, digits, - and _")
        return self.folder / f"{title}{_SUFFIX}"


def _mapped(table: Path) -> SoundReferences | None:
    try:
        rows = [line.split() for line in (table / "titles").read_text().splitlines()]
        starts, times, tones, entries = (np.load(table / f"{name}.npy", mmap_mode="r") for name in _TABLE_ARRAYS)
    except (OSError, ValueError):  # there is none yet, or it is being dropped
        return None
    return SoundReferences(
        titles=tuple(title for title, _ in rows),
        seconds=tuple(Fraction(seconds) for _, seconds in rows),
        starts=starts,
        times=times,
        tones=tones,
        entries=entries,
    )


def _packed(title: str, tracks: Sequence[SoundPrint]) -> bytes:
    name = title.encode("ascii")
    parts = [_HEADER.pack(_MAGIC, _VERSION, len(tracks), len(name)), name]
    for track in tracks:
        rows = _rows(track.times[track.is_strong], track.tones[track.is_strong])
        parts += [_TRACK.pack(track.seconds.numerator, track.seconds.denominator, len(rows)), rows.tobytes()]
    body = b"".join(parts)
    return body + hashlib.sha256(body).digest()


def _rows(times: NDArray[np.int32], tones: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Gap and tone of each peak; a long gap is several rows, of which the last has the tone.  # (rows, 2)"""
    gaps = np.diff(times, prepend=0)
    ends = np.cumsum(gaps // _LONGEST + 1)  # row after each peak's
    rows = np.full((int(ends[-1]) if len(ends) else 0, 2), (_LONGEST, 0), np.uint8)
    rows[ends - 1] = np.stack([gaps % _LONGEST, tones], axis=1)
    return rows


def _unpacked(path: Path, content: bytes) -> tuple[SoundReference, ...]:
    body, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
    if len(body) < _HEADER.size or body[:4] != _MAGIC:
        raise _damaged(path, "is no fingerprint of sound")
    _, version, tracks, name_bytes = _HEADER.unpack_from(body)
    if version != _VERSION:
        raise _damaged(path, f"was written by another mediaforge (version {version})")
    if hashlib.sha256(body).digest() != digest:
        raise _damaged(path, "is damaged (its checksum disagrees)")
    title = body[_HEADER.size : _HEADER.size + name_bytes].decode("ascii")
    if title != path.stem:
        raise _damaged(path, f"holds the title {title!r}")
    return tuple(_tracks(body, title, at=_HEADER.size + name_bytes, count=tracks))


def _tracks(body: bytes, title: str, *, at: int, count: int) -> Iterator[SoundReference]:
    for _ in range(count):
        numerator, denominator, length = _TRACK.unpack_from(body, at)
        rows = np.frombuffer(body, np.uint8, count=2 * length, offset=at + _TRACK.size).reshape(length, 2)
        at += _TRACK.size + rows.nbytes
        times = np.cumsum(rows[:, 0], dtype=np.int32)
        is_peak = rows[:, 0] != _LONGEST
        yield SoundReference(
            title=title, seconds=Fraction(numerator, denominator), times=times[is_peak], tones=rows[is_peak, 1]
        )


def _damaged(path: Path, what: str) -> StoreError:
    return StoreError(path, f"{what}; remove it with `fingerprint remove {path.stem}` and add the title again")
