"""Where a span that points have found begins and ends: at the query's own cuts, where the title has none.

A title's points are looked at every two seconds, so they tell an end no closer than that. But whoever puts a piece of a title
among other pictures makes a cut that the title does not have, and a shot that has begun goes on until there is one.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.diagonals import STEP_MS
from mediaforge.detect.laying import FoundSpan
from mediaforge.detect.lookalikes import cuts
from mediaforge.detect.references import References
from mediaforge.detect.video import Fingerprint

_SAME_CUT_MS = 450  # a title's codes are 250 ms apart, and a line through points may be 250 ms out
_BETWEEN_MS = 60  # half the time between two codes of a query, in the middle of which a cut is said to lie
_CROWD_MS = 2 * _SAME_CUT_MS
_GAP_MS = 3 * STEP_MS  # so long without a code: black, or a flat card


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Breaks:
    """The moments (milliseconds) at which the pictures of a query, or of a title, become others or cease."""

    query: NDArray[np.float64]
    title: NDArray[np.float64]


def breaks(query: Fingerprint, references: References, title: int, *, mirrored: bool) -> Breaks:
    begin, end = int(references.starts[title]), int(references.starts[title + 1])
    return Breaks(
        query=_breaks(query.times.astype(np.float64), query.query_codes[:, int(mirrored), 0]),
        title=_breaks(references.times[begin:end].astype(np.float64), references.codes[begin:end][:, 0]),
    )


def ended(found: FoundSpan, around: Breaks) -> FoundSpan:
    """The span, which reaches as far as it may, cut on either side of what was seen where the query has a break of its own."""
    moments = (around.title - found.line.offset_ms) / float(found.line.speed)
    foreign = around.query[~_meet(around.query, moments)]
    # Where something moves fast a title has breaks at all times, and any meets one. That says nothing, but silence does.
    doubtful = around.query[~_meet(around.query, _alone(moments))]
    before = doubtful if found.first_ms - found.begin_ms > found.silence_ms else foreign
    after = doubtful if found.end_ms - found.last_ms > found.silence_ms else foreign
    begin = max([found.begin_ms, *before[before <= found.first_ms + _BETWEEN_MS][-1:].tolist()])
    after = after[(after >= found.last_ms - _BETWEEN_MS) & (after > begin)]
    return replace(found, begin_ms=begin, end_ms=min([found.end_ms, *after[:1].tolist()]))


def _breaks(times: NDArray[np.float64], codes: NDArray[np.uint64]) -> NDArray[np.float64]:
    silent = np.flatnonzero(np.diff(times) > _GAP_MS)
    return np.sort(np.concatenate([cuts(times, codes), times[silent], times[silent + 1]]))


def _meet(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(np.abs(ours[:, None] - theirs).min(axis=1, initial=np.inf) <= _SAME_CUT_MS)


def _alone(moments: NDArray[np.float64]) -> NDArray[np.float64]:
    """Those that stand apart from the others."""
    apart = np.diff(moments, prepend=-np.inf, append=np.inf)
    return moments[np.minimum(apart[1:], apart[:-1]) > _CROWD_MS]
