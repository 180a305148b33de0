"""The curves of a title: what two trials fix, what lies between two sizes, and the hull over points."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from mediaforge.media import Grid
from mediaforge.transcode.hull import CEILING, Calibration, fit_curves, title_curves, upper_hull
from mediaforge.transcode.shots import Casting
from mediaforge.transcode.trials import Outcomes, Trial
from tests.transcode.studied import GRID, curve, title

BOTH = np.array([0, 1])


def made(width: int, height: int, *crfs: int) -> tuple[Trial, ...]:
    return tuple(Trial(width=width, height=height, crf=crf, preset="veryfast") for crf in crfs)


def test_two_trials_give_the_curve_back() -> None:
    truth = curve(256, 144, a=[14.8, 16.2], c=[0.9, 1.2])
    trials = made(256, 144, 28, 38)
    crf = np.array([[28.0, 28.0], [38.0, 38.0]])
    (found,) = fit_curves(trials, Outcomes(bits=truth.bits(crf, BOTH), vmaf=truth.vmaf(crf, BOTH)))
    for name in "abcd":
        assert getattr(found, name) == pytest.approx(getattr(truth, name))
    assert (found.finest, found.coarsest) == (25, 43)


def test_curves_stand_from_small_to_large() -> None:
    trials = made(1280, 720, 22, 31) + made(256, 144, 28, 38)
    flat = Outcomes(bits=np.full((4, 2), 1e5), vmaf=np.full((4, 2), 60.0))
    assert [one.height for one in fit_curves(trials, flat)] == [144, 720]


def test_a_picture_that_does_not_care_for_the_crf_has_a_finite_curve() -> None:
    """Black: every trial has the same few bits and the full score."""
    black = Outcomes(bits=np.full((2, 1), 800.0), vmaf=np.full((2, 1), 100.0))
    (found,) = fit_curves(made(256, 144, 28, 38), black)
    crf = np.array([20.0])
    assert np.isfinite(found.crf_at_bits(np.array([800.0]), np.array([0]))).all()
    assert found.vmaf(crf, np.array([0])) == pytest.approx(100.0, abs=0.1)
    assert found.bits(crf, np.array([0])) == pytest.approx(800.0, rel=0.2)


def test_crf_at_bits_undoes_bits() -> None:
    one = title().curves[1]
    crf = np.array([23.5, 36.25])
    assert one.crf_at_bits(one.bits(crf, BOTH), BOTH) == pytest.approx(crf)


def test_a_probed_size_is_its_own_curve_and_outside_them_the_nearest_holds() -> None:
    small, large = title().curves
    assert title().sized(1280, 720).a == pytest.approx(large.a)
    assert title().sized(128, 72).a == pytest.approx(small.a)
    assert title().sized(1920, 1080).c == pytest.approx(large.c)


def test_half_way_in_ln_pixels_is_half_way_in_the_numbers() -> None:
    small, large = title().curves
    between = title().sized(round(np.sqrt(256 * 1280)), round(np.sqrt(144 * 720)))
    assert between.a == pytest.approx((small.a + large.a) / 2, abs=0.01)
    assert between.finest == pytest.approx((small.finest + large.finest) / 2)


def test_segments_last_as_long_as_the_grid_says() -> None:
    grid = Grid(fps=Fraction(30000, 1001), gop_frames=60, frames=250)
    lengths = replace(title(), grid=grid).seconds
    assert lengths == pytest.approx([float(grid.segment_span(number).seconds) for number in range(grid.segments)])
    assert len(lengths) == 5 and lengths[-1] < lengths[0]


def test_a_gop_is_scaled_by_its_bits_over_those_of_its_sample() -> None:
    casting = Casting(samples=(1, 3), sample=np.array([0, 0, 1, 1, 0, 1]), shot=np.zeros(6, dtype=np.int64))
    found = title_curves(title().curves, casting, np.array([50.0, 100, 300, 200, 150, 100]), GRID)
    assert found.scale == pytest.approx([0.5, 1, 1.5, 1, 1.5, 0.5])


def test_calibration_moves_bits_and_the_distance_to_the_ceiling_by_its_ratios() -> None:
    fast = Outcomes(bits=np.array([[1000.0, 3000.0]]), vmaf=np.array([[CEILING - 40, CEILING - 20]]))
    own = Outcomes(bits=np.array([[900.0, 2700.0]]), vmaf=np.array([[CEILING - 30, CEILING - 15]]))
    calibration = Calibration(pixels=np.array([256.0 * 144]), fast=fast, own=own)
    moved = calibration.apply(made(1280, 720, 30), Outcomes(bits=np.array([[5e5]]), vmaf=np.array([[CEILING - 8]])))
    assert moved.bits == pytest.approx(np.array([[4.5e5]]))
    assert moved.vmaf == pytest.approx(np.array([[CEILING - 6]]))


def test_no_mixture_of_points_lies_above_the_hull() -> None:
    rng = np.random.default_rng(3)
    rate, vmaf = rng.uniform(100, 4000, 60), rng.uniform(0, 100, 60)
    hull = upper_hull(rate, vmaf)
    assert np.all(np.diff(rate[hull]) > 0) and np.all(np.diff(vmaf[hull]) > 0)
    assert np.all(np.diff(np.diff(vmaf[hull]) / np.diff(rate[hull])) < 0)
    roof = np.interp(rate, rate[hull], vmaf[hull], left=-np.inf)
    assert np.all(vmaf <= roof + 1e-9)


def test_the_hull_leaves_out_what_lies_on_a_line_below_it() -> None:
    assert list(upper_hull(np.array([100.0, 200, 300, 400]), np.array([10.0, 20, 40, 50]))) == [0, 2, 3]
