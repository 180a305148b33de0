"""The same set is not the same take: what says that a copy shows the same moments as a title, not only the same places.

A studio, a stage, a fixed camera look alike whatever happens there, and codes and points agree. What happens is told by
what changes: cuts at the same moments, bits that flip together, pictures that are seen better at their own moment than at
others.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.codes import BITS
from mediaforge.detect.diagonals import STEP_MS, Line
from mediaforge.detect.references import References
from mediaforge.detect.video import Fingerprint

_CUT_BITS = 90  # between two pictures a quarter of a second apart: another shot
_CUT_AWAY_MS = 300
_LEAST_CUTS = 2
_LEAST_CUT_SHARE = 0.5  # of the query's cuts; by chance a fast scene meets some
_MOVED_MS = 2000  # a title's looks are so far apart
_MEET_MS = 170  # half a title's frame, and a little
_LEAST_CORRELATION = 0.3
_LEAST_CONTRAST = 0.3
_LEAST_FRAMES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """That moments agree: `cuts` at the same times, of `of_cuts`; `correlation` of what changes, -1 to 1; `contrast` of the
    points, 0 to 1, between a picture's own moment and others."""

    cuts: int = 0
    of_cuts: int = 0
    correlation: float = 0.0
    contrast: float = 0.0

    def also(self, other: "Evidence") -> "Evidence":
        """What codes said, with what points said."""
        return Evidence(cuts=self.cuts, of_cuts=self.of_cuts, correlation=self.correlation, contrast=other.contrast)


NO_EVIDENCE = Evidence()


def is_distinct(evidence: Evidence) -> bool:
    """Whether it is the same take, and not only the same set."""
    cuts = evidence.cuts >= _LEAST_CUTS and evidence.cuts >= _LEAST_CUT_SHARE * evidence.of_cuts
    return cuts or evidence.correlation >= _LEAST_CORRELATION or evidence.contrast >= _LEAST_CONTRAST


def codes_evidence(query: Fingerprint, references: References, line: Line, *, begin_ms: float, end_ms: float) -> Evidence:
    """What the codes of whole pictures say about a span on a line."""
    begin, end = int(references.starts[line.title]), int(references.starts[line.title + 1])
    times, codes = references.times[begin:end], references.codes[begin:end]  # (frames,), (frames, crops, WORDS)
    wanted = (times - line.offset_ms) / float(line.speed)  # in query time
    inside = np.flatnonzero((wanted >= begin_ms - STEP_MS) & (wanted <= end_ms + STEP_MS))
    if len(inside) < _LEAST_FRAMES or len(query.times) < _LEAST_FRAMES:
        return NO_EVIDENCE
    rows = np.clip(np.searchsorted(query.times, wanted[inside]), 1, len(query.times) - 1)
    rows = rows - (wanted[inside] - query.times[rows - 1] < query.times[rows] - wanted[inside])
    near = np.abs(query.times[rows] - wanted[inside]) <= STEP_MS
    inside, rows = inside[near], rows[near]
    if len(inside) < _LEAST_FRAMES:
        return NO_EVIDENCE
    ours = query.query_codes[rows, int(line.mirrored)]  # (n, active | whole, WORDS)
    theirs = codes[inside]  # (n, crops, WORDS)
    apart = np.bitwise_count(ours[:, :, None] ^ theirs[:, None]).sum(axis=3).mean(axis=0)  # (views, crops)
    view, crop = np.unravel_index(int(apart.argmin()), apart.shape)
    our_cuts = cuts(query.times[rows].astype(np.float64), ours[:, 0])
    their_cuts = cuts(np.asarray(wanted[inside], np.float64), theirs[:, 0])
    met = sum(bool(np.any(np.abs(their_cuts - cut) <= _CUT_AWAY_MS)) for cut in our_cuts)
    return Evidence(
        cuts=met, of_cuts=max(len(our_cuts), len(their_cuts)), correlation=_correlation(ours[:, view], theirs[:, crop])
    )


def moved_onto_cuts(query: Fingerprint, references: References, line: Line, *, begin_ms: float, end_ms: float) -> Line:
    """The line, moved to where most cuts of query and title meet, if at least two do.

    Between two cuts a still set looks the same at all times, so points know the moment no better than to a shot.
    """
    begin, end = int(references.starts[line.title]), int(references.starts[line.title + 1])
    inside = (query.times >= begin_ms) & (query.times <= end_ms)
    ours = cuts(query.times[inside].astype(np.float64), query.query_codes[inside, int(line.mirrored), 0])
    theirs = cuts(references.times[begin:end].astype(np.float64), references.codes[begin:end][:, 0])
    offsets = theirs[:, None] - float(line.speed) * ours[None]  # (their cuts, our cuts)
    near = offsets[np.abs(offsets - line.offset_ms) <= _MOVED_MS]
    meeting = np.array([np.any(np.abs(offsets - offset) <= _MEET_MS, axis=0).sum() for offset in near], np.int64)
    if meeting.max(initial=0) < max(_LEAST_CUTS, _LEAST_CUT_SHARE * len(ours)):
        return line
    best = near[meeting == meeting.max()]
    closest = best[np.abs(best - line.offset_ms).argmin()]
    return replace(line, offset_ms=float(best[np.abs(best - closest) <= _MEET_MS].mean()))


def cuts(times: NDArray[np.float64], codes: NDArray[np.uint64]) -> NDArray[np.float64]:
    """The moments at which the picture becomes another."""
    apart = np.bitwise_count(codes[1:] ^ codes[:-1]).sum(axis=1)
    sudden = (apart >= _CUT_BITS) & (np.diff(times) <= 3 * STEP_MS)
    return np.asarray((times[1:] + times[:-1])[sudden] / 2)


def _correlation(ours: NDArray[np.uint64], theirs: NDArray[np.uint64]) -> float:
    """How the bits change together over time, each bit's mean taken away: what never changes says nothing."""
    here, there = (_bits(codes) - _bits(codes).mean(axis=0) for codes in (ours, theirs))
    scale = float(np.sqrt((here**2).sum() * (there**2).sum()))
    return float((here * there).sum()) / scale if scale > 0 else 0.0


def _bits(codes: NDArray[np.uint64]) -> NDArray[np.float32]:
    return np.unpackbits(codes.astype(">u8").view(np.uint8).reshape(len(codes), -1), axis=1, count=BITS).astype(np.float32)
