"""The curves of a title: what two trials fix, what lies between two sizes, and the hull over points."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from mediaforge.media import Grid, Shape
from mediaforge.transcode.hull import CEILING, Calibration, fit_curves, upper_hull
from mediaforge.transcode.trials import Outcomes, Trial
from tests.transcode.studied import curve, title

BOTH = np.array([0, 1])


def made(width: int, height: int, *crfs: int) -> tuple[Trial, ...]:
    return tuple(Trial(shape=Shape(width, height), crf=crf, preset="veryfast") for crf in crfs)


def test_two_trials_give_the_curve_back() -> None:
    truth = curve(256, 144, a=[14.8, 16.2], c=[0.9, 1.2])
    crfs = (np.full(6, 28.0), np.full(6, 38.0))
    bits = np.array([truth.bits(crf) for crf in crfs])
    vmaf = np.array([truth.vmaf(crf[:2], BOTH) for crf in crfs])
    (found,) = fit_curves(made(256, 144, 28, 38), bits, vmaf, limit=51)
    for name in "abcd":
        assert getattr(found, name) == pytest.approx(getattr(truth, name))
    assert (found.finest, found.coarsest, found.limit) == (20, 43, 51)
    (near,) = fit_curves(made(256, 144, 28, 38), bits, vmaf, limit=40)
    assert near.coarsest == 40


def test_only_the_largest_pictures_are_believed_far_finer_than_their_trials() -> None:
    trials = made(1280, 720, 22, 31) + made(256, 144, 28, 38)
    small, large = fit_curves(trials, np.full((4, 6), 1e6), np.full((4, 2), 80.0), limit=51)
    assert (small.finest, large.finest) == (28 - 3, 22 - 8)


def test_curves_stand_from_small_to_large() -> None:
    trials = made(1280, 720, 22, 31) + made(256, 144, 28, 38)
    assert [one.shape.height for one in fit_curves(trials, np.full((4, 6), 1e5), np.full((4, 2), 60.0), limit=51)] == [144, 720]


def test_a_picture_that_does_not_care_for_the_crf_has_a_finite_curve() -> None:
    """Black: every trial has the same few bits and the full score."""
    (found,) = fit_curves(made(256, 144, 28, 38), np.full((2, 1), 800.0), np.full((2, 1), 100.0), limit=51)
    crf = np.array([20.0])
    assert np.isfinite(found.crf_at_bits(np.array([800.0]))).all()
    assert found.vmaf(crf, np.array([0])) == pytest.approx(100.0, abs=0.1)
    assert found.bits(crf) == pytest.approx(800.0, rel=0.2)


def test_crf_at_bits_undoes_bits() -> None:
    one = title().curves[1]
    crf = np.array([23.5, 36.25, 30.0, 28.75, 21.0, 40.0])
    assert one.crf_at_bits(one.bits(crf)) == pytest.approx(crf)


def test_a_probed_size_is_its_own_curve_and_outside_them_the_nearest_holds() -> None:
    small, large = title().curves
    assert title().shaped(Shape(1280, 720)).a == pytest.approx(large.a)
    assert title().shaped(Shape(128, 72)).a == pytest.approx(small.a)
    assert title().shaped(Shape(1920, 1080)).c == pytest.approx(large.c)


def test_a_half_rate_has_curves_of_its_own() -> None:
    small, large = title().curves
    half = replace(small, shape=small.shape._replace(step=2), a=small.a - 0.1)
    both = replace(title(), curves=(small, large, half))
    assert both.shaped(half.shape).a == pytest.approx(half.a)
    assert both.shaped(Shape(1280, 720)).a == pytest.approx(large.a)


def test_half_way_in_ln_pixels_is_half_way_in_the_numbers() -> None:
    small, large = title().curves
    between = title().shaped(Shape(round(np.sqrt(256 * 1280)), round(np.sqrt(144 * 720))))
    assert between.a == pytest.approx((small.a + large.a) / 2, abs=0.01)
    assert between.finest == pytest.approx((small.finest + large.finest) / 2)


def test_segments_last_as_long_as_the_grid_says() -> None:
    grid = Grid(fps=Fraction(30000, 1001), gop_frames=60, frames=250)
    lengths = replace(title(), grid=grid).seconds
    assert lengths == pytest.approx([float(grid.segment_span(number).seconds) for number in range(grid.segments)])
    assert len(lengths) == 5 and lengths[-1] < lengths[0]


def outcomes(key: list[float], rest: list[float], loss: list[float]) -> Outcomes:
    """One trial of as many samples; `loss` is the distance to the ceiling."""
    return Outcomes(key=np.array([key]), rest=np.array([rest]), vmaf=CEILING - np.array([loss]))


def test_calibration_moves_bits_and_the_distance_to_the_ceiling_by_its_ratios() -> None:
    fast = outcomes([1000.0, 3000.0], [4000.0, 8000.0], [40.0, 20.0])
    own = outcomes([900.0, 2700.0], [2000.0, 4000.0], [30.0, 15.0])
    calibration = Calibration(shapes=(Shape(256, 144),), fast=fast, own=own)
    moved = calibration.apply(made(1280, 720, 30), outcomes([5e5], [6e5], [8.0]))
    assert moved.key == pytest.approx(np.array([[4.5e5]]))
    assert moved.rest == pytest.approx(np.array([[3e5]]))
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
