"""The active area: bars go, dark scenes stay."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mediaforge.detect.area import Area, find_area, whole_area
from tests.detect.pictures import HEIGHT, WIDTH, picture


def scene(count: int = 6, low: int = 40) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(low, 220, (count, HEIGHT, WIDTH)).astype(np.uint8)


def test_a_picture_without_bars_is_whole() -> None:
    assert find_area(scene()) == whole_area(HEIGHT, WIDTH)


def test_bars_above_and_below_go() -> None:
    seen = scene()
    seen[:, :12], seen[:, -10:] = 16, 18
    assert find_area(seen) == Area(top=12, bottom=80, left=0, right=WIDTH)


def test_bars_on_all_sides_go() -> None:
    seen = scene()
    seen[:, :12], seen[:, -12:], seen[:, :, :20], seen[:, :, -20:] = 3, 3, 3, 3
    assert find_area(seen) == Area(top=12, bottom=78, left=20, right=140)


def test_a_logo_and_a_short_subtitle_may_stand_in_a_bar() -> None:
    seen = scene()
    seen[:, :12], seen[:, -12:] = 0, 0
    seen[:, 4:8, 150:158], seen[3, -6:-3, 74:84] = 200, 230
    assert find_area(seen) == Area(top=12, bottom=78, left=0, right=WIDTH)


def test_ringing_between_bar_and_picture_belongs_to_the_bar() -> None:
    seen = scene()
    seen[:, :12] = 0
    seen[:, 9:12, ::8] = 60
    assert find_area(seen).top == 12


def test_a_scene_that_fades_into_its_corners_keeps_its_edge() -> None:
    down, across = np.ogrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    vignette = np.clip(1.15 - down**2 - across**2, 0, 1)
    assert find_area((picture(1, 0.5) * vignette).astype(np.uint8)[None]) == whole_area(HEIGHT, WIDTH)


@pytest.mark.parametrize("luma", [0, 16])
def test_black_is_whole(luma: int) -> None:
    assert find_area(np.full((4, HEIGHT, WIDTH), luma, np.uint8)) == whole_area(HEIGHT, WIDTH)


def test_a_small_light_on_black_is_no_picture_between_bars() -> None:
    seen = np.zeros((4, HEIGHT, WIDTH), np.uint8)
    seen[:, 40:60, 60:90] = 200
    assert find_area(seen) == whole_area(HEIGHT, WIDTH)


def test_one_light_picture_among_dark_ones_shows_the_area() -> None:
    seen = np.concatenate([scene(1), np.zeros((5, HEIGHT, WIDTH), np.uint8)])
    seen[:, :12] = 0
    assert find_area(seen).top == 12


def test_a_crop_keeps_the_centre() -> None:
    assert Area(top=10, bottom=60, left=0, right=100).crop(0.8) == Area(top=15, bottom=55, left=10, right=90)
