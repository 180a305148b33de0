"""Where a query sounds like a title: lines through time that many triples point at, read peak by peak.

title time = speed x query time + offset, and title tone = query tone + pitch. Triples propose such lines. What a line is
worth is then counted on the peaks themselves: each query peak that meets a title's peak on the line speaks for it by how
seldom that would happen by chance, and each that does not speaks against it. Chance is what the title has around there, so
sound that is alike everywhere proves little, and the same holds for a rhythm that returns.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.match import Verdict
from mediaforge.detect.sound import SoundPrint
from mediaforge.detect.sound_lines import SoundLine, sound_lines
from mediaforge.detect.sound_peaks import TONES, TONES_PER_OCTAVE
from mediaforge.detect.sound_references import SoundReferences
from mediaforge.detect.sound_spectrum import FRAME_RATE
from mediaforge.media import Span

# Measured on 403 queries (benchmarks/sound.py): a wrong title scores at most 8.9 on one half and 9.1 on the other; right
# ones that are found score 12 and more.
MATCH_SCORE = 12.0
PROBABLE_SCORE = 10.0

_FRAMES_OFF, _TONES_OFF = 2.5, 2.0  # a peak is met when the title has one so near: 58 ms, 2.3 % of pitch
_FIRST_OFF = 5.0  # frames, before the line is fitted
_AROUND = round(20 * FRAME_RATE)  # frames before and after a span that tell what chance gives
_SHIFTS = tuple(sign * shift for shift in range(12, 175, 5) for sign in (-1, 1))  # frames: a rhythm returns within 4 s
_RETURNS = 0.8  # of the peaks: a sound that returns so well lies anywhere
_MOST_SHARE, _LEAST_SHARE = 0.9, 0.12
_FEWEST = 8  # peaks that a line must meet


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundMatch:
    """A span of the query that sounds like a span of a title.

    `score` is the logarithm to base 10 of how much better the title explains the span's peaks than chance does.
    `speed` is title time over query time, `pitch` the title's frequencies over the query's. `peaks` agree.
    """

    title: str
    verdict: Verdict
    score: float
    query: Span
    reference: Span
    speed: Fraction
    pitch: float
    peaks: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Met:
    """Which query peaks (rows from `first` on) meet which of the title's on a line; -1 where none."""

    line: SoundLine
    first: int
    rows: NDArray[np.intp]


def find_sound(query: SoundPrint, references: SoundReferences, *, least: float = PROBABLE_SCORE) -> tuple[SoundMatch, ...]:
    """All spans of the query that sound like a title of the references, best first. Empty: unknown.

    What scores below `least` is left out.
    """
    explained: dict[str, NDArray[np.bool_]] = {}
    found = []
    # The line with the most votes first: where a window sees only a title's beginning, a neighbouring one sees more of it.
    for begin, end, line in sorted(sound_lines(query, references), key=lambda proposed: -proposed[2].votes):
        done = explained.setdefault(references.titles[line.title], np.zeros(len(query.times), bool))
        if done[begin:end].mean() > 0.5:  # a neighbouring window has found it
            continue
        match = _read(query, references, line, begin=begin, end=end, done=done, least=least)
        if match is not None:
            found.append(match)
    return tuple(sorted(found, key=lambda match: (-match.score, match.title, match.query.start)))


def _read(
    query: SoundPrint,
    references: SoundReferences,
    line: SoundLine,
    *,
    begin: int,
    end: int,
    done: NDArray[np.bool_],
    least: float,
) -> SoundMatch | None:
    """What is on a line that was proposed for the query's peaks begin to end; those become `done`."""
    met = _fitted(query, references, line, begin=begin, end=end)
    if met is None:
        return None
    first_line = met.line
    share = float(np.clip((met.rows >= 0).mean(), _LEAST_SHARE, _MOST_SHARE))
    met = _grown(query, references, met, end=end)
    worth = _worth(query, references, met, share=share)
    worth[done[met.first : met.first + len(worth)]] = -1.0  # a span ends where another lies
    run_begin, run_end, score = _best_run(worth)
    agreeing = np.flatnonzero(met.rows[run_begin:run_end] >= 0)
    if score < least or len(agreeing) < _FEWEST or _returns(query, references, first_line, begin=begin, end=end):
        return None
    done[met.first + run_begin : met.first + run_end] = True
    return _match(query, references, met, begin=met.first + run_begin, end=met.first + run_end, score=score)


