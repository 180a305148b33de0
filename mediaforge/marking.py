"""A chunk with its marks: encoded, measured, and where the variants came out too much alike encoded again with a pattern.

Only what is weak is encoded again: of rungs with a quality for each segment just those segments, of rungs with a mean rate the
whole chunk, because their rate control must see what it saw before; of that, too, only the weak segments are taken.
"""

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path

from mediaforge.frames import Piece, join
from mediaforge.ladder import FittedRung, Mark
from mediaforge.media import Chunk, Grid, Variant
from mediaforge.record import to_json
from mediaforge.tools import Tools
from mediaforge.transcode.encoder import EncodeRequest, Pattern, encode, rendition_name
from mediaforge.watermark.modes import Mode, RungMarks, SegmentMark, diverged, patterned, weak_segments
from mediaforge.watermark.pattern import CELLS, MIDDLE, UNIT, pattern_frames
from mediaforge.watermark.strength import head_strengths, whole_strengths

MARKS_NAME = "marks.json"
_ENCODED = 0.9  # of the progress, where the chunk is encoded and nothing is known of its marks

Progress = Callable[[float], None]
_Weak = Mapping[str, tuple[int, ...]]  # by rung, the places of weak segments in the chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class _Again:
    """An encode of some of a chunk's segments with a pattern: where it lies, and the place of its first segment."""

    folder: Path
    first: int


def encode_marked(request: EncodeRequest, to: Path, *, key: bytes, tools: Tools, on_progress: Progress) -> None:
    """Encode a chunk in both variants into `to`, and say there how each segment is marked (MARKS_NAME, RungMarks of the chunk).

    `key` is that of the title's patterns. Raises what `encode` raises.
    """
    all_over = keyed_pattern(key, None)
    asking = {rung.rung.name: all_over for rung in request.rungs if rung.rung.mark is Mark.PATTERN}
    encode(replace(request, patterns=asking), to, tools=tools, on_progress=lambda share: on_progress(_ENCODED * share))
    marks = {rung.rung.name: _measured(request, rung, to, asked=rung.rung.name in asking) for rung in request.rungs}
    weak = {name: places for name in marks if name not in asking and (places := _weak(marks[name]))}
    with tempfile.TemporaryDirectory(dir=to, prefix="again-") as name:
        encodes = _encode_again(request, weak, Path(name), key=key, tools=tools)
        for rung in request.rungs:
            places = weak.get(rung.rung.name, ())
            found = {place: encodes[rung.rung.name, place] for place in places}
            _settle(request, rung, marks[rung.rung.name], found, to=to, draft=Path(name))
    rows = tuple(RungMarks(rung=name, segments=tuple(segments)) for name, segments in marks.items())
    (to / MARKS_NAME).write_bytes(to_json(rows))
    on_progress(1.0)


def keyed_pattern(key: bytes, segments: Collection[int] | None) -> Pattern:
    """The pattern of `key` in these segments of the title; None: in all."""
    return Pattern(cells=CELLS, middle=MIDDLE, unit=UNIT, frames=partial(_pattern_frames, key, segments))


def _pattern_frames(key: bytes, segments: Collection[int] | None, grid: Grid, frames: range) -> Iterator[bytes]:
    return pattern_frames(key, grid, frames, range(grid.segments) if segments is None else segments)


def _measured(request: EncodeRequest, rung: FittedRung, folder: Path, *, asked: bool) -> list[SegmentMark]:
    """Every segment by its first pictures, and again by all of it where those would call it weak."""
    a, b, grid = *_pair(rung, folder), _chunk_grid(request.grid, request.chunk, rung)
    strengths = head_strengths(a, b, grid)
    looked_at = whole_strengths(a, b, grid, weak_segments(strengths))
    known = [looked_at.get(place, strength) for place, strength in enumerate(strengths)]
    return [patterned(strength) if asked else diverged(strength) for strength in known]


def _weak(marks: list[SegmentMark]) -> tuple[int, ...]:
    return weak_segments([mark.strength for mark in marks])


