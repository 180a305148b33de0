"""Made-up pictures with corners and edges, as local features need them: shots of scattered shapes that move."""

from collections.abc import Iterator
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaforge.frames import Frame

HEIGHT, WIDTH = 180, 320
SHOT_SECONDS = 4


def textured(seed: int, seconds: float, *, fps: int = 4, start: float = 0.0, speed: float = 1.0) -> Iterator[Frame]:
    """A film of this seed, or the part of it from `start`, played at `speed`: a new set every four seconds."""
    for tick in range(round(seconds * fps)):
        yield Frame(seconds=Fraction(tick, fps), image=scene(seed, start + speed * tick / fps))


def scene(seed: int, moment: float) -> NDArray[np.uint8]:
    """A set that stands still, and shapes before it that move."""
    shot, inside = divmod(moment, SHOT_SECONDS)
    image = background(seed, int(shot)).copy()
    rng = np.random.default_rng((seed, int(shot), 7))
    for _ in range(8):
        at, way = rng.uniform(0, (WIDTH, HEIGHT)), rng.uniform(-30, 30, 2)
        _shape(image, rng, at + way * inside)
    return cv2.GaussianBlur(image, (0, 0), 0.7).astype(np.uint8)


def stage(take: int, seconds: float, *, fps: int = 4, start: float = 0.0) -> Iterator[Frame]:
    """One set for as long as wanted, and before it shapes that move as this take has it."""
    rng = np.random.default_rng((take, 11))
    seeds = rng.integers(1 << 30, size=10)
    begins, ways = rng.uniform((0, 0), (WIDTH, HEIGHT), (10, 2)), rng.uniform(-25, 25, (10, 2))
    for tick in range(round(seconds * fps)):
        moment = start + tick / fps
        image = background(77, 0).copy()
        for seed, begin, way in zip(seeds, begins, ways, strict=True):
            shape = np.random.default_rng(seed)
            for part in range(4):  # a figure of several shapes
                _shape(image, shape, (begin + way * moment) % (WIDTH, HEIGHT) + 9 * part)
        yield Frame(seconds=Fraction(tick, fps), image=image)


def background(seed: int, shot: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng((seed, shot))
    coarse = rng.uniform(40, 200, (5, 8)).astype(np.float32)
    image = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)
    for _ in range(60):
        _shape(image, rng, rng.uniform(0, (WIDTH, HEIGHT)))
    return image


def _shape(image: NDArray[np.uint8], rng: np.random.Generator, at: NDArray[np.float64]) -> None:
    corners = at + rng.uniform(-16, 16, (4, 2))
    cv2.fillPoly(image, [corners.astype(np.int32)], int(rng.integers(0, 255)))
