"""Where in the title a copy plays: offset and speed, from small pictures (facts-watermark 5, step 1).

Both are sampled a few times a second as thumbnails without their black bars; each thumbnail of the copy votes for the
most similar one of the title, and the straight line through most votes wins. Of a copy that was cut, or put together in another
order, every piece has its line: the votes left over are asked again. A film that is not this title has none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaforge.frames import read_frames

Floats = NDArray[np.float64]

SAMPLES_PER_SECOND = 4
_SIZE = (64, 36)  # as decoded: fine enough to see bars of 3 % of the picture
_COMPARED = (32, 18)  # as compared: coarse enough to forgive crops and shifts of a few percent
_DARK = 30  # a bar's brightest sample stays below this level (black is 16, and codecs ring)
_FLAT = 4.0  # a thumbnail whose levels spread less says nothing about where it is from
_LIKE = 0.75  # correlation from which a nearest thumbnail may vote
_NEAR_SECONDS = 0.4  # two roundings to a quarter second and some
_SPEEDS = (0.85, 1.18)
_LEAST_VOTES = 8
_LEAST_SHARE = 0.3  # of the samples that a line passes: fewer agree by chance
_MOST_LINES = 24
_AGREED = 0.5  # of all samples: so many votes need no other view of the title
_CROP = 0.12  # of the picture's sides: between the crops that whole thumbnails forgive and one of a fifth
_MOST_VOTERS = 1000  # of a long copy every n-th sample votes: the matrix of likenesses must fit in memory
_TRIALS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumbs:
    """Samples of a picture track: `seconds` (n,), `images` (n, h, w) without black bars, `vectors` (n, 576) of zero mean and
    unit norm, zero where flat.

    `box` is the picture without black bars, as shares (left, top, right, bottom) of the frame; `changes` (n,) is the mean
    absolute difference to the sample before, in levels.
    """

    seconds: Floats
    images: NDArray[np.uint8]
    vectors: NDArray[np.float32]
    box: tuple[float, float, float, float]
    changes: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Title seconds = offset + speed x copy seconds; `span` is the copy's part that shows the title."""

    offset: float
    speed: float
    span: tuple[float, float]
    mirrored: bool

    def title_seconds(self, seconds: float | Fraction) -> float:
        return self.offset + self.speed * float(seconds)


def read_thumbs(path: Path) -> Thumbs:
    """Sample a file. Raises MediaError where it cannot be decoded."""
    seconds, images = [], []
    for frame in read_frames(path, size=_SIZE, fps=SAMPLES_PER_SECOND):
        seconds.append(float(frame.seconds))
        images.append(frame.image)
    stack = np.stack(images) if images else np.zeros((0, _SIZE[1], _SIZE[0]), np.uint8)
    return make_thumbs(np.array(seconds), stack)


def make_thumbs(seconds: Floats, images: NDArray[np.uint8]) -> Thumbs:
    """Thumbnails of decoded samples (n, 36, 64)."""
    left, top, right, bottom = box = _active_box(images)
    shown = images[:, top:bottom, left:right]
    pixels = _small(shown)
    changes = np.abs(np.diff(pixels, axis=0, prepend=pixels[:1])).mean(axis=1).astype(np.float64)
    width, height = _SIZE
    shares = (box[0] / width, box[1] / height, box[2] / width, box[3] / height)
    return Thumbs(seconds=seconds, images=shown, vectors=_unit(shown), box=shares, changes=changes)


