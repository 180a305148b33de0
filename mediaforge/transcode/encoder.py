"""One chunk, one ffmpeg: it decodes once and feeds every rung in both variants.

Byte for byte repeatable: x264 with VBV and several threads is not, so each encoder has one thread and the cores are
kept busy by the many encoders of a chunk and by several chunks at a time (facts-transcode 5a).
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg

from mediaforge.errors import MediaError, ToolError
from mediaforge.ladder import FittedRung
from mediaforge.media import Chunk, Grid, Master, Variant
from mediaforge.tools import FFMPEG_PROGRESS, FFMPEG_QUIET, Limits, Tools, media_input, run
from mediaforge.transcode.codecs.h264 import AQ_STRENGTH
from mediaforge.transcode.source import grid_picture, sized
from mediaforge.transcode.zones import chunk_crfs, middle_crf, zones

STALL_SECONDS = 180.0  # no new frame for so long and the encode is ended: the slowest frame we know (DCP) takes one
SEGMENT_TOLERANCE = 1.10  # a segment's rate over its rung's: what players' safety margins swallow
_CORRECTIONS = 6
_CORRECTION_CRF = 0.75  # beyond what the rate alone asks for: the buffer's state is not known
_QP_AN_OCTAVE = 6
_LIMITS = Limits(memory_bytes=16 << 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeRequest:
    """What one chunk needs. `options` are the x264 settings in which each variant differs from the plain encode."""

    master: Master
    grid: Grid
    chunk: Chunk
    rungs: tuple[FittedRung, ...]
    options: Mapping[Variant, Mapping[str, str]]


def encode(request: EncodeRequest, to: Path, *, tools: Tools, on_progress: Callable[[float], None]) -> None:
    """Encode a chunk into `to`, one clear MP4 a rung and variant (`rendition_name`).

    Rungs planned at a constant quality are looked at afterwards: where a segment takes more than its rung may, the rung is
    encoded again with that segment coarser. Raises MediaError where the master does not give the frames it should, ToolError
    where ffmpeg fails.
    """
    _encode(request, to, tools=tools, on_progress=on_progress)
    for _ in range(_CORRECTIONS):
        excessive = tuple(filter(None, (_corrected(request, rung, to, tools=tools) for rung in request.rungs)))
        if not excessive:
            return
        request = replace(request, rungs=excessive)
        _encode(request, to, tools=tools, on_progress=lambda _: None)


def _encode(request: EncodeRequest, to: Path, *, tools: Tools, on_progress: Callable[[float], None]) -> None:
    watch = _Watch(frames=request.chunk.frames, on_progress=on_progress)
    argv = encode_argv(request, to, tools=tools)
    run(argv, name="ffmpeg", limits=_LIMITS, on_line=watch.read, watchdog_seconds=STALL_SECONDS)
    if watch.done != request.chunk.frames:
        first = float(request.chunk.first_frame / request.grid.fps)
        what = f"gave {watch.done} of {request.chunk.frames} frames from {first:.2f} s on; get an undamaged copy"
        raise MediaError(request.master.path, what)


def _corrected(request: EncodeRequest, rung: FittedRung, to: Path, *, tools: Tools) -> FittedRung | None:
    """The rung with coarser segments where one takes too much in any variant; None where all keep their rate."""
    if not rung.crfs:
        return None
    first = request.chunk.first_frame // request.grid.gop_frames
    crfs = list(rung.crfs)
    for variant in request.options:
        sizes = segment_bits(to / rendition_name(rung.rung.name, variant), tools=tools)
        for segment, bits in enumerate(sizes, start=first):
            # Against a whole segment's time: a short last one is mostly its key frame, and players buffer bits, not rates.
            excess = bits / float(request.grid.segment_seconds) / rung.rung.max_bitrate_bps
            if excess > SEGMENT_TOLERANCE:
                crfs[segment] = max(crfs[segment], rung.crfs[segment] + _QP_AN_OCTAVE * math.log2(excess) + _CORRECTION_CRF)
    return replace(rung, crfs=tuple(crfs)) if tuple(crfs) != rung.crfs else None


def segment_bits(rendition: Path, *, tools: Tools) -> tuple[int, ...]:
    """Bits of every segment (closed GOP) of a rendition."""
    argv = [tools.ffprobe, "-v", "error", "-of", "csv=p=0", "-show_entries", "packet=size,flags", *media_input(rendition)]
    sizes: list[int] = []
    for line in run(argv, name="ffprobe", limits=_LIMITS, timeout_seconds=300).stdout.decode().split():
        size, flags = line.split(",")[:2]
        if "K" in flags or not sizes:
            sizes.append(0)
        sizes[-1] += 8 * int(size)
    return tuple(sizes)


def rendition_name(rung: str, variant: Variant) -> str:
    return f"{rung}.{variant.value}.mp4"


def encode_argv(request: EncodeRequest, to: Path, *, tools: Tools) -> list[str]:
    """The command line of a chunk's encode. Pure."""
    chunk = request.chunk
    picture = grid_picture(request.master, request.grid, first_frame=chunk.first_frame, frames=chunk.frames)
    split = picture.filter_multi_output("split", len(request.rungs))
    outputs = []
    for number, rung in enumerate(request.rungs):
        scaled = sized(split.stream(number), request.master, width=rung.width, height=rung.height)
        pair = scaled.filter_multi_output("split", len(request.options))
        for index, (variant, options) in enumerate(request.options.items()):
            target = str(to / rendition_name(rung.rung.name, variant))
            outputs.append(ffmpeg.output(pair.stream(index), target, **_output(request, rung, options)))
    head = [*FFMPEG_QUIET, *FFMPEG_PROGRESS, "-filter_complex_threads", "1"]
    graph = ffmpeg.merge_outputs(*outputs).global_args(*head).overwrite_output()
    return [str(part) for part in ffmpeg.compile(graph, cmd=str(tools.ffmpeg))]


