"""A trace that can be computed again by whoever did not make it: the reading, the odds, and only the codes of those accused.

The title's secret is not in it. Odds and codes of the positions read are: from them and the reading every score and every
bound follows (trace.py), and anybody with this file can check them. Who holds the secret can check in addition that odds and
codes come from it. The codes of recipients who are not accused never leave the state.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mediaforge.checks import Check
from mediaforge.watermark.collusion import Known
from mediaforge.watermark.evidence import Evidence
from mediaforge.watermark.joint import MOST_SUPPOSED
from mediaforge.watermark.scoring import Scored, fitted_bits, scored_models
from mediaforge.watermark.sequence import as_text, biases, code
from mediaforge.watermark.softbits import SoftBits
from mediaforge.watermark.tail import ScoreTable, tail_bound
from mediaforge.watermark.trace import Accusation, Verdict, corrected

_PARTS = 256  # odds are so many-ths
_NEAR = 1e-6  # relative: sums of logarithms, on another machine

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file that the reading came from, and its SHA-256."""

    role: str
    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """`odds` are the chances of A in 256ths at the positions read, in the order of the evidence's symbols; `codes` what each
    accused recipient was handed there, a letter a position, and `numbers` his number in the code."""

    title: str
    segment_seconds: float
    false_accusation: float
    recipients: int
    evidence: Evidence
    odds: tuple[int, ...]
    codes: Mapping[str, str]
    numbers: Mapping[str, int]
    verdict: Verdict
    sources: tuple[Source, ...]
    builds: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How the case against one recipient grew: the bound (log10) after so many seconds of the copy, each (points,)."""

    recipient: str
    seconds: Floats
    log10_bound: Floats


def open_codes(evidence: Evidence, *, secret: bytes, numbers: Mapping[str, int]) -> tuple[tuple[int, ...], dict[str, str]]:
    """The odds at the positions read, and the letters of these recipients there."""
    read = [symbol.segment for symbol in evidence.symbols]
    odds = tuple(int(t) for t in biases(secret, evidence.segments)[read]) if read else ()
    letters = {name: as_text(code(secret, number, evidence.segments)[read]) for name, number in numbers.items()}
    return odds, letters


def check_dossier(dossier: Dossier, *, secret: bytes | None = None) -> tuple[Check, ...]:
    """Compute everything again. With the title's secret also where odds and codes come from."""
    checks = [
        _check("trace.read", _miscounted(dossier), good=f"{len(dossier.evidence.symbols)} segments were read"),
        _check("trace.bound", _unproved(dossier), good="every accusation's score and bound come out again"),
        _check("trace.allowed", _unallowed(dossier), good=f"no bound is above {dossier.false_accusation:.0e}, as asked"),
    ]
    if secret is not None:
        checks.append(_check("trace.codes", _underived(dossier, secret), good="odds and codes come from the title's secret"))
    return tuple(checks)


def courses(dossier: Dossier, *, points: int = 60) -> tuple[Course, ...]:
    """The curve of evidence over time for each accused recipient. Pure."""
    count = len(dossier.evidence.symbols)
    ends = np.unique(np.linspace(1, count, min(points, count)).astype(int)) if count else np.empty(0, int)
    return tuple(
        _course(dossier, one, fitted_bits(dossier.evidence, dossier.odds), ends) for one in dossier.verdict.accusations
    )


def _course(dossier: Dossier, accusation: Accusation, fitted: Mapping[int, SoftBits], ends: NDArray[np.int64]) -> Course:
    scored = _scored(dossier, accusation, fitted)
    handed, units, p = _handed(dossier, accusation.recipient), scored.table.units, scored.bits.p
    totals = np.cumsum(units[handed, np.arange(len(p))])
    parts = [ScoreTable(step=scored.table.step, units=units[:, :end]) for end in ends]
    bounds = [tail_bound(p[:end], part, int(totals[end - 1])) for end, part in zip(ends, parts, strict=True)]
    logs = [math.log10(_printed(dossier, accusation, bound, scored)) for bound in bounds]
    return Course(
        recipient=accusation.recipient,
        seconds=np.asarray(ends * dossier.segment_seconds, np.float64),
        log10_bound=np.array(logs, dtype=np.float64),
    )


def _scored(dossier: Dossier, accusation: Accusation, fitted: Mapping[int, SoftBits]) -> Scored:
    """The model of an accusation, given those accused before. Raises KeyError where one of them or the model is not there."""
    codes = [_handed(dossier, name) for name in (*accusation.given, *accusation.together)]
    known = Known(pirates=len(codes), having_a=sum(codes, np.zeros(len(dossier.odds), np.int64)))
    return {one.model.name: one for one in scored_models(fitted, known)}[accusation.model]


