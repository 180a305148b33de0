"""Which frames of the samples are scored."""

from fractions import Fraction

import pytest

from mediaforge.media import Grid
from mediaforge.transcode.trials import sample_frames, scored_frames


@pytest.mark.parametrize("gop", [1, 2, 5, 10, 12, 22, 24, 30, 48])
@pytest.mark.parametrize("samples", [1, 2, 10, 48])
def test_every_sample_is_scored_alike(gop: int, samples: int) -> None:
    """At one frame a second a GOP has two frames, a sample one."""
    frames = scored_frames(Grid(fps=Fraction(25), gop_frames=gop, frames=samples * gop))
    phases = [[frame % gop for frame in frames if frame // gop == sample] for sample in range(samples)]
    assert phases[0] and all(one == phases[0] for one in phases)
    assert len(frames) == samples * len(phases[0])


def test_ordinary_samples_are_scored_twice_with_a_neighbour_on_each_side() -> None:
    assert list(scored_frames(Grid(fps=Fraction(25), gop_frames=24, frames=48))) == [10, 22, 34, 46]


@pytest.mark.parametrize(("gop", "tried"), [(1, 1), (2, 1), (3, 1), (5, 2), (48, 24), (50, 24), (60, 30), (96, 48)])
def test_half_of_a_gop_is_tried_but_never_nothing(gop: int, tried: int) -> None:
    assert sample_frames(Grid(fps=Fraction(25), gop_frames=gop, frames=gop)) == tried
