"""The pattern: keyed, even, drawn anew, and nowhere a jump."""

from fractions import Fraction

import numpy as np
import pytest

from mediaforge.media import Grid
from mediaforge.watermark.pattern import CELLS, MIDDLE, UNIT, fading, pattern_frames, pattern_key

KEY = pattern_key(bytes(range(32)))
GRIDS = [
    Grid(fps=Fraction(25), gop_frames=48, frames=106),
    Grid(fps=Fraction(24000, 1001), gop_frames=48, frames=106),
    Grid(fps=Fraction(60), gop_frames=120, frames=260),
    Grid(fps=Fraction(30), gop_frames=60, frames=130),
]


def drawn(grid: Grid, key: bytes = KEY, segments: tuple[int, ...] = (0, 1, 2)) -> np.ndarray:
    frames = pattern_frames(key, grid, range(grid.frames), segments)
    pictures = np.stack([np.frombuffer(frame, np.uint8) for frame in frames]).astype(float)
    return ((pictures - MIDDLE) / UNIT).reshape(-1, CELLS[1], CELLS[0])


def test_the_fading_is_a_raised_cosine_of_four_frames() -> None:
    heights = [round(fading(place, 48, fade=4), 3) for place in (0, 1, 2, 3, 4, 23, 43, 44, 47)]
    assert heights == [0.038, 0.309, 0.691, 0.962, 1.0, 1.0, 1.0, 0.962, 0.038]


@pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: f"{float(grid.fps):.4g}")
def test_no_frame_jumps_and_every_segment_ends_in_nothing(grid: Grid) -> None:
    pictures = drawn(grid)
    steps = np.sqrt(np.square(np.diff(pictures, axis=0)).mean(axis=(1, 2)))
    assert steps.max() < 0.65  # drawn anew at once it would be 1.41
    for segment in range(grid.segments):
        first = segment * grid.gop_frames
        last = first + grid.segment_frames(segment) - 1
        assert max(np.abs(pictures[first]).max(), np.abs(pictures[last]).max()) < 0.15


def test_a_whole_picture_gets_no_lighter_and_the_amplitude_is_one() -> None:
    pictures = drawn(GRIDS[0])
    assert np.abs(pictures.mean(axis=(1, 2))).max() < 0.02
    assert np.sqrt(np.square(pictures[[5, 17, 29]]).mean()) == pytest.approx(1, abs=0.02)


def test_four_drawings_of_a_segment_have_nothing_in_common() -> None:
    pictures = drawn(GRIDS[0])[[6, 18, 30, 41, 54]].reshape(5, -1)
    alike = np.corrcoef(pictures)
    assert np.abs(alike[~np.eye(5, dtype=bool)]).max() < 0.2


def test_another_key_is_another_pattern_and_other_segments_stay_clean() -> None:
    one, other = drawn(GRIDS[0]), drawn(GRIDS[0], key=pattern_key(bytes(32)))
    assert abs(np.corrcoef(one[6].ravel(), other[6].ravel())[0, 1]) < 0.2
    gated = drawn(GRIDS[0], segments=(1,))
    assert not gated[:48].any() and not gated[96:].any()
    assert (gated[48:96] == one[48:96]).all()


def test_half_the_rate_shows_the_same_drawings() -> None:
    """A rung of every second frame: the same cells at the same moments, where nothing fades."""
    grid = Grid(fps=Fraction(50), gop_frames=96, frames=192)
    whole, half = drawn(grid), drawn(grid.every(2))
    for place in (12, 20, 36, 60, 80):
        assert (whole[2 * (place // 2)] == half[place // 2]).all()
