"""Where pictures of a query show pictures of a title, point by point: alike points that one similarity lays over each other.

Points alone deceive: a corner of a window is like many. That a dozen of them keep their places to each other, turned,
scaled and moved alike, does not happen by chance. As in Lowe 2004, section 7.2, each pair of points votes for a turn, a size
and a place, and only votes that agree are fitted: no random sample, so the result depends on nothing but the pictures.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.features import CODE_WORDS, Features

RADIUS = (
    28  # bits in which two looks at one point may differ (measured: half differ in 16; other points in 58, 9 in the deviation)
)
LEAST_INLIERS = 3  # of two pictures; how many looks agree is for the line to say

_LEAST_PAIRS = 3
_LEAST_WORTH = 0.3  # what most titles have takes most of the time and decides nothing
_TURN_BINS = 8
_BINS = _TURN_BINS * 64 * 256 * 256 * 16
_PLACE_BIN = 0.4  # heights: a point's angle and size are a little wrong, which moves the middle of the picture
_TOLERANCES = (0.06, 0.03, 0.024)  # of the title's height, from the first guess to the last fit (facts: 7 of 288 lines)
_MOST_SCALE = 4.0
_SMALL = 0.4  # in a copy scaled down further a place is no more exact than this
_CELLS = 12  # points crowding in one twelfth of the height are one: a logo is no picture
_BLOCK = 64  # what is compared at a time stays in the processor's cache


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sightings:
    """Pairs of a query picture and a title picture that show one thing; three columns and the maps, of equal length."""

    query: NDArray[np.intp]  # row of the query's picture
    title: NDArray[np.intp]  # row of the title's picture
    inliers: NDArray[np.int64]  # points that agree
    worth: NDArray[np.float64]  # what they are worth together: less where they are of a kind that many titles have
    maps: NDArray[np.float64]  # (n, 2, 3): from the title's picture onto the query's, in heights of each


def find_sightings(query: Features, title: Features, weights: NDArray[np.float64] | None = None) -> Sightings:
    """All sightings of a title in a query. `weights` says what each of the query's points is worth.  # (points,)"""
    worth = np.ones(len(query.codes)) if weights is None else weights
    rare = np.flatnonzero(worth >= _LEAST_WORTH)
    ours, theirs = alike(query.codes[rare], title.codes)
    ours = rare[ours]
    pairs = _Pairs(
        query=query.pixels()[ours] @ _COMPLEX,
        title=title.pixels()[theirs] @ _COMPLEX,
        turns=_turns(query.places[ours], title.places[theirs]),
    )
    keys = query.owners()[ours] * len(title.times) + title.owners()[theirs]
    rows: list[tuple[int, int, int]] = []
    worths: list[float] = []
    maps: list[NDArray[np.float64]] = []
    for key, all_of_two, agreeing in _crowds(keys, pairs, title.shape):
        found = _laid_over(pairs, all_of_two, agreeing)
        if found is None:
            continue
        matrix, inside = found
        inliers, weight = _spread(pairs.query[inside], pairs.title[inside], worth[ours[inside]])
        if inliers >= LEAST_INLIERS:
            rows.append((*divmod(key, len(title.times)), inliers))
            worths.append(weight)
            maps.append(matrix)
    table = np.array(rows, np.int64).reshape(-1, 3)
    return Sightings(
        query=table[:, 0].astype(np.intp),
        title=table[:, 1].astype(np.intp),
        inliers=table[:, 2],
        worth=np.array(worths, np.float64),
        maps=np.array(maps, np.float64).reshape(-1, 2, 3),
    )