def _fitted(query: SoundPrint, references: SoundReferences, line: SoundLine, *, begin: int, end: int) -> _Met | None:
    """The line laid through the peaks it meets, first loosely, then closely."""
    for frames_off, tones_off in ((_FIRST_OFF, _TONES_OFF + 1), (_FRAMES_OFF + 1, _TONES_OFF), (_FRAMES_OFF, _TONES_OFF)):
        met = _meet(query, references, line, begin=begin, end=end, frames_off=frames_off, tones_off=tones_off)
        if np.count_nonzero(met.rows >= 0) < _FEWEST:
            return None
        line = _through(query, references, met)
    return _meet(query, references, line, begin=begin, end=end)


def _through(query: SoundPrint, references: SoundReferences, met: _Met) -> SoundLine:
    ours = np.flatnonzero(met.rows >= 0)
    theirs = met.rows[ours]
    ours = ours + met.first
    at = query.times[ours].astype(np.float64)
    heard = references.times[theirs].astype(np.float64)
    middle = at.mean()
    spread = float(((at - middle) ** 2).sum())
    speed = float(((at - middle) * (heard - heard.mean())).sum()) / spread if spread else met.line.speed
    steps = references.tones[theirs].astype(np.float64) - query.tones[ours]
    return SoundLine(
        title=met.line.title,
        speed=speed,
        offset=float(heard.mean() - speed * middle),
        pitch=float(steps.mean()),
        votes=met.line.votes,
    )


def _meet(
    query: SoundPrint,
    references: SoundReferences,
    line: SoundLine,
    *,
    begin: int,
    end: int,
    frames_off: float = _FRAMES_OFF,
    tones_off: float = _TONES_OFF,
) -> _Met:
    """The title's nearest peak of each query peak on the line."""
    title_begin, title_end = int(references.starts[line.title]), int(references.starts[line.title + 1])
    times, tones = references.times[title_begin:title_end], references.tones[title_begin:title_end]
    wanted = line.speed * query.times[begin:end] + line.offset
    tone = query.tones[begin:end] + line.pitch
    start = np.searchsorted(times, wanted - frames_off)
    most = int((np.searchsorted(times, wanted + frames_off, side="right") - start).max(initial=0))
    best = np.full(len(wanted), -1, np.intp)
    nearest = np.full(len(wanted), np.inf)
    for step in range(most):
        rows = np.minimum(start + step, len(times) - 1)
        away = np.abs(times[rows] - wanted)
        off = np.abs(tones[rows] - tone)
        badness = away / frames_off + off / tones_off
        better = (away <= frames_off) & (off <= tones_off) & (badness < nearest) & (start + step < len(times))
        best[better], nearest[better] = rows[better], badness[better]
    # A peak of the title is met once: by the query peak nearest to it.
    order = np.lexsort((nearest, best))
    again = np.concatenate([[False], np.diff(best[order]) == 0])
    best[order[again]] = -1
    return _Met(line=line, first=begin, rows=np.where(best >= 0, best + title_begin, -1))


def _returns(query: SoundPrint, references: SoundReferences, line: SoundLine, *, begin: int, end: int) -> bool:
    """Whether the title sounds the same a little earlier or later: a rhythm, a ring, a beep."""
    met = [
        np.count_nonzero(_meet(query, references, line.moved(shift), begin=begin, end=end).rows >= 0) for shift in (0, *_SHIFTS)
    ]
    return bool(max(met[1:]) > _RETURNS * met[0])


