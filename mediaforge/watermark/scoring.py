"""What a reading says about anybody's code: for every model a table of scores, and the model's share of the error budget.

Both depend on the reading, the odds of the positions and the codes of those already accused, on no other code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mediaforge.watermark.collusion import Known, Model, Strategy, log_likelihood, model_bank, symbol_scores
from mediaforge.watermark.evidence import Evidence
from mediaforge.watermark.softbits import SoftBits, soft_bits
from mediaforge.watermark.tail import ScoreTable, score_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A model with its scores; the weights of all models of a stage sum to one."""

    model: Model
    weight: float
    bits: SoftBits
    table: ScoreTable


def fitted_bits(evidence: Evidence, t: Sequence[int] | NDArray[np.uint8]) -> dict[int, SoftBits]:
    """The reading as soft bits, fitted for every number of pictures that a model of the bank has averaged (1: none)."""
    return {mixed: soft_bits(evidence, t, mixed=mixed) for mixed in {_mixed(model) for model in model_bank()}}


def scored_models(fitted: Mapping[int, SoftBits], known: Known) -> tuple[Scored, ...]:
    """Every model of the bank that has room for one more pirate beside those known.

    Half of a model's weight is its prior, half what the reading makes of it: how well it explains the symbols, whoever made
    them.
    """
    bank = [model for model in model_bank() if model.pirates > known.pirates]
    if not bank:
        return ()
    bits = [fitted[_mixed(model)] for model in bank]
    prior = np.array([model.prior for model in bank])
    fit = np.array([log_likelihood(model, each, known) for model, each in zip(bank, bits, strict=True)])
    posterior = prior * np.exp(fit - fit.max())
    weights = 0.5 * prior / prior.sum() + 0.5 * posterior / posterior.sum()
    return tuple(
        Scored(model=model, weight=float(weight), bits=each, table=score_table(symbol_scores(model, each, known)))
        for model, weight, each in zip(bank, weights, bits, strict=True)
    )


def _mixed(model: Model) -> int:
    return model.pirates if model.strategy is Strategy.AVERAGE else 1
