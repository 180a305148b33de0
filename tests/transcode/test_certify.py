import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mediaforge.media import Grid, gop_frames
from mediaforge.tools import Tools
from mediaforge.transcode.certify import batches, certify, estimate, is_sought, samples
from mediaforge.transcode.probe import probe
from mediaforge.transcode.quality import score_frames
from tests.transcode.test_quality import encoded, plain


def sample(grid: Grid) -> range:
    """Of a rendition that is alone, or beside one like it."""
    one, other = samples(grid, (400, 400))
    assert one == other
    return one


def grid_of(frames: int, *, fps: Fraction = Fraction(25)) -> Grid:
    return Grid(fps=fps, gop_frames=gop_frames(fps), frames=frames)


@pytest.mark.parametrize("frames", [1, 2, 24, 95])
def test_a_short_clip_is_looked_at_whole(frames: int) -> None:
    assert sample(grid_of(frames)) == range(frames)


@pytest.mark.parametrize("frames", [120, 121, 200, 1500, 1501, 7200, 20_000, 180_000, 2_000_000])
@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(50)])
def test_a_sample_is_spread_evenly_and_has_neighbours(frames: int, fps: Fraction) -> None:
    chosen = sample(grid_of(frames, fps=fps))
    assert chosen.step >= 3 and chosen[0] >= 1 and chosen[-1] <= frames - 2
    assert chosen[0] <= chosen.step and frames - chosen[-1] <= 2 * chosen.step
    assert len(chosen) >= 16


def test_a_low_rung_is_looked_at_more_often_at_no_more_cost_for_all() -> None:
    low, middle, high = samples(grid_of(1500), (100, 400, 1600))
    assert len(low) > len(middle) > len(high)
    assert len(low) + len(middle) + len(high) < 3 * len(sample(grid_of(1500))) * 1.25


def test_a_long_title_is_looked_at_in_the_same_places_on_every_rung() -> None:
    assert len(set(samples(grid_of(180_000), (100, 400, 1600)))) == 1


@pytest.mark.parametrize("frames", [1500, 20_000, 180_000])
def test_a_sample_sees_every_place_in_the_gop_equally_often(frames: int) -> None:
    chosen = sample(grid_of(frames))
    seen = np.bincount(np.array(chosen) % 48, minlength=48)
    assert seen.max() - seen.min() <= 1


