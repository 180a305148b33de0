"""A placed piece of a copy beside its title's rungs: segments read, quickly where that suffices, carefully where it does not.

Quick: the piece's one map, ten pictures a segment. Careful, where the quick answer is weak: more pictures, every one laid over
anew (`steady.py`) and compared with what lies between two of the title's where the copy blends them. A filter tile by tile was
tried and left out: it finds the title's own content in other rungs too, and turned 3 of 4 hard segments the wrong way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaforge.frames import read_frames
from mediaforge.media import Grid
from mediaforge.watermark.align import matrix_of
from mediaforge.watermark.correlate import Reading, read_symbol
from mediaforge.watermark.evidence import Alignment, Symbol
from mediaforge.watermark.geometry import Matrix, decode_size, detail, lay_over
from mediaforge.watermark.steady import steady
from mediaforge.watermark.walk import walk

Pixels = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Shown = tuple[float, Bytes]  # where in the title the line has a picture of the copy, in frames, and the picture

WEAK_Z = 12.0  # below this another look is worth its time: content that no filter explains reaches such values by chance

_QUICK = 10  # pictures compared of a segment...
_CAREFUL = 24  # ... and of one that was hard to read
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

    def read(self, references: Sequence[Reference], segments: tuple[int, ...], *, careful: bool = True) -> list[Symbol]:
        """The symbols of neighbouring segments on each rung, at most one for a segment and a rung."""
        if not segments or not references:
            return []
        copies = self._copy_pictures(segments)
        return [symbol for reference in references for symbol in self._rung(reference, segments, copies, careful=careful)]

    def _rung(
        self, reference: Reference, segments: tuple[int, ...], copies: Sequence[Shown], *, careful: bool
    ) -> Iterator[Symbol]:
        drift = 0.0  # frames that the copy has run ahead of the line
        for segment, pictures in self._segment_pictures(reference, segments):
            first = segment * self.grid.gop_frames
            shown = [(at + drift - first, image) for at, image in copies if 0 <= round(at + drift - first) < len(pictures)]
            if segment in reference.unmarked or len(shown) < _LEAST:
                continue
            quick = _spread(shown, _QUICK)
            laid = [lay_over(image, self._matrix, self.size) for _, image in quick]
            looks = np.stack([detail(a + b).ravel() for a, b in pictures])
            likeness = _products(np.stack([detail(picture).ravel() for picture in laid]), looks)
            path = walk(likeness, [at for at, _ in quick])
            drift += float(np.median([index - at for index, (at, _) in zip(path[-3:], quick[-3:], strict=True)]))
            found = _read([(laid[row], *pictures[path[row]]) for row in _alike(likeness, path)])
            if careful and (found is None or abs(found.rho) < WEAK_Z * found.sigma):
                found = self._carefully(_spread(shown, _CAREFUL), pictures, looks) or found
            if found is not None:
                yield Symbol(segment=segment, rho=found.rho, sigma=found.sigma, z=found.rho / found.sigma, rung=reference.rung)

    def _carefully(self, shown: Sequence[Shown], pictures: Sequence[tuple[Pixels, Pixels]], looks: Pixels) -> Reading | None:
        laid = np.stack([detail(lay_over(image, self._matrix, self.size)).ravel() for _, image in shown])
        path = walk(_products(laid, looks), [at for at, _ in shown])
        middles = {index: (pictures[index][0] + pictures[index][1]) * 0.5 for index in path}
        steadied = [steady(image, self._matrix, middles[index]) for (_, image), index in zip(shown, path, strict=True)]
        least = _UNLIKE * float(np.median([one.likeness for one in steadied]))
        triples = [
            (one.picture, *_blended(one.picture, pictures, index))
            for one, index in zip(steadied, path, strict=True)
            if one.likeness >= least
        ]
        return _read(triples)

    @property
    def _matrix(self) -> Matrix:
        return matrix_of(self.piece)

    def _copy_pictures(self, segments: tuple[int, ...]) -> list[Shown]:
        """The copy's pictures nearest to every second or so frame of the title."""
        every = max(1, self.grid.gop_frames // _CAREFUL)
        fps, where = float(self.grid.fps), self.piece
        begin, end = self.grid.segment_span(segments[0]).start, self.grid.segment_span(segments[-1]).end
        found: dict[int, tuple[float, float, Bytes]] = {}
        for frame in read_frames(
            self.leak,
            size=decode_size(self._matrix, self.size),
            start=max(0.0, where.begin, (float(begin) - where.offset) / where.speed - 1 / fps),
            end=min(where.end, max(0.0, (float(end) - where.offset) / where.speed + 1 / fps)),
        ):
            exact = (where.offset + where.speed * float(frame.seconds)) * fps
            number = round(exact)
            off = abs(exact - number)
            if number % every == every // 2 and off < found.get(number, (1.0, 0.0, None))[0]:
                found[number] = off, exact, frame.image
        return [(exact, image) for _, exact, image in found.values()]

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
