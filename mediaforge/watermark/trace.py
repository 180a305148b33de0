"""The accusation: which recipients made a copy, with a proven bound on the chance that anybody is accused wrongly.

Scores come from a bank of collusion models (`collusion.py`), the proof from the exact distribution of a stranger's score
(`tail.py`). The bound pays for all recipients, models and stages, and holds for any attack and any reading error, because to a
stranger the copy is independent of his code. Once somebody is accused, the rest are scored again given what he was handed:
accomplices become visible. docs/accusation.md has the derivation.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mediaforge.errors import SettingsError
from mediaforge.watermark.collusion import nobody
from mediaforge.watermark.evidence import Evidence
from mediaforge.watermark.joint import MOST_SUPPOSED, known, likely_sets
from mediaforge.watermark.ranking import Ranking, rank
from mediaforge.watermark.scoring import Scored, fitted_bits, scored_models
from mediaforge.watermark.sequence import biases, codes
from mediaforge.watermark.softbits import SoftBits
from mediaforge.watermark.tail import Tail, tail_bound, tail_near

_LEAST_PRINTED = 1e-300
_TAIL_GAIN = 8.0  # nats: a tail is hardly ever further below exp(-score), which bounds it
_LEAST_TELLING = 0.1  # nats: what was read says next to nothing
_STRANGERS_KEPT = 100  # how many strangers a model is expected to put on the list of those who are looked at again
# Shares of the error budget: the first stage, all later stages (each gets half of what is left), sets of every size.
_FIRST_STAGE, _LATER_STAGES, _SETS = 0.85, 0.1, 0.05


class Outcome(StrEnum):
    ACCUSED = "accused"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accusation:
    """One recipient. `false_accusation_probability` bounds the chance that this evidence accuses any stranger at all, over
    all recipients, models and stages; `score` is the log10 likelihood ratio under `model`. `given` are those accused in
    the stages before `stage`, whose codes the score takes as given: this accusation is never surer than theirs. `together` are
    those accused with him as a set, where none of them could be alone."""

    recipient: str
    score: float
    false_accusation_probability: float
    model: str
    stage: int = 0
    given: tuple[str, ...] = ()
    together: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`lowest_probability` is the smallest corrected bound of anybody: it shows how far an inconclusive verdict is from an
    accusation without naming a person; `recipients` are those it counts. `seconds_missing` is how much more of such a copy
    would accuse whoever it was handed to, were it one recipient's alone; None where somebody is accused, nothing was read, or
    more of it would say nothing.
    """

    verdict: Outcome
    segments_read: int
    seconds_read: Fraction
    accusations: tuple[Accusation, ...]
    lowest_probability: float
    recipients: int = 0
    seconds_missing: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipients:
    """Everybody who may have been handed a copy: `count` of them. Those with code `numbers` here are looked at (fewer can only
    accuse fewer); `id_at` says who is at a place among them."""

    numbers: NDArray[np.uint64]
    id_at: Callable[[int], str]
    count: int


Scores = tuple[Sequence[Scored], Sequence[Tail]]  # of a stage: the models, and how a stranger scores under each


def listed(recipients: Sequence[tuple[str, int]]) -> Recipients:
    """Recipients as (id, code number)."""
    numbers = np.array([number for _, number in recipients], np.uint64)
    return Recipients(numbers=numbers, id_at=lambda row: recipients[row][0], count=len(numbers))


