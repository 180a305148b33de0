import itertools
from fractions import Fraction

import pytest

from mediaforge.media import Grid
from mediaforge.transcode.chunks import plan_chunks, plan_grid


def test_a_minute_is_cut_into_four_nearly_equal_chunks() -> None:
    grid = plan_grid(fps=Fraction(25), seconds=Fraction(60))
    assert (grid.frames, grid.gop_frames, grid.segments) == (1500, 48, 32)
    assert [(chunk.first_frame, chunk.frames) for chunk in plan_chunks(grid)] == [(0, 384), (384, 384), (768, 384), (1152, 348)]


@pytest.mark.parametrize("frames", [1, 47, 48, 49, 400, 401, 1691, 172_800])
def test_chunks_are_whole_gops_and_cover_the_timeline(frames: int) -> None:
    grid = Grid(fps=Fraction(24), gop_frames=48, frames=frames)
    chunks = plan_chunks(grid)
    assert sum(chunk.frames for chunk in chunks) == frames
    assert all(chunk.first_frame % grid.gop_frames == 0 and chunk.frames > 0 for chunk in chunks)
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    for before, after in itertools.pairwise(chunks):
        assert before.first_frame + before.frames == after.first_frame


def test_a_title_has_at_least_one_frame() -> None:
    assert plan_grid(fps=Fraction(25), seconds=Fraction(1, 1000)).frames == 1
