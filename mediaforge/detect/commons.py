"""What many titles share (intros, channel idents, credits, cards): learnt from the index, so that it does not count as a match.

A moment of a new title is common where it is seen in at least four other titles as well. Titles that share most of the shorter
one are versions or trailers of one work; they are not counted, or a film released five times would be common as a whole.
"""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.references import References
from mediaforge.media import Span

COMMON_TITLES = 5  # so many titles make it common, the new one among them
_RADIUS = 31  # bits: PDQ's own limit for the same picture (ThreatExchange), since these are copies, not disguises
_SAME_WORK = 0.5  # of the shorter title
_STEP = 4  # frames: every second is looked at
_GAP_MS = 2500  # between common moments of one span
_LEAST_MS = 2000  # a shorter span is chance
_EDGE_MS = 500  # a span reaches half a step beyond its outermost moments

Spans = dict[str, tuple[Span, ...]]


def learn_commons(references: References, title: str) -> Spans:
    """The spans of `title`, and of the titles that have them too, that are common. `references` must hold all frames."""
    own = references.titles.index(title)
    begin, end = references.starts[own], references.starts[own + 1]
    frames = np.arange(begin, end, _STEP)
    if not len(frames) or len(references.titles) < COMMON_TITLES:
        return {}
    hits = references.lookup(references.codes[frames][:, 0], _RADIUS)
    owners = np.searchsorted(references.starts, hits.frame, side="right") - 1
    others = _other_works(references, owners, hits.query, own=own)
    counted = np.isin(owners, others)
    seen_in = np.unique(np.stack([hits.query[counted], owners[counted]]), axis=1)  # (2, moments and titles)
    common = np.flatnonzero(np.bincount(seen_in[0], minlength=len(frames)) >= COMMON_TITLES - 1)
    spans = {title: tuple(_spans(references.times[frames[common]]))}
    shared = counted & np.isin(hits.query, common)
    for other in others:
        spans[references.titles[other]] = tuple(_spans(references.times[np.unique(hits.frame[shared & (owners == other)])]))
    return {name: found for name, found in spans.items() if found}


def _other_works(references: References, owners: NDArray[np.intp], moments: NDArray[np.intp], *, own: int) -> NDArray[np.intp]:
    """The titles that share moments with ours, but less than most of the shorter of the two."""
    lengths = np.diff(references.starts) / _STEP
    seen_in = np.unique(np.stack([owners, moments]), axis=1)
    shared = np.bincount(seen_in[0], minlength=len(lengths))
    works = (shared > 0) & (shared <= _SAME_WORK * np.minimum(lengths, lengths[own]))
    works[own] = False
    return np.flatnonzero(works)


def _spans(times: NDArray[np.int64]) -> Iterator[Span]:
    """Moments in milliseconds, rising, as spans without large gaps."""
    if not len(times):
        return
    for run in np.split(times, np.flatnonzero(np.diff(times) > _GAP_MS) + 1):
        begin, end = max(0, int(run[0]) - _EDGE_MS), int(run[-1]) + _EDGE_MS
        if end - begin >= _LEAST_MS:
            yield Span(start=Fraction(begin, 1000), end=Fraction(end, 1000))
