"""Shots snapped to the GOP grid, and a few GOPs that stand for all of a title. Pure.

What is tried is a sample, so the cost of a plan hardly grows with the title's length: GOPs in the order of how hard they are
to code are cut into strata of equal length, and one of each stands for its stratum. It is drawn, not picked: a GOP typical in
one respect has no cut, no fade and no flash in it, and a title of typical GOPs promises six points of VMAF too much.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mediaforge.media import Grid
from mediaforge.transcode.survey import Survey

_CUT_CHANGE = 8.0  # luma steps: below it nothing is a cut, however still the picture around
_CUT_RATIO = 3.0  # over the median change around: motion is not a cut
_AROUND = 12  # frames on each side
_LONGEST = 6  # GOPs: a longer shot is looked at in parts
_LEAST_SAMPLES = 10
_MOST_SAMPLES = 48
_GOLDEN = 0.618034

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Casting:
    """Which GOPs are tried and which they stand for.

    `samples` are GOPs; `sample` (segments,) is the place among them of the one that stands for a GOP, `shot` (segments,) the
    number of its shot.
    """

    samples: tuple[int, ...]
    sample: NDArray[np.int64]
    shot: NDArray[np.int64]


def cast(seen: Survey, grid: Grid) -> Casting:
    """Find the shots and draw the samples."""
    shot = np.zeros(grid.segments, dtype=np.int64)
    for number, (first, count) in enumerate(snap(find_cuts(seen.change), grid)):
        shot[first : first + count] = number
    samples, sample = draw(gop_bits(seen, grid), count=sample_count(grid.segments))
    return Casting(samples=samples, sample=sample, shot=shot)


def sample_count(segments: int) -> int:
    """How many GOPs stand for so many: most of a clip's, few of a film's."""
    return min(segments, _LEAST_SAMPLES + segments // 60, _MOST_SAMPLES)


def draw(bits: Floats, *, count: int) -> tuple[tuple[int, ...], NDArray[np.int64]]:
    """Strata by rising bits, and of each the member at a place that walks through the strata (golden ratio): drawn, yet always
    the same."""
    order = np.argsort(bits, kind="stable")
    stratum = np.empty(len(bits), dtype=np.int64)
    samples = []
    for number, members in enumerate(np.array_split(order, count)):
        stratum[members] = number
        samples.append(int(np.sort(members)[int(len(members) * (number * _GOLDEN % 1))]))
    return tuple(samples), stratum


def find_cuts(change: NDArray[np.float32]) -> tuple[int, ...]:
    """The frames that begin a new shot: a change far above that of the frames around."""
    cuts = []
    for frame in np.flatnonzero(change > _CUT_CHANGE):
        around = np.concatenate((change[max(0, frame - _AROUND) : frame], change[frame + 1 : frame + 1 + _AROUND]))
        if change[frame] > _CUT_RATIO * float(np.median(around)):
            cuts.append(int(frame))
    return tuple(cuts)


def snap(cuts: tuple[int, ...], grid: Grid) -> tuple[tuple[int, int], ...]:
    """(first GOP, GOPs) of every shot: cuts move to the nearest GOP; a shot shorter than half a GOP vanishes."""
    edges = sorted({0, grid.segments, *(min(grid.segments, round(cut / grid.gop_frames)) for cut in cuts)})
    spans = []
    for first, last in itertools.pairwise(edges):
        parts = -(-(last - first) // _LONGEST)
        marks = [first + (last - first) * part // parts for part in range(parts + 1)]
        spans += [(start, end - start) for start, end in itertools.pairwise(marks)]
    return tuple(spans)


def gop_bits(seen: Survey, grid: Grid) -> Floats:
    """The scout's bits a frame for every GOP, (segments,)."""
    starts = np.arange(grid.segments) * grid.gop_frames
    sums = np.add.reduceat(seen.bits[: grid.frames].astype(np.float64), starts)
    return np.asarray(sums / np.array([grid.segment_frames(segment) for segment in range(grid.segments)]))