def _output(request: EncodeRequest, rung: FittedRung, differing: Mapping[str, str]) -> dict[str, Any]:
    target = rung.rung
    x264: dict[str, object] = {
        "keyint": request.grid.gop_frames,
        "min-keyint": request.grid.gop_frames,
        "scenecut": 0,
        "open-gop": 0,
        "aq-strength": AQ_STRENGTH,
        "stitchable": 1,  # headers do not depend on a chunk's content, so chunks join and variants share one init segment
        **differing,
    }
    if rung.crfs:
        crfs = chunk_crfs(rung.crfs, request.chunk, request.grid)
        goal: dict[str, Any] = {"crf": middle_crf(crfs)}
        leaning = zones(crfs, gop_frames=request.grid.gop_frames)
        x264 |= {"zones": leaning} if leaning else {}
    else:
        goal = {"b:v": target.bitrate_bps}
    return {
        "c:v": "libx264",
        "preset": target.preset,
        "profile:v": "high",
        **goal,
        "maxrate": target.max_bitrate_bps,
        "bufsize": target.buffer_bits,
        "threads": 1,
        "x264-params": ":".join(f"{key}={value}" for key, value in x264.items()),
        "fps_mode": "passthrough",
        "bsf:v": "filter_units=remove_types=6",  # SEI: x264 writes its settings there, and with them which variant this is
        "color_primaries": "bt709",
        "color_trc": "bt709",
        "colorspace": "bt709",
        "color_range": "tv",
        "video_track_timescale": timescale(request.grid.fps),
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

    def __init__(self, *, frames: int, on_progress: Callable[[float], None]) -> None:
        self.frames = frames
        self.on_progress = on_progress
        self.done = 0
        self.moved = time.monotonic()

    def read(self, line: str) -> None:
        key, _, value = line.partition("=")
        if key != "frame":
            return
        if int(value) > self.done:
            self.done, self.moved = int(value), time.monotonic()
            self.on_progress(self.done / self.frames)
        elif time.monotonic() - self.moved > STALL_SECONDS:
            raise ToolError("ffmpeg", f"made no frame for {STALL_SECONDS:.0f} s and was ended", transient=True)
