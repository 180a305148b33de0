"""The page of a trace: what it must say to somebody who decides by it."""

from dataclasses import replace

from mediaforge.cli.page import Pair
from mediaforge.cli.trace_page import trace_page
from mediaforge.watermark.dossier import Dossier, open_codes
from mediaforge.watermark.trace import accuse
from tests.watermark.test_trace import SECRET, TWENTY, copy_of, read

PAIR = Pair(copy=b"\xff\xd8copy", title=b"\xff\xd8title", copy_seconds=3.0, title_seconds=15.4)


def case(segments: int, *, recipient: int = 7) -> Dossier:
    evidence = read(copy_of(recipient, 62)[:segments], segments=62)
    verdict = accuse(evidence, secret=SECRET, recipients=TWENTY, false_accusation=1e-6)
    numbers = {one.recipient: int(one.recipient[1:]) for one in verdict.accusations}
    odds, codes = open_codes(evidence, secret=SECRET, numbers=numbers)
    return Dossier(
        title="<atlas>",
        segment_seconds=1.92,
        false_accusation=1e-6,
        recipients=20,
        evidence=evidence,
        odds=odds,
        codes=codes,
        numbers=numbers,
        verdict=verdict,
        sources=(),
        builds={"mediaforge": "0"},
    )


def test_an_accusation_says_who_how_sure_and_what_it_is_not() -> None:
    page = trace_page(case(62), [PAIR, PAIR])
    assert "The copy of &lt;atlas&gt; is that of r07" in page and "<atlas>" not in page
    assert "It is not the chance that\n      r07 is innocent" in page
    assert page.count('class="course surest"') == 1 and page.count("data:image/jpeg") == 4
    assert "Nobody is accused" not in page and "script" not in page


def test_nobody_is_named_where_nothing_is_proven() -> None:
    page = trace_page(case(10), [])
    assert "Nobody is accused of this copy" in page and "more of it, as readable as this, would say whose" in page
    assert not any(name in page for name, _ in TWENTY)


def test_a_copy_of_nobody_is_said_to_be_none_of_one_recipient() -> None:
    page = trace_page(case(62, recipient=999), [])
    assert "no single recipient's copy" in page and not any(name in page for name, _ in TWENTY)


def test_a_copy_of_which_nothing_was_read_has_a_page_too() -> None:
    empty = read(copy_of(7, 62)[:0], segments=62)
    verdict = accuse(empty, secret=SECRET, recipients=TWENTY, false_accusation=1e-6)
    page = trace_page(replace(case(10), evidence=empty, verdict=verdict, odds=()), [])
    assert "Nothing could be read" in page
