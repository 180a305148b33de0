"""Where a query shows a title: what whole pictures say and what their points say, laid together and judged.

The lines proposed by whole pictures are read frame by frame and the best are cut into spans. In a static scene all offsets
look nearly alike. So lines are not told apart by how many frames are alike on them, but by the sum of how close they are:
over all frames the small differences add up, and the right offset stands out. Points find what whole pictures cannot: a part
of the picture, a turned or a small one. Where both find the same, the codes, which are denser, say when, the points how.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.codes import BITS
from mediaforge.detect.diagonals import BIN_MS, STEP_MS, Line, closeness, propose_lines, weigh
from mediaforge.detect.ends import breaks, ended
from mediaforge.detect.features import Features
from mediaforge.detect.laying import GAP_MS, FoundSpan, laid_together
from mediaforge.detect.lookalikes import NO_EVIDENCE, Evidence, codes_evidence, is_distinct, moved_onto_cuts
from mediaforge.detect.placing import place
from mediaforge.detect.rarity import rarity
from mediaforge.detect.references import References
from mediaforge.detect.sightings import find_sightings
from mediaforge.detect.video import Fingerprint
from mediaforge.media import Span

# Measured on 16 real clips: 10 s at crf 33 score 3.7 to 9.7, and no excerpt scores above 0.02 on a title it is not from.
MATCH_SCORE = 1.5
PROBABLE_SCORE = 0.6

_OTHER_SPEED = 0.93  # a speed other than 1 must explain the query better than chance would
_COARSE_SHIFTS = range(-BIN_MS, BIN_MS, STEP_MS // 2)
_FINE_LINES = 12  # read again between two title frames, since a dense query meets them at their own moments
_FINE_SHIFTS = range(-STEP_MS // 4, STEP_MS // 4 + 1, 20)
_MOST_SPANS = 32
_FEW_TITLES = 40  # so many are all looked at point by point; of more only those that whole pictures propose
_POINTS_SCALE = 0.85  # what a second seen by points counts in seconds seen by codes: wrong titles then stay below 0.6
_MOST_RAISED = 4.0  # where points are common, those that are not count for more

NO_POINTS: Mapping[str, Features] = MappingProxyType({})


class Verdict(StrEnum):
    MATCH = "match"
    PROBABLE = "probable"
    REVIEW = "review"  # the same place, but nothing says that it is the same moment: a person must look
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A span of the query that shows a span of a title.

    `score` counts seconds of distinct, exactly alike pictures: ten looks at one still count little more than one.
    `speed` is title time over query time. `frames` agreed on the line, `distance` bits apart in the mean. `points` agreed
    under `matrix`, which lays the title's picture over the query's: x' = ax + by + c, y' = dx + ey + f, both in heights of
    their picture, in a mirror first where `mirrored`; None where only whole pictures agreed.
    """

    title: str
    verdict: Verdict
    score: float
    query: Span
    reference: Span
    speed: Fraction
    mirrored: bool
    frames: int
    distance: float
    points: int = 0
    matrix: tuple[float, ...] | None = None
    evidence: Evidence = NO_EVIDENCE


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Reading:
    """A line read frame by frame."""

    line: Line
    apart: NDArray[np.uint16]  # (query frames,) bits; BITS where no title frame was compared


def find_matches(
    query: Fingerprint, references: References, points: Mapping[str, Features] = NO_POINTS, *, least: float = PROBABLE_SCORE
) -> tuple[Match, ...]:
    """All spans of the query that show a title of the index, best first. Empty: unknown.

    `points` holds the titles' local features. What scores below `least` is left out.
    """
    weights = weigh(query) if len(query.times) else np.empty(0)
    groups = propose_lines(query, references, weights) if len(query.times) else ()
    by_codes = {lines[0].title: list(_spans(query, references, weights, lines=lines, least=least)) for lines in groups}
    few = len(references.titles) <= _FEW_TITLES
    numbers = range(len(references.titles)) if few else list(by_codes)
    looked_at = {number: points[title] for number in numbers if (title := references.titles[number]) in points}
    rare = [rarity(features, looked_at.values()) for features in (query.features, query.turned)]
    matches = []
    for number in numbers:
        placed = []
        if number in looked_at:
            placed = list(_placed(query, references, looked_at[number], weights, title=number, least=least, rare=rare))
        for found in laid_together(by_codes.get(number, []), placed, sure=PROBABLE_SCORE):
            span = {"begin_ms": found.begin_ms, "end_ms": found.end_ms}
            line = found.line if found.frames else moved_onto_cuts(query, references, found.line, **span)
            evidence = codes_evidence(query, references, line, **span).also(found.evidence)
            matches.append(_match(references, replace(found, line=line, evidence=evidence)))
    return tuple(sorted(matches, key=lambda match: (-match.score, match.title, match.query.start)))


