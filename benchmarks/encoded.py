"""A ladder that was really encoded: what its rungs take and how they look, segment by segment; made, scored and summed up."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mediaforge.frames import Piece, join
from mediaforge.ladder import FittedRung
from mediaforge.media import Grid, Master, Variant
from mediaforge.record import to_facts
from mediaforge.steps import Step, StepStore, digest_file
from mediaforge.tools import Tools
from mediaforge.transcode.chunks import plan_chunks
from mediaforge.transcode.encoder import EncodeRequest, encode, encode_argv, parts, rendition_name
from mediaforge.transcode.expect import Expectation, at_share, expect
from mediaforge.transcode.network import Network
from mediaforge.transcode.optimise import PERCENTILES
from mediaforge.transcode.quality import score_frames
from mediaforge.transcode.segments import segment_bits
from mediaforge.transcode.simulate import Track

STRIDE = 13  # frames between scored ones; no common factor with GOPs of 48, 60 or 100 frames

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A rung as measured. Rates hold sound and container."""

    name: str
    declared_bps: float
    bits: Floats  # (segments,)
    seconds: Floats  # (segments,)
    vmaf: Floats  # (segments,)
    worst_excess: float  # the largest segment's picture rate over the most that was planned (the peer: declared)

    @property
    def mean_bps(self) -> float:
        return float(self.bits.sum() / self.seconds.sum())

    @property
    def mean_vmaf(self) -> float:
        return float(np.average(self.vmaf, weights=self.seconds))

    @property
    def track(self) -> Track:
        """As the simulator plays it: a last segment that is cut short is left out, for it plays titles in a circle."""
        whole = slice(None) if self.seconds[-1] > 0.9 * self.seconds[0] else slice(0, -1)
        return Track(
            name=self.name, declared_bps=self.declared_bps, segment_bits=self.bits[whole], segment_vmaf=self.vmaf[whole]
        )


def expectation(rungs: Sequence[Encoded], network: Network) -> Expectation:
    declared, mean, vmaf = columns(rungs)
    return expect(network, declared, mean_bps=mean, vmaf=vmaf, segment_seconds=float(rungs[0].seconds[0]))


def viewers(rungs: Sequence[Encoded], network: Network) -> Floats:
    """The VMAF of the viewer at each of PERCENTILES."""
    declared, mean, vmaf = columns(rungs)
    return at_share(network, PERCENTILES, declared_bps=declared, mean_bps=mean, vmaf=vmaf)


def columns(rungs: Sequence[Encoded]) -> tuple[Floats, Floats, Floats]:
    return (
        np.array([rung.declared_bps for rung in rungs]),
        np.array([rung.mean_bps for rung in rungs]),
        np.array([rung.mean_vmaf for rung in rungs]),
    )


def encode_rungs(
    master: Master, grid: Grid, rungs: Sequence[FittedRung], *, digest: str, steps: StepStore, tools: Tools
) -> tuple[dict[str, Path], float]:
    """One clear MP4 a rung, as a release makes them, and the CPU seconds. Kept by `steps`."""
    chunks = plan_chunks(grid)
    made, cpu = [], 0.0
    for chunk in chunks:
        request = EncodeRequest(master=master, grid=grid, chunk=chunk, rungs=tuple(rungs), differing={Variant.A: {}})
        params = to_facts({"argv": [encode_argv(part, Path(), tools=tools) for part in parts(request)]})
        step = Step(name="bench-chunk", version=1, inputs=(digest,), params=params)

        def work(to: Path, request: EncodeRequest = request) -> None:
            encode(request, to, tools=tools, on_progress=lambda _: None)

        result = steps.run(step, work)
        made.append(result.folder)
        cpu += result.cpu_seconds

    def joined(to: Path) -> None:
        for rung in rungs:
            name = rendition_name(rung.rung.name, Variant.A)
            pieces = [
                Piece(path=part / name, first_frame=0, frames=chunk.frames) for part, chunk in zip(made, chunks, strict=True)
            ]
            join(pieces, to / name)

    params = to_facts({"rungs": rungs, "parts": [part.name for part in made]})
    folder = steps.run(Step(name="bench-join", version=1, inputs=(digest,), params=params), joined).folder
    return {rung.rung.name: folder / rendition_name(rung.rung.name, Variant.A) for rung in rungs}, cpu


def score(
    renditions: Sequence[Path], master: Master, grid: Grid, lengths: Sequence[float], *, steps: StepStore, tools: Tools
) -> list[Floats]:
    """VMAF of every segment of each rendition, (segments,), from every STRIDE-th frame; `lengths` are the segments' seconds."""
    frames = range(1, grid.frames - 1, STRIDE)
    inputs = tuple(digest_file(path) for path in (master.path, *renditions))
    step = Step(name="bench-score", version=1, inputs=inputs, params=to_facts({"frames": [frames.start, frames.stop, STRIDE]}))

    def work(to: Path) -> None:
        found = score_frames(renditions, master, [frames] * len(renditions), fps=grid.fps, tools=tools)
        (to / "scores.json").write_text(json.dumps([one.tolist() for one in found]))

    scores = json.loads((steps.run(step, work).folder / "scores.json").read_text())
    ends = np.cumsum(lengths) * float(grid.fps)
    owner = np.searchsorted(ends, np.array(frames), side="right").clip(max=len(lengths) - 1)
    return [_by_segment(np.array(one), owner, len(lengths)) for one in scores]


def measured(
    rung: FittedRung, rendition: Path, vmaf: Floats, grid: Grid, *, sound_bps: float, container_bps: float, tools: Tools
) -> Encoded:
    """One of our rungs as it came out."""
    seconds = np.array([float(grid.segment_span(number).seconds) for number in range(grid.segments)])
    picture = np.array(segment_bits(rendition, tools=tools), dtype=np.float64)
    beside = sound_bps + container_bps
    # A short last segment counts with the one before it, as RFC 8216 4.3.4.2 measures a peak: over a whole segment's time.
    peak_bps = float((picture / float(grid.segment_seconds)).max())
    return Encoded(
        name=rung.rung.name,
        declared_bps=rung.rung.max_bitrate_bps + beside,
        bits=picture + beside * seconds,
        seconds=seconds,
        vmaf=vmaf,
        worst_excess=peak_bps / rung.rung.max_bitrate_bps,
    )


def _by_segment(scores: Floats, owner: NDArray[np.int64], count: int) -> Floats:
    """Means by segment; a last one too short to hold a scored frame looks like the one before."""
    frames = np.bincount(owner, minlength=count)
    sums = np.bincount(owner, weights=scores, minlength=count)
    means = sums / np.maximum(frames, 1)
    means[frames == 0] = means[frames > 0][-1]
    return np.asarray(means)
