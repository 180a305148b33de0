"""Three peaks as one number that survives another pitch and another tempo.

Of the peaks a, b, c in the order of their times these stay as they are: how many tones b and c lie above a, and at which
share of the time from a to c b stands. The time from a to c and a's own tone move, but no farther than a copy's speed and
pitch may: they are in the number too, coarsely. (Six and Leman, "Panako", 2014, use such triples; Sonnleitner and Widmer,
"Quad-based audio fingerprinting", 2014, four points.)

A peak found a frame or a tone aside may fall into the next step of a scale. So a query asks for both steps where it lies
near an edge; the title's triples are stored once.
"""

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

NEAREST_FRAMES, FARTHEST_FRAMES = 5, 48  # from a peak to those it is joined with: 0.12 s to 1.1 s
LEAST_SPREAD = 12  # frames from a to c at least: in less, a frame's error is too much of it
FARTHEST_TONES = 96  # 1.6 octaves

TITLE_FAN = 3  # following peaks that a title's peak is joined with: 3 triples a peak
QUERY_FAN = 8  # more, since a copy has other peaks between: 28 triples a peak


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """How one property becomes a step of a scale, and how far a copy's may be off."""

    lowest: float
    width: float
    steps: int
    slack: float  # in the property's unit


_TONES = _Scale(lowest=-FARTHEST_TONES - 2, width=4.0, steps=50, slack=1.6)
_SHARE = _Scale(lowest=0.0, width=0.1, steps=10, slack=0.035)
_SPREAD = _Scale(lowest=np.log(LEAST_SPREAD) - 0.2, width=0.26, steps=8, slack=0.13)  # speeds 0.88 to 1.14
_OWN_TONE = _Scale(lowest=-12.0, width=22.0, steps=13, slack=11.0)  # pitches 0.88 to 1.135
_SCALES = (_TONES, _TONES, _SHARE, _SPREAD, _OWN_TONE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Triples:
    """Rows of peaks: where each triple begins and ends, and its number."""

    begins: NDArray[np.int32]  # (triples,) row of a
    ends: NDArray[np.int32]  # (triples,) row of c
    codes: NDArray[np.uint32]  # (triples,)


def title_triples(times: NDArray[np.int32], tones: NDArray[np.uint8]) -> Triples:
    """The triples that a title is found by."""
    rows, properties = _properties(times, tones, fan=TITLE_FAN)
    steps = [_step(scale, value) for scale, value in zip(_SCALES, properties, strict=True)]
    return Triples(begins=rows[0], ends=rows[2], codes=_joined(steps))


def query_triples(times: NDArray[np.int32], tones: NDArray[np.uint8]) -> Triples:
    """The triples to look for, those near an edge under each number that they may have in a title."""
    rows, properties = _properties(times, tones, fan=QUERY_FAN)
    low = [_step(scale, value - scale.slack) for scale, value in zip(_SCALES, properties, strict=True)]
    high = [_step(scale, value + scale.slack) for scale, value in zip(_SCALES, properties, strict=True)]
    begins, ends, codes = [np.empty(0, np.int32)], [np.empty(0, np.int32)], [np.empty(0, np.uint32)]
    for sides in product((False, True), repeat=len(_SCALES)):
        steps = [high[axis] if side else low[axis] for axis, side in enumerate(sides)]
        new = np.ones(len(rows[0]), bool)
        for axis, side in enumerate(sides):
            if side:
                new &= high[axis] != low[axis]
        begins.append(rows[0][new])
        ends.append(rows[2][new])
        codes.append(_joined([step[new] for step in steps]))
    return Triples(begins=np.concatenate(begins), ends=np.concatenate(ends), codes=np.concatenate(codes))


def _properties(
    times: NDArray[np.int32], tones: NDArray[np.uint8], *, fan: int
) -> tuple[tuple[NDArray[np.int32], ...], tuple[NDArray[np.float64], ...]]:
    """The rows of a, b and c, and of each triple: tones to b, tones to c, share, log of spread, own tone."""
    found = [_corners(times, tones, fan=fan)] if len(times) >= 3 else []
    a, b, c = found[0] if found else (np.empty(0, np.int32),) * 3
    own = tones.astype(np.float64)
    spread = np.asarray(times[c] - times[a], np.float64)
    share = (times[b] - times[a]) / np.maximum(spread, 1)
    return (a, b, c), (own[b] - own[a], own[c] - own[a], share, np.log(np.maximum(spread, 1)), own[a])


def _corners(
    times: NDArray[np.int32], tones: NDArray[np.uint8], *, fan: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    partners = _partners(times, tones, fan=fan)  # (peaks, fan), -1 where there is none
    corners = []
    for first, second in combinations(range(fan), 2):
        b, c = partners[:, first], partners[:, second]
        rows = np.flatnonzero(c >= 0)
        rows = rows[times[c[rows]] - times[rows] >= LEAST_SPREAD]
        corners.append(np.stack([rows.astype(np.int32), b[rows], c[rows]]))
    a, b, c = np.concatenate(corners, axis=1)
    return a, b, c


def _partners(times: NDArray[np.int32], tones: NDArray[np.uint8], *, fan: int) -> NDArray[np.int32]:
    """Of each peak the rows of the next `fan` peaks that are neither too near nor too far.  # (peaks, fan)"""
    count = len(times)
    partners = np.full((count, fan), -1, np.int32)
    taken = np.zeros(count, np.intp)
    for step in range(1, count):
        apart = times[step:] - times[:-step]
        near = apart <= FARTHEST_FRAMES
        if not near.any():
            break
        rows = np.flatnonzero(
            near
            & (apart >= NEAREST_FRAMES)
            & (np.abs(tones[step:].astype(np.int16) - tones[:-step]) <= FARTHEST_TONES)
            & (taken[:-step] < fan)
        )
        partners[rows, taken[rows]] = rows + step
        taken[rows] += 1
    return partners


def _step(scale: _Scale, values: NDArray[np.float64]) -> NDArray[np.uint32]:
    steps = np.floor((values - scale.lowest) / scale.width)
    return np.clip(steps, 0, scale.steps - 1).astype(np.uint32)


def _joined(steps: list[NDArray[np.uint32]]) -> NDArray[np.uint32]:
    code = np.zeros(len(steps[0]), np.uint32)
    for scale, step in zip(_SCALES, steps, strict=True):
        code = code * np.uint32(scale.steps) + step
    return code
