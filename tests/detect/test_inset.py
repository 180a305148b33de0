"""The sharp picture between its own blurred ones is found, and what is only sharp in the middle is none."""

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.area import Area, whole_area
from mediaforge.detect.features import Look, within
from mediaforge.detect.inset import find_inset


def made_up(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Four pictures of blocks, which move a little."""
    draw = np.random.default_rng(seed).integers(0, 256, (height // 8 + 1, width // 8 + 1), np.uint8)
    large = cv2.resize(draw, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
    return np.stack([np.roll(large, 3 * step, axis=1)[:height, :width] for step in range(4)])


def blurred(height: int, width: int) -> NDArray[np.uint8]:
    return np.stack([cv2.GaussianBlur(picture, None, 12) for picture in made_up(height, width, seed=1)])


def test_a_wide_film_between_blurred_pictures_is_found() -> None:
    tall = blurred(432, 320)
    tall[:, 72:252] = made_up(180, 320)
    found = find_inset(tall, whole_area(432, 320))
    assert found is not None
    assert abs(found.top - 72) <= 2 and abs(found.bottom - 252) <= 2
    assert (found.left, found.right) == (0, 320)


def test_a_tall_film_between_blurred_pictures_is_found() -> None:
    wide = blurred(240, 426)
    wide[:, :, 146:280] = made_up(240, 134)
    found = find_inset(wide, whole_area(240, 426))
    assert found is not None
    assert abs(found.left - 146) <= 2 and abs(found.right - 280) <= 2


def test_a_picture_sharp_all_over_is_no_inset() -> None:
    assert find_inset(made_up(240, 426), whole_area(240, 426)) is None


def test_a_face_before_a_soft_ground_is_no_inset() -> None:
    soft = blurred(240, 426)
    face = np.zeros((240, 426), np.float32)
    cv2.ellipse(face, (213, 120), (60, 80), 0, 0, 360, 1, -1)
    face = cv2.GaussianBlur(face, None, 4)
    picture = (soft * (1 - face) + made_up(240, 426) * face).astype(np.uint8)
    assert find_inset(picture, whole_area(240, 426)) is None


def test_a_flat_picture_is_no_inset() -> None:
    assert find_inset(np.full((4, 240, 426), 90, np.uint8), whole_area(240, 426)) is None


def test_only_the_active_area_is_looked_into() -> None:
    boxed = np.zeros((4, 532, 320), np.uint8)
    boxed[:, 50:482] = blurred(432, 320)
    boxed[:, 122:302] = made_up(180, 320)
    found = find_inset(boxed, Area(top=50, bottom=482, left=0, right=320))
    assert found is not None and abs(found.top - 122) <= 2 and abs(found.bottom - 302) <= 2


def test_points_of_a_part_lie_where_they_are_in_the_whole() -> None:
    none = np.empty((1, 2), np.uint64)
    look = Look(codes=none, turned=none, places=np.array([[255, 0, 100, 64]], np.uint8))
    seen = within(look, left=0.0, right=1.0, top=0.25, bottom=0.75)
    assert seen.places.tolist() == [[255, 64, 68, 64]]  # half as high: an octave smaller
