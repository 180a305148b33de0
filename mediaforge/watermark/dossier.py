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
from mediaforge.watermark.collusion import model_bank, symbol_scores
from mediaforge.watermark.evidence import Evidence
from mediaforge.watermark.sequence import as_text, biases, code
from mediaforge.watermark.tail import tail_bound
from mediaforge.watermark.trace import Accusation, SoftBits, Verdict, corrected, soft_bits

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
    bits = _bits(dossier)
    count = len(dossier.evidence.symbols)
    ends = np.unique(np.linspace(1, count, min(points, count)).astype(int)) if count else np.empty(0, int)
    return tuple(_course(dossier, one, bits, ends) for one in dossier.verdict.accusations)


def _course(dossier: Dossier, accusation: Accusation, bits: SoftBits, ends: NDArray[np.int64]) -> Course:
    model = next(model for model in model_bank() if model.name == accusation.model)
    scores = symbol_scores(model, bits.p, bits.y, bits.s)
    own = np.cumsum(scores[_handed(dossier, accusation.recipient), np.arange(len(bits.p))])
    bounds = [tail_bound(bits.p[:end], scores[:, :end], float(own[end - 1])) for end in ends]
    logs = [math.log10(corrected(bound, model, recipients=dossier.recipients)) for bound in bounds]
    return Course(
        recipient=accusation.recipient,
        seconds=np.asarray(ends * dossier.segment_seconds, np.float64),
        log10_bound=np.array(logs, dtype=np.float64),
    )


def _bits(dossier: Dossier) -> SoftBits:
    return soft_bits(dossier.evidence, np.array(dossier.odds, dtype=np.uint8))


def _handed(dossier: Dossier, recipient: str) -> NDArray[np.int64]:
    return np.array([letter == "A" for letter in dossier.codes[recipient]], dtype=np.int64)


def _check(name: str, faults: Iterator[str], *, good: str) -> Check:
    found = next(faults, None)
    return Check(id=name, ok=found is None, message=good if found is None else found)


def _miscounted(dossier: Dossier) -> Iterator[str]:
    read = len(dossier.evidence.symbols)
    if dossier.verdict.segments_read != read or len(dossier.odds) != read:
        yield f"the verdict speaks of {dossier.verdict.segments_read} segments with {len(dossier.odds)} odds, {read} were read"
    if len({symbol.segment for symbol in dossier.evidence.symbols}) != read:
        yield "a segment was counted twice"


def _unproved(dossier: Dossier) -> Iterator[str]:
    models = {model.name: model for model in model_bank()}
    if len(dossier.odds) != len(dossier.evidence.symbols) or not all(0 < t < _PARTS for t in dossier.odds):
        yield "no bound can be computed, for odds are missing or none"
        return
    bits = _bits(dossier) if dossier.odds else None
    for one in dossier.verdict.accusations:
        model, letters = models.get(one.model), dossier.codes.get(one.recipient, "")
        is_bound = one.false_accusation_probability > 0 and dossier.recipients > 0
        if bits is None or model is None or len(letters) != len(bits.p) or not is_bound:
            yield f"{one.recipient} is accused by model {one.model!r}, and what is needed to compute that again is not here"
            continue
        scores = symbol_scores(model, bits.p, bits.y, bits.s)
        score = float(scores[_handed(dossier, one.recipient), np.arange(len(bits.p))].sum())
        bound = corrected(tail_bound(bits.p, scores, score), model, recipients=dossier.recipients)
        if not math.isclose(score / math.log(10), one.score, rel_tol=_NEAR, abs_tol=_NEAR):
            yield f"the score of {one.recipient} is {score / math.log(10):.4f}, not {one.score:.4f}"
        if abs(math.log(bound) - math.log(one.false_accusation_probability)) > _NEAR * max(1.0, abs(math.log(bound))):
            yield f"the bound on accusing {one.recipient} falsely is {bound:.2e}, not {one.false_accusation_probability:.2e}"


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