def alike(ours: NDArray[np.uint64], theirs: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """All pairs of points at most RADIUS apart."""
    found = [np.empty(0, np.intp)]
    for begin in range(0, len(ours), _BLOCK):
        near = _distances(ours[begin : begin + _BLOCK], theirs) <= RADIUS
        found.append(np.flatnonzero(near) + begin * len(theirs))
    rows, columns = np.divmod(np.concatenate(found), max(1, len(theirs)))
    return rows, columns


def _distances(ours: NDArray[np.uint64], theirs: NDArray[np.uint64]) -> NDArray[np.uint8]:
    shape = (len(ours), len(theirs))
    differing = np.empty(shape, np.uint64)
    count, total = np.empty(shape, np.uint8), np.zeros(shape, np.uint8)
    columns = np.ascontiguousarray(theirs.T)  # (CODE_WORDS, len(theirs))
    for word in range(CODE_WORDS):
        np.bitwise_xor(ours[:, word, None], columns[word], out=differing)
        np.add(total, np.bitwise_count(differing, out=count), out=total)
    return total


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pairs:
    """Alike points: where they lie as complex numbers, in heights of their pictures, and the turn and scale between them."""

    query: NDArray[np.complex128]
    title: NDArray[np.complex128]
    turns: NDArray[np.complex128]


def _turns(ours: NDArray[np.uint8], theirs: NDArray[np.uint8]) -> NDArray[np.complex128]:
    octaves = (ours[:, 2].astype(np.float64) - theirs[:, 2]) / 32
    angles = (ours[:, 3].astype(np.float64) - theirs[:, 3]) / 256
    return np.asarray(2.0**octaves * np.exp(2j * np.pi * angles))


def _crowds(keys: NDArray[np.intp], pairs: _Pairs, shape: float) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.intp]]]:
    """For each two pictures: all their pairs, and the largest group of them that votes alike."""
    centre = pairs.query + pairs.turns * ((shape + 1j) / 2 - pairs.title)  # where each pair lays the middle of the title
    votes = np.stack(
        [
            np.angle(pairs.turns) / (2 * np.pi) * _TURN_BINS,
            np.log2(np.abs(pairs.turns)),
            centre.real / _PLACE_BIN,
            centre.imag / _PLACE_BIN,
        ]
    )  # (4, pairs)
    # Each vote counts in two bins of each kind, which overlap, so that no group is cut in two.
    halves = np.floor(votes * 2).astype(np.int64)
    bins = np.stack([_bin(halves, np.array([corner >> kind & 1 for kind in range(4)])) * 16 + corner for corner in range(16)])
    flat = (keys * _BINS + bins).reshape(-1)
    sorting = np.argsort(flat)
    begins = np.flatnonzero(np.diff(flat[sorting], prepend=-1))
    counts = np.diff(begins, append=len(flat))
    crowded = np.flatnonzero(counts >= _LEAST_PAIRS)
    owners = flat[sorting[begins[crowded]]] // _BINS
    ranked = np.lexsort((-counts[crowded], owners))
    largest = ranked[np.diff(owners[ranked], prepend=-1) > 0]
    order = np.argsort(keys, kind="stable")
    firsts, lasts = (np.searchsorted(keys, owners[largest] + one, sorter=order) for one in (0, 1))
    for crowd, key, first, last in zip(crowded[largest], owners[largest].tolist(), firsts, lasts, strict=True):
        voters = np.sort(sorting[begins[crowd] : begins[crowd] + counts[crowd]] % len(keys))
        yield key, order[first:last], voters


def _bin(halves: NDArray[np.int64], moved: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for the bins of turn, size and place, each moved by half a bin or not.  # (pairs,)"""
    turn, size, x, y = (halves + moved[:, None]) // 2
    x, y = (np.clip(each, -127, 127) + 128 for each in (x, y))
    return np.asarray((((turn % _TURN_BINS) * 64 + size + 32) * 256 + x) * 256 + y)


def _laid_over(
    pairs: _Pairs, rows: NDArray[np.intp], agreeing: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.intp]] | None:
    """The similarity under which the pairs agree, and those that do; None where too few."""
    inside = agreeing
    for tolerance in _TOLERANCES:
        turn, shift = _fit(pairs.title[inside], pairs.query[inside])
        scale = abs(turn)
        if not 1 / _MOST_SCALE <= scale <= _MOST_SCALE:
            return None
        off = np.abs(pairs.query[rows] - turn * pairs.title[rows] - shift)
        inside = rows[off <= tolerance * max(scale, _SMALL)]
        if len(inside) < _LEAST_PAIRS:
            return None
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]), inside


def _fit(theirs: NDArray[np.complex128], ours: NDArray[np.complex128]) -> tuple[complex, complex]:
    """The similarity that lays `theirs` over `ours` with the least squares: ours = turn * theirs + shift."""
    here, there = ours.mean(), theirs.mean()
    spread = theirs - there
    turn = complex(np.vdot(spread, ours - here) / max(np.vdot(spread, spread).real, 1e-12))
    return turn, complex(here - turn * there)


def _spread(ours: NDArray[np.complex128], theirs: NDArray[np.complex128], worth: NDArray[np.float64]) -> tuple[int, float]:
    """How many distinct places agree, on the side that has fewer, and what they are worth."""
    best = np.lexsort((-worth,))
    counts, worths = [], []
    for at in (ours, theirs):
        places = np.floor(at.real * _CELLS).astype(np.int64) * 1000 + np.floor(at.imag * _CELLS).astype(np.int64)
        _, first = np.unique(places[best], return_index=True)
        counts.append(len(first))
        worths.append(float(worth[best[first]].sum()))
    return min(counts), min(worths)


_COMPLEX = np.array([1, 1j])
