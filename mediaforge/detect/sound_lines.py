"""Which lines through time are worth reading: triples that a query and a title share, by speed, offset and pitch."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.sound import SoundPrint
from mediaforge.detect.sound_references import SoundReferences
from mediaforge.detect.sound_spectrum import FRAME_RATE
from mediaforge.detect.sound_triples import query_triples

SPEEDS = tuple(0.88 * 1.03**step for step in range(10))  # 0.88 to 1.15: steps so small that 6 s on, a line is off by 0.1 s
SLOWEST, FASTEST = 0.87, 1.16
MOST_TONES = 12  # pitches 0.87 to 1.15

_WINDOW = round(12 * FRAME_RATE)  # frames of the query that propose lines together
_STEP = round(8 * FRAME_RATE)
_OFFSET_BIN = 12.0  # frames: 0.28 s
_HALF_TONE_BIN = 2  # cells are 4 tones high: 4.7 %
_APART_BIN = 43  # frames: at speeds 0.88 and 1.14, 6 s from the middle, a true line is off by 0.84 s
_LEAST_VOTES = 4  # query peaks whose triples agree; chance seldom makes 3
_MOST_LINES = 12  # of a window
_MOST_OF_A_TITLE = 3

# A cell as a number: 20 bits of title, then these. 22 bits of offset, in steps of half a bin, are 160 h.
_SPEED_BITS, _OFFSET_BITS, _TONE_BITS, _PEAK_BITS = 4, 22, 5, 9


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundLine:
    """title frame = speed x query frame + offset, title tone = query tone + pitch."""

    title: int  # its place in SoundReferences.titles
    speed: float
    offset: float
    pitch: float
    votes: int

    def moved(self, frames: float) -> "SoundLine":
        """The same line, so many frames later in the title."""
        return replace(self, offset=self.offset + frames)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Hits:
    """Triples that a query and a title share: columns of equal length."""

    ours: NDArray[np.int32]  # row of the query's first peak
    at: NDArray[np.int32]  # its frame
    titles: NDArray[np.intp]
    heard: NDArray[np.int32]  # frame of the title's first peak
    speeds: NDArray[np.float64]  # title time over query time
    pitches: NDArray[np.intp]  # title tone less query tone
    error: NDArray[np.float64]  # how far the logarithm of the speed may be off

    def chosen(self, rows: NDArray[np.bool_]) -> "_Hits":
        """Some of them."""
        return _Hits(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def sound_lines(query: SoundPrint, references: SoundReferences) -> Iterator[tuple[int, int, SoundLine]]:
    """Lines to read, best first in each window of the query, with the window's first and last (exclusive) peak."""
    last = int(query.times[-1]) if len(query.times) else -1
    for at in range(0, max(1, last - _WINDOW + _STEP + 1), _STEP):
        begin, end = (int(row) for row in np.searchsorted(query.times, (at, at + _WINDOW)))
        if end - begin >= 3:
            for line in _lines(query.times[begin:end], query.tones[begin:end], references):
                yield begin, end, line


def _lines(times: NDArray[np.int32], tones: NDArray[np.uint8], references: SoundReferences) -> tuple[SoundLine, ...]:
    middle = (float(times[0]) + float(times[-1])) / 2
    hits = _crowded(_hits(times, tones, references))
    cells, counts = np.unique(_cells(hits, middle) >> _PEAK_BITS, return_counts=True)
    lines: list[SoundLine] = []
    for row in np.argsort(-counts, kind="stable"):
        if counts[row] < _LEAST_VOTES or len(lines) == _MOST_LINES:
            break
        title, speed, offset, tone = _taken_apart(int(cells[row]))
        line = SoundLine(
            title=title,
            speed=SPEEDS[speed],
            offset=offset / 2 * _OFFSET_BIN - SPEEDS[speed] * middle,
            pitch=float(tone * _HALF_TONE_BIN),
            votes=int(counts[row]),
        )
        if _is_new(line, lines, middle):
            lines.append(line)
    return tuple(lines)


