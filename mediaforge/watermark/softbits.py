"""What the code layer takes of a reading: soft bits, their level and noise fitted to the copy itself.

An attack weakens every symbol, so the level of a clear A is not 1 but some part of it, and beyond the noise the detector
states symbols scatter from segment to segment. Both are fitted by maximum likelihood to what was read and to the odds of
the positions; no code is looked at, so no fit can favour anybody (docs/accusation.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from mediaforge.watermark.evidence import Evidence

Floats = NDArray[np.float64]

# A symbol may be wrong for reasons no noise figure knows (a reframed shot, an inserted logo). One in fifty is taken to say
# nothing at all, so that one wrong segment cannot acquit by itself.
_STRAY = 0.02
_STRAY_DENSITY = 1 / 3  # even over -1.5 to 1.5, where symbols are clipped
_CLIP = 1.5

_LEVELS = np.geomspace(0.5, 4.0, 13)  # of the usual size of a symbol: the mean of ten copies is a third of a clear one
_SPREADS = np.array([0.06, 0.12, 0.2, 0.3, 0.45])  # of the level


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftBits:
    """(symbols,) each: the chance of A, the value read (a clear A is about 1), its noise. `level` is the rho of a clear A."""

    p: Floats
    y: Floats
    s: Floats
    level: float


def soft_bits(evidence: Evidence, t: Sequence[int] | NDArray[np.uint8], *, mixed: int) -> SoftBits:
    """The symbols of a copy whose pictures are the mean of `mixed` variants at a time (1: one or the other).

    `t` (symbols,) are the biases of their positions, in 256ths.
    """
    p = np.asarray(t, np.float64) / 256
    rho = np.array([symbol.rho for symbol in evidence.symbols])
    sigma = np.maximum([symbol.sigma for symbol in evidence.symbols], 1e-9)
    usual = _usual_size(rho, sigma)
    grid = [(usual * level, spread) for level in _LEVELS for spread in _SPREADS]
    stray = 1 / (6 * usual)  # even over six times the usual size
    fits = [_fits(p, rho, sigma, level=level, spread=spread, mixed=mixed, stray=stray) for level, spread in grid]
    level, spread = grid[int(np.argmax(fits))]
    return SoftBits(p=p, y=np.clip(rho / level, -_CLIP, _CLIP), s=np.hypot(spread, sigma / level), level=level)


def density(bits: SoftBits, at: Floats | float) -> Floats:
    """How probable what was read is if the copy's symbol was `at` (+1 for A, -1 for B)."""
    normal = np.exp(-0.5 * ((bits.y - at) / bits.s) ** 2) / (bits.s * np.sqrt(2 * np.pi))
    found: Floats = (1 - _STRAY) * normal + _STRAY * _STRAY_DENSITY
    return found


def _usual_size(rho: Floats, sigma: Floats) -> float:
    """The root of the mean of rho^2 less its noise, symbols weighted by how well they were read."""
    floor = float(np.median(sigma))
    weight = 1 / (sigma**2 + floor**2)
    power = float((weight * (rho**2 - sigma**2)).sum() / weight.sum())
    noise = float((weight * sigma**2).sum() / weight.sum())
    return float(np.sqrt(max(power, 0.01 * noise, 1e-18)))


def _fits(p: Floats, rho: Floats, sigma: Floats, *, level: float, spread: float, mixed: int, stray: float) -> float:
    """The log likelihood of what was read; strays have this density, whatever the level."""
    s = np.hypot(spread * level, sigma)
    total = np.full_like(p, _STRAY * stray)
    for k in range(mixed + 1):
        chance = comb(mixed, k) * p**k * (1 - p) ** (mixed - k)
        total += (
            (1 - _STRAY) * chance * np.exp(-0.5 * ((rho - level * (2 * k / mixed - 1)) / s) ** 2) / (s * np.sqrt(2 * np.pi))
        )
    return float(np.log(total).sum())
