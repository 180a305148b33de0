"""Bits to shots: a rung at one size spends them at constant slope, and no segment passes the rate a player is told. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mediaforge.media import Shape
from mediaforge.transcode.hull import Curve, TitleCurves

# CRF steps a shot may lie from its rung's middle: further out the curves are guesses and the eye sees the jump.
_REACH = 4.0
_PAST = 6.0  # how much coarser than anything tried a cap may make a segment: then it is the encoder's to keep it
_ROUNDS = 40

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """One way to encode a title: a shape, the most a segment may take, and what follows for every segment, (segments,)."""

    shape: Shape
    cap_bps: float
    crf: Floats
    bps: Floats
    vmaf: Floats
    mean_bps: float
    mean_vmaf: float
    peak_bps: float  # of the dearest segment; a short last one counts as if it were whole


def at_slope(title: TitleCurves, curve: Curve, slope: float, *, cap_bps: float) -> Allocation:
    """Every shot where one bit more gains `slope` VMAF; segments above the cap are coded coarser until they keep it."""
    wanted = crf_at_slope(title, curve, slope)
    by_shot = np.bincount(title.shot, weights=wanted * title.seconds) / np.bincount(title.shot, weights=title.seconds)
    middle = float(np.clip(np.average(wanted, weights=title.seconds), curve.finest, curve.coarsest))
    near = np.clip(by_shot, middle - _REACH, middle + _REACH)
    # A black picture's curve is flat: its slope is found nowhere, or at a CRF that no codec has.
    crf = np.clip(near, curve.finest - _REACH, curve.coarsest + _REACH)[title.shot]
    return _allocation(title, curve, crf, cap_bps=cap_bps)


def at_rate(title: TitleCurves, curve: Curve, mean_bps: float, *, cap_bps: float) -> Allocation:
    """One CRF for all, chosen for this mean rate: what an encoder does that is given a rate. The cap may keep it below."""
    low, high = curve.finest - 3 * _REACH, curve.coarsest + 3 * _REACH
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        if _allocation(title, curve, np.full(title.grid.segments, middle), cap_bps=cap_bps).mean_bps > mean_bps:
            low = middle
        else:
            high = middle
    return _allocation(title, curve, np.full(title.grid.segments, high), cap_bps=cap_bps)


def slopes(title: TitleCurves, curve: Curve, crfs: Iterable[float]) -> tuple[float, ...]:
    """The slopes at which the title takes these CRFs on average: a grid to choose from."""
    at_one = float(np.average(crf_at_slope(title, curve, 1.0), weights=title.seconds))
    b, _, d = _pooled(title, curve)
    return tuple(float(np.exp((crf - at_one) * (b + d))) for crf in crfs)


def crf_at_slope(title: TitleCurves, curve: Curve, slope: float) -> Floats:
    """Where one bit more gains a GOP `slope` VMAF, (segments,).

    Each GOP has its own bits (a), for the scout has seen it; b, c and d are the title's, on average. A sample's VMAF says too
    little of the other GOPs of its stratum: on film at 540p, of the 0.33 VMAF that the true curves of all GOPs would gain over
    a constant CRF at equal bits, the bits alone bring 0.22, bits and samples' VMAF together 0.10.
    """
    b, c, d = _pooled(title, curve)
    return np.asarray((math.log(slope * b / d) + curve.a - c) / (b + d))


def _pooled(title: TitleCurves, curve: Curve) -> tuple[float, float, float]:
    numbers = (curve.b, curve.c[title.sample], curve.d[title.sample])
    b, c, d = (float(np.average(number, weights=title.seconds)) for number in numbers)
    return b, c, d


def _allocation(title: TitleCurves, curve: Curve, wanted: Floats, *, cap_bps: float) -> Allocation:
    # A short last segment is mostly its key frame: its bits are held against a whole segment's time, as players buffer them.
    most = cap_bps * np.maximum(title.seconds, float(title.grid.segment_seconds))
    crf = np.minimum(np.maximum(wanted, curve.crf_at_bits(most)), min(curve.coarsest + _PAST, curve.limit))
    bps = curve.bits(crf) / title.seconds
    vmaf = curve.vmaf(crf, title.sample)
    return Allocation(
        shape=curve.shape,
        cap_bps=cap_bps,
        crf=crf,
        bps=bps,
        vmaf=vmaf,
        mean_bps=float(np.average(bps, weights=title.seconds)),
        mean_vmaf=float(np.average(vmaf, weights=title.seconds)),
        peak_bps=float((bps * title.seconds).max() / float(title.grid.segment_seconds)),
    )
