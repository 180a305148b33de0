"""Read a suspect copy against the stored variants of its title: one soft symbol a segment (facts-watermark 3 and 5).

The copy's pieces are laid over the title. Then, window by window, its rungs are glanced at: a few pictures at the head of
each segment, for only the rung the copy came from has its exact A-B difference in it. The rungs that answered in the window
before are asked first, all others where those are silent: a player stays where it is for minutes. The likeliest walk through
the rungs says which it was, segment after segment; what did not answer clearly is read again, whole, on those that answered
often, or on all where none did.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from mediaforge.media import Grid
from mediaforge.watermark.align import align, comparison_size
from mediaforge.watermark.evidence import LEAST_Z, Alignment, Evidence, RungScore, Symbol
from mediaforge.watermark.reading import CLEAR_Z, Reader, Reference, runs

__all__ = ["Reference", "extract"]

_FIRST, _WINDOW = 16, 64  # segments: half a minute tells the rungs; two minutes are 25 MB of the copy's pictures
# By chance a wrong rung answers with a |z| of 1.7 (root mean square), and with more than 6 in one segment of two hundred. So
# z^2 / 6 is what an answer says for its rung (a log likelihood), up to that, and a player's switch must be paid for by it: none
# goes to another rung and back for one segment.
_CHANCE, _MOST_Z = 6.0, 10.0
_SWITCH = 9.0
_BELIEVED = 1 / 8  # of a rung's segments on the walk answer clearly: by chance one in a hundred does


def extract(
    leak: Path, references: Sequence[Reference], grid: Grid, *, on_progress: Callable[[float], None] = lambda _: None
) -> Evidence:
    """Read `leak` against the rungs of one title, given from low to high.

    A copy of something else gives evidence without alignment and without symbols. Raises MediaError where a file cannot
    be decoded.
    """
    size = comparison_size(references[-1].a)
    placed = align(leak, coarse=references[0].a, fine=references[len(references) // 2].a, grid=grid, size=size)
    on_progress(0.2)
    if placed is None:
        return Evidence(segments=grid.segments, symbols=(), seconds_read=Fraction(0), alignment=None, rungs=())
    covered = [_covered_segments(piece, grid) for piece in placed.pieces]
    ways: list[Symbol] = []
    glanced: list[Symbol] = []
    usual: list[Reference] = []
    for number, (piece, segments) in enumerate(zip(placed.pieces, covered, strict=True)):
        reader = Reader(leak=leak, piece=piece, grid=grid, size=size)
        readings: list[Symbol] = []
        for window in _windows(segments):
            glances = _glances(reader, references, usual, window)
            glanced += glances
            looked, usual = _look(reader, references, usual, window, glances)
            readings += glances + looked
            on_progress(0.2 + 0.8 * (sum(map(len, covered[:number])) + segments.index(window[-1]) + 1) / sum(map(len, covered)))
        ways += follow_rungs(readings)
    symbols = _loudest(ways)
    main = max(placed.pieces, key=lambda piece: piece.end - piece.begin)
    return Evidence(
        segments=grid.segments,
        symbols=symbols,
        seconds_read=sum((grid.segment_span(symbol.segment).seconds for symbol in symbols), Fraction(0)),
        alignment=main,
        rungs=_rung_scores(references, glanced),
        further=tuple(piece for piece in placed.pieces if piece is not main),
    )


def _covered_segments(piece: Alignment, grid: Grid) -> tuple[int, ...]:
    """The segments of which the piece shows at least half."""
    begin, end = (piece.offset + piece.speed * moment for moment in (piece.begin, piece.end))
    spans = [grid.segment_span(segment) for segment in range(grid.segments)]
    shown = [min(end, float(span.end)) - max(begin, float(span.start)) for span in spans]
    return tuple(number for number, span in enumerate(spans) if shown[number] > float(span.seconds) / 2)


def _windows(covered: tuple[int, ...]) -> list[tuple[int, ...]]:
    edges = [0, *range(_FIRST, len(covered), _WINDOW), len(covered)]
    return [covered[first:last] for first, last in pairwise(edges) if first < last]


def _is_clear(symbol: Symbol) -> bool:
    return abs(symbol.z) >= CLEAR_Z


def _glances(
    reader: Reader, references: Sequence[Reference], usual: Sequence[Reference], window: tuple[int, ...]
) -> list[Symbol]:
    """What the usual rungs answer, and where they are silent for longer all others; without usual ones what all answer."""
    heads = reader.head_pictures(window)
    answers = reader.glance(usual or references, window, heads)
    clear = {symbol.segment for symbol in answers if _is_clear(symbol)}
    edges = (window[0], window[-1])
    others = [reference for reference in references if usual and reference not in usual]
    # Between segments that are clear a player does not leave for one; at the window's edges nobody knows.
    silent = [run for run in runs([segment for segment in window if segment not in clear]) if len(run) > 1 or run[0] in edges]
    asked = tuple(segment for run in silent for segment in run)
    return answers + (reader.glance(others, asked, heads) if others and asked else [])


def _look(
    reader: Reader, references: Sequence[Reference], usual: list[Reference], window: tuple[int, ...], glances: list[Symbol]
) -> tuple[list[Symbol], list[Reference]]:
    """Whole segments where no glance was clear, on the rungs that are believed or else on all; and which now are usual."""
    walked = follow_rungs(glances, before=[rung.rung for rung in usual])
    believed = _believed(references, walked)
    rungs = believed or usual or references
    names = {rung.rung for rung in believed}
    done = {symbol.segment for symbol in walked if _is_clear(symbol) and symbol.rung in names}
    done |= frozenset[int].intersection(*(rung.unmarked for rung in rungs))
    looked = reader.read(rungs, tuple(segment for segment in window if segment not in done))
    return looked, believed or usual or _believed(references, follow_rungs(looked))


def _believed(references: Sequence[Reference], walked: Sequence[Symbol]) -> list[Reference]:
    """The rungs on the walk that answer clearly so often that it is not by chance."""
    believed = {rung for rung, mine in _by_rung(walked).items() if sum(map(_is_clear, mine)) >= _BELIEVED * len(mine)}
    return [reference for reference in references if reference.rung in believed]


def _loudest(readings: Sequence[Symbol]) -> tuple[Symbol, ...]:
    """One symbol a segment, where other rungs or two pieces of the copy say something of it. No code is looked at."""
    best: dict[int, Symbol] = {}
    for symbol in readings:
        known = best.get(symbol.segment)
        # The first is of the rung that the window was read on; another one has to be far above what chance gives.
        if known is None or abs(symbol.z) > max(2 * abs(known.z), LEAST_Z):
            best[symbol.segment] = symbol
    return tuple(best[segment] for segment in sorted(best))


def follow_rungs(readings: Sequence[Symbol], *, before: Sequence[str] = ()) -> list[Symbol]:
    """For every segment the reading on the rung that the copy was made of there, as a player goes: it seldom switches.

    The likeliest walk through the rungs (Viterbi 1967); it comes from one of those `before`, if there are any. Of two readings
    of a segment on a rung the later counts. It knows no recipient's code, as the proof demands.
    """
    rungs, segments = sorted({symbol.rung for symbol in readings}), sorted({symbol.segment for symbol in readings})
    said = {(symbol.segment, symbol.rung): symbol for symbol in readings}
    z = np.array([[abs(said[at, rung].z) if (at, rung) in said else 0.0 for rung in rungs] for at in segments])
    merit = np.minimum(z, _MOST_Z) ** 2 / _CHANCE  # (segments, rungs)
    staying = _SWITCH * (np.eye(len(rungs)) - 1)
    best, came = merit[:1].sum(axis=0) - [_SWITCH * bool(before and rung not in before) for rung in rungs], []
    for row in merit[1:]:
        ways = best[:, None] + staying  # (from, to)
        came.append(ways.argmax(axis=0))
        best = ways.max(axis=0) + row
    path = [int(best.argmax())] if segments else []
    for back in reversed(came):
        path.append(int(back[path[-1]]))
    chosen = zip(segments, reversed(path), strict=True)
    return [said[at, rungs[rung]] for at, rung in chosen if (at, rungs[rung]) in said]


def _by_rung(readings: Sequence[Symbol]) -> dict[str, list[Symbol]]:
    groups: dict[str, list[Symbol]] = {}
    for symbol in readings:
        groups.setdefault(symbol.rung, []).append(symbol)
    return groups


def _rung_scores(references: Sequence[Reference], trials: Sequence[Symbol]) -> tuple[RungScore, ...]:
    groups = {rung: [abs(symbol.z) for symbol in group] for rung, group in _by_rung(trials).items()}
    return tuple(
        RungScore(rung=reference.rung, median_z=float(np.median(groups.get(reference.rung, [0.0])))) for reference in references
    )
