"""What codes and what points say of one title, laid together: spans that tell the same are one."""

from dataclasses import dataclass, replace

from mediaforge.detect.diagonals import Line
from mediaforge.detect.lookalikes import NO_EVIDENCE, Evidence

GAP_MS = 3000  # a longer silence ends a span
_SAME_LINE_MS = 700  # two spans whose lines lie so near are one, seen twice


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundSpan:
    """A span as codes, or points, or both have found it."""

    line: Line
    begin_ms: float
    end_ms: float
    score: float
    first_ms: float  # the outermost moments that were seen to agree
    last_ms: float
    silence_ms: float = 0.0  # the longest time in between in which nothing was
    frames: int = 0
    distance: float = 0.0
    points: int = 0
    matrix: tuple[float, ...] | None = None
    evidence: Evidence = NO_EVIDENCE


def laid_together(by_codes: list[FoundSpan], by_points: list[FoundSpan], *, sure: float) -> tuple[FoundSpan, ...]:
    """One list of spans of one title: what both have found once, and of two that contradict each other the stronger.

    Codes whose score reaches `sure` know the moment better than points.
    """
    kept: list[FoundSpan] = []
    for found in sorted([*by_codes, *by_points], key=lambda found: -found.score):
        twin = next((row for row, other in enumerate(kept) if _same(found, other)), None)
        if twin is not None:
            kept[twin] = _joined(kept[twin], found, sure=sure)
        elif not any(_shared_ms(found, other) > 0.5 * (found.end_ms - found.begin_ms) for other in kept):
            kept.append(found)
    return tuple(kept)


def _same(one: FoundSpan, other: FoundSpan) -> bool:
    middle = (max(one.begin_ms, other.begin_ms) + min(one.end_ms, other.end_ms)) / 2
    near = abs(one.line.at(middle) - other.line.at(middle)) <= _SAME_LINE_MS
    return one.line.mirrored == other.line.mirrored and near and _shared_ms(one, other) > -GAP_MS


def _joined(one: FoundSpan, other: FoundSpan, *, sure: float) -> FoundSpan:
    """The line of the codes where they are sure of it, the places of the points."""
    codes, points = (one, other) if one.frames else (other, one)
    if not codes.frames or not points.points or (codes.points and points.points):
        return one  # two of a kind: the stronger
    is_sure = codes.score >= sure
    line = codes.line if is_sure or codes.score >= points.score else points.line
    # Points are seldom: between what they saw and where they may end, codes that are sure say more.
    trusted = codes.silence_ms if is_sure else float("inf")
    first, last = min(one.first_ms, other.first_ms), max(one.last_ms, other.last_ms)
    return replace(
        codes,
        line=line,
        begin_ms=min(codes.begin_ms, max(points.begin_ms, first - trusted)),
        end_ms=max(codes.end_ms, min(points.end_ms, last + trusted)),
        first_ms=first,
        last_ms=last,
        score=max(one.score, other.score),
        points=points.points,
        matrix=points.matrix,
        evidence=points.evidence,
    )


def _shared_ms(one: FoundSpan, other: FoundSpan) -> float:
    return min(one.end_ms, other.end_ms) - max(one.begin_ms, other.begin_ms)
