"""Made-up moving pictures: smooth random scenes that drift, so that near moments look alike and far ones do not."""

from collections.abc import Iterator
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaforge.frames import Frame

HEIGHT, WIDTH = 90, 160
SHOT_SECONDS = 3


def film(seed: int, seconds: float, *, fps: int = 4, start: float = 0.0, speed: float = 1.0) -> Iterator[Frame]:
    """A film of this seed, or the part of it from `start`, played at `speed`: a new shot every three seconds."""
    for tick in range(round(seconds * fps)):
        moment = start + speed * tick / fps
        yield Frame(seconds=Fraction(tick, fps), image=picture(seed, moment))


def picture(seed: int, moment: float) -> NDArray[np.uint8]:
    shot, inside = divmod(moment, SHOT_SECONDS)
    before, after = (_texture(seed, int(shot) * 100 + keyframe) for keyframe in (int(inside), int(inside) + 1))
    share = inside % 1
    return np.clip((1 - share) * before + share * after, 0, 255).astype(np.uint8)


def static(seconds: float, *, seed: int = 5, fps: int = 4) -> Iterator[Frame]:
    """One picture for as long as wanted."""
    return (Frame(seconds=Fraction(tick, fps), image=picture(seed, 0.5)) for tick in range(round(seconds * fps)))


def _texture(seed: int, number: int) -> NDArray[np.float64]:
    coarse = np.random.default_rng((seed, number)).uniform(30, 250, (6, 10))
    return np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.float64)
