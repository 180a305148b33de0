"""The VMAF of finished renditions, certified by sampling in time: an estimate with a 95 % confidence interval.

A systematic sample: every `stride`-th frame. The stride has no factor in common with the GOP, so that every place in the GOP
is looked at equally often (I pictures score 10 points and more above their GOP on low rungs) and the sample walks evenly
through the title. The variance is estimated from successive differences, for neighbours in the sample look alike: v2 in
Wolter, Introduction to Variance Estimation, 2nd ed. 2007, section 8.2. It errs on the safe side where scores are correlated
over more than one stride, as those of a shot are.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mediaforge.media import Grid, Master
from mediaforge.tools import Tools
from mediaforge.transcode.quality import score_frames

_SHARE = 16  # one frame in so many, over all renditions: about a seventh of the cost of all, decoding included
_FAVOUR = 0.5  # samples go as this power of one over the rate
_LEAST = 24  # frames to look at in a short clip; one that is four times as long or less is looked at whole
_WHOLE_STRIDE = 4  # so close together the neighbours shown beside them would be all the rest
_MOST = 900  # frames to look at in a long title: what is certified costs the same for one hour and for four
_BATCH = 3000  # frames one ffmpeg reads through, as far as samples lie close
_SEEK_GOPS = 2  # further apart than this it is cheaper to seek than to decode what lies between


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """VMAF of a rendition, 0 to 100: the mean of all frames as estimated, and the 95 % confidence interval around it.

    `p5` is the 5th percentile of the `frames` looked at.
    """

    mean: float
    low: float
    high: float
    p5: float
    frames: int


def certify(
    renditions: Sequence[Path], master: Master, *, grid: Grid, tools: Tools, on_progress: Callable[[float], None]
) -> tuple[Quality, ...]:
    """Certify whole renditions of a master on its grid, in their order. Raises ToolError."""
    rates = [path.stat().st_size for path in renditions]
    frames = samples(grid, rates)
    scores: list[list[NDArray[np.float64]]] = [[] for _ in renditions]
    for batch, done in _batches(frames, grid):
        for found, kept in zip(score_frames(renditions, master, batch, fps=grid.fps, tools=tools), scores, strict=True):
            kept.append(found)
        on_progress(done)
    return tuple(estimate(np.concatenate(kept), of=grid.frames) for kept in scores)


def samples(grid: Grid, rates: Sequence[float]) -> tuple[range, ...]:
    """The frames to look at in renditions of these rates (in any unit): all of a short clip, else every so-many-th but
    neither the first nor the last. Pure.

    A low rung's scores scatter more, about as one over the root of its rate (12, 8, 5 and 3 at 110, 260, 650 and 1600 kbit/s),
    so it gets more of the samples (Neyman's allocation). A long title is sought through, frame by frame, and all are looked
    at in the same places.
    """
    wanted = min(_MOST, max(_LEAST, grid.frames // _SHARE))
    stride = grid.frames // wanted
    if stride <= _WHOLE_STRIDE:
        return (range(grid.frames),) * len(rates)
    shares = [rate**-_FAVOUR for rate in rates]
    usual = sum(shares) / len(shares)
    is_dense = stride <= _SEEK_GOPS * grid.gop_frames
    strides = [_walking(stride * usual / one if is_dense else stride, grid.gop_frames) for one in shares]
    return tuple(range(one // 2, grid.frames - 1, one) for one in strides)


def _walking(stride: float, gop_frames: int) -> int:
    """The stride next to this one that has no factor in common with the GOP."""
    most = max(_WHOLE_STRIDE + 1, math.ceil(stride)) + gop_frames
    fitting = [one for one in range(_WHOLE_STRIDE + 1, most + 1) if math.gcd(one, gop_frames) == 1]
    return min(fitting, key=lambda one: abs(one - stride))


def _batches(frames: Sequence[range], grid: Grid) -> Iterator[tuple[list[range], float]]:
    """The samples of one ffmpeg after the other, and which part of the title is done with each."""
    if frames[0].step == 1:
        yield list(frames), 1.0
        return
    fewest = min(len(one) for one in frames)
    count = fewest if frames[0].step > _SEEK_GOPS * grid.gop_frames else -(-grid.frames // _BATCH)
    count = min(count, fewest)
    for number in range(count):
        yield [one[len(one) * number // count : len(one) * (number + 1) // count] for one in frames], (number + 1) / count


def estimate(scores: NDArray[np.float64], *, of: int) -> Quality:
    """The mean of `of` frames in time, from the scores of an even sample of them (samples,). Pure."""
    n = len(scores)
    mean = float(scores.mean())
    half = 0.0
    if n < of:
        variance = (1 - n / of) / n * float(np.square(np.diff(scores)).sum()) / (2 * (n - 1))
        half = _t_975(n - 1) * math.sqrt(variance)
    return Quality(
        mean=mean,
        low=max(0.0, mean - half),
        high=min(100.0, mean + half),
        p5=float(np.percentile(scores, 5)),
        frames=n,
    )


def _t_975(freedom: int) -> float:
    """Student's t at 97.5 %: Cornish and Fisher's expansion, right to 0.01 from 7 degrees of freedom on."""
    z = 1.959964
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
