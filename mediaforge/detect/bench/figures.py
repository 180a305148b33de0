"""What a detector is worth in numbers: recall without false positives, muAP, segments. Pure sums over judged pairs.

Recall: the threshold is fixed on the queries of one half of the clips, just above the best score of a wrong title there,
and recall and false positives are counted on the other half; then the halves change places, and both counts are added.
muAP: all pairs of a query and a title in one ranking (Pizzi et al., "The 2023 Video Similarity Dataset and Challenge").
Segments: what VCSL counts (He et al., CVPR 2022): overlaps of found and true boxes on both time axes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, lgamma, log, sqrt

import numpy as np

Box = tuple[float, float, float, float]  # query from, to; title from, to, in seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """How well a query fits a title, and whether it truly shows it. `half` is the one its clip belongs to, 0 or 1."""

    query: str
    family: str
    half: int
    is_true: bool
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """`found` of `queries` true pairs above the other half's threshold, and how many wrong pairs were above it too."""

    queries: int
    found: int
    false_positives: int

    @property
    def share(self) -> float:
        return self.found / self.queries if self.queries else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """How much of what was found is true, and how much of what is true was found."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def held_out_recall(pairs: Sequence[Pair], *, least: float) -> Mapping[str, Recall]:
    """Recall of each family and, under "all", of all. No threshold is below `least`."""
    thresholds = [max((pair.score for pair in pairs if not pair.is_true and pair.half != half), default=0.0) for half in (0, 1)]
    above = [pair for pair in pairs if pair.score > thresholds[pair.half] and pair.score >= least]
    families = dict.fromkeys(pair.family for pair in pairs)
    return {name: _recall(pairs, above, family) for name, family in [("all", None), *((each, each) for each in families)]}


def _recall(pairs: Sequence[Pair], above: Sequence[Pair], family: str | None) -> Recall:
    ours = [pair for pair in above if family in (None, pair.family)]
    return Recall(
        queries=sum(pair.is_true for pair in pairs if family in (None, pair.family)),
        found=sum(pair.is_true for pair in ours),
        false_positives=sum(not pair.is_true for pair in ours),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FalsePositives:
    """Wrong titles that were listed as found in so many hours: of queries, or of queries once for each wrong title."""

    count: int
    hours: float

    @property
    def at_most(self) -> float:
        """In 1,000 hours, with 95 % certainty."""
        return most_events(self.count) / self.hours * 1000 if self.hours > 0 else float("inf")


def most_events(seen: int, *, doubt: float = 0.05) -> float:
    """The largest mean of a Poisson process under which as few events as `seen` still have the probability `doubt`.

    Exact (Garwood 1936); for none seen it is -ln(doubt), the rule of three.
    """
    low, high = float(seen), seen + 10 * sqrt(seen + 1)
    for _ in range(60):
        middle = (low + high) / 2
        if sum(exp(-middle + count * log(middle) - lgamma(count + 1)) for count in range(seen + 1)) > doubt:
            low = middle
        else:
            high = middle
    return high


def mu_ap(pairs: Sequence[Pair]) -> float:
    """The area under precision over recall of one ranking of all pairs; among equal scores the wrong ones come first."""
    ranked = sorted(pairs, key=lambda pair: (-pair.score, pair.is_true))
    hits = np.array([pair.is_true and pair.score > 0 for pair in ranked], bool)
    precision = np.cumsum(hits) / np.arange(1, len(ranked) + 1)
    return float(precision[hits].sum() / max(1, sum(pair.is_true for pair in pairs)))


def segments(found: Iterable[tuple[Sequence[Box], Sequence[Box]]]) -> Segments:
    """From (found boxes, true boxes) of each pair of a query and a title.

    On each axis the length of the found (or true) boxes that lies in an overlapping box of the others, over all their
    length; precision and recall are the products of both axes.
    """
    sums = np.zeros((2, 2, 2))  # found | true, query axis | title axis, covered | all
    for ours, theirs in found:
        for side, (boxes, others) in enumerate(((ours, theirs), (theirs, ours))):
            for box in boxes:
                meeting = [other for other in others if _overlap(box, other, 0) > 0 and _overlap(box, other, 2) > 0]
                for axis in (0, 1):
                    sums[side, axis] += _covered(box, meeting, 2 * axis), box[2 * axis + 1] - box[2 * axis]
    shares = np.divide(sums[:, :, 0], sums[:, :, 1], out=np.zeros((2, 2)), where=sums[:, :, 1] > 0)
    precision, recall = shares.prod(axis=1)
    return Segments(precision=float(precision), recall=float(recall))


def _overlap(one: Box, other: Box, at: int) -> float:
    return min(one[at + 1], other[at + 1]) - max(one[at], other[at])


def _covered(box: Box, others: Sequence[Box], at: int) -> float:
    """How much of the box's axis lies in the others, counted once."""
    total, reached = 0.0, box[at]
    for other in sorted(others, key=lambda each: each[at]):
        begin, end = max(other[at], reached), min(other[at + 1], box[at + 1])
        if end > begin:
            total, reached = total + end - begin, end
    return total
