"""The accusation: which recipients made a copy, with a proven bound on the chance that anybody is accused wrongly.

Scores come from a bank of collusion models (`collusion.py`), the proof from the tail of a stranger's score (`tail.py`).
The bound is corrected for all recipients and all models, and holds for any attack and any reading error, because to a
stranger the copy is independent of his code. Symbols are never tuned by looking at candidate codes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mediaforge.errors import SettingsError
from mediaforge.watermark.collusion import Model, model_bank, symbol_scores
from mediaforge.watermark.evidence import Evidence
from mediaforge.watermark.sequence import biases, codes
from mediaforge.watermark.tail import tail_bound

Floats = NDArray[np.float64]

_BLOCK = 1024  # recipients scored at a time
_LEAST_PRINTED = 1e-300
_LEAST_TELLING = 0.1  # nats: what was read says next to nothing
_SPREAD = 0.3  # of a clear symbol around its level, between segments of a copy


class Outcome(StrEnum):
    ACCUSED = "accused"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accusation:
    """One recipient. `false_accusation_probability` bounds the chance that this evidence accuses any stranger at all, over
    all recipients and all models; `score` is the log10 likelihood ratio under `model`."""

    recipient: str
    score: float
    false_accusation_probability: float
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`lowest_probability` is the smallest corrected bound of anybody: it shows how far an inconclusive verdict is from an
    accusation without naming a person. `seconds_missing` is how much more of such a copy would accuse whoever it was handed to,
    were it one recipient's alone; None where somebody is accused, nothing was read, or more of it would say nothing.
    """

    verdict: Outcome
    segments_read: int
    seconds_read: Fraction
    accusations: tuple[Accusation, ...]
    lowest_probability: float
    seconds_missing: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftBits:
    """What the code layer takes, (symbols,) each: the chance of A, the value read (a clear A is about 1), its noise."""

    p: Floats
    y: Floats
    s: Floats


def accuse(evidence: Evidence, *, secret: bytes, recipients: Sequence[tuple[str, int]], false_accusation: float) -> Verdict:
    """Accuse every recipient (id, code number) whose corrected bound is at most `false_accusation`, the surest first.

    Raises SettingsError where `false_accusation` is no probability.
    """
    if not 0 < false_accusation < 1:
        raise SettingsError(f"false accusation probability {false_accusation} is not between 0 and 1; 1e-6 is usual")
    lowest, missing = 1.0, None
    found: dict[int, Accusation] = {}
    if evidence.symbols and recipients:
        bits = soft_bits(evidence, biases(secret, evidence.segments)[[symbol.segment for symbol in evidence.symbols]])
        bank = model_bank()
        scores = np.stack([symbol_scores(model, bits.p, bits.y, bits.s) for model in bank])  # (models, 2, positions)
        sums = _recipient_sums(evidence, secret, recipients, scores)  # (recipients, models)
        for number, model in enumerate(bank):
            for index in np.argsort(-sums[:, number], kind="stable"):
                score = float(sums[index, number])
                probability = corrected(tail_bound(bits.p, scores[number], score), model, recipients=len(recipients))
                lowest = min(lowest, probability)
                if probability > false_accusation:
                    break  # the bound only grows as the score falls
                _keep_surest(found, int(index), _accusation(recipients[index][0], score, probability, model))
        missing = None if found else _seconds_missing(evidence, bits, scores, false_accusation, recipients=len(recipients))
    accusations = sorted(found.values(), key=lambda accusation: (accusation.false_accusation_probability, -accusation.score))
    return Verdict(
        verdict=Outcome.ACCUSED if accusations else Outcome.INCONCLUSIVE,
        segments_read=len(evidence.symbols),
        seconds_read=evidence.seconds_read,
        accusations=tuple(accusations),
        lowest_probability=lowest,
        seconds_missing=missing,
    )


def corrected(log_bound: float, model: Model, *, recipients: int) -> float:
    """The bound on accusing anybody falsely, from that on one stranger's score: for all recipients, at the model's share."""
    return float(min(1.0, max(_LEAST_PRINTED, np.exp(log_bound + np.log(recipients / model.weight)))))


def _seconds_missing(
    evidence: Evidence, bits: SoftBits, scores: Floats, false_accusation: float, *, recipients: int
) -> float | None:
    """As if somebody had been handed just what was read: no recipient's code is looked at."""
    model, alone = model_bank()[0], scores[0]
    handed = (bits.y > 0).astype(int)
    log_bound = tail_bound(bits.p, alone, float(alone[handed, np.arange(len(handed))].sum()))
    asked = math.log(false_accusation * model.weight / recipients)
    if log_bound <= asked or log_bound > -_LEAST_TELLING:
        return None
    return float(evidence.seconds_read) * (asked / log_bound - 1)


def _accusation(recipient: str, score: float, probability: float, model: Model) -> Accusation:
    return Accusation(
        recipient=recipient, score=score / math.log(10), false_accusation_probability=probability, model=model.name
    )


def _keep_surest(found: dict[int, Accusation], index: int, accusation: Accusation) -> None:
    known = found.get(index)
    if known is None or accusation.false_accusation_probability < known.false_accusation_probability:
        found[index] = accusation


def _recipient_sums(evidence: Evidence, secret: bytes, recipients: Sequence[tuple[str, int]], scores: Floats) -> Floats:
    """The score of every recipient under every model: (recipients, models)."""
    positions = [symbol.segment for symbol in evidence.symbols]
    base, gains = scores[:, 0].sum(axis=1), scores[:, 1] - scores[:, 0]  # (models,), (models, positions)
    sums = np.empty((len(recipients), len(scores)))
    for first in range(0, len(recipients), _BLOCK):
        numbers = [number for _, number in recipients[first : first + _BLOCK]]
        bits = codes(secret, numbers, evidence.segments)[:, positions]  # (recipients, positions)
        sums[first : first + len(numbers)] = base + bits @ gains.T
    return sums


def soft_bits(evidence: Evidence, t: NDArray[np.uint8]) -> SoftBits:
    """The symbols of a copy; `t` (symbols,) are the biases of their positions, in 256ths."""
    rho = np.array([symbol.rho for symbol in evidence.symbols])
    sigma = np.array([symbol.sigma for symbol in evidence.symbols])
    # How much of A - B survives differs by copy and by segment; four fifths of the segments lie below the scale.
    scale = max(float(np.percentile(np.abs(rho), 80)), 1e-9)
    y = np.clip(rho / scale, -1.5, 1.5)
    return SoftBits(p=t / 256, y=y, s=np.hypot(_SPREAD, sigma / scale))
