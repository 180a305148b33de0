"""How each segment of a rung is marked, chosen by how far apart its variants came out (strength.py). Pure.

    divergence   the encoder's settings alone drive A and B apart: no pixel is changed (variants.py)
    pattern      a keyed pattern is laid onto the pictures besides (pattern.py): for fine rungs, quiet shots, screeners
    unmarked     nothing helps (black, a still card): one encode serves as both, and the position says nothing

Positions are numbered alike whatever the modes: an unmarked one is skipped by the reader, so codes do not change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

WEAK = 0.7  # luma levels: below it a re-encoded copy is read wrongly now and then (facts-watermark 5.1, 3.6)
# A pattern is coarser than coding noise and outlives it, so less of it does. How little was not measured over many clips.
UNREADABLE = 0.25


class Mode(StrEnum):
    DIVERGENCE = "divergence"
    PATTERN = "pattern"
    UNMARKED = "unmarked"


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentMark:
    """`strength`: what was measured between the variants, in luma levels; of an unmarked segment before it was given up."""

    mode: Mode
    strength: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RungMarks:
    """One mark a segment, in order."""

    rung: str
    segments: tuple[SegmentMark, ...]

    @property
    def unmarked(self) -> tuple[int, ...]:
        return tuple(number for number, mark in enumerate(self.segments) if mark.mode is Mode.UNMARKED)

    def count(self, mode: Mode) -> int:
        return sum(mark.mode is mode for mark in self.segments)


def weak_segments(strengths: Sequence[float]) -> tuple[int, ...]:
    """The places of those that divergence alone does not mark well enough."""
    return tuple(place for place, strength in enumerate(strengths) if strength < WEAK)


def diverged(strength: float) -> SegmentMark:
    return SegmentMark(mode=Mode.DIVERGENCE, strength=round(strength, 3))


def patterned(strength: float) -> SegmentMark:
    """What a segment with a pattern is, by what was measured with it."""
    mode = Mode.PATTERN if strength >= UNREADABLE else Mode.UNMARKED
    return SegmentMark(mode=mode, strength=round(strength, 3))


def joined(chunks: Sequence[Sequence[RungMarks]]) -> tuple[RungMarks, ...]:
    """The marks of a title from those of its chunks, in order: the same rungs in each."""
    return tuple(
        RungMarks(rung=rows[0].rung, segments=tuple(mark for row in rows for mark in row.segments))
        for rows in zip(*chunks, strict=True)
    )
