"""Which frames of the samples are scored."""

from fractions import Fraction

import pytest

from mediaforge.media import Grid
from mediaforge.transcode.trials import Reel, sample_frames, scored_frames
from tests.transcode.values import master


def reel(gop: int, *, halves: int, samples: int) -> Reel:
    grid = Grid(fps=Fraction(25), gop_frames=gop, frames=samples * gop)
    return Reel(film=master(), grid=grid, halves=halves)


@pytest.mark.parametrize("tried", [1, 2, 4, 12, 22, 24, 30, 48])
@pytest.mark.parametrize("halves", [1, 2])
@pytest.mark.parametrize("samples", [1, 2, 10, 48])
def test_every_sample_is_scored_alike(tried: int, halves: int, samples: int) -> None:
    """At one frame a second a GOP has two frames, a sample one."""
    gop = halves * tried
    frames = scored_frames(reel(gop, halves=halves, samples=samples))
    phases = [[frame % gop for frame in frames if frame // gop == sample] for sample in range(samples)]
    assert phases[0] and all(one == phases[0] for one in phases)
    assert len(frames) == samples * len(phases[0])


def test_halves_are_scored_twice_and_wholes_in_the_middle_of_their_quarters() -> None:
    assert list(scored_frames(reel(24, halves=1, samples=2))) == [10, 22, 34, 46]
    assert list(scored_frames(reel(48, halves=2, samples=2))) == [6, 18, 30, 42, 54, 66, 78, 90]


@pytest.mark.parametrize(("gop", "tried"), [(1, 1), (2, 1), (3, 1), (5, 2), (48, 24), (50, 24), (60, 30), (96, 48)])
def test_half_of_a_gop_is_tried_but_never_nothing(gop: int, tried: int) -> None:
    assert sample_frames(Grid(fps=Fraction(25), gop_frames=gop, frames=gop)) == tried
