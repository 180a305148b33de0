"""Bits to shots: at one slope nobody can swap to gain, and no segment passes its cap."""

import math
from dataclasses import replace

import numpy as np
import pytest

from mediaforge.transcode.allocate import at_rate, at_slope, slopes
from mediaforge.transcode.hull import TitleCurves
from tests.transcode.studied import curve as one_size
from tests.transcode.studied import title

SLOPE = 2e-5


def by_gop() -> TitleCurves:
    """Every GOP a shot of its own, all losing alike and within reach of one another: nothing is averaged, nothing clipped."""
    made = title()
    curves = (
        one_size(256, 144, a=[14.8, 15.2], c=[1.0, 1.0]),
        one_size(1280, 720, a=[17.4, 17.8], c=[0.3, 0.3]),
    )
    return TitleCurves(grid=made.grid, curves=curves, sample=made.sample, shot=np.arange(6))


def test_at_one_slope_no_exchange_of_bits_between_two_shots_gains() -> None:
    studied = by_gop()
    curve = studied.curves[1]
    found = at_slope(studied, curve, SLOPE, cap_bps=math.inf)
    bits = found.bps * studied.seconds

    def score(gop: int, gets: float) -> float:
        crf = curve.crf_at_bits(np.full(6, gets))
        return float(curve.vmaf(crf, studied.sample)[gop])

    for giver in range(6):
        for taker in range(6):
            moved = 0.02 * min(bits[giver], bits[taker])
            before = score(giver, bits[giver]) + score(taker, bits[taker])
            after = score(giver, bits[giver] - moved) + score(taker, bits[taker] + moved)
            assert giver == taker or after < before


def test_constant_slope_is_worth_more_than_constant_crf_at_the_same_rate() -> None:
    studied = by_gop()
    for curve in studied.curves:
        free = at_slope(studied, curve, SLOPE, cap_bps=math.inf)
        flat = at_rate(studied, curve, free.mean_bps, cap_bps=math.inf)
        assert flat.mean_bps == pytest.approx(free.mean_bps, rel=1e-6)
        assert free.mean_vmaf > flat.mean_vmaf


def test_the_segments_of_a_shot_have_one_crf() -> None:
    studied = title()
    found = at_slope(studied, studied.curves[0], SLOPE, cap_bps=math.inf)
    for shot in set(studied.shot):
        assert len(set(found.crf[studied.shot == shot])) == 1


@pytest.mark.parametrize("cap", [1.0, 1.15, 1.3])
def test_no_segment_passes_the_cap(cap: float) -> None:
    studied = title()
    for curve in studied.curves:
        free = at_slope(studied, curve, SLOPE, cap_bps=math.inf)
        assert free.peak_bps > cap * free.mean_bps  # else the cap would bind nobody
        capped = at_slope(studied, curve, SLOPE, cap_bps=cap * free.mean_bps)
        assert capped.peak_bps <= cap * free.mean_bps * (1 + 1e-9)
        assert capped.mean_bps < free.mean_bps and capped.mean_vmaf < free.mean_vmaf


def test_what_no_crf_can_hold_back_passes_the_cap_and_says_so() -> None:
    """The codec ends at 30: at no more than a tenth of what that takes, segments stay at 30, and the peak is theirs."""
    curve = replace(title().curves[0], coarsest=30.0, limit=30.0)
    found = at_slope(title(), curve, SLOPE, cap_bps=0.1 * float((curve.bits(np.full(6, 30.0)) / title().seconds).min()))
    assert np.all(found.crf == 30)
    assert found.peak_bps > found.cap_bps


def test_a_smaller_slope_buys_more() -> None:
    studied = title()
    found = [at_slope(studied, studied.curves[0], slope, cap_bps=math.inf) for slope in (1e-4, 3e-5, 1e-5)]
    assert found[0].mean_bps < found[1].mean_bps < found[2].mean_bps
    assert found[0].mean_vmaf < found[1].mean_vmaf < found[2].mean_vmaf


def test_a_mean_rate_is_met_and_the_means_are_means() -> None:
    studied = title()
    found = at_rate(studied, studied.curves[0], 60e3, cap_bps=math.inf)
    assert found.mean_bps == pytest.approx(60e3, rel=1e-6)
    assert found.mean_bps == pytest.approx(found.bps.mean()) and found.mean_vmaf == pytest.approx(found.vmaf.mean())
    assert len(set(found.crf)) == 1


def test_a_rate_above_the_cap_is_not_met() -> None:
    studied = title()
    found = at_rate(studied, studied.curves[0], 90e3, cap_bps=60e3)
    assert found.peak_bps <= 60e3 * (1 + 1e-9)


def test_the_slopes_of_crfs_give_these_crfs_on_average() -> None:
    studied = by_gop()
    curve = studied.curves[0]
    for crf, slope in zip((26.0, 31.0, 36.0), slopes(studied, curve, (26.0, 31.0, 36.0)), strict=True):
        found = at_slope(studied, curve, slope, cap_bps=math.inf)
        assert np.average(found.crf, weights=studied.seconds) == pytest.approx(crf)


def test_a_flat_curve_is_not_followed_out_of_its_range() -> None:
    """A black title: neither bits nor scores care for the CRF, so hardly any slope is found between those that were tried."""
    black = one_size(256, 144, a=[8.0, 8.0], c=[-2.0, -2.0], b=0.01, d=1e-4)
    studied = replace(title(), curves=(black,))
    for slope in (1e-12, 1e-6, 1e-3, 1.0, 1e3):
        found = at_slope(studied, black, slope, cap_bps=math.inf)
        assert np.all(np.abs(found.crf - 30) <= 14)
        assert found.mean_bps < 10e3
