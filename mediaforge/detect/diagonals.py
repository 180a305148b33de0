"""Which lines through time are worth reading: votes of alike frames, counted by title, speed and offset.

A copy keeps its title's order and pace, so the frames that look alike lie on a line: title time = speed x query time +
offset. One alike frame proves nothing; many on one line do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.codes import WORDS, distances
from mediaforge.detect.index import References
from mediaforge.detect.video import SAMPLE_FPS, Fingerprint

# How much faster the copy plays: film at 24 shown at 25 and back, NTSC's 1001/1000, and mild changes that hide a copy.
SPEEDS = tuple(Fraction(text) for text in ("1", "25/24", "24/25", "1001/1000", "1000/1001", "51/50", "49/50", "11/10", "9/10"))

RADIUS = 76  # bits in which two pictures may differ and still be alike (facts: what makes it safe is the line)
FARTHEST = 84  # bits at which closeness ends
STEP_MS = round(1000 / SAMPLE_FPS)  # between the frames of a title
BIN_MS = 500

# The votes need no more than about two query frames a second, at moments that differ from the title's.
_VOTE_STEP_MS = 400
_LEAST_VOTES = 0.15  # a fast scene's own line gets three times as much from 10 s
_MOST_TITLES = 20
_MOST_LINES = 100
_BLOCK = 64

Votes = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]  # query frames, reference frames, weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """title time = speed x query time + offset, seen in a mirror or not."""

    title: int  # its place in References.titles
    mirrored: bool
    speed: Fraction
    offset_ms: float
    votes: float

    def at(self, query_ms: float) -> float:
        """The title's moment (milliseconds) that this moment of the query shows."""
        return float(self.speed) * query_ms + self.offset_ms


def propose_lines(query: Fingerprint, references: References, weights: NDArray[np.float64]) -> tuple[tuple[Line, ...], ...]:
    """The best lines of each of the best titles. `weights` says what each query frame counts.  # (frames,)"""
    lines: dict[int, list[Line]] = {}
    for mirrored in (False, True):
        rows, frames, votes = _votes(query, references, weights, mirrored=mirrored)
        titles = np.searchsorted(references.starts, frames, side="right") - 1
        for speed in SPEEDS:
            offsets = references.times[frames] - float(speed) * query.times[rows]
            for title, offset_ms, count in _peaks(titles, offsets, rows, votes=votes):
                line = Line(title=title, mirrored=mirrored, speed=speed, offset_ms=offset_ms, votes=count)
                lines.setdefault(title, []).append(line)
    ranked = [sorted(group, key=lambda line: -line.votes)[:_MOST_LINES] for group in lines.values()]
    return tuple(tuple(group) for group in sorted(ranked, key=lambda group: -group[0].votes)[:_MOST_TITLES])


def weigh(query: Fingerprint) -> NDArray[np.float64]:
    """Seconds of distinct sight that each query frame on a line stands for.  # (frames,)

    n seconds of one still picture count as sqrt(n): forty looks at it are hardly more than one. It depends on the query
    alone, so that titles stay comparable.
    """
    step = float(np.median(np.diff(query.times))) / 1000 if len(query.times) > 1 else STEP_MS / 1000
    codes = query.query_codes[:, 0, 0]
    blocks = [codes[row : row + _BLOCK] for row in range(0, len(codes), _BLOCK)]
    alike = np.concatenate([np.count_nonzero(distances(block, codes) <= RADIUS, axis=1) for block in blocks])
    return np.asarray(max(step, STEP_MS / 1000) / np.sqrt(np.maximum(1.0, alike * step)))


def closeness(apart: NDArray[np.uint16]) -> NDArray[np.float64]:
    """1 for equal pictures, 0 for pictures that are not alike."""
    return np.where(apart <= RADIUS, (FARTHEST - apart.astype(np.float64)) / FARTHEST, 0.0)


def _votes(query: Fingerprint, references: References, weights: NDArray[np.float64], *, mirrored: bool) -> Votes:
    chosen = _thinned(query.times)
    codes = query.query_codes[chosen, int(mirrored)]  # (chosen, active | whole, WORDS)
    places = 1 if np.array_equal(codes[:, 0], codes[:, 1]) else 2
    hits = references.lookup(codes[:, :places].reshape(-1, WORDS), RADIUS)
    rows = chosen[hits.query // places]
    return rows, hits.frame, weights[rows] * closeness(hits.distance)


def _thinned(times: NDArray[np.int64]) -> NDArray[np.intp]:
    chosen: list[int] = []
    for row, time in enumerate(times):
        if not chosen or time - times[chosen[-1]] >= _VOTE_STEP_MS:
            chosen.append(row)
    return np.array(chosen, np.intp)


def _peaks(
    titles: NDArray[np.intp], offsets: NDArray[np.float64], rows: NDArray[np.intp], *, votes: NDArray[np.float64]
) -> Iterator[tuple[int, float, float]]:
    """Title, offset and votes of each bin that enough query frames point at. A frame votes once a bin, by its best hit."""
    if not len(rows):
        return
    bins = np.floor(offsets / BIN_MS).astype(np.int64)
    # Each vote counts in two bins that overlap, so that no line falls between them; a bin spans its offset +- BIN_MS.
    table = np.stack([np.tile(titles, 2), np.concatenate([bins, bins + 1]), np.tile(rows, 2)])  # (3, votes)
    counts = np.tile(votes, 2)
    order = np.lexsort((-counts, *table[::-1]))
    table, counts = table[:, order], counts[order]
    best = np.concatenate([[True], np.any(np.diff(table), axis=0)])
    places, bin_of = np.unique(table[:2, best], axis=1, return_inverse=True)
    sums = np.bincount(bin_of.reshape(-1), counts[best])
    for place in np.flatnonzero(sums >= _LEAST_VOTES):
        yield int(places[0, place]), float(places[1, place] * BIN_MS), float(sums[place])
