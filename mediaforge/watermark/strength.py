"""How far apart the variants of a segment are once they are encoded: what a detector has to hold on to (facts-watermark 5.1).

The root mean square of A - B in luma levels at 320x180, which is the size that copies are read at.
"""

from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mediaforge.frames import Frame, read_frames
from mediaforge.media import Grid

SIZE = (320, 180)
# Four pictures in the order of decoding are within a fifth of the whole segment's figure, mostly below it, at a tenth of the
# work.
_HEAD = 4
_LOOKS = 4.0  # pictures a second where a whole segment is looked at


def head_strengths(a: Path, b: Path, grid: Grid) -> tuple[float, ...]:
    """Of every segment of a pair of renditions, by its first pictures. `grid` is theirs, from their first frame on."""
    return _strengths(read_frames(a, size=SIZE, heads=_HEAD), read_frames(b, size=SIZE, heads=_HEAD), grid)


def whole_strengths(a: Path, b: Path, grid: Grid, places: Collection[int]) -> Mapping[int, float]:
    """Of these segments, by pictures of all of each."""
    if not places:
        return {}
    half = 1 / grid.fps / 2  # times are those of whole frames; half of one forgives their rounding
    start = float(max(Fraction(0), grid.segment_span(min(places)).start - half))
    end = float(grid.segment_span(max(places)).end - half)
    one, other = (read_frames(path, size=SIZE, fps=_LOOKS, start=start, end=end) for path in (a, b))
    strengths = _strengths(one, other, grid)
    return {place: strengths[place] for place in places}


def _strengths(a: Iterable[Frame], b: Iterable[Frame], grid: Grid) -> tuple[float, ...]:
    """By segment, over the pictures that both have: the variants may choose other frames to lean on."""
    rivals = {frame.seconds: frame.image for frame in b}
    powers: dict[int, list[float]] = {}
    for frame in a:
        if frame.seconds in rivals:
            number = round(frame.seconds * grid.fps)
            powers.setdefault(number // grid.gop_frames, []).append(_power(frame.image, rivals[frame.seconds]))
    return tuple(float(np.sqrt(np.mean(powers.get(segment, [0.0])))) for segment in range(grid.segments))


def _power(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.square(one.astype(np.float32) - other).mean())