@pytest.mark.parametrize("frames", [1500, 1750, 2400, 3200])
def test_a_sample_does_not_keep_time_with_the_gop(frames: int) -> None:
    """Any ten samples in a row are of five eighths of the GOP or more, on rungs looked at often and on those that are not."""
    for chosen in samples(grid_of(frames), (100, 200, 400, 800, 1600)):
        for first in range(len(chosen) - 9):
            assert len({8 * (place % 48) // 48 for place in chosen[first : first + 10]}) >= 5


def test_what_is_read_through_is_looked_at_less_than_what_is_sought_through() -> None:
    """Where every frame is glanced at, fewer scores say as much."""
    assert [is_sought(grid_of(frames)) for frames in (1500, 80_000, 90_000)] == [False, False, True]
    assert len(sample(grid_of(80_000))) < 450 < 850 < len(sample(grid_of(90_000)))


def test_the_longest_film_costs_no_more_than_an_hour() -> None:
    assert len(sample(grid_of(90_000))) <= 1000 and len(sample(grid_of(2_000_000))) <= 1000


def test_what_is_seen_whole_is_certain() -> None:
    quality = estimate(np.array([70.0, 80.0, 90.0]), of=3)
    assert (quality.low, quality.mean, quality.high, quality.frames) == (80, 80, 80, 3)


def test_the_interval_is_the_formula_by_hand() -> None:
    """Differences 2, -2, 2, -2: v2 = (1 - 5/50)/5 * 16/(2*4) = 0.36, and t for 4 degrees of freedom is 2.776."""
    quality = estimate(np.array([80.0, 82.0, 80.0, 82.0, 80.0]), of=50)
    assert quality.mean == pytest.approx(80.8)
    assert quality.high - quality.mean == pytest.approx(2.776 * math.sqrt(0.36), rel=0.02)
    assert quality.mean - quality.low == pytest.approx(quality.high - quality.mean)


def test_an_interval_stays_on_the_scale() -> None:
    quality = estimate(np.array([100.0, 90.0, 100.0, 100.0]), of=1000)
    assert quality.low < 97.5 < quality.high == 100


def test_what_every_frame_tells_corrects_an_unlucky_sample() -> None:
    """Scores are 90 less ten times what is seen; the sample met nothing, or nearly all, of the bad half."""
    seen = np.array([0.0, 1.0, 0.5, 2.0, 5.0, 4.0, 4.5, 3.0])[:, None]
    scores = 90 - 10 * seen[:, 0]
    for places in ([0, 1, 2, 3], [1, 4, 5, 6]):
        quality = estimate(scores[places], of=8, seen=seen, places=places)
        assert quality.mean == pytest.approx(scores.mean()) and quality.high - quality.low == pytest.approx(0, abs=1e-9)


def test_what_says_nothing_changes_nothing_but_the_interval() -> None:
    """A column that is the same for all frames: the mean is the sample's, and a degree of freedom is spent."""
    scores = np.array([80.0, 82.0, 80.0, 82.0, 80.0])
    plain = estimate(scores, of=50)
    told = estimate(scores, of=50, seen=np.ones((50, 1)), places=range(5, 50, 10))
    assert told.mean == pytest.approx(plain.mean)
    assert told.high - told.low > plain.high - plain.low


def test_a_regression_stays_on_the_scale() -> None:
    seen = np.array([0.0, 0.1, 0.2, 0.3, 40.0, 40.0])[:, None]
    assert estimate(np.array([97.0, 98.0, 99.0, 100.0]), of=6, seen=seen, places=range(4)).mean == 100


@pytest.mark.parametrize("frames", [2900, 3001, 9000, 20_000])
def test_batches_hold_every_frame_and_every_sample_once(frames: int) -> None:
    grid = grid_of(frames)
    places = samples(grid, (100, 400, 1600))
    parts = list(batches(places, grid))
    assert [frame for batch, _ in parts for frame in batch] == list(range(frames))
    for number, one in enumerate(places):
        assert [frame for _, part in parts for frame in part[number]] == list(one)
        assert all(frame in batch for batch, part in parts for frame in part[number])


@pytest.mark.parametrize("told", [0.0, 0.7])
def test_nineteen_intervals_in_twenty_hold_the_mean(told: float) -> None:
    """Scores as films have them: shots of their own level, an I picture that decays over its GOP, noise from frame to frame.

    `told` is how much of the scores' variance a glance explains.
    """
    held, errors = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        grid = grid_of(int(rng.integers(400, 3000)))
        scores = np.clip(_film(grid, rng), 0, 100)
        noise = rng.normal(0, scores.std(), size=(grid.frames, 1))
        seen = np.sqrt(told) * scores[:, None] + np.sqrt(1 - told) * noise if told else None
        places = sample(grid)
        quality = estimate(scores[list(places)], of=grid.frames, seen=seen, places=places)
        held.append(quality.low <= scores.mean() <= quality.high)
        errors.append(quality.mean - scores.mean())
    assert np.mean(held) >= 0.93
    assert np.std(errors) < (1.1 if told else 1.5)


def test_certified_and_full_value_agree(ffmpeg: Callable[..., None], tools: Tools, tmp_path: Path) -> None:
    film = probe(plain(ffmpeg, tmp_path), tools=tools)
    grid, renditions = encoded(film, tmp_path, tools=tools, kbps=(60, 200))
    assert all(1 < one.step < 20 for one in samples(grid, (60, 200)))
    told: list[float] = []
    certified = certify(renditions, film, grid=grid, tools=tools, on_progress=told.append)
    whole = score_frames(renditions, film, [range(grid.frames)] * 2, fps=grid.fps, tools=tools)
    assert told[-1] == 1
    for quality, scores in zip(certified, whole, strict=True):
        assert quality.low <= scores.mean() <= quality.high
        assert quality.p5 < quality.mean


def _film(grid: Grid, rng: np.random.Generator) -> np.ndarray:
    frames = np.arange(grid.frames)
    cuts = np.cumsum(rng.integers(12, 150, size=grid.frames // 12))
    levels = rng.normal(80, 10, size=len(cuts) + 1)[np.searchsorted(cuts, frames, side="right")]
    return levels + 12 * np.exp(-(frames % grid.gop_frames) / 6) + rng.normal(0, 3, size=grid.frames)
