"""Seeded damage to boxes and manifests: what a bug or a proxy might do, one change at a time, never to the media itself."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mediaforge.package.boxes import CHILDREN_AT, CONTAINERS, Box, boxes


@dataclass(frozen=True, slots=True)
class Mutant:
    """`content` is what `name` becomes."""

    name: str
    what: str
    content: bytes


def mutants(folder: Path, *, seed: int, count: int) -> Iterator[Mutant]:
    """Changes to the files of a good package, half to boxes, half to manifests."""
    chance = random.Random(seed)
    binary = sorted(path for path in folder.rglob("*") if path.suffix in (".mp4", ".m4s"))
    texts = sorted(path for path in folder.rglob("*") if path.suffix in (".mpd", ".m3u8"))
    made = 0
    while made < count:
        path = chance.choice(binary if made % 2 == 0 else texts)
        data = path.read_bytes()
        what, content = _boxes(data, chance) if path in binary else _text(data.decode(), chance)
        if content != data:
            made += 1
            yield Mutant(path.relative_to(folder).as_posix(), what, content)


def _boxes(data: bytes, chance: random.Random) -> tuple[str, bytes]:
    box = chance.choice([box for box in _all_boxes(data, 0, len(data)) if box.kind != "mdat"])
    change = chance.choice((_flipped, _retyped, _dropped, _doubled, _resized))
    return f"{change.__name__[1:]} {box.kind}", change(data, box, chance)


def _all_boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    for box in boxes(data, start, end):
        yield box
        if box.kind in CONTAINERS or box.kind in CHILDREN_AT:
            yield from _all_boxes(data, box.body + CHILDREN_AT.get(box.kind, 0), box.end)


def _flipped(data: bytes, box: Box, chance: random.Random) -> bytes:
    at = chance.randrange(box.body, box.end) if box.end > box.body else box.start
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def _retyped(data: bytes, box: Box, chance: random.Random) -> bytes:
    return data[: box.start + 4] + chance.choice((b"free", b"skip", b"uuid")) + data[box.start + 8 :]


def _dropped(data: bytes, box: Box, chance: random.Random) -> bytes:
    return data[: box.start] + data[box.end :]


def _doubled(data: bytes, box: Box, chance: random.Random) -> bytes:
    return data[: box.end] + data[box.start :]


def _resized(data: bytes, box: Box, chance: random.Random) -> bytes:
    size = box.end - box.start + chance.choice((-8, -1, 1, 8))
    return data[: box.start] + max(0, size).to_bytes(4, "big") + data[box.start + 4 :]


def _text(text: str, chance: random.Random) -> tuple[str, bytes]:
    change = chance.choice((_line_dropped, _line_doubled, _lines_swapped, _digit, _attribute_dropped, _letter, _value))
    return change.__name__[1:], change(text, chance).encode()


def _line_dropped(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    del lines[chance.randrange(len(lines))]
    return "".join(lines)


def _line_doubled(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    at = chance.randrange(len(lines))
    return "".join([*lines[: at + 1], *lines[at:]])


def _lines_swapped(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return "".join(lines)


def _digit(text: str, chance: random.Random) -> str:
    at = chance.choice([match.start() for match in re.finditer(r"\d", text)])
    return text[:at] + str((int(text[at]) + chance.randrange(1, 10)) % 10) + text[at + 1 :]


def _attribute_dropped(text: str, chance: random.Random) -> str:
    found = list(re.finditer(r'[ ,:][A-Za-z:-]+="?[^",\s>]*"?', text))
    return _without(text, chance.choice(found)) if found else text  # a playlist of WebVTT has none


def _letter(text: str, chance: random.Random) -> str:
    at = chance.choice([match.start() for match in re.finditer(r"[A-Za-z]", text)])
    return text[:at] + chance.choice("abcdefghijklmnopqrstuvwxyz".replace(text[at].lower(), "")) + text[at + 1 :]


def _value(text: str, chance: random.Random) -> str:
    values = list(re.finditer(r'="[^"]*"', text))
    if not values:
        return text
    found = chance.choice(values)
    return text[: found.start()] + '=""' + text[found.end() :]


def _without(text: str, match: "re.Match[str]") -> str:
    return text[: match.start()] + text[match.end() :]
