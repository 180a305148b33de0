"""The page of a copy: what it must say to somebody who judges by it."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from mediaforge.cli.identify_page import Moment, Report, TitlePart, identify_page
from mediaforge.cli.main import run
from mediaforge.cli.pictures import frames_at
from mediaforge.cli.span_chart import Numbered, draw_matches
from mediaforge.context import Context
from mediaforge.detect.match import Verdict
from mediaforge.detect.tiers import Found
from mediaforge.media import Span
from mediaforge.titlepictures import forget_file, note_file, pictures_of
from mediaforge.tools import Tools
from tests.cli.test_way_back import HEARD, MATCH

FOUND = Found(picture=MATCH, sound=replace(HEARD, query=MATCH.query, reference=MATCH.reference))


def part(found: Found = FOUND, **changes: object) -> TitlePart:
    values: dict[str, object] = {
        "id": "atlas",
        "name": "أطلس <b>",
        "seconds": 5400.0,
        "fingerprint": "f" * 64,
        "excluded": (Span(start=Fraction(5300), end=Fraction(5400)),),
        "matches": (Numbered(number=1, found=found),),
        "moments": (Moment(number=1, copy=b"copy", title=b"title", copy_seconds=7.5, title_seconds=20.3),),
        **changes,
    }
    return TitlePart(**values)  # type: ignore[arg-type]


def report(*parts: TitlePart) -> Report:
    return Report(
        copy='"><script>نسخة.mp4',
        seconds=30.0,
        size_bytes=10**6,
        sha256="c" * 64,
        titles_known=12,
        parts=parts,
        builds={"x": "1"},
    )


def test_it_says_which_title_where_and_what_says_so() -> None:
    page = identify_page(report(part()))
    assert "shows <bdi>أطلس &lt;b&gt;</bdi>" in page and "script>" not in page
    assert page.count("data:image/jpeg") == 2 and "copy at 0:07.5" in page and "title at 0:20.3" in page
    assert "0:12.5 to 0:42.5" in page and "picture and sound" in page and "70 peaks" in page
    assert "c" * 64 in page and "f" * 64 in page and "1:28:20.0 to 1:30:00.0" in page and "x 1" in page


def test_without_the_titles_pictures_it_says_why() -> None:
    alone = Moment(number=1, copy=b"copy", title=None, copy_seconds=7.5, title_seconds=20.3)
    page = identify_page(report(part(moments=(alone,), why_no_pictures="only its fingerprint is here")))
    assert "The title's own pictures are not shown: only its fingerprint is here." in page
    assert page.count("data:image/jpeg") == 1 and "no picture of the title" in page


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (Found(picture=replace(MATCH, verdict=Verdict.PROBABLE), sound=None), "probably shows"),
        (Found(picture=replace(MATCH, verdict=Verdict.REVIEW), sound=None), "may show"),
        (Found(picture=None, sound=HEARD), "sounds like"),
    ],
)
def test_it_says_no_more_than_the_verdict(found: Found, says: str) -> None:
    page = identify_page(report(part(found)))
    assert f"</span> {says} <bdi>" in page and f'class="badge {found.verdict.value}"' in page


def test_a_copy_of_nothing_has_a_page_too() -> None:
    page = identify_page(report())
    assert "shows no title of the index" in page and "held against 12 titles" in page and "c" * 64 in page


def test_a_short_span_of_a_long_film_is_still_seen() -> None:
    chart = draw_matches([Numbered(number=1, found=FOUND)], copy=30.0, title=86_400.0)
    assert 'width="0.7%"' in chart and 'width="100%" height="22"' in chart
    assert "1: 0:00.0 to 0:30.0 of the copy is 0:12.5 to 0:42.5 of the title, match" in chart


def test_the_pictures_of_a_title_are_those_that_were_fingerprinted(tmp_path: Path, tools: Tools) -> None:
    context = Context(state=tmp_path / "state", tools=tools)
    (tmp_path / "state" / "index" / "files").mkdir(parents=True)
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")
    assert "only its fingerprint" in pictures_of(context, "atlas").why_none
    note_file(context, "atlas", film)
    assert pictures_of(context, "atlas").path == film
    film.write_bytes(b"another film")
    assert "film.mp4, has changed since" in pictures_of(context, "atlas").why_none
    film.unlink()
    assert "no longer where it was" in pictures_of(context, "atlas").why_none
    forget_file(context, "atlas")
    assert "only its fingerprint" in pictures_of(context, "atlas").why_none


def test_moments_are_taken_by_one_decoder_in_any_order(clip: Path) -> None:
    found = frames_at(clip, [5.0, 0.2, 5.3, 90.0])
    assert sorted(found) == [0.2, 5.0, 5.3]
    assert len(set(found.values())) == 3 and all(jpeg[:2] == b"\xff\xd8" for jpeg in found.values())


def test_a_folder_has_no_page(tmp_path: Path) -> None:
    assert run(["identify", str(tmp_path), "--report", str(tmp_path / "page.html")]) == 2
