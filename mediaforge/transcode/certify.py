"""The VMAF of finished renditions, certified by sampling in time: an estimate with a 95 % confidence interval.

A systematic sample: every `stride`-th frame. The stride has no factor in common with the GOP, so that every place in the GOP
is looked at equally often (I pictures score 10 points and more above their GOP on low rungs) and the sample walks evenly
through the title. The variance is estimated from successive differences, for neighbours in the sample look alike: v2 in
Wolter, Introduction to Variance Estimation, 2nd ed. 2007, section 8.2. It errs on the safe side where scores are correlated
over more than one stride, as those of a shot are.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mediaforge.media import Grid, Master
from mediaforge.tools import Tools
from mediaforge.transcode.quality import score_frames

_SHARE = 13  # one frame in so many: within 0.5 on a film cut fast (benchmarks/certify.py), for an eighth of the cost
_LEAST = 24  # frames to look at in a short clip; one that is four times as long or less is looked at whole
_WHOLE_STRIDE = 4  # so close together the neighbours shown beside them would be all the rest
_MOST = 900  # frames to look at in a long title: what is certified costs the same for one hour and for four
_BATCH = 64  # samples one ffmpeg reads through without seeking
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
    frames = sample(grid)
    size = _BATCH if frames.step <= _SEEK_GOPS * grid.gop_frames else 1
    scores = []
    for begin in range(0, len(frames), size):
        scores.append(score_frames(renditions, master, frames[begin : begin + size], fps=grid.fps, tools=tools))
        on_progress(min(1.0, (begin + size) / len(frames)))
    return tuple(estimate(one, of=grid.frames) for one in np.concatenate(scores, axis=1))


def sample(grid: Grid) -> range:
    """The frames to look at: all of a short clip, else every stride-th but neither the first nor the last. Pure."""
    wanted = min(_MOST, max(_LEAST, grid.frames // _SHARE))
    stride = grid.frames // wanted
    if stride <= _WHOLE_STRIDE:
        return range(grid.frames)
    while math.gcd(stride, grid.gop_frames) > 1:
        stride += 1
    return range(stride // 2, grid.frames - 1, stride)


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
    """Student's t at 97.5 %: Cornish and Fisher's expansion, right to 0.01 from 5 degrees of freedom on."""
    z = 1.959964
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
