"""What picture and sound say together."""

from dataclasses import replace
from fractions import Fraction

import pytest

from mediaforge.detect.match import Match, Verdict
from mediaforge.detect.sound_match import SoundMatch
from mediaforge.detect.tiers import lay_together, not_excluded
from mediaforge.media import Span


def span(start: int, end: int) -> Span:
    return Span(start=Fraction(start), end=Fraction(end))


PICTURE = Match(
    title="atlas",
    verdict=Verdict.PROBABLE,
    score=1.0,
    query=span(0, 20),
    reference=span(100, 120),
    speed=Fraction(1),
    mirrored=False,
    frames=9,
    distance=40.0,
)
SOUND = SoundMatch(
    title="atlas",
    verdict=Verdict.PROBABLE,
    score=9.0,
    query=span(5, 18),
    reference=span(105, 118),
    speed=Fraction(1),
    pitch=1.0,
    peaks=30,
)


def test_picture_and_sound_that_tell_the_same_are_one_and_surer() -> None:
    (found,) = lay_together([PICTURE], [SOUND])
    assert (found.by, found.verdict, found.query) == (("picture", "sound"), Verdict.MATCH, PICTURE.query)


@pytest.mark.parametrize(
    "other",
    [
        replace(SOUND, title="rif"),
        replace(SOUND, reference=span(205, 218)),
        replace(SOUND, query=span(30, 43), reference=span(130, 143)),
        replace(SOUND, speed=Fraction(11, 10)),
    ],
    ids=["title", "place", "other part", "speed"],
)
def test_what_contradicts_stays_apart(other: SoundMatch) -> None:
    found = lay_together([PICTURE], [other])
    assert sorted(each.by for each in found) == [("picture",), ("sound",)]
    assert {each.verdict for each in found} == {Verdict.PROBABLE}


def test_a_dub_is_found_by_its_picture_and_a_radio_copy_by_its_sound() -> None:
    assert [each.by for each in lay_together([PICTURE], [])] == [("picture",)]
    (heard,) = lay_together([], [SOUND])
    assert (heard.by, heard.title, heard.reference, heard.score) == (("sound",), "atlas", SOUND.reference, 9.0)


def test_the_surest_comes_first() -> None:
    sure = replace(SOUND, title="rif", verdict=Verdict.MATCH)
    assert [each.title for each in lay_together([PICTURE], [sure])] == ["rif", "atlas"]


def test_a_sound_in_a_span_that_never_counts_is_left_out() -> None:
    assert not_excluded([SOUND], {"atlas": (span(100, 112),)}) == ()
    assert not_excluded([SOUND], {"atlas": (span(100, 110),), "rif": (span(0, 500),)}) == (SOUND,)
