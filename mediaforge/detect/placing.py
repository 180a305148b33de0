"""Spans out of sightings: what lies on one line through time and lays the title over the query in one way, is one."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.diagonals import SPEEDS
from mediaforge.detect.features import TITLE, Features
from mediaforge.detect.sightings import Sightings

_ENOUGH = 20  # inliers more than two that make a picture certain: two points always agree
_BIN_MS = 250
_AWAY_MS = (
    400  # a query's looks are 333 ms apart, so the one that shows a title's picture is 167 ms off at most, and a line bends
)
_GAP_MS = 5000  # a title's looks are 2 s apart, and one in between may fail
_MOST_SPANS = 16
_MOST_BINS = 6
_OTHER_SPEED = 0.93
_ALONE = 0.4  # one look may be chance; the best of the wrong titles mostly had no other
# Of the title's size in the query: how far its corners may stray before a look counts half. Hands shake, pictures zoom.
_WANDER = 0.08
_ELSEWHEN_MS = 1400
_LAID_ALIKE = 0.5  # of agreement: the corners stray by less than they may


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """A span of the query that shows the title on the line title time = speed x query time + offset.

    `score` counts seconds of distinct sight. `contrast` is how much better the title's pictures are seen at their moment
    than at others, 0 to 1: about 0 in a place that stays the same. `first_ms` and `last_ms` are the query's outermost looks
    that saw the title; beyond them, to `begin_ms` and `end_ms`, it may go on.
    """

    speed: Fraction
    offset_ms: float
    begin_ms: float
    end_ms: float
    first_ms: float
    last_ms: float
    silence_ms: float  # the longest time between two looks that saw it
    score: float
    contrast: float
    inliers: int
    matrix: NDArray[np.float64]  # (2, 3): from the title's picture onto the query's, in heights of each


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Seen:
    """The sightings as lines are laid through them."""

    title: NDArray[np.intp]  # row of the title's picture
    inliers: NDArray[np.int64]
    q_ms: NDArray[np.float64]
    t_ms: NDArray[np.float64]
    worth: NDArray[np.float64]  # of a whole look
    corners: NDArray[np.float64]  # (sightings, 2, 4): where the title's corners are laid


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Run:
    """Sightings on one line that lay the title over the query in one way."""

    speed: Fraction
    rows: NDArray[np.intp]
    values: NDArray[np.float64]
    corners: NDArray[np.float64]  # (2, 4)

    @property
    def score(self) -> float:
        sure = (1 if self.speed == 1 else _OTHER_SPEED) * (_ALONE if len(self.rows) == 1 else 1)
        return float(self.values.sum()) / float(self.speed) * sure


def place(query: Features, title: Features, found: Sightings, density: NDArray[np.float64]) -> Iterator[Placed]:
    """The spans of one title in one orientation, best first. `density`: what a second counts at each look.  # (query looks,)"""
    seen = _Seen(
        title=found.title,
        inliers=found.inliers,
        q_ms=query.times[found.query].astype(np.float64),
        t_ms=title.times[found.title].astype(np.float64),
        worth=np.clip(found.worth - 2, 0, _ENOUGH) / _ENOUGH * density[found.query],
        corners=found.maps @ _corners(title.shape),
    )
    free = np.ones(len(seen.title), bool)
    for _ in range(_MOST_SPANS):
        runs = [
            _run(seen, offsets, centre, free, speed)
            for speed in SPEEDS
            for offsets in (seen.t_ms - float(speed) * seen.q_ms,)
            for centre in _crowded(offsets[free], seen.worth[free])
        ]
        best = max(runs, key=lambda run: run.score, default=None)
        if best is None or not len(best.rows):
            return
        placed = _placed(query, title, seen, best, np.median(found.maps[best.rows], axis=0))
        yield placed
        free &= (seen.q_ms < placed.begin_ms) | (seen.q_ms > placed.end_ms)


def _crowded(offsets: NDArray[np.float64], worth: NDArray[np.float64]) -> list[float]:
    """Offsets around which most is seen."""
    if not len(offsets):
        return []
    bins = np.round(offsets / _BIN_MS).astype(np.int64)
    bins -= bins.min()
    sums = np.bincount(bins, worth, minlength=bins.max() + 3)
    around = np.convolve(sums, np.ones(3), mode="same")
    first = np.round(offsets / _BIN_MS).min()
    return [float((first + place) * _BIN_MS) for place in np.argsort(-around, kind="stable")[:_MOST_BINS]]


