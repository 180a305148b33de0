"""The box structure of ISO BMFF files (ISO/IEC 14496-12, 4.2): walk it, find a box, put another in its place."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

CONTAINERS = frozenset({"moov", "trak", "edts", "mdia", "minf", "stbl", "mvex", "moof", "traf", "sinf", "schi"})

# Where children begin inside the boxes that carry fields of their own first (14496-12, 8.5.2, 12.1.3 and 12.2.3).
CHILDREN_AT = {"stsd": 8, "encv": 78, "avc1": 78, "av01": 78, "hvc1": 78, "wvtt": 8}
CHILDREN_AT |= dict.fromkeys(("enca", "mp4a", "Opus", "ac-3", "ec-3"), 28)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box in `data[start:end]`; its body begins at `body`, after size and type."""

    kind: str
    start: int
    body: int
    end: int


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes side by side in `data[start:end]`. Raises ValueError where one does not fit."""
    at, stop = start, len(data) if end is None else end
    while at < stop:
        if at + 8 > stop:
            raise ValueError(f"{stop - at} stray bytes stand where a box should begin")
        size, kind = struct.unpack_from(">I4s", data, at)
        body = at + 8
        if size == 1 and body + 8 <= stop:  # a 64-bit size follows
            size, body = int.from_bytes(data[body : body + 8], "big"), body + 8
        name = kind.decode("latin-1")
        if size < body - at or at + size > stop:
            raise ValueError(f"box {name!r} says {size} bytes where {stop - at} are left")
        yield Box(kind=name, start=at, body=body, end=at + size)
        at += size


def children(data: bytes, box: Box) -> Iterator[Box]:
    """The boxes inside a box."""
    return boxes(data, _children_at(data, box), box.end)


def _children_at(data: bytes, box: Box) -> int:
    if box.kind != "stpp":
        return box.body + CHILDREN_AT.get(box.kind, 0)
    at = box.body + 8  # texts of any length follow (12.6.3.2): namespace, schema and, not always, types of what goes with it
    for _ in range(3):
        at = data.index(b"\0", at, box.end) + 1 if at < box.end else at
    return at


def find(data: bytes, path: str) -> Box | None:
    """The first box at a path such as "moov/trak/mdia/mdhd"; a `*` stands for any kind."""
    return next(find_all(data, path), None)


def find_all(data: bytes, path: str) -> Iterator[Box]:
    """Every box at a path."""
    first, *rest = path.split("/")
    level: list[Box] = [box for box in boxes(data) if first in (box.kind, "*")]
    for name in rest:
        level = [child for box in level for child in children(data, box) if name in (child.kind, "*")]
    return iter(level)


def fullbox(data: bytes, box: Box) -> tuple[int, int, bytes]:
    """Version, flags and what follows of a full box (14496-12, 4.2.2)."""
    head = int.from_bytes(data[box.body : box.body + 4], "big")
    return head >> 24, head & 0xFFFFFF, data[box.body + 4 : box.end]


def rewritten(data: bytes, path: str, change: Callable[[bytes], bytes]) -> bytes:
    """`data` with every box at `path` (whole, header included) replaced by `change(box)`, the sizes above it mended.

    Only for boxes that no offset points behind: an init segment holds no media, so nothing in it does.
    """
    return _rewritten(data, path.split("/"), change)


def _rewritten(data: bytes, path: list[str], change: Callable[[bytes], bytes]) -> bytes:
    pieces = []
    for box in boxes(data):
        whole = data[box.start : box.end]
        if box.kind == path[0]:
            whole = change(whole) if len(path) == 1 else _resized(whole, path, change)
        pieces.append(whole)
    return b"".join(pieces)


def _resized(box: bytes, path: list[str], change: Callable[[bytes], bytes]) -> bytes:
    body = _rewritten(box[8:], path[1:], change)
    return struct.pack(">I", 8 + len(body)) + box[4:8] + body
