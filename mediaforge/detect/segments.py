"""A segment: some titles in one immutable file, read through memory mapping.

    MFSG, version                              8 bytes
    times     (frames,) uint32                 milliseconds, rising within a title
    codes     (frames, crops, WORDS) uint64
    offsets   (16, 65537) uint32               the tables of tables.py, where there are codes enough to need them
    entries   (16, frames x crops) uint32
    directory JSON                             crops, titles, and of each section its place, length and SHA-256
    its length, its SHA-256, MFSG              8 + 32 + 4 bytes

Everything is little-endian and every section begins at a multiple of 64 bytes. The file is written under a temporary name,
synced and renamed, so that it is there whole or not at all.
"""

import hashlib
import json
import mmap
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.codes import WORDS
from mediaforge.detect.tables import BUCKETS, MOST_CODES, SUBSTRINGS, Tables, build_tables
from mediaforge.errors import StoreError

VERSION = 2
TABLES_FROM = 1 << 14  # codes (23 minutes of film): fewer are compared one by one, which takes 0.1 ms
NO_TABLES = MOST_CODES + 1

_HEAD = struct.Struct("<4sI")
_TAIL = struct.Struct("<Q32s4s")
_MAGIC = b"MFSG"
_ALIGN = 64
_QUICK_BYTES = 8 << 20  # a smaller section is checked whenever it is opened, a larger one by `check` and when it is merged


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """One title as the index keeps it."""

    title: str
    seconds: Fraction
    times: NDArray[np.int64]  # (frames,) milliseconds, rising
    codes: NDArray[np.uint64]  # (frames, crops, WORDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Where a title lies in its segment: frames `begin` to `end`, which is excluded."""

    title: str
    seconds: Fraction
    begin: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segment:
    """A segment as it is searched: views of the mapped file, or arrays in memory."""

    extents: tuple[Extent, ...]
    times: NDArray[np.uint32]  # (frames,)
    codes: NDArray[np.uint64]  # (frames, crops, WORDS)
    tables: Tables | None

    def reference(self, extent: Extent) -> Reference:
        """One of its titles."""
        times, codes = self.times[extent.begin : extent.end], self.codes[extent.begin : extent.end]
        return Reference(title=extent.title, seconds=extent.seconds, times=times.astype(np.int64), codes=codes)


def in_memory(references: Sequence[Reference], *, crops: int) -> Segment:
    """A segment that has no file, and no tables."""
    extents, begin = [], 0
    for each in references:
        extents.append(Extent(title=each.title, seconds=each.seconds, begin=begin, end=begin + len(each.times)))
        begin += len(each.times)
    return Segment(
        extents=tuple(extents),
        times=np.concatenate([np.empty(0, np.uint32), *(each.times.astype(np.uint32) for each in references)]),
        codes=np.concatenate([np.empty((0, crops, WORDS), np.uint64), *(each.codes for each in references)]),
        tables=None,
    )