def _grown(query: SoundPrint, references: SoundReferences, met: _Met, *, end: int) -> _Met:
    """The line followed through the rest of the query: twice as far each time, and laid anew through what it meets."""
    begin = met.first
    while begin > 0 or end < len(query.times):
        length = end - begin
        begin, end = max(0, begin - length), min(len(query.times), end + length)
        wider = _meet(query, references, met.line, begin=begin, end=end)
        met = _meet(query, references, _through(query, references, wider), begin=begin, end=end)
    return met


def _worth(query: SoundPrint, references: SoundReferences, met: _Met, *, share: float) -> NDArray[np.float64]:
    """What each query peak says: the logarithm of how much likelier what it does is if the line is right.  # (peaks,)"""
    line = met.line
    ours = slice(met.first, met.first + len(met.rows))
    chance = _chance(query, references, line, ours)
    hit = np.log(share / np.minimum(chance, share))
    miss = np.log((1 - share) / (1 - np.minimum(chance, share)))
    return np.asarray(np.where(met.rows >= 0, hit, miss))


def _chance(query: SoundPrint, references: SoundReferences, line: SoundLine, ours: slice) -> NDArray[np.float64]:
    """How probably each query peak would meet one of the title's at another moment around there.  # (peaks,)"""
    title_begin, title_end = int(references.starts[line.title]), int(references.starts[line.title + 1])
    heard = line.speed * query.times[ours] + line.offset
    first, last = float(heard[0]) - _AROUND, float(heard[-1]) + _AROUND
    low, high = np.searchsorted(references.times[title_begin:title_end], (first, last)) + title_begin
    counts = np.bincount(references.tones[low:high], minlength=TONES).astype(np.float64)
    near = np.convolve(counts, np.ones(round(2 * _TONES_OFF) + 1), mode="same")
    span = float(references.times[high - 1] - references.times[low]) + 2 * FRAME_RATE if high > low else np.inf
    place = np.clip(np.rint(query.tones[ours] + line.pitch), 0, TONES - 1).astype(np.intp)
    return np.asarray(np.clip((near[place] + 1) * (2 * _FRAMES_OFF + 1) / span, 0.005, 0.5))


def _best_run(worth: NDArray[np.float64]) -> tuple[int, int, float]:
    """The piece that says most, and how much, in powers of ten."""
    sums = np.concatenate([[0.0], np.cumsum(worth)])
    lowest = np.minimum.accumulate(sums)
    end = int(np.argmax(sums - lowest))
    begin = int(np.argmin(sums[: end + 1]))
    return begin, end, float((sums[end] - sums[begin]) / np.log(10))


def _match(query: SoundPrint, references: SoundReferences, met: _Met, *, begin: int, end: int, score: float) -> SoundMatch:
    rows = met.rows[begin - met.first : end - met.first]
    line = met.line
    first, last = float(query.times[begin]), float(query.times[end - 1])
    return SoundMatch(
        title=references.titles[line.title],
        verdict=Verdict.MATCH if score >= MATCH_SCORE else Verdict.PROBABLE,
        score=score,
        query=_span(first, last, query.seconds),
        reference=_span(line.speed * first + line.offset, line.speed * last + line.offset, references.seconds[line.title]),
        speed=Fraction(round(line.speed * 1000), 1000),
        pitch=round(2.0 ** (line.pitch / TONES_PER_OCTAVE), 4),
        peaks=int(np.count_nonzero(rows >= 0)),
    )


def _span(first: float, last: float, seconds: Fraction) -> Span:
    """From frames to seconds."""
    begin, end = (round(1000 * frame / FRAME_RATE) for frame in (first, last))
    most = int(seconds * 1000)
    begin = min(max(0, begin), most)
    return Span(start=Fraction(begin, 1000), end=Fraction(min(max(begin, end), most), 1000))