def accuse(
    evidence: Evidence,
    *,
    secret: bytes,
    recipients: Recipients | Sequence[tuple[str, int]],
    false_accusation: float,
) -> Verdict:
    """Accuse every recipient whose corrected bound is at most `false_accusation`, the surest first.

    Raises SettingsError where `false_accusation` is no probability.
    """
    if not 0 < false_accusation < 1:
        raise SettingsError(f"false accusation probability {false_accusation} is not between 0 and 1; 1e-6 is usual")
    people = recipients if isinstance(recipients, Recipients) else listed(recipients)
    found: list[Accusation] = []
    lowest, missing = 1.0, None
    if evidence.symbols and people.count:
        t = biases(secret, evidence.segments)[_read(evidence)]
        fitted = fitted_bits(evidence, t)
        first = scored_models(fitted, nobody(len(t)))
        tails = _tails(first, false_accusation, recipients=people.count, stage=0)
        ranking = _rank(evidence, secret, people, first, tails)
        handed = codes(secret, people.numbers[ranking.rows], evidence.segments)[:, _read(evidence)]  # (rows, positions)
        found = _stages(people, fitted, (first, tails), handed, ranking.rows, false_accusation=false_accusation)
        found = found or _sets(people, fitted, first, handed, ranking.rows, false_accusation=false_accusation)
        if found:
            lowest = min(one.false_accusation_probability for one in found)
        else:
            bounds = [tail.log_reached(int(best)) for tail, best in zip(tails, ranking.best, strict=True)]
            lowest = min(
                corrected(bound, one.weight, recipients=people.count, stage=0) for bound, one in zip(bounds, first, strict=True)
            )
            missing = _seconds_missing(evidence, first[0], false_accusation, recipients=people.count)
    return Verdict(
        verdict=Outcome.ACCUSED if found else Outcome.INCONCLUSIVE,
        segments_read=evidence.readable,
        seconds_read=evidence.seconds_read,
        accusations=tuple(found),
        lowest_probability=lowest,
        recipients=people.count,
        seconds_missing=missing,
    )


def corrected(log_bound: float, weight: float, *, recipients: int, stage: int, supposed: int = 0) -> float:
    """The bound on accusing anybody falsely, from that on one stranger's score: for all recipients, at the model's share
    `weight` of the stage's share of the error budget (stage 0 is the first), for all sets of so many supposed partners."""
    log_all = log_bound + _correction(weight, recipients=recipients, stage=stage, supposed=supposed)
    return min(1.0, max(_LEAST_PRINTED, math.exp(min(0.0, log_all))))


def _correction(weight: float, *, recipients: int, stage: int, supposed: int) -> float:
    tried = recipients * max(1, math.comb(recipients - 1, supposed))
    share = _SETS / MOST_SUPPOSED if supposed else _share(stage)
    return math.log(tried) - math.log(weight * share)


def _share(stage: int) -> float:
    return _FIRST_STAGE if stage == 0 else _LATER_STAGES / 2**stage


def _read(evidence: Evidence) -> list[int]:
    return [symbol.segment for symbol in evidence.symbols]


def _asked(weight: float, false_accusation: float, *, recipients: int, stage: int, supposed: int = 0) -> float:
    """What `corrected` makes `false_accusation` of."""
    return math.log(false_accusation) - _correction(weight, recipients=recipients, stage=stage, supposed=supposed)


def _tails(scored: Sequence[Scored], false_accusation: float, *, recipients: int, stage: int) -> list[Tail]:
    asked = [_asked(one.weight, false_accusation, recipients=recipients, stage=stage) for one in scored]
    return [tail_near(one.bits.p, one.table, log_bound) for one, log_bound in zip(scored, asked, strict=True)]


def _rank(
    evidence: Evidence,
    secret: bytes,
    people: Recipients,
    scored: Sequence[Scored],
    tails: Sequence[Tail],
) -> Ranking:
    few = min(0.0, math.log(_STRANGERS_KEPT / people.count))
    return rank(
        secret,
        people.numbers,
        _read(evidence),
        segments=evidence.segments,
        tables=[one.table for one in scored],
        least=[tail.least_total(few) for tail in tails],
    )


