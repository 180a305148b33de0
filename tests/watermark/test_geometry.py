"""The picture map, on made-up pictures: recovered to a fraction of a pixel, and the frame with it."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mediaforge.watermark.geometry import IDENTITY, Moment, box_map, decode_size, lay_over, mirrored, register

Pixels = NDArray[np.float32]
WIDTH, HEIGHT = 160, 90


def picture(seed: int) -> Pixels:
    rng = np.random.default_rng(seed)
    smooth = [cv2.GaussianBlur(rng.normal(size=(HEIGHT, WIDTH)), (0, 0), blur) for blur in (1.5, 5)]
    return np.asarray(120 + 30 * sum(layer / layer.std() for layer in smooth), np.float32)


def moments(matrix: NDArray[np.float64]) -> list[Moment]:
    """Four moments of a copy in which the title's picture lies as `matrix` says, amid two other frames each."""
    found = []
    for seed in range(4):
        frames = tuple(picture(10 * seed + index) for index in range(3))
        inverse = np.linalg.inv(matrix)
        copy = lay_over(frames[1], inverse, (WIDTH, HEIGHT))
        noise = np.random.default_rng(seed).normal(0, 3, copy.shape)
        found.append(Moment(seconds=float(seed), copy=np.asarray(copy + noise, np.float32), title=frames, frames=(5, 6, 7)))
    return found


def test_an_untouched_picture_stays_exactly_where_it_is() -> None:
    found = register(moments(IDENTITY), [IDENTITY])
    assert (found.matrix == IDENTITY).all()
    assert found.frames == (6, 6, 6, 6)


@pytest.mark.parametrize(
    "matrix",
    [
        np.array([[1.06, 0, 0.03], [0, 1.04, -0.02], [0, 0, 1]]),  # a crop, scaled up again
        np.array([[1, 0, 0], [0, 0.75, 0], [0, 0, 1]]),  # bars above and below
        np.array([[1.02, 0.01, 0], [-0.01, 1.0, 0.02], [0, 0, 1]]),  # a slight turn
        np.array([[0.9, 0.03, 0.02], [-0.02, 0.92, -0.01], [0.06, -0.04, 1]]),  # a screen filmed from the side
    ],
    ids=["crop", "bars", "turn", "keystone"],
)
def test_a_moved_picture_is_found_to_a_fraction_of_a_pixel(matrix: NDArray[np.float64]) -> None:
    found = register(moments(matrix), [IDENTITY, box_map((0, 0, 1, 1), (0, 0.125, 1, 0.875))])
    assert found.matrix == pytest.approx(matrix, abs=2 * 0.25 / WIDTH)
    assert found.frames == (6, 6, 6, 6)


def test_a_mirrored_picture_is_found_from_a_mirrored_guess() -> None:
    found = register(moments(mirrored(IDENTITY)), [mirrored(IDENTITY)])
    assert found.matrix == pytest.approx(mirrored(IDENTITY), abs=2 * 0.25 / WIDTH)


def test_pictures_of_something_else_are_unlike() -> None:
    strangers = [
        Moment(seconds=0.0, copy=picture(90 + seed), title=(picture(seed), picture(50 + seed)), frames=(0, 1))
        for seed in range(4)
    ]
    assert np.median(register(strangers, [IDENTITY]).likeness) < 0.3


def test_boxes_map_onto_each_other() -> None:
    matrix = box_map((0, 0.1, 1, 0.9), (0.25, 0, 0.75, 1))
    assert matrix @ np.array([-1, -0.8, 1]) == pytest.approx([-0.5, -1, 1])
    assert matrix @ np.array([1, 0.8, 1]) == pytest.approx([0.5, 1, 1])


def test_a_copy_is_decoded_at_the_scale_it_is_compared_at() -> None:
    assert decode_size(IDENTITY, (320, 180)) == (320, 180)
    assert decode_size(np.array([[1.0, 0, 0], [0, 0.75, 0], [0, 0, 1]]), (320, 180)) == (320, 240)
