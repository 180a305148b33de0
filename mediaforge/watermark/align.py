"""Lay a suspect copy over a title: in time to the frame, in the picture to a fraction of a pixel (facts-watermark 5).

Coarse lines from thumbnails (`timeline.py`), for each piece of the copy a picture map from a few telling moments
(`geometry.py`), and the same moments then give the line its last frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from mediaforge.frames import read_frames
from mediaforge.media import Grid
from mediaforge.watermark.evidence import Alignment
from mediaforge.watermark.geometry import IDENTITY, Matrix, Moment, Registered, box_map, mirrored, register
from mediaforge.watermark.timeline import Line, Thumbs, find_lines, read_thumbs

WIDTH = 320  # pixels of the title's picture in all comparisons; its height follows its shape

_MOMENTS = 6
_MOMENTS_FURTHER = 3  # of a piece after the first: its map is nearly known
_LONG_FRAME = 0.25  # seconds: of the slowest copies
_AROUND_SECONDS = 0.4  # the coarse line is better than that
_LIKE = 0.5  # least median correlation of detail: same pictures re-encoded reach 0.8 and more, other films 0.1
_STRAY_FRAMES = 1.5  # a moment further off the line was mistaken (a still picture)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A copy laid over its title, its pieces in the copy's order."""

    pieces: tuple[Alignment, ...]


def align(copy: Path, *, coarse: Path, fine: Path, grid: Grid, size: tuple[int, int]) -> Placed | None:
    """Lay `copy` over a title; None where it does not show it.

    `coarse` and `fine` are renditions of the title, the first only for thumbnails; `size` is what `comparison_size` gave.
    Raises MediaError where a file cannot be decoded.
    """
    copy_thumbs, title_thumbs = read_thumbs(copy), read_thumbs(coarse)
    lines = find_lines(copy_thumbs, title_thumbs)
    longest = sorted(lines, key=lambda line: line.span[0] - line.span[1])
    pieces: list[Alignment] = []
    for line in longest:
        # A pirate cuts with one camera or one filter: what was found for the longest piece is the first guess for the others.
        guesses = [_turned_map(matrix_of(piece), line) for piece in pieces[:1]] or _guesses(title_thumbs, copy_thumbs, line)
        times = _telling_times(copy_thumbs, line, count=_MOMENTS if not pieces else _MOMENTS_FURTHER)
        moments = _moments(copy, fine, times, line=line, grid=grid, size=size)
        if moments and (piece := _piece(moments, guesses, line, grid)) is not None:
            pieces.append(piece)
    if not pieces:
        return None
    return Placed(pieces=tuple(sorted(pieces, key=lambda piece: piece.begin)))


def matrix_of(piece: Alignment) -> Matrix:
    return np.array(piece.matrix).reshape(3, 3)


def _piece(moments: Sequence[Moment], guesses: Sequence[Matrix], line: Line, grid: Grid) -> Alignment | None:
    # Features are not found in a mirror: the moments are turned round first, and the map with them.
    found = register([_turned(moment) for moment in moments] if line.mirrored else moments, guesses)
    likeness = float(np.median(found.likeness))
    if likeness < _LIKE:
        return None
    offset, speed = fit_line(moments, found, line=line, fps=grid.fps)
    matrix = _turned_map(found.matrix, line)
    a, b, c, d, e, f, g, h, i = (float(value) for value in (matrix / matrix[2, 2]).ravel())
    begin, end = line.span
    numbers = (a, b, c, d, e, f, g, h, i)
    return Alignment(offset=offset, speed=speed, begin=begin, end=end, matrix=numbers, likeness=likeness)


def _turned_map(matrix: Matrix, line: Line) -> Matrix:
    return mirrored(matrix) if line.mirrored else matrix


def _turned(moment: Moment) -> Moment:
    return replace(moment, copy=np.ascontiguousarray(moment.copy[:, ::-1]))


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


def _guesses(title: Thumbs, copy: Thumbs, line: Line) -> list[Matrix]:
    """For a mirrored copy, of the copy turned round."""
    left, top, right, bottom = copy.box
    return [IDENTITY, box_map(title.box, (1 - right, top, 1 - left, bottom) if line.mirrored else copy.box)]


def _telling_times(copy: Thumbs, line: Line, *, count: int) -> list[float]:
    """Moments spread over the copy, in each part the one where most moves without being a cut."""
    inside = np.flatnonzero((copy.seconds >= line.span[0]) & (copy.seconds < line.span[1] - 0.5) & copy.vectors.any(axis=1))
    times = []
    for part in np.array_split(inside, min(count, len(inside)) or 1):
        if not len(part):
            continue
        changes = copy.changes[part]
        calm = np.where(changes <= max(np.percentile(changes, 90), 1.0), changes, 0)
        times.append(float(copy.seconds[part[int(calm.argmax())]]))
    return times


def _moments(copy: Path, title: Path, times: Sequence[float], *, line: Line, grid: Grid, size: tuple[int, int]) -> list[Moment]:
    """The copy's pictures at these times beside the title's around them."""
    pictures = list(read_frames(copy, size=size, spans=[(time, time + _LONG_FRAME) for time in times])) if times else []
    taken = [next((frame for frame in pictures if time <= frame.seconds < time + _LONG_FRAME), None) for time in times]
    chosen = {frame.seconds: frame for frame in taken if frame is not None}
    centres = {seconds: line.title_seconds(seconds) for seconds in chosen}
    spans = [(centre - _AROUND_SECONDS, centre + _AROUND_SECONDS) for centre in centres.values()]
    around = list(read_frames(title, size=size, spans=spans)) if spans else []
    moments = []
    for seconds, (low, high) in zip(centres, spans, strict=True):
        shown = {round(frame.seconds * grid.fps): frame for frame in around if low <= frame.seconds < high}
        if shown:
            moments.append(
                Moment(
                    seconds=float(seconds),
                    copy=chosen[seconds].image.astype(np.float32),
                    title=tuple(frame.image.astype(np.float32) for frame in shown.values()),
                    frames=tuple(shown),
                )
            )
    return moments
