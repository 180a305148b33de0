"""The segments of a chunk: which they are, which quality they get, and what is tried where one takes too much."""

from fractions import Fraction

import pytest

from mediaforge.ladder import FittedRung, Rung
from mediaforge.media import Chunk, Grid
from mediaforge.transcode.segments import chunk_crfs, chunk_segments, coarser

GRID = Grid(fps=Fraction(25), gop_frames=50, frames=50 * 5 + 10)
FIRST = Chunk(index=0, first_frame=0, frames=100)
LAST = Chunk(index=1, first_frame=100, frames=50 * 3 + 10)
CRFS = (21.0, 22.0, 23.0, 24.0, 25.0, 26.0)


def rung(codec: str, crfs: tuple[float, ...] = CRFS) -> FittedRung:
    """1 Mbit/s at most: 2 Mbit a segment."""
    target = Rung(
        name="r",
        box_width=640,
        box_height=360,
        bitrate_bps=800_000,
        max_bitrate_bps=1_000_000,
        buffer_bits=1_000_000,
        preset={"h264": "slow", "av1": "4"}[codec],
        codec=codec,
    )
    return FittedRung(rung=target, width=640, height=360, crfs=crfs)


def test_a_chunk_takes_the_segments_and_crfs_of_its_own() -> None:
    assert list(chunk_segments(FIRST, GRID)) == [0, 1]
    assert list(chunk_segments(LAST, GRID)) == [2, 3, 4, 5]
    assert chunk_crfs(CRFS, FIRST, GRID) == (21.0, 22.0)
    assert chunk_crfs(CRFS, LAST, GRID) == (23.0, 24.0, 25.0, 26.0)
    assert chunk_crfs((), LAST, GRID) == ()


def test_a_segment_within_a_tenth_of_its_rate_stays() -> None:
    assert coarser(rung("h264"), 0, 2_200_000, GRID) is None
    assert coarser(rung("h264"), 0, 2_200_100, GRID) is not None


@pytest.mark.parametrize(("codec", "octave"), [("h264", 6), ("av1", 11)])
def test_twice_the_bits_ask_for_an_octave_and_a_little_more(codec: str, octave: int) -> None:
    crf = coarser(rung(codec), 2, 4_000_000, GRID)
    assert crf is not None and 23 + octave < crf < 23 + 1.25 * octave
    assert (crf * 4).is_integer()


def test_the_last_segment_counts_over_a_whole_ones_time() -> None:
    """It lasts 0.4 s: 2 Mbit are five times the rate in its own time, and what any segment may take."""
    assert coarser(rung("h264"), 5, 2_000_000, GRID) is None


def test_nothing_is_coarser_than_the_coarsest() -> None:
    assert coarser(rung("av1", (57.0,) * 6), 0, 9_000_000, GRID) is None
    assert coarser(rung("av1", (54.0,) * 6), 0, 9_000_000, GRID) == 57
