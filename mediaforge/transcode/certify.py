"""The VMAF of finished renditions, certified by sampling in time: an estimate with a 95 % confidence interval.

A systematic sample: every `stride`-th frame. The stride has no factor in common with the GOP, so that every place in the GOP
is looked at equally often (I pictures score 10 points and more above their GOP on low rungs) and the sample walks evenly
through the title. Where the sample lies so close that the frames between are decoded anyway, they are glanced at (glance.py):
the scores' regression on that, taken at the mean of all frames, halves the error (the regression estimator of Cochran, Sampling
Techniques, 3rd ed. 1977, section 7.4). The variance is estimated from successive differences, for neighbours in the sample
look alike: v2 in Wolter, Introduction to Variance Estimation, 2nd ed. 2007, section 8.2. It errs on the safe side where what
is left unexplained is correlated over more than one stride, as it is within a shot.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mediaforge.ladder import Screen
from mediaforge.media import Grid, Master
from mediaforge.tools import Tools
from mediaforge.transcode.quality import score_and_glance, score_frames

_SHARE = 27  # one frame in so many, over all renditions
_FAVOUR = 0.35  # samples go as this power of one over the rate
_STRAY = 0.2  # of half a GOP: how far from its multiples a stride stays
_LEAST = 24  # frames to look at in a short clip; one that is four times as long or less is looked at whole
_WHOLE_STRIDE = 4  # so close together the neighbours shown beside them would be all the rest
_MOST = 400  # of them on average, however long a title that is read through: it errs as a minute's 60 do, or less
_SOUGHT = 900  # frames to look at in a title that is sought through: it costs the same for one hour and for four
_SEEK_GOPS = 2  # lie those further apart than this, it is cheaper to seek than to decode what is between
_BATCH = 3000  # frames one ffmpeg reads through

Floats = NDArray[np.float64]


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
    renditions: Sequence[Path],
    master: Master,
    *,
    grid: Grid,
    screen: Screen = Screen.PHONE,
    tools: Tools,
    on_progress: Callable[[float], None],
) -> tuple[Quality, ...]:
    """Certify whole renditions of a master on its grid, in their order. Raises ToolError."""
    frames = samples(grid, [path.stat().st_size for path in renditions])
    if is_sought(grid):
        return _certify_far(renditions, master, frames, grid=grid, screen=screen, tools=tools, on_progress=on_progress)
    if frames[0].step == 1:
        whole = score_frames(renditions, master, frames, fps=grid.fps, tools=tools, screen=screen)
        on_progress(1.0)
        return tuple(estimate(scores, of=grid.frames) for scores in whole)
    return _certify_near(renditions, master, frames, grid=grid, screen=screen, tools=tools, on_progress=on_progress)


def _certify_near(
    renditions: Sequence[Path],
    master: Master,
    frames: Sequence[range],
    *,
    grid: Grid,
    screen: Screen,
    tools: Tools,
    on_progress: Callable[[float], None],
) -> tuple[Quality, ...]:
    """Read through, some minutes at a time; every frame is glanced at."""
    scores: list[list[Floats]] = [[] for _ in renditions]
    glances: list[list[Floats]] = [[] for _ in renditions]
    for batch, part in batches(frames, grid):
        span = range(max(0, batch.start - 1), min(grid.frames, batch.stop + 1))  # the neighbours of what stands at its ends
        seen = score_and_glance(renditions, master, part, span=span, fps=grid.fps, tools=tools, screen=screen)
        for number, one in enumerate(seen):
            scores[number].append(one.scores)
            glances[number].append(one.glance.columns[batch.start - span.start :][: len(batch)])
        on_progress(batch.stop / grid.frames)
    return tuple(
        estimate(np.concatenate(found), of=grid.frames, seen=np.concatenate(every), places=places)
        for found, every, places in zip(scores, glances, frames, strict=True)
    )


def _certify_far(
    renditions: Sequence[Path],
    master: Master,
    frames: Sequence[range],
    *,
    grid: Grid,
    screen: Screen,
    tools: Tools,
    on_progress: Callable[[float], None],
) -> tuple[Quality, ...]:
    """Seek from one place to the next; they are the same for all renditions."""
    scores: list[list[Floats]] = [[] for _ in renditions]
    for number in range(len(frames[0])):
        part = [one[number : number + 1] for one in frames]
        for found, kept in zip(
            score_frames(renditions, master, part, fps=grid.fps, tools=tools, screen=screen), scores, strict=True
        ):
            kept.append(found)
        on_progress((number + 1) / len(frames[0]))
    return tuple(estimate(np.concatenate(kept), of=grid.frames) for kept in scores)


def samples(grid: Grid, rates: Sequence[float]) -> tuple[range, ...]:
    """The frames to look at in renditions of these rates (in any unit): all of a short clip, else every so-many-th but
    neither the first nor the last. Pure.

    A low rung's scores scatter more, around what a glance explains too (4.4, 2.5, 1.6, 1.5 at 110, 260, 650 and 1600 kbit/s),
    so it gets more of the samples (Neyman's allocation). Where a title is sought through, all are looked at in the same places.
    """
    if is_sought(grid):
        one = _walking(grid.frames // _SOUGHT, grid.gop_frames)
        return (range(one // 2, grid.frames - 1, one),) * len(rates)
    stride = grid.frames // min(_MOST, max(_LEAST, grid.frames // _SHARE))
    if stride <= _WHOLE_STRIDE:
        return (range(grid.frames),) * len(rates)
    shares = [rate**-_FAVOUR for rate in rates]
    usual = sum(shares) / len(shares)
    strides = [_walking(stride * usual / one, grid.gop_frames) for one in shares]
    return tuple(range(one // 2, grid.frames - 1, one) for one in strides)


def is_sought(grid: Grid) -> bool:
    """Whether a title is so long (an hour) that places in it are sought, and what lies between is not decoded."""
    return grid.frames // _SOUGHT > _SEEK_GOPS * grid.gop_frames


def _walking(stride: float, gop_frames: int) -> int:
    """The stride next to this one that walks through the GOP: no common factor, and not nearly the whole or half of it.

    A film whose cuts keep time with the GOP was missed by 0.7 with every 47th frame of 48; every 29th errs half as much as
    every 25th.
    """
    most = max(_WHOLE_STRIDE + 1, math.ceil(stride)) + gop_frames
    fitting = [one for one in range(_WHOLE_STRIDE + 1, most + 1) if math.gcd(one, gop_frames) == 1]
    walking = [one for one in fitting if one < gop_frames / 3 or _STRAY <= 2 * one / gop_frames % 1 <= 1 - _STRAY]
    return min(walking or fitting, key=lambda one: abs(one - stride))


def batches(frames: Sequence[range], grid: Grid) -> Iterator[tuple[range, list[range]]]:
    """The frames that one ffmpeg after the other reads, and the samples among them. Pure."""
    count = -(-grid.frames // _BATCH)
    for number in range(count):
        start, stop = (grid.frames * edge // count for edge in (number, number + 1))
        yield range(start, stop), [_within(one, start, stop) for one in frames]


def _within(places: range, start: int, stop: int) -> range:
    """The places from `start` on, before `stop`."""
    first, last = (max(0, -(-(edge - places.start) // places.step)) for edge in (start, stop))
    return places[first:last]


def estimate(scores: Floats, *, of: int, seen: Floats | None = None, places: Sequence[int] = ()) -> Quality:
    """The mean of `of` frames in time, from the scores of an even sample of them (samples,). Pure.

    `seen` (of, columns) is what is known of every frame, `places` (samples,) are the sample's in it.
    """
    n = len(scores)
    mean, left, freedom = float(scores.mean()), scores, n - 1
    if seen is not None:
        known = np.column_stack([np.ones(len(seen)), seen])
        slopes = np.linalg.lstsq(known[list(places)], scores, rcond=None)[0]
        mean, left, freedom = float((known @ slopes).mean()), scores - known[list(places)] @ slopes, n - known.shape[1]
    half = 0.0
    if n < of:
        variance = (1 - n / of) / n * float(np.square(np.diff(left)).sum()) / (2 * (n - 1)) * (n - 1) / freedom
        half = _t_975(freedom) * math.sqrt(variance)
    return Quality(
        mean=min(100.0, max(0.0, mean)),
        low=max(0.0, mean - half),
        high=min(100.0, mean + half),
        p5=float(np.percentile(scores, 5)),
        frames=n,
    )


def _t_975(freedom: int) -> float:
    """Student's t at 97.5 %: Cornish and Fisher's expansion, right to 0.01 from 7 degrees of freedom on."""
    z = 1.959964
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
