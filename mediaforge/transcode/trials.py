"""Trial encodes of a title's samples: bits and VMAF at a few sizes and qualities, all in a handful of processes.

A sample is the first half of its GOP (demand.py says what the rest takes). The samples are cut once into a reel, a film of
some seconds in raw frames; encoders and VMAF then look at the reel alone. One process makes all trials of a preset:
the reel is read once, scaled once a size (facts-transcode 5c: process starts, decoding and scaling are half the price of a
probe, the metric is most of the rest).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from mediaforge.confinement import Limits
from mediaforge.errors import MediaError
from mediaforge.ladder import Screen
from mediaforge.media import Grid, Master, Shape
from mediaforge.tools import FFMPEG_PROGRESS, FFMPEG_QUIET, Tools, run
from mediaforge.transcode.clean import output_tags
from mediaforge.transcode.codecs.interface import Codec
from mediaforge.transcode.probe import probe
from mediaforge.transcode.quality import score_frames
from mediaforge.transcode.source import every, grid_picture, sized
from mediaforge.transcode.survey import packet_bits

_LIMITS = Limits(memory_bytes=16 << 30)
_LEAST_HALF = 6  # frames
# A picture gets worse along its GOP, fast at first (film at 240p: 60, 57, 55 in the thirds of the half that is tried, 53 on
# average in the half that is not). The first scored frame of a half stands for the first third of the GOP, the second for the
# rest.
_HALF_WEIGHTS = np.array([1 / 3, 2 / 3])
_WATCHDOG = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One point to try: a picture's shape and a constant quality of the codec."""

    shape: Shape
    crf: int
    preset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reel:
    """The samples behind one another as a film of their own, every sample a GOP: one half of it, or both.

    Slow presets look far ahead: x264 spends more on a GOP's first half for its second's sake, SVT-AV1 builds other pyramids.
    """

    film: Master
    grid: Grid
    halves: int


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What the trials gave, each (trials, samples): bits of the key frame and of the others seen; mean VMAF of the GOP."""

    key: NDArray[np.float64]
    rest: NDArray[np.float64]
    vmaf: NDArray[np.float64]

    def of(self, trials: Sequence[int], samples: NDArray[np.int64]) -> "Outcomes":
        """Those of some trials and samples, by their places."""
        picked = np.ix_(np.array(trials), samples)
        return Outcomes(key=self.key[picked], rest=self.rest[picked], vmaf=self.vmaf[picked])


def cut_reel(master: Master, grid: Grid, samples: Sequence[int], path: Path, *, halves: int, tools: Tools) -> Reel:
    """Cut one or both halves of each sample GOP out of a master; where a title ends too soon its last picture stays."""
    assert master.video is not None
    width, height = (2 * round(side / 2) for side in master.video.display_size)
    length = halves * sample_frames(grid)
    parts = []
    for gop in samples:
        frames = min(length, grid.segment_frames(gop))
        piece = grid_picture(master, grid, first_frame=gop * grid.gop_frames, frames=frames)
        piece = piece.filter("tpad", stop=length - frames, stop_mode="clone")
        parts.append(sized(piece, master, width=width, height=height).filter("setpts", "N"))
    tags = output_tags(master.video)
    tags["color_range"] = tags.pop("range")  # as the muxer's option is named
    rate = grid.fps
    joined = ffmpeg.concat(*parts, v=1, a=0).filter("settb", f"{rate.denominator}/{rate.numerator}").filter("setpts", "N")
    graph = ffmpeg.output(joined, str(path), **{"c:v": "rawvideo", "r": str(grid.fps), **tags})
    graph = graph.global_args(*FFMPEG_QUIET, *FFMPEG_PROGRESS, "-filter_complex_threads", "1").overwrite_output()
    run(ffmpeg.compile(graph, cmd=str(tools.ffmpeg)), name="ffmpeg", limits=_LIMITS, watchdog_seconds=_WATCHDOG)
    return Reel(
        film=probe(path, tools=tools),
        grid=Grid(fps=grid.fps, gop_frames=length, frames=len(samples) * length),
        halves=halves,
    )


def sample_frames(grid: Grid) -> int:
    """How much of a GOP is tried: half of it, an even number where it can be."""
    return 2 * (grid.gop_frames // 4) or max(1, grid.gop_frames // 2)


def run_trials(reel: Reel, trials: Sequence[Trial], folder: Path, *, codec: Codec, screen: Screen, tools: Tools) -> Outcomes:
    """Encode the reel in all ways and score them. Raises MediaError, ToolError."""
    argv = trial_argv(reel, trials, codec=codec, tools=tools)
    run(argv, name="ffmpeg", limits=_LIMITS, cwd=folder, watchdog_seconds=_WATCHDOG)
    by_sample = [_by_sample(folder / f"{number}.crc", reel, trial.shape.step) for number, trial in enumerate(trials)]
    by_phase = _scores(reel, trials, folder, screen=screen, tools=tools).reshape(len(trials), reel.grid.segments, -1)
    places = by_phase.shape[2]
    weights = _HALF_WEIGHTS if places == len(_HALF_WEIGHTS) < reel.grid.gop_frames else np.full(places, 1 / places)
    return Outcomes(
        key=np.stack([bits[:, 0] for bits in by_sample]),
        rest=np.stack([bits[:, 1:].sum(axis=1) for bits in by_sample]),
        vmaf=by_phase @ weights,
    )


def _by_sample(listing: Path, reel: Reel, step: int) -> NDArray[np.float64]:
    """Bits of every picture, (samples, pictures of a GOP)."""
    grid = reel.grid.every(step)
    bits = packet_bits(listing)
    if len(bits) != grid.frames:
        raise MediaError(reel.film.path, f"gave {len(bits)} of {grid.frames} sample frames; get an undamaged copy")
    return bits.reshape(grid.segments, -1)


def _scores(reel: Reel, trials: Sequence[Trial], folder: Path, *, screen: Screen, tools: Tools) -> NDArray[np.float64]:
    """VMAF of the scored frames of every trial, (trials, frames)."""
    frames = scored_frames(reel)
    # At half the rate a picture is shown for two of the grid's frames, and the second time it is late: both are scored.
    looks = [(number, late) for number, trial in enumerate(trials) for late in range(trial.shape.step)]
    found = score_frames(
        [folder / f"{number}.mp4" for number, _ in looks],
        reel.film,
        [frames if frames.step == 1 else range(frames.start + late, frames.stop + late, frames.step) for _, late in looks],
        fps=reel.grid.fps,
        tools=tools,
        screen=screen,
    )
    seen = [[scores for scores, (of, _) in zip(found, looks, strict=True) if of == number] for number in range(len(trials))]
    return np.stack([np.mean(scores, axis=0) for scores in seen])


def scored_frames(reel: Reel) -> range:
    """The frames of a reel that are scored, the same of every GOP. Pure.

    Of a half those at five and at eleven twelfths; where both halves are seen the middles of the quarters; all of a short one.
    """
    half = reel.grid.gop_frames // reel.halves // 2
    if half < _LEAST_HALF:
        return range(reel.grid.frames)
    return range(half - 2 if reel.halves == 1 else half // 2, reel.grid.frames, half)


def trial_argv(reel: Reel, trials: Sequence[Trial], *, codec: Codec, tools: Tools) -> list[str]:
    """The command line: into the working directory, `N.mp4` and beside it `N.crc` with the packets' sizes. Pure."""
    shapes = sorted({trial.shape for trial in trials})
    picture = grid_picture(reel.film, reel.grid, first_frame=0, frames=reel.grid.frames).filter_multi_output(
        "split", len(shapes)
    )
    outputs = []
    for index, shape in enumerate(shapes):
        wanted = [number for number, trial in enumerate(trials) if trial.shape == shape]
        shown = every(picture.stream(index), reel.grid, shape.step)
        scaled = sized(shown, reel.film, width=shape.width, height=shape.height, pixel_format=codec.pixel_format)
        copies = scaled.filter_multi_output("split", len(wanted))
        gop_frames = reel.grid.every(shape.step).gop_frames
        for place, number in enumerate(wanted):
            options = codec.options(preset=trials[number].preset, crf=trials[number].crf, gop_frames=gop_frames)
            tee = {"f": "tee", "fps_mode": "passthrough", "flags:v": "+global_header"}
            outputs.append(
                ffmpeg.output(copies.stream(place), f"[f=mp4]{number}.mp4|[f=framecrc]{number}.crc", **options, **tee)
            )
    head = [*FFMPEG_QUIET, *FFMPEG_PROGRESS, "-filter_complex_threads", "1"]
    graph = ffmpeg.merge_outputs(*outputs).global_args(*head).overwrite_output()
    return [str(part) for part in ffmpeg.compile(graph, cmd=str(tools.ffmpeg))]
