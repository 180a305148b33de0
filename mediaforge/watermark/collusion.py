"""Scores of recipients under a bank of collusion models (facts-watermark 2.2).

A model says how likely a read symbol is if a given recipient, together with c - 1 unknown others, made the copy. Its score
is the log of that likelihood over the one for a stranger: log-likelihood ratios whose mean over strangers is exactly one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import comb

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# A symbol may be wrong for reasons no noise figure knows (a reframed shot, an inserted logo). One in fifty is taken to say
# nothing at all, so that one wrong segment cannot acquit by itself.
_STRAY = 0.02
_STRAY_DENSITY = 1 / 3  # even over -1.5 to 1.5, where symbols are clipped


class Strategy(StrEnum):
    """What the pirates do where their variants differ."""

    SINGLE = "single"
    INTERLEAVE = "interleave"  # each segment from one of them, in turns
    MAJORITY = "majority"
    MINORITY = "minority"
    COIN = "coin"
    AVERAGE = "average"  # the mean of their pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """`weight` is the model's share of the error budget; the shares of a bank sum to at most one."""

    strategy: Strategy
    pirates: int
    weight: float

    @property
    def name(self) -> str:
        return self.strategy.value if self.pirates == 1 else f"{self.strategy.value} of {self.pirates}"


def model_bank() -> tuple[Model, ...]:
    """The single pirate gets half the budget (it costs everyone else one bit); the others share the rest evenly.

    Minority and coin are in the bank because without them such coalitions are never caught (facts-watermark 2.1).
    """
    coalitions = (
        *((Strategy.INTERLEAVE, pirates) for pirates in (2, 3, 5, 8)),
        *((Strategy.MAJORITY, pirates) for pirates in (3, 5)),
        *((Strategy.MINORITY, pirates) for pirates in (3, 5)),
        *((Strategy.COIN, pirates) for pirates in (3, 5)),
        *((Strategy.AVERAGE, pirates) for pirates in (2, 3, 4, 6)),
    )
    shared = 0.5 / len(coalitions)
    return (
        Model(strategy=Strategy.SINGLE, pirates=1, weight=0.5),
        *(Model(strategy=strategy, pirates=pirates, weight=shared) for strategy, pirates in coalitions),
    )


def symbol_scores(model: Model, p: Floats, y: Floats, s: Floats) -> Floats:
    """What each position adds to the score of a recipient who has B there (row 0) or A (row 1): (2, positions), in nats.

    `p` is the chance of A, `y` the symbol (+1 A, -1 B) and `s` its noise, each (positions,).
    """
    if model.strategy is Strategy.AVERAGE:
        likely = np.stack([_averaged(model.pirates, has_a, p, y, s) for has_a in (0, 1)])
    else:
        a, b = _density(y, 1.0, s), _density(y, -1.0, s)
        chance = np.stack([_chance_of_a(model, has_a, p) for has_a in (0, 1)])  # (2, positions)
        likely = chance * a + (1 - chance) * b
    stranger = (1 - p) * likely[0] + p * likely[1]
    result: Floats = np.log(likely / stranger)
    return result


def _averaged(pirates: int, has_a: int, p: Floats, y: Floats, s: Floats) -> Floats:
    """The mean picture of k + has_a copies of A among `pirates` lies at 2 (k + has_a) / c - 1."""
    total = np.zeros_like(p)
    for k, chance in _others(pirates, p):
        total += chance * _density(y, 2 * (k + has_a) / pirates - 1, s)
    return total


def _chance_of_a(model: Model, has_a: int, p: Floats) -> Floats:
    """The chance that the pirates put out A, given what one of them has."""
    total = np.zeros_like(p)
    for k, chance in _others(model.pirates, p):
        total += chance * _picks_a(model.strategy, k + has_a, model.pirates)
    return total


def _picks_a(strategy: Strategy, having_a: int, pirates: int) -> float:
    if having_a in (0, pirates):  # nobody can put out what nobody has
        return float(having_a > 0)
    match strategy:
        case Strategy.MAJORITY:
            return 0.5 if 2 * having_a == pirates else float(2 * having_a > pirates)
        case Strategy.MINORITY:
            return 0.5 if 2 * having_a == pirates else float(2 * having_a < pirates)
        case Strategy.COIN:
            return 0.5
        case _:
            return having_a / pirates


def _others(pirates: int, p: Floats) -> Iterator[tuple[int, Floats]]:
    """How many of the c - 1 others have A: (k, its chance at each position), binomial."""
    for k in range(pirates):
        yield k, comb(pirates - 1, k) * p**k * (1 - p) ** (pirates - 1 - k)


def _density(y: Floats, level: float, s: Floats) -> Floats:
    normal = np.exp(-0.5 * ((y - level) / s) ** 2) / (s * np.sqrt(2 * np.pi))
    density: Floats = (1 - _STRAY) * normal + _STRAY * _STRAY_DENSITY
    return density
