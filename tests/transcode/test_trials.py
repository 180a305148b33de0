"""Which frames of the samples are scored."""

from fractions import Fraction

import pytest

from mediaforge.media import Grid
from mediaforge.transcode.trials import sample_frames, scored_frames


@pytest.mark.parametrize("gop", [1, 2, 5, 11, 12, 13, 22, 24, 25, 30, 48, 60])
@pytest.mark.parametrize("samples", [1, 2, 10, 48])
def test_every_sample_is_scored(gop: int, samples: int) -> None:
    """At one frame a second a GOP has two frames, a sample one: a stride of eleven would pass most of them by."""
    frames = scored_frames(Grid(fps=Fraction(25), gop_frames=gop, frames=samples * gop))
    assert {frame // gop for frame in frames} == set(range(samples))


def test_ordinary_samples_are_scored_sparsely_and_in_every_phase() -> None:
    frames = scored_frames(Grid(fps=Fraction(25), gop_frames=24, frames=24 * 24))
    assert len(frames) == 53 and {frame % 24 for frame in frames} == set(range(24))
    assert 0 not in frames and 24 * 24 - 1 not in frames


def test_half_of_a_gop_is_tried_but_never_nothing() -> None:
    assert [sample_frames(Grid(fps=Fraction(25), gop_frames=gop, frames=gop)) for gop in (1, 2, 48)] == [1, 1, 24]
