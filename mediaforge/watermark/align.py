"""Lay a suspect copy over a title: in time to the frame, in the picture to a fraction of a pixel (facts-watermark 5).

Coarse line from thumbnails (`timeline.py`), picture map from a few telling moments (`geometry.py`), and the same moments
then give the line its last frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mediaforge.frames import read_frames
from mediaforge.media import Grid
from mediaforge.watermark.evidence import Alignment
from mediaforge.watermark.geometry import IDENTITY, Moment, Registered, box_map, mirrored, register
from mediaforge.watermark.timeline import Line, Thumbs, find_line, read_thumbs

WIDTH = 320  # pixels of the title's picture in all comparisons; its height follows its shape

_MOMENTS = 6  # each starts two decoders, the dearest part of it all
_AROUND_SECONDS = 0.4  # the coarse line is better than that
_LIKE = 0.5  # least median correlation of detail: same pictures re-encoded reach 0.8 and more, other films 0.1
_STRAY_FRAMES = 1.5  # a moment further off the line was mistaken (a still picture)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A copy laid over its title: `span` is the part of the copy that shows it, `motion` how much moves in each segment."""

    alignment: Alignment
    span: tuple[float, float]
    motion: tuple[float, ...]

    @property
    def matrix(self) -> NDArray[np.float64]:
        return np.array(self.alignment.matrix).reshape(2, 3)


def align(copy: Path, *, coarse: Path, fine: Path, grid: Grid, size: tuple[int, int]) -> Placed | None:
    """Lay `copy` over a title; None where it does not show it.

    `coarse` and `fine` are renditions of the title, the first only for thumbnails; `size` is what `comparison_size` gave.
    Raises MediaError where a file cannot be decoded.
    """
    copy_thumbs, title_thumbs = read_thumbs(copy), read_thumbs(coarse)
    line = find_line(copy_thumbs, title_thumbs)
    if line is None:
        return None
    times = _telling_times(copy_thumbs, line)
    moments = [moment for time in times if (moment := _moment(copy, fine, time, line=line, grid=grid, size=size))]
    if not moments:
        return None
    found = register(moments, _guesses(title_thumbs, copy_thumbs, line))
    if np.median(found.likeness) < _LIKE:
        return None
    offset, speed = fit_line(moments, found, line=line, fps=grid.fps)
    a, b, c, d, e, f = (float(value) for value in found.matrix.ravel())
    likeness = float(np.median(found.likeness))
    alignment = Alignment(offset=offset, speed=speed, matrix=(a, b, c, d, e, f), likeness=likeness)
    return Placed(alignment=alignment, span=line.span, motion=_motion(title_thumbs, grid))


def comparison_size(rendition: Path) -> tuple[int, int]:
    """Width and height that pictures of this title are compared at."""
    first = next(iter(read_frames(rendition, max_side=WIDTH, end=1e-3)))
    height, width = first.image.shape[:2]
    return width, height


def fit_line(moments: Sequence[Moment], found: Registered, *, line: Line, fps: Fraction) -> tuple[float, float]:
    """Offset and speed through the frames that the moments were found at, mistaken moments left out."""
    t = np.array([moment.seconds for moment in moments])
    r = np.array([frame / float(fps) for frame in found.frames])
    off = r - line.offset - line.speed * t
    near = np.abs(off - np.median(off)) < _AROUND_SECONDS
    speed, offset = line.speed, line.offset + float(np.median(off))
    for _ in range(3):
        if near.sum() >= 3 and np.ptp(t[near]) > 0:
            speed, offset = (float(value) for value in np.polyfit(t[near], r[near], 1))
        left = np.abs(r - offset - speed * t)
        near = left <= max(_STRAY_FRAMES / float(fps), float(np.median(left)))
    return offset, speed


def _guesses(title: Thumbs, copy: Thumbs, line: Line) -> list[NDArray[np.float64]]:
    guesses = [IDENTITY, box_map(title.box, copy.box)]
    return [mirrored(matrix) for matrix in guesses] if line.mirrored else guesses


def _telling_times(copy: Thumbs, line: Line) -> list[float]:
    """Moments spread over the copy, in each part the one where most moves without being a cut."""
    inside = np.flatnonzero((copy.seconds >= line.span[0]) & (copy.seconds < line.span[1] - 0.5) & copy.vectors.any(axis=1))
    times = []
    for part in np.array_split(inside, min(_MOMENTS, len(inside)) or 1):
        if not len(part):
            continue
        changes = copy.changes[part]
        calm = np.where(changes <= max(np.percentile(changes, 90), 1.0), changes, 0)
        times.append(float(copy.seconds[part[int(calm.argmax())]]))
    return times


def _moment(copy: Path, title: Path, time: float, *, line: Line, grid: Grid, size: tuple[int, int]) -> Moment | None:
    taken = next(iter(read_frames(copy, size=size, start=time, end=time + 0.5)), None)
    if taken is None:
        return None
    centre = line.title_seconds(taken.seconds)
    around = list(read_frames(title, size=size, start=max(0.0, centre - _AROUND_SECONDS), end=centre + _AROUND_SECONDS))
    if not around:
        return None
    return Moment(
        seconds=float(taken.seconds),
        copy=taken.image.astype(np.float32),
        title=tuple(frame.image.astype(np.float32) for frame in around),
        frames=tuple(round(frame.seconds * grid.fps) for frame in around),
    )


def _motion(title: Thumbs, grid: Grid) -> tuple[float, ...]:
    segment = np.minimum((title.seconds / float(grid.segment_seconds)).astype(int), grid.segments - 1)
    motion = np.bincount(segment, weights=title.changes, minlength=grid.segments)
    return tuple(float(value) for value in motion)
