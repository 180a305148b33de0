"""What a segment becomes, by numbers made by hand."""

from mediaforge.watermark.modes import Mode, RungMarks, diverged, joined, patterned, weak_segments


def test_what_is_below_the_gate_is_weak() -> None:
    assert weak_segments([3.1, 0.69, 0.7, 0.0]) == (1, 3)


def test_a_pattern_that_leaves_nothing_to_read_is_no_mark() -> None:
    assert [patterned(strength).mode for strength in (0.9, 0.26, 0.2, 0.0)] == [
        *(Mode.PATTERN, Mode.PATTERN, Mode.UNMARKED, Mode.UNMARKED)
    ]


def test_a_title_counts_its_segments_through_its_chunks() -> None:
    chunks = [
        [RungMarks(rung="v", segments=(diverged(2.0), patterned(0.1)))],
        [RungMarks(rung="v", segments=(patterned(0.0),))],
    ]
    (row,) = joined(chunks)
    assert row.unmarked == (1, 2)
    assert [row.count(mode) for mode in Mode] == [1, 0, 2]