def _placed(
    query: Fingerprint,
    references: References,
    looked_at: Features,
    weights: NDArray[np.float64],
    *,
    title: int,
    least: float,
    rare: list[NDArray[np.float64]],
) -> Iterator[FoundSpan]:
    """The spans of one title as points show them; `rare` is the worth of the query's points, plain and in a mirror."""
    for mirrored, features in ((False, query.features), (True, query.turned)):
        if not len(features.codes):
            continue
        seen = find_sightings(features, looked_at, rare[mirrored])
        scale = _POINTS_SCALE * min(_MOST_RAISED, 1 / float(rare[mirrored].mean()) ** 2)
        for placed in place(features, looked_at, seen, _density(query, features, weights)):
            if placed.score * scale < least:
                break
            line = Line(title=title, mirrored=mirrored, speed=placed.speed, offset_ms=placed.offset_ms, votes=0.0)
            found = FoundSpan(
                line=line,
                begin_ms=placed.begin_ms,
                end_ms=min(placed.end_ms, float(query.seconds * 1000)),
                first_ms=placed.first_ms,
                last_ms=placed.last_ms,
                silence_ms=placed.silence_ms,
                score=placed.score * scale,
                points=placed.inliers,
                matrix=tuple(float(number) for number in placed.matrix.ravel()),
                evidence=Evidence(contrast=placed.contrast),
            )
            around = breaks(query, references, title, mirrored=mirrored)
            yield ended(found, around)