def _encode_again(
    request: EncodeRequest, weak: _Weak, folder: Path, *, key: bytes, tools: Tools
) -> Mapping[tuple[str, int], _Again]:
    """Encode all that is weak with a pattern; by rung and place of the segment."""
    begin = request.chunk.first_frame // request.grid.gop_frames
    found: dict[tuple[str, int], _Again] = {}
    for number, (chunk, names) in enumerate(_weak_parts(request, weak)):
        first = chunk.first_frame // request.grid.gop_frames - begin
        patterns = {name: keyed_pattern(key, frozenset(begin + place for place in weak[name])) for name in names}
        rungs = tuple(rung for rung in request.rungs if rung.rung.name in names)
        part = replace(request, chunk=chunk, rungs=rungs, trick=None, patterns=patterns)
        made = folder / f"part-{number}"
        made.mkdir()
        encode(part, made, tools=tools, on_progress=lambda _: None)
        last = first - (-chunk.frames // request.grid.gop_frames)
        for name in names:
            found |= {(name, place): _Again(folder=made, first=first) for place in weak[name] if first <= place < last}
    return found


def _weak_parts(request: EncodeRequest, weak: _Weak) -> Iterator[tuple[Chunk, frozenset[str]]]:
    """What to encode again, and of which rungs."""
    planned = frozenset(rung.rung.name for rung in request.rungs if rung.crfs and rung.rung.name in weak)
    if whole := frozenset(weak) - planned:
        yield request.chunk, whole
    places = sorted({place for name in planned for place in weak[name]})
    for _, run in groupby(enumerate(places), key=lambda row: row[1] - row[0]):
        stretch = [place for _, place in run]
        gop = request.grid.gop_frames
        first, end = stretch[0] * gop, min((stretch[-1] + 1) * gop, request.chunk.frames)
        chunk = Chunk(index=request.chunk.index, first_frame=request.chunk.first_frame + first, frames=end - first)
        yield chunk, frozenset(name for name in planned if set(stretch) & set(weak[name]))


def _settle(
    request: EncodeRequest,
    rung: FittedRung,
    marks: list[SegmentMark],
    again: Mapping[int, _Again],
    *,
    to: Path,
    draft: Path,
) -> None:
    """Decide what each weak segment becomes, and put the renditions together accordingly."""
    grid = _chunk_grid(request.grid, request.chunk, rung)
    for made in set(again.values()):
        places = [place for place, where in again.items() if where == made]
        strengths = whole_strengths(*_pair(rung, made.folder), grid, [place - made.first for place in places])
        for place in places:
            marks[place] = patterned(strengths[place - made.first])
    if all(mark.mode is not Mode.UNMARKED for mark in marks) and not again:
        return
    for variant in request.differing:
        pieces = [
            Piece(path=path, first_frame=first * grid.gop_frames, frames=grid.segment_frames(place))
            for place, (path, first) in enumerate(_sources(rung, variant, marks, again, to))
        ]
        join(pieces, draft / rendition_name(rung.rung.name, variant))
    for variant in request.differing:
        name = rendition_name(rung.rung.name, variant)
        (draft / name).replace(to / name)


def _sources(
    rung: FittedRung, variant: Variant, marks: list[SegmentMark], again: Mapping[int, _Again], to: Path
) -> Iterator[tuple[Path, int]]:
    """Of each segment the file it is taken from, and its place there."""
    for place, mark in enumerate(marks):
        if mark.mode is Mode.UNMARKED:
            yield to / rendition_name(rung.rung.name, Variant.A), place
        elif place in again:
            yield again[place].folder / rendition_name(rung.rung.name, variant), place - again[place].first
        else:
            yield to / rendition_name(rung.rung.name, variant), place


def _pair(rung: FittedRung, folder: Path) -> tuple[Path, Path]:
    return folder / rendition_name(rung.rung.name, Variant.A), folder / rendition_name(rung.rung.name, Variant.B)


def _chunk_grid(grid: Grid, chunk: Chunk, rung: FittedRung) -> Grid:
    """The grid of a chunk's rendition, from its first frame on."""
    own = grid.every(rung.step)
    return replace(own, frames=chunk.frames // rung.step)