def _stages(
    people: Recipients,
    fitted: Mapping[int, SoftBits],
    first: Scores,
    handed: NDArray[np.uint8],
    rows: NDArray[np.int64],
    *,
    false_accusation: float,
) -> list[Accusation]:
    """Accuse among the recipients in these rows, then again given those accused, until nobody is left who can be.

    `handed` are their codes at the positions read, (rows, positions).
    """
    found: dict[int, Accusation] = {}  # by place in `rows`
    scores = first
    for stage in range(len(rows)):
        others = np.setdiff1d(np.arange(len(rows)), list(found))
        new = _accused(people, scores, handed[others], stage=stage, false_accusation=false_accusation)
        if not new:
            break
        given = tuple(one.recipient for one in found.values())
        least_sure = max((one.false_accusation_probability for one in found.values()), default=0.0)
        for place, (own, one, total) in sorted(new.items(), key=lambda item: item[1][0]):
            found[int(others[place])] = Accusation(
                recipient=people.id_at(int(rows[others[place]])),
                score=one.table.step * total / math.log(10),
                false_accusation_probability=max(own, least_sure),
                model=one.model.name,
                stage=stage,
                given=given,
            )
        later = scored_models(fitted, known(handed, list(found)))
        scores = later, _tails(later, false_accusation, recipients=people.count, stage=stage + 1)
    return sorted(found.values(), key=lambda one: (one.false_accusation_probability, one.stage, -one.score))


def _accused(
    people: Recipients, scores: Scores, handed: NDArray[np.uint8], *, stage: int, false_accusation: float
) -> dict[int, tuple[float, Scored, int]]:
    """Who reaches what is asked, by place in `handed`: his bound, the model under which it is lowest, his total there."""
    new: dict[int, tuple[float, Scored, int]] = {}
    for one, tail in zip(*scores, strict=True):
        totals = one.table.totals(handed)
        enough = tail.least_total(_asked(one.weight, false_accusation, recipients=people.count, stage=stage))
        for place in np.flatnonzero(totals >= enough).tolist():
            log_bound = tail_bound(one.bits.p, one.table, int(totals[place]))
            own = corrected(log_bound, one.weight, recipients=people.count, stage=stage)
            if own <= false_accusation and (place not in new or own < new[place][0]):
                new[place] = (own, one, int(totals[place]))
    return new


def _sets(
    people: Recipients,
    fitted: Mapping[int, SoftBits],
    first: Sequence[Scored],
    handed: NDArray[np.uint8],
    rows: NDArray[np.int64],
    *,
    false_accusation: float,
) -> list[Accusation]:
    """Accuse a set of recipients each of whom is sure enough given the others. The largest first: it says the most."""
    for size in range(MOST_SUPPOSED + 1, 1, -1):
        asked = _asked(1.0, false_accusation, recipients=people.count, stage=0, supposed=size - 1)
        for chosen in likely_sets(first, handed, size=size, least=-asked - _TAIL_GAIN):
            found = [_given_others(people, fitted, handed, rows, chosen=chosen, each=each) for each in chosen]
            if all(one.false_accusation_probability <= false_accusation for one in found):
                return sorted(found, key=lambda one: one.false_accusation_probability)
    return []


def _given_others(
    people: Recipients,
    fitted: Mapping[int, SoftBits],
    handed: NDArray[np.uint8],
    rows: NDArray[np.int64],
    *,
    chosen: tuple[int, ...],
    each: int,
) -> Accusation:
    """The surest accusation of one of a set, of whatever it might be worth, given what the others were handed."""
    others = tuple(other for other in chosen if other != each)
    bounds = []
    for one in scored_models(fitted, known(handed, others)):
        total = one.table.total(handed[each])
        log_bound = tail_bound(one.bits.p, one.table, total)
        own = corrected(log_bound, one.weight, recipients=people.count, stage=0, supposed=len(others))
        bounds.append((own, one.model.name, one.table.step * total / math.log(10)))
    own, model, score = min(bounds)
    return Accusation(
        recipient=people.id_at(int(rows[each])),
        score=score,
        false_accusation_probability=own,
        model=model,
        together=tuple(people.id_at(int(rows[other])) for other in others),
    )


def _seconds_missing(evidence: Evidence, alone: Scored, false_accusation: float, *, recipients: int) -> float | None:
    """As if somebody had been handed just what was read: no recipient's code is looked at."""
    handed = (alone.bits.y > 0).astype(np.uint8)
    log_bound = tail_bound(alone.bits.p, alone.table, alone.table.total(handed))
    asked = _asked(alone.weight, false_accusation, recipients=recipients, stage=0)
    if log_bound <= asked or log_bound > -_LEAST_TELLING:
        return None
    return float(evidence.seconds_read) * (asked / log_bound - 1)
