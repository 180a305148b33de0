from fractions import Fraction

from mediaforge.package.assembly import Package
from mediaforge.package.cues import Cue, first_cue
from mediaforge.package.record import Scheme


def test_the_first_cue_is_found_where_it_is_said(packages: dict[Scheme, Package]) -> None:
    """From 1 s to 2.5 s, cut at the end of the first segment (1.92 s)."""
    found = first_cue(packages[Scheme.CBCS].folder, "text/fr")
    assert found == Cue(at=Fraction(146, 100), text="كان يا ما كان")


def test_a_stream_that_is_no_text_says_nothing(packages: dict[Scheme, Package]) -> None:
    assert first_cue(packages[Scheme.CBCS].folder, "video/v060") is None
