"""Where a query shows a title: the proposed lines are read frame by frame, and the best are cut into spans.

In a static scene all offsets look nearly alike. So lines are not told apart by how many frames are alike on them, but by
the sum of how close they are: over all frames the small differences add up, and the right offset stands out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.codes import BITS
from mediaforge.detect.diagonals import BIN_MS, STEP_MS, Line, closeness, propose_lines, weigh
from mediaforge.detect.index import References
from mediaforge.detect.video import Fingerprint
from mediaforge.media import Span

# Measured on 16 real clips: 10 s at crf 33 score 3.7 to 9.7, and no excerpt scores above 0.02 on a title it is not from.
MATCH_SCORE = 1.5
PROBABLE_SCORE = 0.6

_OTHER_SPEED = 0.95  # a speed other than 1 must explain the query better than chance would
_COARSE_SHIFTS = range(-BIN_MS, BIN_MS, STEP_MS // 2)
_FINE_LINES = 12  # read again between two title frames, since a dense query meets them at their own moments
_FINE_SHIFTS = range(-STEP_MS // 4, STEP_MS // 4 + 1, 20)
_MOST_SPANS = 32
_GAP_MS = 3000  # a longer silence ends a span


class Verdict(StrEnum):
    MATCH = "match"
    PROBABLE = "probable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A span of the query that shows a span of a title.

    `score` counts seconds of distinct, exactly alike pictures: ten looks at one still count little more than one.
    `speed` is title time over query time. `frames` agreed on the line, `distance` bits apart in the mean.
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Reading:
    """A line read frame by frame."""

    line: Line
    apart: NDArray[np.uint16]  # (query frames,) bits; BITS where no title frame was compared


def find_matches(query: Fingerprint, references: References) -> tuple[Match, ...]:
    """All spans of the query that show a title of the index, best first. Empty: unknown."""
    if not len(query.times):
        return ()
    weights = weigh(query)
    groups = propose_lines(query, references, weights)
    matches = [match for lines in groups for match in _spans(query, references, weights, lines=lines)]
    return tuple(sorted(matches, key=lambda match: (-match.score, match.title, match.query.start)))


def _spans(
    query: Fingerprint, references: References, weights: NDArray[np.float64], *, lines: tuple[Line, ...]
) -> Iterator[Match]:
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
        if score < PROBABLE_SCORE:
            return
        free[run[0] : run[-1] + 1] = 0
        yield _match(query, references, best, run=run, score=score)


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
    runs = np.split(rows, np.flatnonzero(np.diff(times[rows]) > _GAP_MS) + 1)
    return max(runs, key=lambda run: float(counted[run].sum()))


def _match(query: Fingerprint, references: References, best: _Reading, *, run: NDArray[np.intp], score: float) -> Match:
    line, speed = best.line, float(best.line.speed)
    # Title frames are a step apart, so an end lies half a step beyond the outermost frame that agrees.
    begin_ms = max(0.0, float(query.times[run[0]]) - STEP_MS / 2)
    end_ms = min(float(query.seconds * 1000), float(query.times[run[-1]]) + STEP_MS / 2)
    title_ms = float(references.seconds[line.title] * 1000)
    return Match(
        title=references.titles[line.title],
        verdict=Verdict.MATCH if score >= MATCH_SCORE else Verdict.PROBABLE,
        score=score,
        query=_span(begin_ms, end_ms),
        reference=_span(max(0.0, speed * begin_ms + line.offset_ms), min(title_ms, speed * end_ms + line.offset_ms)),
        speed=line.speed,
        mirrored=line.mirrored,
        frames=len(run),
        distance=float(best.apart[run].mean()),
    )


def _span(begin_ms: float, end_ms: float) -> Span:
    return Span(start=Fraction(round(begin_ms), 1000), end=Fraction(round(max(begin_ms, end_ms)), 1000))