def _density(query: Fingerprint, features: Features, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a second is worth at each look: all of it, or less where the picture hardly changes.  # (looks,)"""
    if not len(query.times):  # too little to see for codes of whole pictures
        return np.full(len(features.times), 1 / np.sqrt(max(1.0, float(query.seconds))))
    step = max(STEP_MS, float(np.median(np.diff(query.times))) if len(query.times) > 1 else 0) / 1000
    return np.asarray(weights[_nearest(query.times, features.times.astype(np.float64))] / step)


def _spans(
    query: Fingerprint, references: References, weights: NDArray[np.float64], *, lines: tuple[Line, ...], least: float
) -> Iterator[FoundSpan]:
    """The spans of one title: the best line gives one, its frames are taken out, and the rest is looked at again."""
    readings = [_read(query, references, line, shift_ms=shift) for line in lines for shift in _COARSE_SHIFTS]
    worth = np.stack([_worth(reading) for reading in readings]) * weights.astype(np.float32)  # (readings, frames)
    free = np.ones(len(query.times), np.float32)
    for _ in range(_MOST_SPANS):
        order = np.argsort(-(worth @ free), kind="stable")[:_FINE_LINES]
        fine = [_read(query, references, readings[row].line, shift_ms=shift) for row in order for shift in _FINE_SHIFTS]
        best = max(fine, key=lambda reading: float((_worth(reading) * weights) @ free))
        counted = _worth(best) * weights * free
        run = _best_run(query.times, counted)
        score = float(counted[run].sum())
        if not len(run) or score < least:
            return
        free[run[0] : run[-1] + 1] = 0
        # Title frames are a step apart, so an end lies half a step beyond the outermost frame that agrees.
        yield FoundSpan(
            line=best.line,
            begin_ms=max(0.0, float(query.times[run[0]]) - STEP_MS / 2),
            end_ms=min(float(query.seconds * 1000), float(query.times[run[-1]]) + STEP_MS / 2),
            score=score,
            first_ms=float(query.times[run[0]]),
            last_ms=float(query.times[run[-1]]),
            silence_ms=float(np.diff(query.times[run]).max(initial=STEP_MS)),
            frames=len(run),
            distance=float(best.apart[run].mean()),
        )


def _worth(reading: _Reading) -> NDArray[np.float32]:
    """The closeness of each query frame, a little less at odd speeds. A fast line meets more title frames a second, so
    that each is worth less.  # (frames,)"""
    speed = reading.line.speed
    return (closeness(reading.apart) * ((1.0 if speed == 1 else _OTHER_SPEED) / float(speed))).astype(np.float32)


def _read(query: Fingerprint, references: References, line: Line, *, shift_ms: float) -> _Reading:
    """The line moved by `shift_ms`, frame by frame."""
    moved = replace(line, offset_ms=line.offset_ms + shift_ms)
    begin, end = int(references.starts[line.title]), int(references.starts[line.title + 1])
    times = references.times[begin:end]
    wanted = np.asarray(float(line.speed) * query.times + moved.offset_ms, np.float64)
    nearest = _nearest(times, wanted)
    compared = np.flatnonzero(_closest(nearest, np.abs(times[nearest] - wanted)))
    ours = query.query_codes[compared, int(line.mirrored)]  # (compared, active | whole, WORDS)
    theirs = references.codes[begin + nearest[compared]]  # (compared, crops, WORDS)
    differing = np.bitwise_count(ours[:, :, None] ^ theirs[:, None]).sum(axis=3, dtype=np.uint16)
    apart = np.full(len(query.times), BITS, np.uint16)
    apart[compared] = differing.min(axis=(1, 2))
    return _Reading(line=moved, apart=apart)


def _nearest(times: NDArray[np.int64], wanted: NDArray[np.float64]) -> NDArray[np.intp]:
    """For each wanted moment the row of the title frame closest to it."""
    after = np.minimum(np.searchsorted(times, wanted), len(times) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(wanted - times[before] < times[after] - wanted, before, after)


def _closest(nearest: NDArray[np.intp], away_ms: NDArray[np.float64]) -> NDArray[np.bool_]:
    """For each title frame the one query frame closest in time: a dense query meets the title at its own moments."""
    order = np.lexsort((away_ms, nearest))
    first = np.concatenate([[True], np.diff(nearest[order]) > 0])
    chosen = np.zeros(len(nearest), bool)
    chosen[order[first]] = True
    return chosen & (away_ms <= STEP_MS)


def _best_run(times: NDArray[np.int64], counted: NDArray[np.float64]) -> NDArray[np.intp]:
    """The frames that count, cut where none counts for too long: the piece that counts most."""
    rows = np.flatnonzero(counted)
    runs = np.split(rows, np.flatnonzero(np.diff(times[rows]) > GAP_MS) + 1)
    return max(runs, key=lambda run: float(counted[run].sum()))


def _match(references: References, found: FoundSpan) -> Match:
    line = found.line
    title_ms = float(references.seconds[line.title] * 1000)
    return Match(
        title=references.titles[line.title],
        verdict=_verdict(found),
        score=found.score,
        query=_span(found.begin_ms, found.end_ms),
        reference=_span(max(0.0, line.at(found.begin_ms)), min(title_ms, line.at(found.end_ms))),
        speed=line.speed,
        mirrored=line.mirrored,
        frames=found.frames,
        distance=found.distance,
        points=found.points,
        matrix=found.matrix,
        evidence=found.evidence,
    )


def _verdict(found: FoundSpan) -> Verdict:
    if found.score < PROBABLE_SCORE:
        return Verdict.NONE
    if not is_distinct(found.evidence):
        return Verdict.REVIEW
    return Verdict.MATCH if found.score >= MATCH_SCORE else Verdict.PROBABLE


def _span(begin_ms: float, end_ms: float) -> Span:
    return Span(start=Fraction(round(begin_ms), 1000), end=Fraction(round(max(begin_ms, end_ms)), 1000))