def write_segment(path: Path, segment: Segment, *, tables_from: int = TABLES_FROM) -> None:
    """Write a segment's titles, with tables where it has that many codes. Raises StoreError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with draft.open("wb") as file:
                _write(file, segment, tables_from=tables_from)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(path, f"cannot be written ({error.strerror}); free space and rerun") from error


def open_segment(path: Path) -> Segment:
    """Map a segment. Raises FileNotFoundError where it is gone, StoreError where it is damaged."""
    content, directory = _opened(path)
    sections = directory["sections"]
    for name, section in sections.items():
        if section["bytes"] <= _QUICK_BYTES:
            _check(path, content, name, section)
    crops = directory["crops"]
    codes = _view(content, sections["codes"], "<u8").reshape(-1, crops, WORDS)
    tables = None
    if "entries" in sections:
        tables = Tables(
            offsets=_view(content, sections["offsets"], "<u4").reshape(SUBSTRINGS, BUCKETS + 1),
            entries=_view(content, sections["entries"], "<u4").reshape(SUBSTRINGS, len(codes) * crops),
        )
    extents = tuple(
        Extent(title=each["title"], seconds=Fraction(*each["seconds"]), begin=each["begin"], end=each["end"])
        for each in directory["titles"]
    )
    return Segment(extents=extents, times=_view(content, sections["times"], "<u4"), codes=codes, tables=tables)


def check_segment(path: Path) -> None:
    """Read all of a segment against its checksums. Raises as `open_segment`."""
    content, directory = _opened(path)
    for name, section in directory["sections"].items():
        _check(path, content, name, section)


def _write(file: IO[bytes], segment: Segment, *, tables_from: int) -> None:
    frames, crops, _ = segment.codes.shape
    file.write(_HEAD.pack(_MAGIC, VERSION))
    sections = {"times": _section(file, iter([segment.times.astype("<u4")]))}
    sections["codes"] = _section(file, iter([segment.codes.astype("<u8", copy=False)]))
    if tables_from <= frames * crops <= MOST_CODES:
        offsets: list[NDArray[np.uint32]] = []

        def entries() -> Iterator[NDArray[np.uint32]]:
            for begins, each in build_tables(segment.codes.reshape(-1, WORDS)):
                offsets.append(begins)
                yield each

        sections["entries"] = _section(file, entries())
        sections["offsets"] = _section(file, iter(offsets))
    titles = [
        {
            "title": each.title,
            "seconds": [each.seconds.numerator, each.seconds.denominator],
            "begin": each.begin,
            "end": each.end,
        }
        for each in segment.extents
    ]
    directory = json.dumps({"crops": crops, "titles": titles, "sections": sections}).encode()
    file.write(directory)
    file.write(_TAIL.pack(len(directory), hashlib.sha256(directory).digest(), _MAGIC))


def _section(file: IO[bytes], arrays: Iterator[NDArray[Any]]) -> dict[str, Any]:
    file.write(bytes(-file.tell() % _ALIGN))
    begin, digest = file.tell(), hashlib.sha256()
    for array in arrays:
        content = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        digest.update(content)
        file.write(content)
    return {"begin": begin, "bytes": file.tell() - begin, "sha256": digest.hexdigest()}


def _opened(path: Path) -> tuple[mmap.mmap, dict[str, Any]]:
    """The mapped file and its directory, which names nothing outside the file."""
    try:
        with path.open("rb") as file:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(path, f"cannot be read ({error.strerror}); mend permissions") from error
    except ValueError as error:
        raise damaged(path, "is empty") from error
    if len(content) < _HEAD.size + _TAIL.size or content[:4] != _MAGIC or content[-4:] != _MAGIC:
        raise damaged(path, "is no whole segment")
    version = _HEAD.unpack_from(content)[1]
    if version != VERSION:
        raise StoreError(path, f"was written by another mediaforge (version {version}); update mediaforge")
    length, digest, _ = _TAIL.unpack_from(content, len(content) - _TAIL.size)
    text = content[max(0, len(content) - _TAIL.size - length) : len(content) - _TAIL.size]
    if hashlib.sha256(text).digest() != digest:
        raise damaged(path, "is damaged (the checksum of its directory disagrees)")
    return content, json.loads(text)


def _check(path: Path, content: mmap.mmap, name: str, section: dict[str, Any]) -> None:
    piece = memoryview(content)[section["begin"] : section["begin"] + section["bytes"]]
    if hashlib.sha256(piece).hexdigest() != section["sha256"]:
        raise damaged(path, f"is damaged (the checksum of its {name} disagrees)")


def _view(content: mmap.mmap, section: dict[str, Any], kind: str) -> NDArray[Any]:
    count = section["bytes"] // np.dtype(kind).itemsize
    return np.frombuffer(content, kind, count=count, offset=section["begin"])


def damaged(path: Path, what: str) -> StoreError:
    return StoreError(path, f"{what}; move it away and add its titles again, or restore it from a backup")
