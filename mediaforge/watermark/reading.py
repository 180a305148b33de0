"""A placed piece of a copy beside its title's rungs: segments read, at a glance where that suffices.

At a glance: the piece's one map, six pictures at the head of a segment. Read: ten spread over it; where they are weak,
more, every one laid over anew (`steady.py`) and compared with what lies between two of the title's where the copy blends
them. A filter tile by tile was tried and left out: it finds the title's own content in other rungs too, and turned 3 of 4
hard segments the wrong way.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaforge.frames import Frame, read_frames
from mediaforge.media import Grid
from mediaforge.watermark.align import matrix_of
from mediaforge.watermark.correlate import Reading, read_symbol
from mediaforge.watermark.evidence import Alignment, Symbol
from mediaforge.watermark.geometry import Matrix, decode_size, detail, lay_over
from mediaforge.watermark.steady import Steadied, steady
from mediaforge.watermark.walk import walk

Pixels = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Shown = tuple[float, Bytes]  # where in the title the line has a picture of the copy, in frames, and the picture

# Below this another look is worth its time, since content that no filter explains reaches such values by chance.
CLEAR_Z = 5.0

_QUICK = 10  # pictures compared of a segment...
_CAREFUL = 24  # ... and of one that was hard to read
_HEAD = 12  # packets of a segment that a glance decodes: a quarter of its decoding...
_GLANCED = (1, 2, 4, 5, 7, 8)  # ... and the frames of it that are compared
_LEAST = 3
_UNLIKE = 0.5  # of the segment's median likeness: below it a picture shows something else, an advertisement or the next piece
_LEAST_BLENDED = 0.15  # a share of the neighbour that is less is noise


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One rung's stored variants: clear MP4 files on the title's grid, or on every `step`-th frame of it.

    `unmarked` are segments in which the variants are the same and nothing can be read.
    """

    rung: str
    a: Path
    b: Path
    step: int = 1
    unmarked: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One piece of a copy; `size` is what the title's pictures are compared at, (width, height)."""

    leak: Path
    piece: Alignment
    grid: Grid
    size: tuple[int, int]

    def head_pictures(self, segments: tuple[int, ...]) -> list[Shown]:
        """The copy's pictures at the head of each segment, for `glance`."""
        return self._copy_pictures(segments, wanted=_GLANCED) if segments else []

    def glance(self, references: Sequence[Reference], segments: tuple[int, ...], heads: Sequence[Shown]) -> list[Symbol]:
        """The symbols of segments on each rung, from the head of each segment: the rest is not even decoded.

        `heads` are the copy's pictures there, of these segments and perhaps of others.
        """
        return [symbol for reference in references for symbol in self._rung(reference, segments, heads, laid=None)]

    def read(self, references: Sequence[Reference], segments: tuple[int, ...]) -> list[Symbol]:
        """The symbols of segments on each rung, at most one for a segment and a rung, from whole segments."""
        if not segments:
            return []
        every = max(1, self.grid.gop_frames // _CAREFUL)
        copies = self._copy_pictures(segments, wanted=range(every // 2, self.grid.gop_frames, every))
        # Low rungs, the first, are blurred: where the copy's pictures lie is told by the highest.
        laid: dict[float, Steadied] = {}
        return [symbol for reference in reversed(references) for symbol in self._rung(reference, segments, copies, laid=laid)]

    def _rung(
        self, reference: Reference, segments: tuple[int, ...], copies: Sequence[Shown], *, laid: dict[float, Steadied] | None
    ) -> Iterator[Symbol]:
        """`laid`: how the copy's pictures lay where other rungs were read, by their place; None for a glance."""
        drift, before = 0.0, -1  # frames that the copy has run ahead of the line
        heads = _HEAD if laid is None else None
        for segment, pictures in self._segment_pictures(reference, segments, heads=heads):
            drift, before = drift if segment == before + 1 else 0.0, segment
            first = segment * self.grid.gop_frames - drift
            shown = [(at, image) for at, image in copies if 0 <= round(at - first) < len(pictures)]
            if segment in reference.unmarked or len(shown) < _LEAST:
                continue
            quick = _spread(shown, _QUICK)
            here = [lay_over(image, self._matrix, self.size) for _, image in quick]
            looks = np.stack([detail(a + b).ravel() for a, b in pictures])
            likeness = _products(np.stack([detail(picture).ravel() for picture in here]), looks)
            path = walk(likeness, [at - first for at, _ in quick])
            drift += float(np.median([index + first - at for index, (at, _) in zip(path[-3:], quick[-3:], strict=True)]))
            found = _read([(here[row], *pictures[path[row]]) for row in _alike(likeness, path)])
            if laid is not None and (found is None or abs(found.rho) < CLEAR_Z * found.sigma):
                found = self._carefully(_spread(shown, _CAREFUL), pictures, looks, first=first, laid=laid) or found
            if found is not None:
                yield Symbol(segment=segment, rho=found.rho, sigma=found.sigma, z=found.rho / found.sigma, rung=reference.rung)

    def _carefully(
        self,
        shown: Sequence[Shown],
        pictures: Sequence[tuple[Pixels, Pixels]],
        looks: Pixels,
        *,
        first: float,
        laid: dict[float, Steadied],
    ) -> Reading | None:
        here = np.stack([detail(lay_over(image, self._matrix, self.size)).ravel() for _, image in shown])
        path = walk(_products(here, looks), [at - first for at, _ in shown])
        for (at, image), index in zip(shown, path, strict=True):
            if at not in laid:
                a, b = pictures[index]
                laid[at] = steady(image, self._matrix, (a + b) * 0.5)
        steadied = [laid[at] for at, _ in shown]
        least = _UNLIKE * float(np.median([one.likeness for one in steadied]))
        kept = [
            (lay_over(image, one.matrix, self.size), index)
            for (_, image), one, index in zip(shown, steadied, path, strict=True)
            if one.likeness >= least
        ]
        return _read([(picture, *_blended(picture, pictures, index)) for picture, index in kept])

    @property
    def _matrix(self) -> Matrix:
        return matrix_of(self.piece)

    def _copy_pictures(self, segments: tuple[int, ...], *, wanted: Sequence[int]) -> list[Shown]:
        """The copy's pictures nearest to these frames of each segment."""
        fps, where = float(self.grid.fps), self.piece
        found: dict[int, tuple[float, float, Bytes]] = {}
        spans = [self._span(segment * self.grid.gop_frames + wanted[0], wanted[-1] - wanted[0]) for segment in segments]
        for frame in read_frames(
            self.leak, size=decode_size(self._matrix, self.size), spans=[(low, high) for low, high in spans if low < high]
        ):
            exact = (where.offset + where.speed * float(frame.seconds)) * fps
            number = round(exact)
            off = abs(exact - number)
            if number % self.grid.gop_frames in wanted and off < found.get(number, (1.0, 0.0, None))[0]:
                found[number] = off, exact, frame.image
        return [(exact, image) for _, exact, image in found.values()]

    def _span(self, first: int, frames: int) -> tuple[float, float]:
        """The copy's seconds that show these frames of the title, and one more to each side."""
        where, fps = self.piece, float(self.grid.fps)
        low, high = ((frame / fps - where.offset) / where.speed for frame in (first, first + frames))
        return max(0.0, where.begin, low - 1 / fps), min(where.end, max(0.0, high + 1 / fps))

    def _segment_pictures(
        self, reference: Reference, segments: tuple[int, ...], *, heads: int | None
    ) -> Iterator[tuple[int, list[tuple[Pixels, Pixels]]]]:
        """Segment after segment with its pictures in both variants; with `heads` only the first ones, without gap."""
        fps, gop = self.grid.fps, self.grid.gop_frames
        half = Fraction(1, 2)
        # One child for all of them: to start one costs as much as to decode a segment.
        spans = [(float((run[0] * gop - half) / fps), float(((run[-1] + 1) * gop - half) / fps)) for run in runs(segments)]
        a, b = (
            _by_segment(read_frames(path, size=self.size, spans=spans, heads=heads), fps=fps, gop=gop)
            for path in (reference.a, reference.b)
        )
        for (segment, ones), (_, others) in zip(a, b, strict=True):
            pictures: list[tuple[Pixels, Pixels]] = []
            for number in range(0, self.grid.segment_frames(segment), reference.step):
                if number not in ones or number not in others:
                    break
                pair = ones[number].astype(np.float32), others[number].astype(np.float32)
                pictures += [pair] * reference.step
            yield segment, pictures


def runs(segments: Sequence[int]) -> list[tuple[int, ...]]:
    """Neighbours together."""
    found: list[tuple[int, ...]] = []
    for segment in segments:
        near = found and found[-1][-1] == segment - 1
        found[-1:] = [(*found[-1], segment)] if near else [*found[-1:], (segment,)]
    return found


def _by_segment(frames: Iterable[Frame], *, fps: Fraction, gop: int) -> Iterator[tuple[int, dict[int, Bytes]]]:
    """A rendition's pictures, segment after segment, by their number in it."""
    for segment, group in groupby(((round(frame.seconds * fps), frame.image) for frame in frames), lambda one: one[0] // gop):
        yield segment, {number % gop: image for number, image in group}


def _spread(shown: Sequence[Shown], count: int) -> list[Shown]:
    chosen = np.unique(np.linspace(0, len(shown) - 1, min(count, len(shown))).round().astype(int))
    return [shown[int(index)] for index in chosen]


def _alike(likeness: Pixels, path: Sequence[int]) -> list[int]:
    """The pictures of the copy, but for those that show something else."""
    likes = likeness[np.arange(len(path)), path]
    return [int(row) for row in np.flatnonzero(likes >= _UNLIKE * float(np.median(likes)))]


def _read(triples: Sequence[tuple[Pixels, Pixels, Pixels]]) -> Reading | None:
    if len(triples) < _LEAST:
        return None
    copy, a, b = zip(*triples, strict=True)
    found = read_symbol(copy, a, b)
    return found if found is not None and found.sigma > 0 else None


def _blended(copy: Pixels, pictures: Sequence[tuple[Pixels, Pixels]], index: int) -> tuple[Pixels, Pixels]:
    """Both variants as the copy shows them: the picture itself, or mixed with the neighbour of which the copy has most.

    One share for the whole picture: taps of their own for the neighbour could not be told apart where nothing moves.
    """
    a, b = pictures[index]
    look, here = _light_free(copy), _light_free(a + b) / 2
    best, most = None, _LEAST_BLENDED
    for near in (index - 1, index + 1):
        if 0 <= near < len(pictures):
            change = _light_free(sum(pictures[near])) / 2 - here  # type: ignore[arg-type]
            share = float((change * (look - here)).sum()) / max(float((change * change).sum()), 1e-6)
            if share > most:
                best, most = near, min(share, 1.0)
    if best is None:
        return a, b
    return a * (1 - most) + pictures[best][0] * most, b * (1 - most) + pictures[best][1] * most


def _light_free(picture: Pixels) -> Pixels:
    """At half size, without mean."""
    height, width = picture.shape
    small = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(small - small.mean(), np.float32)


def _products(copies: Pixels, titles: Pixels) -> Pixels:
    """Every detail of the copy with every one of the title: (copies, titles). In strips that BLAS leaves to one thread."""
    strip = 400
    whole = [copies[:, at : at + strip] @ titles[:, at : at + strip].T for at in range(0, copies.shape[1], strip)]
    return np.asarray(np.sum(whole, axis=0), np.float32)
