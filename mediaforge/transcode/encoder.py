"""One chunk: one ffmpeg decodes it once and feeds every rung in both variants; what came out too large is made again.

Byte for byte repeatable: x264 with VBV and several threads is not, so each encoder has one thread and the cores are
kept busy by the many encoders of a chunk and by several chunks at a time (facts-transcode 5a).

Where a codec takes one CRF for a whole encode (codecs: `one_crf`), each segment is an encode of its own. Rungs planned at a
constant quality are looked at afterwards: a segment that takes more than its rung may is encoded again, coarser, alone. Closed
GOPs fit behind one another whichever encode they came from.
"""

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any

import ffmpeg

from mediaforge.confinement import Limits
from mediaforge.errors import MediaError, ToolError
from mediaforge.frames import Piece, join_each
from mediaforge.ladder import FittedRung
from mediaforge.media import Chunk, Grid, Master, Variant
from mediaforge.tools import FFMPEG_PROGRESS, FFMPEG_QUIET, Tools, run
from mediaforge.transcode.clean import output_tags
from mediaforge.transcode.codecs import codec
from mediaforge.transcode.codecs.interface import Goal
from mediaforge.transcode.overlay import laid_on, pattern_input
from mediaforge.transcode.segments import chunk_crfs, chunk_segments, coarser, segment_bits
from mediaforge.transcode.source import every, grid_picture, sized
from mediaforge.transcode.trick import TRICK_FILE, TrickRung, first_pictures, trick_options