def _printed(dossier: Dossier, accusation: Accusation, log_bound: float, scored: Scored) -> float:
    """The bound as it is printed: never surer than that of those it takes as given."""
    own = corrected(
        log_bound, scored.weight, recipients=dossier.recipients, stage=accusation.stage, supposed=len(accusation.together)
    )
    before = (one for one in dossier.verdict.accusations if one.recipient in accusation.given)
    return max(own, *(one.false_accusation_probability for one in before), 0.0)


def _handed(dossier: Dossier, recipient: str) -> NDArray[np.int64]:
    return np.array([letter == "A" for letter in dossier.codes[recipient]], dtype=np.int64)


def _check(name: str, faults: Iterator[str], *, good: str) -> Check:
    found = next(faults, None)
    return Check(id=name, ok=found is None, message=good if found is None else found)


def _miscounted(dossier: Dossier) -> Iterator[str]:
    read = len(dossier.evidence.symbols)
    # Cases of before 2026-11-23 count the symbols that do not stand out of their noise too.
    if dossier.verdict.segments_read not in (dossier.evidence.readable, read) or len(dossier.odds) != read:
        yield f"the verdict speaks of {dossier.verdict.segments_read} segments with {len(dossier.odds)} odds, {read} were read"
    if len({symbol.segment for symbol in dossier.evidence.symbols}) != read:
        yield "a segment was counted twice"


def _unproved(dossier: Dossier) -> Iterator[str]:
    count = len(dossier.odds)
    if count != len(dossier.evidence.symbols) or not all(0 < t < _PARTS for t in dossier.odds):
        yield "no bound can be computed, for odds are missing or none"
        return
    before: list[Accusation] = []  # those of earlier stages, who alone may be taken as given
    fitted = fitted_bits(dossier.evidence, dossier.odds) if count else {}
    for one in sorted(dossier.verdict.accusations, key=lambda each: each.stage):
        earlier = {each.recipient for each in before if each.stage < one.stage}
        before.append(one)
        is_bound = one.false_accusation_probability > 0 and dossier.recipients > 0
        is_ordered = set(one.given) == earlier and 0 <= one.stage <= len(earlier) and _is_a_set(dossier, one)
        has_codes = all(len(dossier.codes.get(name, "")) == count for name in (one.recipient, *one.given, *one.together))
        try:
            scored = _scored(dossier, one, fitted) if count and is_bound and is_ordered and has_codes else None
        except KeyError:
            scored = None
        if scored is None:
            yield f"{one.recipient} is accused by model {one.model!r}, and what is needed to compute that again is not here"
            continue
        total = scored.table.total(_handed(dossier, one.recipient).astype(np.uint8))
        score = total * scored.table.step / math.log(10)
        bound = _printed(dossier, one, tail_bound(scored.bits.p, scored.table, total), scored)
        if not math.isclose(score, one.score, rel_tol=_NEAR, abs_tol=_NEAR):
            yield f"the score of {one.recipient} is {score:.4f}, not {one.score:.4f}"
        if abs(math.log(bound) - math.log(one.false_accusation_probability)) > _NEAR * max(1.0, abs(math.log(bound))):
            yield f"the bound on accusing {one.recipient} falsely is {bound:.2e}, not {one.false_accusation_probability:.2e}"


def _is_a_set(dossier: Dossier, accusation: Accusation) -> bool:
    """Whoever was accused with others: they were with him, and nobody was accused in another way."""
    accused = sorted(one.recipient for one in dossier.verdict.accusations)
    is_whole = accused == sorted((accusation.recipient, *accusation.together))
    return not accusation.together or (is_whole and accusation.stage == 0 and len(accusation.together) <= MOST_SUPPOSED)


def _unallowed(dossier: Dossier) -> Iterator[str]:
    for one in dossier.verdict.accusations:
        if not one.false_accusation_probability <= dossier.false_accusation:
            asked, said = dossier.false_accusation, one.false_accusation_probability
            yield f"{one.recipient} is accused at {said:.1e}, {asked:.1e} was asked"


def _underived(dossier: Dossier, secret: bytes) -> Iterator[str]:
    odds, letters = open_codes(dossier.evidence, secret=secret, numbers=dossier.numbers)
    if odds != tuple(dossier.odds):
        yield "the odds are not those of the title's secret"
    if letters != dict(dossier.codes):
        yield "the codes are not those of the recipients' numbers under the title's secret"