def _run(seen: _Seen, offsets: NDArray[np.float64], centre: float, free: NDArray[np.bool_], speed: Fraction) -> _Run:
    """Of each of the title's pictures near the line the sighting that is best: many inliers, laid where the others lay it."""
    rows = np.flatnonzero(free & (np.abs(offsets - centre) <= _AWAY_MS))
    corners = _weighted_median(seen.corners[rows], seen.worth[rows])
    values = seen.worth[rows] * _agreement(seen.corners[rows], corners)
    order = np.lexsort((-values, seen.title[rows]))
    best = order[np.diff(seen.title[rows][order], prepend=-1) > 0]
    best = best[np.argsort(seen.q_ms[rows[best]], kind="stable")]
    pieces = np.split(best, np.flatnonzero(np.diff(seen.q_ms[rows[best]]) > _GAP_MS) + 1)
    most = max(pieces, key=lambda piece: float(values[piece].sum()))
    return _Run(speed=speed, rows=rows[most], values=values[most], corners=corners)


def _weighted_median(corners: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    if not len(corners):
        return np.zeros((2, 4))
    flat = corners.reshape(len(corners), -1)
    order = np.argsort(flat, axis=0)
    reached = np.cumsum(weights[order], axis=0)  # (n, 8)
    middle = (reached >= reached[-1] / 2).argmax(axis=0)
    return np.asarray(flat[order[middle, np.arange(8)], np.arange(8)].reshape(2, 4))


def _agreement(corners: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 where the title's corners lie where they lie mostly, less the further they are from there.

    Measured against how large the title is in the query. A copy lies still; of another take of a hand-held shot, or at
    another moment of one, each picture lies elsewhere.
    """
    size = max(0.3, float(np.abs(centre[:, 3] - centre[:, 0]).max()))
    return np.asarray(1 / (1 + (np.abs(corners - centre).max(axis=(1, 2)) / size / _WANDER) ** 2))


def _placed(query: Features, title: Features, seen: _Seen, run: _Run, matrix: NDArray[np.float64]) -> Placed:
    pace = float(run.speed)
    offsets = seen.t_ms - pace * seen.q_ms
    middle = float(np.median(offsets[run.rows]))
    near = np.abs(offsets - middle) <= 2 * _AWAY_MS
    away = np.abs(offsets - middle) >= _ELSEWHEN_MS
    values = seen.inliers * _agreement(seen.corners, run.corners)
    finer, contrasts = [], []
    for row in run.rows:
        own = seen.title == seen.title[row]
        # Where several looks see a title's picture nearly as well, its moment lies between them.
        weights = np.where(own & near, np.maximum(values - 0.7 * values[row], 0.0), 0.0)
        finer.append(float((offsets * weights).sum() / weights.sum()) if weights.sum() > 0 else middle)
        contrasts.append(1 - min(1.0, float(values[own & away].max(initial=0)) / float(values[row])))
    offset = float(np.average(finer, weights=run.values + 1e-9))
    first, last = seen.t_ms[run.rows].min(), seen.t_ms[run.rows].max()
    begin, end = _ends(query, title, (first - offset) / pace, (last - offset) / pace, line=(pace, offset))
    # Looks between two of the title's see its neighbours, if the shot is the same.
    about = (np.abs(offsets - middle) <= TITLE.step_ms + _AWAY_MS) & (_agreement(seen.corners, run.corners) >= _LAID_ALIKE)
    about &= (seen.q_ms >= begin) & (seen.q_ms <= end)
    about[run.rows] = True
    looks = np.unique(seen.q_ms[about])
    return Placed(
        speed=run.speed,
        offset_ms=offset,
        begin_ms=begin,
        end_ms=end,
        first_ms=float(looks[0]),
        last_ms=float(looks[-1]),
        silence_ms=float(np.diff(looks).max(initial=_AWAY_MS)),
        score=run.score * TITLE.step_ms / 1000,
        contrast=float(np.average(contrasts, weights=run.values + 1e-9)),
        inliers=int(seen.inliers[run.rows].sum()),
        matrix=matrix,
    )


def _ends(query: Features, title: Features, first: float, last: float, *, line: tuple[float, float]) -> tuple[float, float]:
    """The span goes on to the title's next look, half the way if the query was looked at there and did not show it."""
    pace, offset = line
    moments = (title.times - offset) / pace
    before, after = moments[moments < first - 1], moments[moments > last + 1]
    least, most = float(query.times[0]), float(query.times[-1])
    step = TITLE.step_ms / pace
    begin = (first + before[-1]) / 2 if len(before) and before[-1] >= least else first - step
    end = (last + after[0]) / 2 if len(after) and after[0] <= most else last + step
    return max(begin, first - step, least), min(end, last + step, most + 500)


def _corners(shape: float) -> NDArray[np.float64]:
    return np.array([[0, shape, 0, shape], [0, 0, 1, 1], [1, 1, 1, 1]], np.float64)  # (3, 4)