STALL_SECONDS = 180.0  # no new frame for so long and the encode is ended: the slowest frame we know (DCP) takes one
_CORRECTIONS = 6
_LIMITS = Limits(memory_bytes=16 << 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """What is laid onto a rung's pictures (overlay.py): gray `cells` (columns, rows), `middle` for nothing and `unit` away from
    it for the whole amplitude. `frames` gives those of a stretch of the rung's own grid, one after the other."""

    cells: tuple[int, int]
    middle: int
    unit: int
    frames: Callable[[Grid, range], Iterable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeRequest:
    """What one chunk needs. `differing`: by variant and codec, the encoder's settings that differ from the plain encode.

    `trick`: the pictures for trick play, if there are to be some. `patterns`: by rung, what its variants differ in besides.
    """

    master: Master
    grid: Grid
    chunk: Chunk
    rungs: tuple[FittedRung, ...]
    differing: Mapping[Variant, Mapping[str, Mapping[str, str]]]
    trick: TrickRung | None = None
    patterns: Mapping[str, Pattern] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Take:
    """One segment as it was encoded: where it lies, and its bits."""

    piece: Piece
    bits: int


_Takes = dict[str, list[_Take]]  # of every rendition, one a segment of the chunk


def encode(request: EncodeRequest, to: Path, *, tools: Tools, on_progress: Callable[[float], None]) -> None:
    """Encode a chunk into `to`, one clear MP4 a rung and variant (`rendition_name`), and one for trick play (TRICK_FILE).

    Raises MediaError where the master does not give the frames it should, ToolError where ffmpeg fails.
    """
    with tempfile.TemporaryDirectory(dir=to, prefix="takes-") as name:
        folder = Path(name)
        takes: _Takes = {}
        encodes = tuple(parts(request))
        frames = sum(part.chunk.frames for part in encodes)
        for number, part in enumerate(encodes):
            before = sum(part.chunk.frames for part in encodes[:number])
            made = _made(part, folder / f"part-{number}", tools=tools, on_frame=_counting(on_progress, before, frames))
            for rendition, found in made.items():
                takes.setdefault(rendition, []).extend(found)
        _correct(request, takes, folder, tools=tools)
        _assemble({to / rendition: [take.piece for take in chosen] for rendition, chosen in takes.items()})


def _counting(on_progress: Callable[[float], None], before: int, of: int) -> Callable[[int], None]:
    return lambda frame: on_progress((before + frame) / of)


def parts(request: EncodeRequest) -> Iterator[EncodeRequest]:
    """The encodes of a chunk: one for rungs whose encoders can lean from segment to segment, one a segment for the others.

    Trick play comes out of the first encode that decodes a segment.
    """
    rungs = sorted(request.rungs, key=lambda rung: rung.step)  # ffmpeg tells the frames of its first output: of all there are
    leaning = tuple(rung for rung in rungs if not codec(rung.rung.codec).one_crf)
    others = tuple(rung for rung in rungs if codec(rung.rung.codec).one_crf)
    if leaning:
        yield replace(request, rungs=leaning)
    if others:
        for segment in chunk_segments(request.chunk, request.grid):
            yield _segment(request, segment, others, trick=None if leaning else request.trick)


def _segment(
    request: EncodeRequest, segment: int, rungs: tuple[FittedRung, ...], *, trick: TrickRung | None = None
) -> EncodeRequest:
    grid = request.grid
    alone = Chunk(index=segment, first_frame=segment * grid.gop_frames, frames=grid.segment_frames(segment))
    return replace(request, chunk=alone, rungs=rungs, trick=trick)


def _correct(request: EncodeRequest, takes: _Takes, folder: Path, *, tools: Tools) -> None:
    """Put takes that keep their rate in the place of those that do not."""
    rungs = {rung.rung.name: rung for rung in request.rungs if rung.crfs}
    segments = chunk_segments(request.chunk, request.grid)
    for attempt in range(_CORRECTIONS):
        again: dict[int, list[FittedRung]] = {}
        for name, rung in rungs.items():
            for place, segment in enumerate(segments):
                most = max(takes[rendition_name(name, variant)][place].bits for variant in request.differing)
                crf = coarser(rung, segment, most, request.grid)
                if crf is not None:
                    rungs[name] = replace(
                        rungs[name], crfs=(*rungs[name].crfs[:segment], crf, *rungs[name].crfs[segment + 1 :])
                    )
                    again.setdefault(segment, []).append(rungs[name])
        if not again:
            return
        for segment, fitted in again.items():
            part = _segment(request, segment, tuple(fitted))
            made = _made(part, folder / f"again-{attempt}-{segment}", tools=tools, on_frame=lambda _: None)
            for rendition, (take,) in made.items():
                takes[rendition][segment - segments[0]] = take


def _made(part: EncodeRequest, folder: Path, *, tools: Tools, on_frame: Callable[[int], None]) -> _Takes:
    """Run one encode into a new folder and look at what came out."""
    folder.mkdir()
    step = part.rungs[0].step
    for rung in part.rungs:
        if rung.rung.name in part.patterns:
            _draw(part, rung, folder)
    watch = _Watch(on_frame=lambda frame: on_frame(frame * step))
    argv = encode_argv(part, folder, tools=tools)
    run(argv, name="ffmpeg", limits=_LIMITS, on_line=watch.read, watchdog_seconds=STALL_SECONDS)
    wanted = part.chunk.frames // step
    if watch.done != wanted:
        first = float(part.chunk.first_frame / part.grid.fps)
        what = f"gave {watch.done} of {wanted} frames from {first:.2f} s on; get an undamaged copy"
        raise MediaError(part.master.path, what)
    made = {
        name: _takes(folder / name, part, part.grid.every(rung.step), tools=tools)
        for rung in part.rungs
        for name in (rendition_name(rung.rung.name, variant) for variant in part.differing)
    }
    if part.trick is not None:
        made[TRICK_FILE] = _takes(folder / TRICK_FILE, part, part.grid, tools=tools)
    return made


def _draw(part: EncodeRequest, rung: FittedRung, folder: Path) -> None:
    """Put a rung's pattern where `encode_argv` reads it."""
    first, grid = part.chunk.first_frame // rung.step, part.grid.every(rung.step)
    frames = range(first, first + part.chunk.frames // rung.step)
    with _pattern_file(folder, rung).open("wb") as file:
        file.writelines(part.patterns[rung.rung.name].frames(grid, frames))


def _pattern_file(folder: Path, rung: FittedRung) -> Path:
    return folder / f"{rung.rung.name}.gray"


def _takes(rendition: Path, part: EncodeRequest, grid: Grid, *, tools: Tools) -> list[_Take]:
    """`grid` is the rendition's own."""
    segments = chunk_segments(part.chunk, part.grid)
    bits = segment_bits(rendition, tools=tools)
    if len(bits) != len(segments):
        raise ToolError("ffmpeg", f"made {len(bits)} GOPs of {len(segments)} in {rendition.name}; release the title again")
    if rendition.name == TRICK_FILE:
        pieces = [Piece(path=rendition, first_frame=place, frames=1) for place in range(len(segments))]
    else:
        frames = [grid.segment_frames(segment) for segment in segments]
        pieces = [
            Piece(path=rendition, first_frame=place * grid.gop_frames, frames=count) for place, count in enumerate(frames)
        ]
    return [_Take(piece=piece, bits=size) for piece, size in zip(pieces, bits, strict=True)]


def _assemble(renditions: Mapping[Path, Sequence[Piece]]) -> None:
    """The pieces of each behind one another; a file that has them all as it is, is moved."""
    mixed = {}
    for to, pieces in renditions.items():
        files = [path for path, _ in groupby(piece.path for piece in pieces)]
        if len(files) == 1:
            files[0].replace(to)
        else:
            mixed[to] = pieces
    if mixed:
        join_each(mixed)


def rendition_name(rung: str, variant: Variant) -> str:
    return f"{rung}.{variant.value}.mp4"


def encode_argv(request: EncodeRequest, to: Path, *, tools: Tools) -> list[str]:
    """The command line of a chunk's encode. Pure."""
    chunk = request.chunk
    picture = grid_picture(request.master, request.grid, first_frame=chunk.first_frame, frames=chunk.frames)
    split = picture.filter_multi_output("split", len(request.rungs) + (request.trick is not None))
    outputs = []
    for number, rung in enumerate(request.rungs):
        shown = every(split.stream(number), request.grid, rung.step)
        pictures = _pictures(request, rung, shown, to)
        for variant, settings in request.differing.items():
            target = str(to / rendition_name(rung.rung.name, variant))
            outputs.append(ffmpeg.output(pictures[variant], target, **_output(request, rung, settings)))
    if request.trick is not None:
        firsts = first_pictures(split.stream(len(request.rungs)), request.grid)
        small = sized(firsts, request.master, width=request.trick.width, height=request.trick.height)
        settings = trick_options(seconds=chunk.frames / request.grid.fps) | _container(request.grid)
        outputs.append(ffmpeg.output(small, str(to / TRICK_FILE), **settings))
    head = [*FFMPEG_QUIET, *FFMPEG_PROGRESS, "-filter_complex_threads", "1"]
    graph = ffmpeg.merge_outputs(*outputs).global_args(*head).overwrite_output()
    return [str(part) for part in ffmpeg.compile(graph, cmd=str(tools.ffmpeg))]


def _pictures(request: EncodeRequest, rung: FittedRung, shown: Any, folder: Path) -> Mapping[Variant, Any]:
    """What each variant encodes, at the rung's size: the same, or the pattern's two sides."""
    pattern = request.patterns.get(rung.rung.name)
    depth = codec(rung.rung.codec).pixel_format
    width, height = rung.width, rung.height
    if pattern is None:
        scaled = sized(shown, request.master, width=width, height=height, pixel_format=depth)
        pair = scaled.filter_multi_output("split", len(request.differing))
        return {variant: pair.stream(index) for index, variant in enumerate(request.differing)}
    cells = pattern_input(_pattern_file(folder, rung), request.grid.every(rung.step), cells=pattern.cells)
    scaled = sized(shown, request.master, width=width, height=height)
    assert request.master.video is not None
    tags = output_tags(request.master.video)
    laid = laid_on(scaled, cells, width=width, height=height, middle=pattern.middle, unit=pattern.unit, tags=tags)
    return {variant: picture.filter("format", depth) for variant, picture in laid.items()}


def _output(request: EncodeRequest, rung: FittedRung, differing: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    of = codec(rung.rung.codec)
    goal = Goal(
        rung=rung.rung,
        gop_frames=request.grid.every(rung.step).gop_frames,
        crfs=chunk_crfs(rung.crfs, request.chunk, request.grid),
        grain=rung.grain,
        differing=differing.get(of.name, {}),
    )
    return of.rendition(goal) | _container(request.grid)


def _container(grid: Grid) -> dict[str, Any]:
    return {
        "fps_mode": "passthrough",
        "video_track_timescale": timescale(grid.fps),
        "map_metadata": -1,
        "map_chapters": -1,
        "fflags": "+bitexact",
        "flags:v": "+bitexact",
    }


def timescale(fps: Fraction) -> int:
    """Ticks a second such that a frame is a whole number of them, at least 10,000 for the sake of other tracks."""
    return fps.numerator * -(-10_000 // fps.numerator)


class _Watch:
    """Reads ffmpeg's `-progress` lines: how far it is, and whether it still moves."""

    def __init__(self, *, on_frame: Callable[[int], None]) -> None:
        self.on_frame = on_frame
        self.done = 0
        self.moved = time.monotonic()

    def read(self, line: str) -> None:
        key, _, value = line.partition("=")
        if key != "frame":
            return
        if int(value) > self.done:
            self.done, self.moved = int(value), time.monotonic()
            self.on_frame(self.done)
        elif time.monotonic() - self.moved > STALL_SECONDS:
            raise ToolError("ffmpeg", f"made no frame for {STALL_SECONDS:.0f} s and was ended", transient=True)
