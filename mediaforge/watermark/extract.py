"""Read a suspect copy against the stored variants of its title: one soft symbol a segment (facts-watermark 3 and 5).

The copy is laid over the title once. Then, window by window, a few lively segments are tried on every rung: only the rung
the copy came from has its exact A-B difference in it. The window is read on the rung that answers, with more frames.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaforge.frames import read_frames
from mediaforge.media import Grid
from mediaforge.watermark.align import Placed, align, comparison_size
from mediaforge.watermark.correlate import read_symbol
from mediaforge.watermark.evidence import Evidence, RungScore, Symbol
from mediaforge.watermark.geometry import decode_size, lay_over

Pixels = NDArray[np.float32]
Bytes = NDArray[np.uint8]

_WINDOW = 32  # segments: about a minute, 45 MB of pictures; a player that switches rungs is followed at this pace
_TRIED = 3  # segments of a window that are tried on every rung
_FRAMES_TRIED = 8  # frames compared of a segment in a trial...
_FRAMES_READ = 24  # ... and in the reading: 1.4 times the z of 10 frames at no more decoding
_RIVAL = 0.5  # a rung that answers at least half as well as the best is read too


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One rung's stored variants: clear MP4 files on the title's grid, or on every `step`-th frame of it."""

    rung: str
    a: Path
    b: Path
    step: int = 1


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
    reader = _Reader(leak=leak, placed=placed, grid=grid, size=size)
    symbols: list[Symbol] = []
    trials: list[Symbol] = []
    covered = _covered_segments(placed, grid)
    for first in range(0, len(covered), _WINDOW):
        window = covered[first : first + _WINDOW]
        answers = reader.read(references, _liveliest(window, placed.motion), frames=_FRAMES_TRIED)
        trials.extend(answers)
        answering = _answering(references, answers)
        symbols.extend(_strongest(reader.read(answering, window, frames=_FRAMES_READ)))
        on_progress(0.2 + 0.8 * (first + len(window)) / len(covered))
    return Evidence(
        segments=grid.segments,
        symbols=tuple(symbols),
        seconds_read=sum((grid.segment_span(symbol.segment).seconds for symbol in symbols), Fraction(0)),
        alignment=placed.alignment,
        rungs=_rung_scores(references, trials),
    )


def _covered_segments(placed: Placed, grid: Grid) -> tuple[int, ...]:
    """The segments of which the copy shows at least half."""
    where = placed.alignment
    begin, end = (where.offset + where.speed * moment for moment in placed.span)
    spans = [grid.segment_span(segment) for segment in range(grid.segments)]
    shown = [min(end, float(span.end)) - max(begin, float(span.start)) for span in spans]
    return tuple(number for number, span in enumerate(spans) if shown[number] > float(span.seconds) / 2)


def _liveliest(window: tuple[int, ...], motion: tuple[float, ...]) -> tuple[int, ...]:
    """The neighbouring segments in which most moves: neighbours, because a decoder starts once for them."""
    starts = range(max(1, len(window) - _TRIED + 1))
    best = max(starts, key=lambda start: sum(motion[segment] for segment in window[start : start + _TRIED]))
    return window[best : best + _TRIED]


def _answering(references: Sequence[Reference], answers: Sequence[Symbol]) -> list[Reference]:
    """The rung that answers best to the trial, and the next one where it is near."""
    heights = {score.rung: score.median_z for score in _rung_scores(references, answers)}
    best, *others = sorted(references, key=lambda reference: heights[reference.rung], reverse=True)
    return [best, *(other for other in others[:1] if heights[other.rung] >= _RIVAL * heights[best.rung])]