def _small(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    small = [cv2.resize(image, _COMPARED, interpolation=cv2.INTER_AREA) for image in images]
    return np.array(small, np.float32).reshape(len(images), _COMPARED[0] * _COMPARED[1])


def _unit(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Thumbnails as vectors of zero mean and unit norm (n, 576), zero where flat."""
    pixels = _small(images)
    pixels -= pixels.mean(axis=1, keepdims=True)
    spread = pixels.std(axis=1, keepdims=True)
    unit = np.where(spread > _FLAT, pixels / np.maximum(spread, _FLAT) / np.sqrt(pixels.shape[1]), 0)
    return unit.astype(np.float32)


def find_lines(copy: Thumbs, title: Thumbs) -> tuple[Line, ...]:
    """The pieces of the copy that show the title, in the copy's order, the copy taken as it is or mirrored, or cropped."""
    telling = int(copy.vectors.any(axis=1).sum())
    votes, lines = _best(copy, title, title.vectors)
    if votes < _AGREED * min(telling, _MOST_VOTERS):
        # So much of the picture may be gone that whole thumbnails are unlike: the title is cropped in the same ways.
        more = [_best(copy, title, _unit(cropped)) for cropped in _cropped(title.images)]
        votes, lines = max([(votes, lines), *more], key=lambda found: found[0])
    return lines if votes else ()


def _best(copy: Thumbs, title: Thumbs, vectors: NDArray[np.float32]) -> tuple[int, tuple[Line, ...]]:
    """All pieces and how many votes they have together."""
    views = [_lines(copy.seconds, seen, title.seconds, vectors, mirrored) for mirrored, seen in _views(copy)]
    return max(views, key=lambda view: view[0])


def _cropped(images: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """The middle and the corners of thumbnails (n, h, w)."""
    height, width = images.shape[1:]
    down, across = round(height * _CROP), round(width * _CROP)
    for top, left in ((down // 2, across // 2), (0, 0), (0, across), (down, 0), (down, across)):
        yield images[:, top : top + height - down, left : left + width - across]


def _active_box(images: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """The rows and columns that are ever lit: (left, top, right, bottom) in pixels, whole where all is dark."""
    width, height = _SIZE
    lit = images.max(axis=0, initial=0) > _DARK  # (36, 64)
    rows, columns = np.flatnonzero(lit.mean(axis=1) > 0.1), np.flatnonzero(lit.mean(axis=0) > 0.1)
    if len(rows) < height // 4 or len(columns) < width // 4:
        return 0, 0, width, height
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _views(copy: Thumbs) -> tuple[tuple[bool, NDArray[np.float32]], ...]:
    width, height = _COMPARED
    mirrored = copy.vectors.reshape(-1, height, width)[:, :, ::-1].reshape(copy.vectors.shape)
    return (False, copy.vectors), (True, mirrored)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Votes:
    """Which title second `r` the copy's second `t` looks like, where it looks like any."""

    t: Floats
    r: Floats

    def take(self, chosen: NDArray[np.bool_]) -> "_Votes":
        return _Votes(t=self.t[chosen], r=self.r[chosen])


def _lines(
    seconds: Floats, vectors: NDArray[np.float32], title_seconds: Floats, title_vectors: NDArray[np.float32], mirrored: bool
) -> tuple[int, tuple[Line, ...]]:
    """All pieces, and how many votes they have together."""
    telling = np.flatnonzero(vectors.any(axis=1))
    telling = telling[:: -(-len(telling) // _MOST_VOTERS) or 1]
    if len(telling) < _LEAST_VOTES or not len(title_seconds):
        return 0, ()
    likeness = vectors[telling] @ title_vectors.T  # (telling, title samples)
    nearest = likeness.argmax(axis=1)
    voting = likeness[np.arange(len(telling)), nearest] > _LIKE
    left = _Votes(t=seconds[telling][voting], r=title_seconds[nearest][voting])
    found: list[tuple[float, float, _Votes]] = []
    while len(found) < _MOST_LINES and (line := _line(left, seconds[telling])) is not None:
        offset, speed, near = line
        found.append((offset, speed, left.take(near)))
        left = left.take(~near)
    return sum(len(votes.t) for *_, votes in found), _pieces(found, seconds, title_seconds, mirrored)


def _line(votes: _Votes, telling: Floats) -> tuple[float, float, NDArray[np.bool_]] | None:
    """The line through most votes and which they are; None where too few of the samples that it passes vote for it."""
    if len(votes.t) < _LEAST_VOTES:
        return None
    offset, speed = _most_voted(votes.t, votes.r)
    near = _run(votes, offset, speed)
    for _ in range(3):
        if near.sum() < _LEAST_VOTES or np.ptp(votes.t[near]) == 0 or np.ptp(votes.r[near]) == 0:
            return None
        speed, offset = (float(value) for value in np.polyfit(votes.t[near], votes.r[near], 1))
        near = _run(votes, offset, speed)
    if near.sum() < _LEAST_VOTES:
        return None
    begin, end = votes.t[near].min(), votes.t[near].max()
    passed = int(((telling >= begin) & (telling <= end)).sum())
    return (offset, speed, near) if near.sum() >= _LEAST_SHARE * passed and _SPEEDS[0] < speed < _SPEEDS[1] else None


def _run(votes: _Votes, offset: float, speed: float) -> NDArray[np.bool_]:
    """The votes near a line, but for strays: a vote alone among others' is chance."""
    near = np.abs(votes.r - offset - speed * votes.t) < _NEAR_SECONDS
    return near & (np.convolve(near, np.ones(5), mode="same") >= 2)


def _pieces(
    found: list[tuple[float, float, _Votes]], seconds: Floats, title_seconds: Floats, mirrored: bool
) -> tuple[Line, ...]:
    """The copy shared out among its lines: each has the stretches between the others' votes."""
    if not found:
        return ()
    times = np.concatenate([votes.t for *_, votes in found])
    owner = np.repeat(np.arange(len(found)), [len(votes.t) for *_, votes in found])
    order = times.argsort(kind="stable")
    times, owner = times[order], owner[order]
    changes = np.flatnonzero(np.diff(owner)) + 1
    stretches = [part for part in np.split(np.arange(len(times)), changes) if len(part) >= _LEAST_VOTES // 2]
    joined: list[list[int]] = []  # first and last vote; neighbours of one line are one piece
    for part in stretches:
        if joined and owner[joined[-1][1]] == owner[part[0]]:
            joined[-1][1] = int(part[-1])
        else:
            joined.append([int(part[0]), int(part[-1])])
    lines = []
    for index, (first, last) in enumerate(joined):
        offset, speed, _ = found[int(owner[first])]
        ends = sorted(((title_seconds[0] - offset) / speed, (title_seconds[-1] + 1 / SAMPLES_PER_SECOND - offset) / speed))
        begin = (times[joined[index - 1][1]] + times[first]) / 2 if index else float(seconds[0])
        end = float(seconds[-1]) + 1 / SAMPLES_PER_SECOND
        if index + 1 < len(joined):
            end = (times[last] + times[joined[index + 1][0]]) / 2
        span = (float(max(begin, ends[0])), float(min(end, ends[1])))
        lines.append(Line(offset=offset, speed=speed, span=span, mirrored=mirrored))
    return tuple(lines)


def _most_voted(t: Floats, r: Floats) -> tuple[float, float]:
    """Lines through pairs of votes (RANSAC, Fischler and Bolles 1981): the one that most votes lie near."""
    rng = np.random.default_rng(len(t))  # the same copy always gives the same line
    first, second = rng.integers(0, len(t), (2, _TRIALS))
    far = np.abs(t[second] - t[first]) > 0.2 * np.ptp(t)
    first, second = first[far], second[far]
    speeds = np.append((r[second] - r[first]) / (t[second] - t[first]), 1.0)
    offsets = np.append(r[first] - speeds[:-1] * t[first], np.median(r - t))
    plausible = (speeds > _SPEEDS[0]) & (speeds < _SPEEDS[1])
    speeds, offsets = speeds[plausible], offsets[plausible]
    counts = (np.abs(r - offsets[:, None] - speeds[:, None] * t) < _NEAR_SECONDS).sum(axis=1)  # (lines,)
    best = int(counts.argmax())
    return float(offsets[best]), float(speeds[best])
