"""A picture that trembled is laid over again, one that did not is left alone."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mediaforge.watermark.geometry import IDENTITY, lay_over
from mediaforge.watermark.steady import steady

Pixels = NDArray[np.float32]
SIZE = (320, 180)


def picture(seed: int = 1) -> Pixels:
    rng = np.random.default_rng(seed)
    layers = [cv2.GaussianBlur(rng.normal(size=SIZE[::-1]), (0, 0), blur) for blur in (1.5, 4, 12)]
    return np.asarray(120 + 15 * sum(layer / layer.std() for layer in layers), np.float32)


def apart(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one - other)[12:-12, 12:-12].mean())


@pytest.mark.parametrize(
    ("across", "down", "turn"), [(0.4, 0.2, 0.0), (2.5, -1.5, 0.0), (-1.0, 3.0, 0.008)], ids=["a little", "pixels", "a turn"]
)
def test_a_trembling_picture_comes_back(across: float, down: float, turn: float) -> None:
    title = picture()
    shaken = np.array([[1, turn, 2 * across / SIZE[0]], [-turn, 1, 2 * down / SIZE[1]], [0, 0, 1]])
    copy = lay_over(title, np.linalg.inv(shaken), SIZE)
    copy = np.asarray(0.8 * copy + 20 + np.random.default_rng(2).normal(0, 3, copy.shape), np.float32)
    found = steady(copy, IDENTITY, title)
    straight = lay_over(copy, shaken, SIZE)
    assert apart(lay_over(copy, found.matrix, SIZE), straight) < 0.25 * apart(copy, straight)


def test_a_steady_picture_is_left_alone() -> None:
    title = picture()
    noisy = np.asarray(title + np.random.default_rng(2).normal(0, 4, title.shape), np.float32)
    assert (steady(noisy, IDENTITY, title).matrix == IDENTITY).all()


def test_a_logo_does_not_pull_at_the_picture() -> None:
    title = picture()
    shaken = np.array([[1, 0, 2 * 1.5 / SIZE[0]], [0, 1, 0], [0, 0, 1]])
    copy = lay_over(title, np.linalg.inv(shaken), SIZE)
    copy[20:60, 220:300] = 235
    found = steady(copy, IDENTITY, title)
    assert apart(lay_over(copy, found.matrix, SIZE)[70:], lay_over(copy, shaken, SIZE)[70:]) < 0.3 * apart(
        copy[70:], title[70:]
    )


def test_another_picture_is_moved_nowhere_and_unlike() -> None:
    assert steady(picture(5), IDENTITY, picture(6)).likeness < 0.3
