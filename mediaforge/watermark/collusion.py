"""Scores of recipients under a bank of collusion models (facts-watermark 2.2).

A model says how likely a read symbol is if a given recipient, together with c - 1 unknown others, made the copy. Its score
is the log of that likelihood over the one for a stranger: log-likelihood ratios whose mean over strangers is exactly one.
Where some of the pirates are known already, what they were handed is taken as given (docs/accusation.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import comb

import numpy as np
from numpy.typing import NDArray

from mediaforge.watermark.softbits import SoftBits, density

Floats = NDArray[np.float64]


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
    """`prior` is how much of the error budget the model gets before anything is read; a bank's sum to one."""

    strategy: Strategy
    pirates: int
    prior: float

    @property
    def name(self) -> str:
        return self.strategy.value if self.pirates == 1 else f"{self.strategy.value} of {self.pirates}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Pirates who are accused already: how many, and how many of them were handed A at each position, (positions,)."""

    pirates: int
    having_a: NDArray[np.int64]


def model_bank() -> tuple[Model, ...]:
    """The single pirate gets two fifths of the budget; the others share the rest evenly.

    Minority and coin are in the bank because without them such coalitions are never caught (facts-watermark 2.1).
    """
    coalitions = (
        *((Strategy.INTERLEAVE, pirates) for pirates in (2, 3, 5, 8)),
        *((Strategy.MAJORITY, pirates) for pirates in (3, 5)),
        *((Strategy.MINORITY, pirates) for pirates in (3, 5)),
        *((Strategy.COIN, pirates) for pirates in (3, 5)),
        *((Strategy.AVERAGE, pirates) for pirates in (2, 3, 5, 7, 10)),
    )
    shared = 0.6 / len(coalitions)
    return (
        Model(strategy=Strategy.SINGLE, pirates=1, prior=0.4),
        *(Model(strategy=strategy, pirates=pirates, prior=shared) for strategy, pirates in coalitions),
    )


def nobody(positions: int) -> Known:
    return Known(pirates=0, having_a=np.zeros(positions, np.int64))


def symbol_scores(model: Model, bits: SoftBits, known: Known) -> Floats:
    """What each position adds to the score of a recipient who has B there (row 0) or A (row 1): (2, positions), in nats.

    The model must have room for one more: `known.pirates` < `model.pirates`.
    """
    likely = np.stack([_likelihood(model, bits, known, has_a) for has_a in (0, 1)])
    result: Floats = np.log(likely / _mean(bits.p, likely))
    return result


def log_likelihood(model: Model, bits: SoftBits, known: Known) -> float:
    """How well the model explains what was read, in nats, whoever the others are. Looks at no code but those known."""
    likely = np.stack([_likelihood(model, bits, known, has_a) for has_a in (0, 1)])
    return float(np.log(_mean(bits.p, likely) / bits.level).sum())


def _mean(p: Floats, likely: Floats) -> Floats:
    mean: Floats = (1 - p) * likely[0] + p * likely[1]
    return mean


def _likelihood(model: Model, bits: SoftBits, known: Known, has_a: int) -> Floats:
    """The density of the symbols read if the known, a recipient with or without A and unknown others made the copy."""
    others = model.pirates - known.pirates - 1
    having = known.having_a + has_a
    if model.strategy is Strategy.AVERAGE:  # the mean picture of k copies of A among c lies at 2 k / c - 1
        total = np.zeros_like(bits.p)
        for k, chance in _others(others, bits.p):
            total += chance * density(bits, 2 * (k + having) / model.pirates - 1)
        return total
    chance_of_a = np.zeros_like(bits.p)
    for k, chance in _others(others, bits.p):
        chance_of_a += chance * _picks_a(model.strategy, model.pirates)[k + having]
    return chance_of_a * density(bits, 1.0) + (1 - chance_of_a) * density(bits, -1.0)


def _picks_a(strategy: Strategy, pirates: int) -> Floats:
    """The chance that the pirates put out A, by how many of them have it: (pirates + 1,)."""
    share = np.arange(pirates + 1) / pirates
    match strategy:
        case Strategy.MAJORITY:
            picks = 0.5 + 0.5 * np.sign(share - 0.5)
        case Strategy.MINORITY:
            picks = 0.5 - 0.5 * np.sign(share - 0.5)
        case Strategy.COIN:
            picks = np.full(pirates + 1, 0.5)
        case _:
            picks = share
    picks[[0, -1]] = 0.0, 1.0  # nobody can put out what nobody has
    return picks


def _others(count: int, p: Floats) -> Iterator[tuple[int, Floats]]:
    """How many of `count` unknown pirates have A: (k, its chance at each position), binomial."""
    for k in range(count + 1):
        yield k, comb(count, k) * p**k * (1 - p) ** (count - k)
