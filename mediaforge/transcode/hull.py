"""A title's curves: for every shape and GOP the rate and VMAF of each constant quality, and the hull over shapes. Pure.

For one GOP at one size and preset, over the range of CRFs that a ladder uses,

    ln bits = a - b crf          ln(CEILING - VMAF) = c + d crf

hold well enough for two trials to give all four numbers (film, x264, CRF 21 to 36: between the halves of that range d differs
by 3 % at 240p, 12 % at 540p, 6 % at 720p). So the slope dVMAF/dbits is a closed form, and a constant slope over the shots of a
title (Netflix's dynamic optimizer, Katsavounidis 2018) is one line.
Between sizes the four numbers are interpolated in ln height.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mediaforge.media import Grid, Shape
from mediaforge.transcode.trials import Outcomes, Trial

CEILING = 101.0  # where VMAF tends to as CRF falls, by the fit above; scores themselves end at 100
_BEST = 100.0
# CRF steps past the trials that curves are asked for. Of the largest pictures 8 finer ones, since an easy title's reference may
# lie there. Smaller ones lack detail that no CRF brings back, so their curves end below the ceiling: a title of leaves at 540p
# comes to 98.5, and 8 steps past its trials to 97.5 where the fit says 98.1.
_FINER, _FINER_OF_LARGEST, _COARSER = 3.0, 8.0, 5.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One shape: a and b of every GOP, (segments,), c and d of every sample, (samples,)."""

    shape: Shape
    a: Floats
    b: Floats
    c: Floats
    d: Floats
    finest: float  # the CRFs between which the numbers may be trusted
    coarsest: float
    limit: float  # the highest that the encoder takes

    def bits(self, crf: Floats) -> Floats:
        """Of every GOP at its CRF, (segments,)."""
        return np.asarray(np.exp(self.a - self.b * crf))

    def vmaf(self, crf: Floats, sample: NDArray[np.int64]) -> Floats:
        return np.asarray(np.clip(CEILING - np.exp(self.c[sample] + self.d[sample] * crf), 0.0, _BEST))

    def crf_at_bits(self, bits: Floats) -> Floats:
        return np.asarray((self.a - np.log(bits)) / self.b)


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleCurves:
    """All shapes of a title for one codec, of each frame rate low to high, and how its GOPs relate to the samples."""

    grid: Grid
    curves: tuple[Curve, ...]
    sample: NDArray[np.int64]  # (segments,): whose VMAF stands for a GOP's
    shot: NDArray[np.int64]  # (segments,): the number of its shot

    @property
    def seconds(self) -> Floats:
        """Length of each segment, (segments,). A plan asks a thousand times: a film is not counted segment by segment."""
        frames = np.full(self.grid.segments, self.grid.gop_frames, dtype=np.float64)
        frames[-1] = self.grid.segment_frames(self.grid.segments - 1)
        return frames / float(self.grid.fps)

    def shaped(self, shape: Shape) -> Curve:
        """The curve of any size between the smallest and the largest probed at its frame rate; outside them the nearest."""
        alike = [curve for curve in self.curves if curve.shape.step == shape.step]
        heights = np.log([curve.shape.pixels for curve in alike])
        at = float(np.clip(math.log(shape.pixels), heights[0], heights[-1]))
        upper = min(len(heights) - 1, int(np.searchsorted(heights, at)))
        lower = max(0, upper - 1)
        share = 0.0 if upper == lower else (at - heights[lower]) / (heights[upper] - heights[lower])
        low, high = alike[lower], alike[upper]
        names = ("a", "b", "c", "d", "finest", "coarsest", "limit")
        mixed = {name: (1 - share) * getattr(low, name) + share * getattr(high, name) for name in names}
        return Curve(shape=shape, **mixed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A few trials at the rung's own preset beside the same at the fast one: what the fast ones are worth.

    Bits and the distance to the ceiling change by ratios that depend little on CRF and slowly on size (film, veryfast to slow:
    distance x 0.75 at 240p, 0.63 at 540p, 0.65 at 720p at any CRF): linear in ln pixels between the trials, constant outside.
    Each frame rate has its own: of what is lost at half the rate, less is the encoder's.
    """

    shapes: tuple[Shape, ...]  # of the calibrating trials, of each frame rate low to high
    fast: Outcomes
    own: Outcomes

    def apply(self, trials: Sequence[Trial], outcomes: Outcomes) -> Outcomes:
        """All fast trials as the rung's preset would have made them."""
        at = np.log([shape.pixels for shape in self.shapes])
        steps = np.array([shape.step for shape in self.shapes])

        def moved(fast: Floats, own: Floats) -> Floats:
            # A title of one frame has no bits behind its key frames: its ratio is one.
            ratios = np.log(np.maximum(own.mean(axis=1), 1.0) / np.maximum(fast.mean(axis=1), 1.0))
            kinds = [(math.log(trial.shape.pixels), steps == trial.shape.step) for trial in trials]
            return np.array([[math.exp(np.interp(place, at[alike], ratios[alike]))] for place, alike in kinds])

        return Outcomes(
            key=outcomes.key * moved(self.fast.key, self.own.key),
            rest=outcomes.rest * moved(self.fast.rest, self.own.rest),
            vmaf=CEILING - (CEILING - outcomes.vmaf) * moved(CEILING - self.fast.vmaf, CEILING - self.own.vmaf),
        )


def fit_curves(trials: Sequence[Trial], bits: Floats, vmaf: Floats, *, limit: float) -> tuple[Curve, ...]:
    """The curves of all shapes tried, of each frame rate small to large.

    From bits (trials, segments) and VMAF (trials, samples); `limit` is the highest CRF there is.
    """
    shapes = sorted({trial.shape for trial in trials}, key=lambda shape: (shape.step, shape.pixels))
    largest = max(shape.pixels for shape in shapes)
    return tuple(
        _fit(shape, trials, bits, vmaf, finer=_FINER_OF_LARGEST if shape.pixels == largest else _FINER, limit=limit)
        for shape in shapes
    )


def upper_hull(rate: Floats, vmaf: Floats) -> NDArray[np.int64]:
    """The points of the concave upper hull, by rising rate: no mixture of other points is better anywhere. (Andrew 1979)"""
    hull: list[int] = []
    for point in np.lexsort((-vmaf, rate)):
        if hull and vmaf[point] <= vmaf[hull[-1]]:
            continue
        while len(hull) > 1 and _is_below(rate, vmaf, hull[-2], hull[-1], point):
            hull.pop()
        hull.append(int(point))
    return np.array(hull, dtype=np.int64)


def _is_below(rate: Floats, vmaf: Floats, first: int, middle: int, last: int) -> bool:
    left = (vmaf[middle] - vmaf[first]) * (rate[last] - rate[first])
    return bool(left <= (vmaf[last] - vmaf[first]) * (rate[middle] - rate[first]))


def _fit(shape: Shape, trials: Sequence[Trial], bits: Floats, vmaf: Floats, *, finer: float, limit: float) -> Curve:
    rows = [number for number, trial in enumerate(trials) if trial.shape == shape]
    crf = np.array([trials[row].crf for row in rows], dtype=np.float64)
    slope_bits, at_zero = _line(crf, np.log(np.maximum(bits[rows], 1.0)))
    slope_loss, loss = _line(crf, np.log(CEILING - np.minimum(vmaf[rows], _BEST)))
    # Black or still pictures do not care for the CRF; a slope that is not there would divide by zero.
    return Curve(
        shape=shape,
        a=at_zero,
        b=np.maximum(-slope_bits, 0.01),
        c=loss,
        d=np.maximum(slope_loss, 1e-4),
        finest=crf.min() - finer,
        coarsest=min(crf.max() + _COARSER, limit),
        limit=limit,
    )


def _line(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Least squares over the rows of y (trials, n): slopes and values at x = 0, (n,)."""
    middle = x.mean()
    slope = ((x - middle)[:, None] * (y - y.mean(axis=0))).sum(axis=0) / np.square(x - middle).sum()
    return slope, y.mean(axis=0) - slope * middle
