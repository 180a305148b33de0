"""Where spans end: at breaks of the query that the title does not have, and no later than evidence allows."""

from fractions import Fraction

import numpy as np
import pytest

from mediaforge.detect.diagonals import Line
from mediaforge.detect.ends import Breaks, ended
from mediaforge.detect.laying import FoundSpan, laid_together

LINE = Line(title=0, mirrored=False, speed=Fraction(1), offset_ms=10_000.0, votes=0.0)


def span(
    begin: float, end: float, *, first: float, last: float, silence: float = 2000, score: float = 2, frames: int = 0
) -> FoundSpan:
    """Seconds of the query; as codes have found it where it has frames, else as points have."""
    return FoundSpan(
        line=LINE,
        begin_ms=begin * 1000,
        end_ms=end * 1000,
        score=score,
        first_ms=first * 1000,
        last_ms=last * 1000,
        silence_ms=silence,
        frames=frames,
        points=0 if frames else 30,
    )


def ends(found: FoundSpan, *, query: list[float], title: list[float]) -> tuple[float, float]:
    around = Breaks(query=np.array(query) * 1000, title=np.array(title) * 1000)
    cut = ended(found, around)
    return cut.begin_ms / 1000, cut.end_ms / 1000


FOUND = span(4, 14, first=5.5, last=12.5)


def test_a_span_ends_where_the_query_cuts_and_the_title_does_not() -> None:
    assert ends(FOUND, query=[5.0, 13.0], title=[]) == (5.0, 13.0)


def test_a_span_goes_on_over_a_cut_that_the_title_has_too() -> None:
    assert ends(FOUND, query=[5.0, 13.0], title=[15.1, 22.8]) == (4.0, 14.0)
    assert ends(FOUND, query=[5.0, 13.0], title=[15.1]) == (4.0, 13.0)


def test_of_several_foreign_cuts_the_one_next_to_what_was_seen_counts() -> None:
    assert ends(FOUND, query=[4.2, 5.0, 13.0, 13.8], title=[]) == (5.0, 13.0)


def test_a_cut_inside_of_what_was_seen_cuts_nothing_off() -> None:
    assert ends(FOUND, query=[7.0, 9.0], title=[]) == (4.0, 14.0)


def test_a_span_seen_once_beside_a_cut_is_not_empty() -> None:
    assert ends(span(4, 6, first=5, last=5), query=[5.03], title=[]) == (5.03, 6.0)


@pytest.mark.parametrize(("silence", "end"), [(2000, 14.0), (500, 13.0)])
def test_a_cut_among_many_of_the_titles_ends_a_span_only_where_nothing_is_seen_for_unusually_long(
    silence: float, end: float
) -> None:
    found = span(5.5, 14, first=5.5, last=12.5, silence=silence)
    moving = [22 + 0.25 * step for step in range(12)]
    assert ends(found, query=[13.0], title=moving) == (5.5, end)


def test_codes_that_are_sure_end_a_span_more_closely_than_points() -> None:
    codes = span(5, 13, first=5.1, last=12.9, silence=250, score=4, frames=32)
    (both,) = laid_together([codes], [span(3.6, 14.4, first=5.3, last=12.6, score=9)], sure=0.6)
    assert (both.begin_ms, both.end_ms) == (4850, 13150)  # as long beyond as codes were silent in between
    (both,) = laid_together([codes], [span(3.6, 14.4, first=3.7, last=14.2, score=9)], sure=0.6)
    assert (both.begin_ms, both.end_ms) == (3600, 14400)  # points saw it there


def test_codes_that_are_not_sure_leave_the_ends_to_points() -> None:
    codes = span(5, 9, first=5.1, last=8.9, silence=250, score=0.3, frames=6)
    (both,) = laid_together([codes], [span(3.6, 14.4, first=5.3, last=12.6, score=9)], sure=0.6)
    assert (both.begin_ms, both.end_ms) == (3600, 14400)
