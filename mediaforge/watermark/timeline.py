"""Where in the title a copy plays: offset and speed, from small pictures (facts-watermark 5, step 1).

Both are sampled a few times a second as thumbnails without their black bars; each thumbnail of the copy votes for the
most similar one of the title, and the straight line through most votes wins. A film that is not this title has no line.
"""

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
_LEAST_SHARE = 0.3
_MOST_VOTERS = 1000  # of a long copy every n-th sample votes: the matrix of likenesses must fit in memory
_TRIALS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumbs:
    """Samples of a picture track: `seconds` (n,), `vectors` (n, 576) of zero mean and unit norm, zero where flat.

    `box` is the picture without black bars, as shares (left, top, right, bottom) of the frame; `changes` (n,) is the mean
    absolute difference to the sample before, in levels.
    """

    seconds: Floats
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
    small = [cv2.resize(image[top:bottom, left:right], _COMPARED, interpolation=cv2.INTER_AREA) for image in images]
    pixels = np.array(small, np.float32).reshape(len(images), _COMPARED[0] * _COMPARED[1])
    changes = np.abs(np.diff(pixels, axis=0, prepend=pixels[:1])).mean(axis=1).astype(np.float64)
    pixels -= pixels.mean(axis=1, keepdims=True)
    spread = pixels.std(axis=1, keepdims=True)
    unit = np.where(spread > _FLAT, pixels / np.maximum(spread, _FLAT) / np.sqrt(pixels.shape[1]), 0)
    width, height = _SIZE
    shares = (box[0] / width, box[1] / height, box[2] / width, box[3] / height)
    return Thumbs(seconds=seconds, vectors=unit.astype(np.float32), box=shares, changes=changes)


def find_line(copy: Thumbs, title: Thumbs) -> Line | None:
    """The line of most votes, the copy taken as it is or mirrored; None where no line gathers enough of the copy."""
    lines = [_line(copy.seconds, vectors, title, mirrored) for mirrored, vectors in _views(copy)]
    found = [(votes, line) for votes, line in lines if line is not None]
    return max(found, key=lambda pair: pair[0])[1] if found else None


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


def _line(seconds: Floats, vectors: NDArray[np.float32], title: Thumbs, mirrored: bool) -> tuple[int, Line | None]:
    telling = np.flatnonzero(vectors.any(axis=1))
    telling = telling[:: -(-len(telling) // _MOST_VOTERS) or 1]
    if len(telling) < _LEAST_VOTES or not len(title.seconds):
        return 0, None
    likeness = vectors[telling] @ title.vectors.T  # (telling, title samples)
    nearest = likeness.argmax(axis=1)
    votes = likeness[np.arange(len(telling)), nearest] > _LIKE
    t, r = seconds[telling][votes], title.seconds[nearest][votes]
    needed = max(_LEAST_VOTES, int(_LEAST_SHARE * len(telling)))
    if len(t) < needed:
        return 0, None
    offset, speed = _most_voted(t, r)
    near = np.abs(r - offset - speed * t) < _NEAR_SECONDS
    for _ in range(3):
        if near.sum() < needed or np.ptp(t[near]) == 0:
            return 0, None
        speed, offset = (float(value) for value in np.polyfit(t[near], r[near], 1))
        near = np.abs(r - offset - speed * t) < _NEAR_SECONDS
    count = int(near.sum())
    if count < needed or not _SPEEDS[0] < speed < _SPEEDS[1]:
        return 0, None
    ends = sorted(((title.seconds[0] - offset) / speed, (title.seconds[-1] + 1 / SAMPLES_PER_SECOND - offset) / speed))
    span = (max(float(seconds[0]), ends[0]), min(float(seconds[-1]) + 1 / SAMPLES_PER_SECOND, ends[1]))
    return count, Line(offset=offset, speed=speed, span=span, mirrored=mirrored)


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
