"""Shots out of thumbnails' changes, snapped to the grid; and the few GOPs that stand for all."""

from fractions import Fraction

import numpy as np
import pytest

from mediaforge.media import Grid
from mediaforge.transcode.shots import cast, draw, find_cuts, gop_bits, sample_count, snap
from mediaforge.transcode.survey import Survey

GRID = Grid(fps=Fraction(25), gop_frames=48, frames=480)


def change_of(thumbs: np.ndarray) -> np.ndarray:
    """What the survey measures: the mean absolute difference to the frame before."""
    return np.concatenate(([0.0], np.abs(np.diff(thumbs.astype(np.float64), axis=0)).mean(axis=1))).astype(np.float32)


def film(*shots: tuple[int, float], noise: float = 1.0) -> np.ndarray:
    """Thumbnails of (frames, luma) shots, each a picture of its own with some grain."""
    rng = np.random.default_rng(1)
    pictures = [np.clip(rng.normal(luma, 30, 576), 0, 255) + rng.normal(0, noise, (frames, 576)) for frames, luma in shots]
    return np.concatenate(pictures)


def test_cuts_are_found_where_the_picture_changes() -> None:
    assert find_cuts(change_of(film((100, 60), (37, 120), (80, 200)))) == (100, 137)


def test_grain_a_fade_and_steady_motion_are_no_cuts() -> None:
    assert find_cuts(change_of(film((200, 90), noise=20))) == ()
    fade = np.linspace(255, 0, 40)[:, None] * np.ones(576)
    assert find_cuts(change_of(fade)) == ()
    rng = np.random.default_rng(2)
    assert find_cuts(rng.uniform(10, 14, 300).astype(np.float32)) == ()


def test_cuts_move_to_the_nearest_gop() -> None:
    assert snap((100, 260), GRID) == ((0, 2), (2, 3), (5, 5))


def test_a_shot_shorter_than_half_a_gop_vanishes() -> None:
    assert snap((96, 110, 115), GRID) == ((0, 2), (2, 4), (6, 4))


def test_a_long_shot_is_looked_at_in_parts_of_at_most_six_gops() -> None:
    spans = snap((), Grid(fps=Fraction(25), gop_frames=48, frames=48 * 20))
    assert spans == ((0, 5), (5, 5), (10, 5), (15, 5))


def test_the_spans_cover_the_title_without_a_gap() -> None:
    rng = np.random.default_rng(4)
    spans = snap(tuple(sorted(rng.integers(0, 480, 12))), GRID)
    assert spans[0][0] == 0
    for (start, length), (following, _) in zip(spans, (*spans[1:], (GRID.segments, 0)), strict=True):
        assert length > 0 and start + length == following


def test_every_gop_is_stood_for_by_one_of_its_own_difficulty() -> None:
    rng = np.random.default_rng(5)
    bits = rng.lognormal(8, 1, 200)
    samples, sample = draw(bits, count=20)
    assert len(set(samples)) == 20
    for gop in range(200):
        stratum = np.sort(bits[sample == sample[gop]])
        assert stratum[0] <= bits[samples[sample[gop]]] <= stratum[-1]
    assert all(sample[one] == place for place, one in enumerate(samples))
    assert draw(bits, count=20)[0] == samples  # drawn, yet always the same


def test_a_clip_is_looked_at_whole_and_a_film_in_few_places() -> None:
    assert [sample_count(segments) for segments in (1, 9, 60, 3000, 7500)] == [1, 9, 11, 48, 48]


def test_bits_are_those_of_a_frame_so_a_short_last_gop_is_not_an_easy_one() -> None:
    grid = Grid(fps=Fraction(25), gop_frames=50, frames=110)
    flat = np.full(110, 1000.0)
    seen = Survey(change=np.zeros(110, np.float32), bits=flat)
    assert gop_bits(seen, grid) == pytest.approx([1000, 1000, 1000])


def test_one_frame_is_one_shot_with_one_sample() -> None:
    grid = Grid(fps=Fraction(25), gop_frames=48, frames=1)
    one = cast(Survey(change=np.zeros(1, np.float32), bits=np.array([900.0])), grid)
    assert one.samples == (0,) and list(one.sample) == [0] and list(one.shot) == [0]
