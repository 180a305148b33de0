"""The walk: to the frame where the pictures tell, on the line where they do not."""

import numpy as np
from numpy.typing import NDArray

from mediaforge.watermark.walk import walk

TITLE = 40


def likeness(shown: list[int], *, by: float, noise: float = 0.0) -> NDArray[np.float32]:
    """The picture shown is liked best, its neighbours nearly as well."""
    off = np.abs(np.array(shown)[:, None] - np.arange(TITLE))
    wobble = np.random.default_rng(3).normal(0, noise, off.shape)
    return np.asarray(0.9 - by * np.minimum(off, 3) + wobble, np.float32)


def test_pictures_that_tell_are_followed_off_the_line() -> None:
    shown = [2, 6, 10, 13, 17, 21, 26]
    assert walk(likeness(shown, by=0.05), [4, 8, 12, 16, 20, 24, 28]) == shown


def test_where_nothing_moves_the_line_is_kept() -> None:
    expected = [2, 6, 10, 14, 18]
    assert walk(np.full((5, TITLE), 0.97, np.float32), expected) == expected


def test_one_doubtful_picture_does_not_leave_its_neighbours() -> None:
    shown = [3, 7, 11, 15, 19, 23]
    seen = likeness(shown, by=0.05)
    seen[3] = 0.9
    seen[3, 20] = 0.905  # a little likelier, five frames away
    assert walk(seen, shown) == shown


def test_it_stays_within_the_title() -> None:
    path = walk(likeness([0, 2, 38, 39], by=0.05), [-1.2, 2, 38, 40.4])
    assert path == [0, 2, 38, 39]
