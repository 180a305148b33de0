from fractions import Fraction

import pytest

from mediaforge.media import Grid, gop_frames, is_id, is_language


@pytest.mark.parametrize(
    ("fps", "frames"),
    [
        (Fraction(25), 48),  # 1.92 s: 90 AAC frames
        (Fraction(50), 96),
        (Fraction(24), 48),
        (Fraction(24000, 1001), 48),
        (Fraction(30000, 1001), 60),
        (Fraction(179, 6), 60),
        (Fraction(1, 4), 1),
    ],
)
def test_a_gop_is_about_two_seconds_and_aac_aligned_where_it_can_be(fps: Fraction, frames: int) -> None:
    assert gop_frames(fps) == frames


def test_the_last_segment_takes_what_is_left() -> None:
    grid = Grid(fps=Fraction(25), gop_frames=48, frames=100)
    assert grid.segments == 3
    assert [grid.segment_frames(index) for index in range(3)] == [48, 48, 4]
    assert grid.segment_span(2).start == Fraction(96, 25)
    assert grid.segment_span(2).end == grid.duration == 4


@pytest.mark.parametrize("text", ["film", "A1_b-2", "x" * 64])
def test_plain_ascii_names_are_ids(text: str) -> None:
    assert is_id(text)


@pytest.mark.parametrize("text", ["", "../x", "a/b", "-x", "a b", "فيلم", "x" * 65, "a\n", "a\0"])
def test_what_could_leave_a_folder_or_confuse_a_shell_is_no_id(text: str) -> None:
    assert not is_id(text)


def test_moroccan_languages_are_languages() -> None:
    assert all(is_language(tag) for tag in ("ary", "zgh", "mey", "ar", "fr", "ar-MA"))
    assert not any(is_language(tag) for tag in ("", "Arabic", "f", "fr_FR"))