def _hits(times: NDArray[np.int32], tones: NDArray[np.uint8], references: SoundReferences) -> _Hits:
    triples = query_triples(times, tones)
    which, theirs, spreads = references.lookup(triples.codes)
    ours = triples.begins[which]
    speeds = spreads / (times[triples.ends[which]] - times[ours])
    pitches = references.tones[theirs].astype(np.intp) - tones[ours]
    possible = (speeds >= SLOWEST) & (speeds <= FASTEST) & (np.abs(pitches) <= MOST_TONES)
    return _Hits(
        ours=ours[possible],
        at=times[ours[possible]],
        titles=np.searchsorted(references.starts, theirs[possible], side="right") - 1,
        heard=references.times[theirs[possible]],
        speeds=speeds[possible],
        pitches=pitches[possible],
        error=0.015 + 1.5 / spreads[possible],
    )


def _cells(hits: _Hits, middle: float) -> NDArray[np.int64]:
    """The cells of title, speed, offset and pitch that each hit votes for, and in the lowest bits the query peak that votes.

    A peak votes once a cell. Cells of offset and pitch overlap by half, so that no line falls between two.
    """
    cells = [np.empty(0, np.int64)]
    for place, speed in enumerate(SPEEDS):
        fits = np.flatnonzero(np.abs(np.log(hits.speeds / speed)) <= hits.error)
        offsets = np.floor((hits.heard[fits] - speed * (hits.at[fits] - middle)) / (_OFFSET_BIN / 2)).astype(np.int64)
        tones = hits.pitches[fits] // _HALF_TONE_BIN
        for later, higher in product((0, 1), repeat=2):
            cell = _put_together(hits.titles[fits], place, offsets + later, tones + higher)
            cells.append((cell << _PEAK_BITS) | hits.ours[fits])
    votes = np.sort(np.concatenate(cells))  # np.unique's hashing is ten times slower here
    return np.asarray(votes[np.diff(votes, prepend=-1) != 0])


def _crowded(hits: _Hits) -> _Hits:
    """The hits that have company: others of the same title and pitch, about as far on. Of a large index that is one in a
    hundred, and only those need be counted at every speed."""
    apart = np.floor((hits.heard - hits.at) / _APART_BIN).astype(np.int64)
    tones = hits.pitches // _HALF_TONE_BIN
    company = np.zeros(len(apart), bool)
    for later, higher in product((0, 1), repeat=2):
        cells = _put_together(hits.titles, 0, (apart + later) >> 1, (tones + higher) >> 1)
        _, which, counts = np.unique(cells, return_inverse=True, return_counts=True)
        company |= counts[which] >= _LEAST_VOTES
    return hits.chosen(company)


def _put_together(
    titles: NDArray[np.intp], speed: int, offsets: NDArray[np.int64], tones: NDArray[np.intp]
) -> NDArray[np.int64]:
    """A cell as one number, which sorts thirty times faster than four."""
    cell = titles.astype(np.int64) << _SPEED_BITS | speed
    cell = cell << _OFFSET_BITS | (offsets + (1 << (_OFFSET_BITS - 1)))
    return np.asarray(cell << _TONE_BITS | (tones + (1 << (_TONE_BITS - 1))), np.int64)


def _taken_apart(cell: int) -> tuple[int, int, int, int]:
    """Title, speed, offset and tone of a cell."""
    cell, tone = cell >> _TONE_BITS, (cell & ((1 << _TONE_BITS) - 1)) - (1 << (_TONE_BITS - 1))
    cell, offset = cell >> _OFFSET_BITS, (cell & ((1 << _OFFSET_BITS) - 1)) - (1 << (_OFFSET_BITS - 1))
    return cell >> _SPEED_BITS, cell & ((1 << _SPEED_BITS) - 1), offset, tone


def _is_new(line: SoundLine, lines: list[SoundLine], middle: float) -> bool:
    """Whether it is neither a neighbour of a better line nor one of too many of its title."""
    same = [other for other in lines if other.title == line.title]
    at = line.speed * middle + line.offset
    near = [other for other in same if abs(other.speed * middle + other.offset - at) < 3 * _OFFSET_BIN]
    return not near and len(same) < _MOST_OF_A_TITLE
