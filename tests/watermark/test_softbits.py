"""Soft bits: the level of a clear symbol and the scatter are found from the reading, whatever an attack left of them."""

import numpy as np
import pytest

from mediaforge.watermark.evidence import Evidence
from mediaforge.watermark.softbits import soft_bits
from tests.watermark.test_trace import read

ODDS = np.random.default_rng(1).integers(20, 237, 300)


def copies(count: int, seed: int) -> np.ndarray:
    """The mean of so many copies at each position: (300,), from -1 to 1."""
    rng = np.random.default_rng(seed)
    return 2 * (rng.random((count, 300)) < ODDS / 256).mean(axis=0) - 1


def noisy(rho: np.ndarray, sigma: float) -> Evidence:
    return read(rho + np.random.default_rng(3).normal(0, sigma, len(rho)), segments=300, sigma=sigma)


@pytest.mark.parametrize("level", [0.05, 0.4, 1.0])
@pytest.mark.parametrize("noise", [0.03, 0.4, 1.0])
def test_the_level_is_found_whatever_the_attack_left(level: float, noise: float) -> None:
    bits = soft_bits(noisy(level * copies(1, 2), level * noise), ODDS, mixed=1)
    assert bits.level == pytest.approx(level, rel=0.25)
    assert np.median(bits.s) == pytest.approx(noise, rel=0.35, abs=0.06)


def test_the_level_of_ten_averaged_copies_is_that_of_one_alone() -> None:
    bits = soft_bits(noisy(0.5 * copies(10, 2), 0.02), ODDS, mixed=10)
    assert bits.level == pytest.approx(0.5, rel=0.25)


def test_a_symbol_that_was_hardly_read_keeps_its_noise() -> None:
    rho = copies(1, 4)
    evidence = read(rho, segments=300, sigma=5.0)
    assert (soft_bits(evidence, ODDS, mixed=1).s > 3).all()
