"""The bits of all GOPs from trials of a few: a power law of the scout's is found again, for key frames and the rest apart."""

from fractions import Fraction

import numpy as np
import pytest

from mediaforge.media import Grid
from mediaforge.transcode.demand import demand, scouted, stretch
from mediaforge.transcode.trials import Outcomes

GRID = Grid(fps=Fraction(25), gop_frames=8, frames=8 * 5 + 3)  # halves of four frames; the last GOP has three
SAMPLES = (0, 2, 3)


def scout() -> np.ndarray:
    rng = np.random.default_rng(4)
    bits = rng.uniform(200, 4000, GRID.frames)
    bits[:: GRID.gop_frames] *= 8
    return bits


def test_the_scout_is_summed_by_key_frame_and_halves() -> None:
    bits = np.arange(1.0, GRID.frames + 1) * 100
    seen = scouted(bits, GRID)
    assert list(seen.key) == [100, 900, 1700, 2500, 3300, 4100]
    assert seen.frames.tolist() == [[3, 4]] * 5 + [[2, 0]]
    assert seen.rest[0] == pytest.approx([300, 650])  # means of frames 2 to 4 and 5 to 8
    assert seen.rest[5, 0] == pytest.approx(4250)


def test_both_halves_over_the_first_go_by_the_scout() -> None:
    bits = np.arange(1.0, GRID.frames + 1) * 100
    assert stretch(scouted(bits, GRID), np.array([0, 5])) == pytest.approx([(900 + 2600) / 900, 1])


def test_a_power_law_is_found_from_its_samples() -> None:
    """Many samples far apart, so that what is usual weighs nothing."""
    grid = Grid(fps=Fraction(25), gop_frames=8, frames=8 * 40)
    rng = np.random.default_rng(9)
    bits = np.exp(rng.uniform(np.log(20), np.log(2e5), grid.frames))
    seen = scouted(bits, grid)
    samples = range(0, 40, 2)
    key, rest = 30 * seen.key**0.7, 2 * seen.rest**1.4
    tried = Outcomes(key=key[None, samples], rest=3 * rest[None, samples, 0], vmaf=np.zeros((1, len(samples))))
    found = demand(tried, seen, samples)
    assert found.shape == (1, 40)
    assert found[0] == pytest.approx(key + (rest * seen.frames).sum(axis=1), rel=0.06)


def test_samples_that_are_alike_lean_on_what_is_usual() -> None:
    """Two GOPs of the same bits say nothing of a GOP with twice as many: more than in proportion, says experience."""
    bits = np.full(GRID.frames, 1000.0)
    bits[8:16] *= 2
    seen = scouted(bits, GRID)
    tried = Outcomes(key=np.full((1, 3), 500.0), rest=np.full((1, 3), 1500.0), vmaf=np.zeros((1, 3)))
    found = demand(tried, seen, SAMPLES)[0]
    assert found[[0, 2, 3, 4]] == pytest.approx(500 * 8)
    assert found[1] == pytest.approx(500 * 8 * 2**1.2)


def test_scatter_is_counted_in_the_mean() -> None:
    """Half the samples at double and half at half the law have a mean of 1.25 times the law, not of the law."""
    bits = np.full(GRID.frames, 1000.0)
    tried = Outcomes(key=np.array([[1000.0, 4000.0]]), rest=np.array([[3000.0, 12000.0]]), vmaf=np.zeros((1, 2)))
    assert demand(tried, scouted(bits, GRID), (0, 2))[0, 1] == pytest.approx(8 * 2500)


def test_one_frame_and_a_still_title_have_a_demand() -> None:
    one = Grid(fps=Fraction(1), gop_frames=1, frames=1)
    seen = scouted(np.array([5000.0]), one)
    tried = Outcomes(key=np.array([[9000.0]]), rest=np.array([[0.0]]), vmaf=np.zeros((1, 1)))
    assert demand(tried, seen, (0,)) == pytest.approx(np.array([[9000.0]]))
    still = demand(
        Outcomes(key=np.full((1, 3), 800.0), rest=np.zeros((1, 3)), vmaf=np.zeros((1, 3))),
        scouted(np.zeros(GRID.frames), GRID),
        SAMPLES,
    )
    assert np.all(np.isfinite(still)) and np.all(still[0] < 1000)
