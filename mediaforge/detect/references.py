"""The titles of an index as they are searched: which frames count, and which of them are near a code.

Frames that do not count (removed titles, excluded spans) are not there at all: the others are numbered through, title by
title, and an array knows in which segment each lies.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.codes import WORDS, Codes, distances
from mediaforge.detect.segments import Extent, Segment
from mediaforge.detect.tables import NO_FLIP, ONE_FLIP, find_near
from mediaforge.media import Span

# An index of so many codes (12 hours of film) is searched exactly, 2 ms a code; weak copies gain by it.
EXACT_CODES = 1 << 19

_QUERY_BLOCK, _FRAME_BLOCK = 64, 4096  # compared at a time: measured as the fastest, 6 ms for a code among 10^6

Near = tuple[NDArray[np.intp], NDArray[np.intp]]  # query rows, frames


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hits:
    """Which query codes are near which reference frames: three columns of equal length."""

    query: NDArray[np.intp]  # row of the query code
    frame: NDArray[np.intp]  # row in References.times
    distance: NDArray[np.uint16]  # bits, over the frame's nearest crop


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameCodes:
    """The codes of all frames, over the segments: indexed like an array (frames, crops, WORDS) by a slice or by rows.

    Piece k holds the frames begins[k] to begins[k + 1], which lie in `segment[k]` from its frame `at[k]` on.
    """

    segments: tuple[Segment, ...]
    begins: NDArray[np.int64]  # (pieces + 1,)
    segment: NDArray[np.int64]  # (pieces,)
    at: NDArray[np.int64]  # (pieces,)

    def __len__(self) -> int:
        return int(self.begins[-1])

    def __getitem__(self, rows: slice | NDArray[np.integer]) -> NDArray[np.uint64]:
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(len(self)))
        piece = np.searchsorted(self.begins, rows, side="right") - 1
        inside = self.at[piece] + rows - self.begins[piece]
        if len(self.segments) == 1:
            return np.asarray(self.segments[0].codes[inside])
        crops = self.segments[0].codes.shape[1] if self.segments else 0
        found = np.empty((len(rows), crops, WORDS), np.uint64)
        for number in np.unique(self.segment[piece]):
            mine = np.flatnonzero(self.segment[piece] == number)
            found[mine] = self.segments[number].codes[inside[mine]]
        return found

    def frames_of(self, number: int, inside: NDArray[np.intp]) -> NDArray[np.intp]:
        """The frames that lie in segment `number` at its frames `inside`; -1 for those that do not count."""
        mine = np.flatnonzero(self.segment == number)
        mine = mine[np.argsort(self.at[mine])]
        if not len(mine):
            return np.full(len(inside), -1, np.intp)
        piece = mine[np.maximum(np.searchsorted(self.at[mine], inside, side="right") - 1, 0)]
        into = inside - self.at[piece]
        counts = (into >= 0) & (into < self.begins[piece + 1] - self.begins[piece])
        return np.where(counts, self.begins[piece] + into, -1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class References:
    """All titles, ready to be searched. Title k owns the frames starts[k] to starts[k + 1]."""

    titles: tuple[str, ...]
    seconds: tuple[Fraction, ...]
    starts: NDArray[np.int64]  # (titles + 1,)
    times: NDArray[np.int64]  # (frames,) milliseconds, rising within a title
    codes: FrameCodes  # (frames, crops, WORDS)
    exact: bool  # whether every code is compared, or tables are used where there are some

    def lookup(self, codes: Codes, radius: int) -> Hits:
        """The frames with a crop at most `radius` bits from a query code (n, WORDS).

        In a large index a code is found by a substring of 16 bits that it shares; one that found nothing at all is tried
        again with one bit of a substring flipped (docs/fingerprints.md has the recall).
        """
        rows, frames = self._find(codes, np.arange(len(codes)), radius=radius, retry=False)
        silent = np.setdiff1d(np.arange(len(codes)), rows)
        again = self._find(codes, silent, radius=radius, retry=True)
        pairs = np.unique(np.stack([np.concatenate([rows, again[0]]), np.concatenate([frames, again[1]])]), axis=1)
        query, frame = pairs
        apart = np.bitwise_count(self.codes[frame] ^ codes[query][:, None]).sum(axis=2, dtype=np.uint16)
        nearest = apart.min(axis=1) if len(frame) else np.empty(0, np.uint16)
        return Hits(query=query, frame=frame, distance=nearest)

    def _find(self, codes: Codes, rows: NDArray[np.intp], *, radius: int, retry: bool) -> Near:
        """The first look is at everything; the second only into tables, which may have missed something."""
        found: list[Near] = [(np.empty(0, np.intp), np.empty(0, np.intp))]
        for number, segment in enumerate(self.codes.segments if len(rows) else ()):
            if segment.tables is not None and not self.exact:
                flips = ONE_FLIP if retry else NO_FLIP
                flat = segment.codes.reshape(-1, WORDS)
                query, code = find_near(flat, segment.tables, codes[rows], radius=radius, flips=flips)
                inside = code // segment.codes.shape[1]
            elif not retry:
                query, inside = _compare_all(segment, codes[rows], radius)
            else:
                continue
            frame = self.codes.frames_of(number, inside)
            counts = frame >= 0
            found.append((rows[query[counts]], frame[counts]))
        return np.concatenate([query for query, _ in found]), np.concatenate([frame for _, frame in found])


def gather(
    segments: tuple[Segment, ...],
    live: tuple[tuple[int, Extent], ...],
    excluded: Mapping[str, tuple[Span, ...]],
    *,
    exact_codes: int = EXACT_CODES,
) -> References:
    """All live titles, each the number of its segment and its place there, without what is excluded of them."""
    pieces: list[tuple[int, int, int]] = []  # segment, from, to
    frames: list[int] = []
    for number, extent in live:
        kept = list(_kept(segments[number].times[extent.begin : extent.end], excluded.get(extent.title, ())))
        pieces += [(number, extent.begin + begin, extent.begin + end) for begin, end in kept]
        frames.append(sum(end - begin for begin, end in kept))
    codes = FrameCodes(
        segments=segments,
        begins=np.array([0, *accumulate(end - begin for _, begin, end in pieces)], np.int64),
        segment=np.array([number for number, _, _ in pieces], np.int64),
        at=np.array([begin for _, begin, _ in pieces], np.int64),
    )
    return References(
        titles=tuple(extent.title for _, extent in live),
        seconds=tuple(extent.seconds for _, extent in live),
        starts=np.array([0, *accumulate(frames)], np.int64),
        times=np.concatenate(
            [np.empty(0, np.int64), *(segments[number].times[begin:end].astype(np.int64) for number, begin, end in pieces)]
        ),
        codes=codes,
        exact=sum(segment.codes.shape[0] * segment.codes.shape[1] for segment in segments) <= exact_codes,
    )


def _kept(times: NDArray[np.uint32], spans: tuple[Span, ...]) -> Iterator[tuple[int, int]]:
    """The runs of frames outside all spans."""
    counts = np.ones(len(times) + 2, bool)
    counts[[0, -1]] = False
    for span in spans:
        counts[1:-1] &= (times < float(span.start * 1000)) | (times >= float(span.end * 1000))
    edges = np.flatnonzero(np.diff(counts))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _compare_all(segment: Segment, codes: Codes, radius: int) -> Near:
    found: list[Near] = [(np.empty(0, np.intp), np.empty(0, np.intp))]
    for frame in range(0, len(segment.times), _FRAME_BLOCK):
        block = segment.codes[frame : frame + _FRAME_BLOCK]
        for query in range(0, len(codes), _QUERY_BLOCK):
            some = codes[query : query + _QUERY_BLOCK]
            bits = distances(some, block[:, 0])
            for crop in range(1, block.shape[1]):
                np.minimum(bits, distances(some, block[:, crop]), out=bits)
            rows, columns = np.nonzero(bits <= radius)
            found.append((rows + query, columns + frame))
    return np.concatenate([rows for rows, _ in found]), np.concatenate([columns for _, columns in found])