def _strongest(readings: Sequence[Symbol]) -> list[Symbol]:
    """For every segment the rung that answers loudest there, the better for answering well all along the window.

    The choice knows no recipient's code, as the proof demands.
    """
    medians = {rung: float(np.median([abs(symbol.z) for symbol in group])) for rung, group in _by_rung(readings).items()}
    best: dict[int, Symbol] = {}
    for symbol in sorted(readings, key=lambda symbol: abs(symbol.z) * medians[symbol.rung]):
        best[symbol.segment] = symbol
    return [best[segment] for segment in sorted(best)]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """A placed copy beside its title's rungs."""

    leak: Path
    placed: Placed
    grid: Grid
    size: tuple[int, int]

    def read(self, references: Sequence[Reference], segments: tuple[int, ...], *, frames: int) -> list[Symbol]:
        """The symbols of neighbouring segments on each rung, about `frames` pictures compared of each segment."""
        if not segments:
            return []
        copies = self._copy_pictures(segments, every=max(1, self.grid.gop_frames // frames))
        return [symbol for reference in references for symbol in self._read_rung(reference, segments, copies)]

    def _read_rung(self, reference: Reference, segments: tuple[int, ...], copies: Mapping[int, Bytes]) -> Iterator[Symbol]:
        for segment, pictures in self._segment_pictures(reference, segments):
            first = segment * self.grid.gop_frames
            shown = [(copies[first + index], index) for index in range(len(pictures)) if first + index in copies]
            if not shown:
                continue
            laid = [(lay_over(image, self.placed.matrix, self.size), index) for image, index in shown]
            copy, a, b = zip(*((image, *_nearest(image, pictures, index)) for image, index in laid), strict=True)
            reading = read_symbol(copy, a, b)
            if reading is not None and reading.sigma > 0:
                z = reading.rho / reading.sigma
                yield Symbol(segment=segment, rho=reading.rho, sigma=reading.sigma, z=z, rung=reference.rung)

    def _copy_pictures(self, segments: tuple[int, ...], *, every: int) -> dict[int, Bytes]:
        """The copy's pictures nearest to every `every`-th frame of the title, by frame number."""
        fps, where = float(self.grid.fps), self.placed.alignment
        begin, end = self.grid.segment_span(segments[0]).start, self.grid.segment_span(segments[-1]).end
        found: dict[int, tuple[float, Bytes]] = {}
        for frame in read_frames(
            self.leak,
            size=decode_size(self.placed.matrix, self.size),
            start=max(0.0, (float(begin) - where.offset) / where.speed - 1 / fps),
            end=max(0.0, (float(end) - where.offset) / where.speed + 1 / fps),
        ):
            exact = (where.offset + where.speed * float(frame.seconds)) * fps
            number = round(exact)
            off = abs(exact - number)
            if number % self.grid.gop_frames % every == every // 2 and off < found.get(number, (1.0, None))[0]:
                found[number] = off, frame.image
        return {number: image for number, (_, image) in found.items()}

    def _segment_pictures(
        self, reference: Reference, segments: tuple[int, ...]
    ) -> Iterator[tuple[int, list[tuple[Pixels, Pixels]]]]:
        """Segment after segment with its pictures in both variants."""
        fps = self.grid.fps
        first, last = segments[0] * self.grid.gop_frames, (segments[-1] + 1) * self.grid.gop_frames
        start, end = max(0.0, float((first - Fraction(1, 2)) / fps)), float((last - Fraction(1, 2)) / fps)
        variants = [read_frames(path, size=self.size, start=start, end=end) for path in (reference.a, reference.b)]
        pictures: list[tuple[Pixels, Pixels]] = []
        segment = segments[0]
        for a, b in zip(*variants, strict=True):
            pictures += [(a.image.astype(np.float32), b.image.astype(np.float32))] * reference.step
            if len(pictures) == self.grid.segment_frames(segment):
                yield segment, pictures
                segment, pictures = segment + 1, []


def _nearest(copy: Pixels, pictures: list[tuple[Pixels, Pixels]], index: int) -> tuple[Pixels, Pixels]:
    """The title's picture that the copy's shows: the expected one or a neighbour, as fine detail has it."""
    near = range(max(0, index - 1), min(len(pictures), index + 2))
    detail = _detail(copy)
    return pictures[max(near, key=lambda i: (_likeness(detail, _detail(pictures[i][0] + pictures[i][1])), i == index))]


def _detail(picture: Pixels) -> Pixels:
    return np.asarray(picture - cv2.blur(picture, (9, 9)), np.float32)


def _likeness(one: Pixels, other: Pixels) -> float:
    return float((one * other).sum()) / float(np.sqrt((other * other).sum()) + 1e-9)
