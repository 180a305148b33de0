"""A trial of the detector in values: what was planned, what was judged, and the figures that it adds up to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from mediaforge.detect.bench.figures import Box, FalsePositives, Pair, Recall, Segments, held_out_recall, mu_ap, segments
from mediaforge.detect.bench.queries import SAME_SET, Clip, Query
from mediaforge.detect.match import Verdict

LEAST = 0.05  # of scores that are noted: far below any verdict, to see how far wrong titles stay away
PEERS = ("mediaforge", "vpdq", "phash")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one title scored with one query, by each detector, and the boxes that ours found (those with a verdict)."""

    title: str
    scores: tuple[float, float, float]  # in the order of PEERS
    verdict: Verdict
    boxes: tuple[Box, ...] = ()
    offset_error: float | None = None  # seconds, where the title is the true one and was found


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One query, judged."""

    query: str
    family: str
    clip: str
    cpu_seconds: float
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that can be made again: written before anything is encoded."""

    seed: int
    same: tuple[tuple[str, ...], ...]
    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a trial showed. `recalls` is by detector and family."""

    queries: int
    recalls: Mapping[str, Mapping[str, Recall]]
    mu_ap: Mapping[str, float]
    segments: Segments
    offset_median: float
    offset_p95: float
    verdicts: Mapping[str, int]  # of true pairs
    wrong_verdicts: Mapping[str, int]  # of wrong pairs that got one
    false_positives: FalsePositives  # the queries' length once for each wrong title that they were held against
    false_positives_scanned: FalsePositives  # and their length once, as a detector's work is counted
    same_set: Mapping[str, int]
    index_cpu_seconds_per_hour: float
    index_bytes_per_hour: float
    query_cpu_seconds_per_hour: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What fingerprinting a title took."""

    cpu_seconds: float
    seconds: float
    bytes: int


def figures(plan: Plan, judged: Sequence[Judged], clips: Sequence[Clip], costs: Sequence[Cost]) -> Figures:
    """What the lines add up to. Clips of one group in `plan.same` share material: among them nothing is true or wrong."""
    halves = {clip.name: number % 2 for number, clip in enumerate(sorted(clips, key=lambda clip: clip.name))}
    for group in plan.same:
        halves.update(dict.fromkeys(group, halves[group[0]]))
    true_queries = {query.name: query for query in plan.queries}
    counted = [
        (one, line)
        for one in judged
        if one.family != SAME_SET
        for line in one.lines
        if line.title == one.clip or not any({line.title, one.clip} <= set(group) for group in plan.same)
    ]
    pairs = {
        peer: [
            Pair(
                query=one.query,
                family=one.family,
                half=halves[one.clip],
                is_true=line.title == one.clip,
                score=line.scores[place],
            )
            for one, line in counted
        ]
        for place, peer in enumerate(PEERS)
    }
    errors = [line.offset_error for _, line in counted if line.offset_error is not None]
    same = [line.verdict for one in judged if one.family == SAME_SET for line in one.lines]
    lengths = {query.name: float(query.truths[-1].query.end) for query in plan.queries}
    wrong = [(one, line) for one, line in counted if line.title != one.clip]
    played = sum(lengths.values())
    indexed = sum(cost.seconds for cost in costs)
    named = sum(line.verdict in (Verdict.MATCH, Verdict.PROBABLE) for _, line in wrong)
    return Figures(
        queries=len(judged),
        recalls={peer: held_out_recall(some, least=LEAST) for peer, some in pairs.items()},
        mu_ap={peer: mu_ap(some) for peer, some in pairs.items()},
        segments=segments((line.boxes, _true_boxes(true_queries[one.query], line.title)) for one, line in counted),
        offset_median=float(np.median(errors)) if errors else 0.0,
        offset_p95=float(np.percentile(errors, 95)) if errors else 0.0,
        verdicts=_counted(line.verdict for one, line in counted if line.title == one.clip),
        wrong_verdicts=_counted(line.verdict for _, line in wrong),
        false_positives=FalsePositives(
            count=named,
            hours=sum(lengths[one.query] for one, _ in wrong) / 3600,
        ),
        false_positives_scanned=FalsePositives(
            count=named, hours=sum(lengths[query] for query in {one.query for one, _ in wrong}) / 3600
        ),
        same_set=_counted(same),
        index_cpu_seconds_per_hour=sum(cost.cpu_seconds for cost in costs) / max(indexed, 1e-9) * 3600,
        index_bytes_per_hour=sum(cost.bytes for cost in costs) / max(indexed, 1e-9) * 3600,
        query_cpu_seconds_per_hour=sum(one.cpu_seconds for one in judged) / max(played, 1e-9) * 3600,
    )


def _counted(verdicts: Iterable[Verdict]) -> Mapping[str, int]:
    found = list(verdicts)
    return {verdict.value: found.count(verdict) for verdict in Verdict}


def _true_boxes(query: Query, title: str) -> tuple[Box, ...]:
    if title != query.clip:
        return ()
    return tuple(box_of(each.query.start, each.query.end, each.title.start, each.title.end) for each in query.truths)


def box_of(*edges: Fraction) -> Box:
    a, b, c, d = (float(edge) for edge in edges)
    return a, b, c, d
