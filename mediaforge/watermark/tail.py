"""How probable it is that a stranger's score reaches a threshold: counted, not estimated (docs/accusation.md).

To a stranger every position is an independent coin with known odds p = t/256, whatever the pirates did and however badly the
copy was read (Furon and Desoubeaux, WIFS 2014). Scores are whole numbers of a step, so the distribution of their sum is found
by adding positions one by one. Sums are tilted (every outcome weighted by exp(l x score), Esscher 1932) so that the threshold
lies where the weight is; only non-negative numbers are added and multiplied, so no digits are ever lost to a difference.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TooLow = Callable[[float, float, float], bool]  # of the log mass, the tilted mean above the lowest sum, the tilt

_CELLS = 8192  # from the lowest to the highest sum; such rounding costs under 1 % of the strength at 4000 positions
_MOST_TILT = 16.0  # per nat; any tilt is valid
_HALVINGS = 40
_NEGLIGIBLE = 1e-250  # weights below are dropped ...
_DROPPED = 1e-240  # ... and this, which is more than all of them together, is added
# Nats by which logarithms are rounded up: at all, and for each nat that was summed (45 roundings of 2^-53 and more).
_ROUNDING, _ROUNDING_EACH = 1e-9, 1e-14
_ODDS = 6.0  # nats: odds of 1 in 255 and less are not drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTable:
    """What a position adds to a score, in whole steps of `step` nats (a power of two): row 0 for B, row 1 for A,
    (2, positions)."""

    step: float
    units: NDArray[np.int64]

    def total(self, bits: NDArray[np.integer]) -> int:
        """The score of one code, uint8 (positions,), in steps."""
        return int(self.totals(bits[None])[0])

    def totals(self, bits: NDArray[np.integer]) -> NDArray[np.int64]:
        """The scores of many codes, uint8 (recipients, positions), in steps: (recipients,). Whole numbers, so exact."""
        gain = (self.units[1] - self.units[0]).astype(np.float64)
        totals: NDArray[np.int64] = (bits @ gain).astype(np.int64) + int(self.units[0].sum())
        return totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """The tilted distribution of a stranger's score: `weights` (cells,) of the sums `lowest`, `lowest` + 1, ... steps.

    P(sum = lowest + c) = weights[c] exp(log_mass - tilt c), with `tilt` per step; `rounding` (nats) covers its error.
    """

    lowest: int
    tilt: float
    log_mass: float
    rounding: float
    weights: Floats

    def log_reached(self, total: int) -> float:
        """An upper bound, but for rounding exact, of the natural logarithm of P(sum >= total); at most 0."""
        cell = total - self.lowest
        if cell >= len(self.weights):
            return -math.inf
        if cell <= 0:
            return 0.0
        beyond = self.weights[cell:]
        inner = float(beyond @ np.exp(-self.tilt * np.arange(len(beyond)))) + _DROPPED
        return min(0.0, self.log_mass - self.tilt * cell + math.log(inner) + self.rounding)

    def least_total(self, log_probability: float) -> int:
        """The lowest sum, in steps, that a stranger reaches with at most this probability."""
        low, high = self.lowest, self.lowest + len(self.weights)  # the last is never reached
        if self.log_reached(low) <= log_probability:
            return low
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.log_reached(middle) <= log_probability else (middle, high)
        return high


def score_table(scores: Floats) -> ScoreTable:
    """Scores (2, positions) in nats, rounded to whole steps. It is the rounded ones that accuse, so the proof is of them."""
    spread = float(np.abs(scores[1] - scores[0]).sum())
    step = 2.0 ** math.ceil(math.log2(max(spread, 1e-9) / _CELLS))
    lower = np.rint(scores[0] / step)
    gain = np.rint((scores[1] - scores[0]) / step)
    return ScoreTable(step=step, units=np.stack([lower, lower + gain]).astype(np.int64))


def tail_at(p: Floats, table: ScoreTable, total: int) -> Tail:
    """Tilted so that it is sharpest at this sum (in steps). `p` is the chance of A at each position, (positions,)."""
    above = total - _lowest(table)
    return _tail(p, table, lambda log_mass, mean, tilt: mean < above)


def tail_near(p: Floats, table: ScoreTable, log_probability: float) -> Tail:
    """Tilted so that it is sharpest where a stranger arrives with about this probability."""
    return _tail(p, table, lambda log_mass, mean, tilt: log_mass - tilt * mean > log_probability)


def tail_bound(p: Floats, table: ScoreTable, total: int) -> float:
    """The natural logarithm of the chance that a stranger's score reaches `total` steps; rounded up, at most 0."""
    return tail_at(p, table, total).log_reached(total)


def _tail(p: Floats, table: ScoreTable, too_low: TooLow) -> Tail:
    rise, chance = _rises(p, table)
    tilt = _tilt(rise, chance, _MOST_TILT * table.step, too_low)
    odds = np.log(chance) - np.log1p(-chance) + tilt * rise
    odds = np.clip(odds, -500, 500)  # exp stays finite; chances that are nothing are taken as a little more
    yes, no = 1 / (1 + np.exp(-odds)), 1 / (1 + np.exp(odds))  # both from exp: 1 - yes would lose digits
    weights = np.zeros(int(rise.sum()) + 1)
    weights[0] = 1.0
    moved = np.empty_like(weights)
    top = 1
    for number, (up, with_, without) in enumerate(zip(rise.astype(np.int64), yes, no, strict=True)):
        np.multiply(weights[:top], with_, out=moved[:top])
        weights[:top] *= without
        weights[up : up + top] += moved[:top]
        top += int(up)
        if number % 16 == 0:  # what is too small for a float to hold exactly is also slow
            weights[:top][weights[:top] < _NEGLIGIBLE] = 0.0
    return Tail(
        lowest=_lowest(table),
        tilt=tilt,
        log_mass=_log_mass(rise, chance, tilt),
        rounding=_ROUNDING + _ROUNDING_EACH * float((tilt * rise + _ODDS).sum()),
        weights=weights,
    )


def _lowest(table: ScoreTable) -> int:
    return int(table.units.min(axis=0).sum())


def _rises(p: Floats, table: ScoreTable) -> tuple[Floats, Floats]:
    """By how many steps a position's better outcome exceeds the worse, and its chance; those where both are equal left out."""
    gain = table.units[1] - table.units[0]
    telling = gain != 0
    rise = np.abs(gain[telling]).astype(np.float64)
    chance = np.where(gain > 0, p, 1 - p)[telling]
    order = np.argsort(rise, kind="stable")  # small ones first keeps the sums narrow for longest
    return rise[order], chance[order]


def _tilt(rise: Floats, chance: Floats, most: float, too_low: TooLow) -> float:
    """The tilt per step where `too_low` turns false."""
    odds = np.log(chance) - np.log1p(-chance)
    low, high = 0.0, most
    for _ in range(_HALVINGS):
        tilt = (low + high) / 2
        mean = float((rise / (1 + np.exp(-np.clip(odds + tilt * rise, -500, 500)))).sum())
        low, high = (tilt, high) if too_low(_log_mass(rise, chance, tilt), mean, tilt) else (low, tilt)
    return low


def _log_mass(rise: Floats, chance: Floats, tilt: float) -> float:
    """log E exp(tilt x sum above the lowest)."""
    return float(np.logaddexp(np.log1p(-chance), np.log(chance) + tilt * rise).sum())
