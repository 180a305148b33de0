"""The demo's page and its pictures."""

import re
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mediaforge.cli.charts import Agreement, Reading, RungRates, draw_agreements, draw_evidence, draw_rates, draw_spans
from mediaforge.cli.output import one_in
from mediaforge.cli.page import Difference, Pair, Story, write_page
from mediaforge.cli.svg import band, drawing, element, text
from mediaforge.media import Span

RUNGS = (
    RungRates(name="low", width=256, height=144, asked_bps=70e3, a_bps=69e3, b_bps=71e3),
    RungRates(name="high", width=1280, height=720, asked_bps=1600e3, a_bps=1610e3, b_bps=1590e3),
)
READINGS = tuple(
    Reading(segment=number, z=z, handed=handed) for number, (z, handed) in enumerate([(9.0, "A"), (-4.0, "B"), (1.0, "B")])
)
AGREEMENTS = (
    Agreement(recipient="Rif & Sons", agreeing=3, segments=3, is_accused=True),
    Agreement(recipient="مدرسة", agreeing=1, segments=3, is_accused=False),
)
HALF = Span(start=Fraction(5), end=Fraction(35))


def story(**changes: object) -> Story:
    facts: dict[str, object] = {
        "title": "atlas",
        "name": "Atlas <1>",
        "duration": 60.0,
        "release_seconds": 71.0,
        "reused_steps": 0,
        "package": Path("package"),
        "package_bytes": 10**6,
        "scheme": "cbcs",
        "segments": 32,
        "segment_seconds": 1.92,
        "keys": {"SD": "00" * 16},
        "sounds": ("aac 64 kbit/s",),
        "subtitles": ("ar",),
        "checks": 40,
        "rungs": RUNGS,
        "difference": Difference(a=b"a", b=b"b", apart=b"c", gain=12),
        "recipients": {"rif": "Rif & Sons", "fes": "مدرسة"},
        "leaker": "rif",
        "stitch_seconds": 0.5,
        "leak_words": "shrunk",
        "leak_bytes": 1000,
        "leak_duration": 30.0,
        "reference": HALF,
        "query": Span(start=Fraction(0), end=Fraction(30)),
        "pairs": (Pair(copy=b"x", title=b"y", copy_seconds=1.0, title_seconds=6.0),),
        "readings": READINGS,
        "agreements": AGREEMENTS,
        "accused": "rif",
        "probability": 3e-9,
        "allowed": 1e-3,
    }
    return Story(**(facts | changes))  # type: ignore[arg-type]


def page(tmp_path: Path, **changes: object) -> str:
    write_page(story(**changes), tmp_path / "page.html")
    return (tmp_path / "page.html").read_text(encoding="utf-8")


def test_words_are_escaped() -> None:
    assert text("a < b & c", x=0, y=1) == '<text x="0%" y="1" text-anchor="start">a &lt; b &amp; c</text>'
    assert element("a", class_='"') == '<a class="&quot;"></a>'


def test_places_are_per_cent_and_sizes_are_pixels() -> None:
    assert 'points="0,0 12.5,40"' in band(((0.0, 0.0), (12.5, 40.0)), height=40, look="x")
    assert drawing(height=10, label="l").startswith('<svg width="100%" height="10" role="img" aria-label="l"')


@pytest.mark.parametrize(
    "picture",
    [
        draw_rates(RUNGS),
        draw_spans(title=60.0, copy=30.0, reference=HALF, query=Span(start=Fraction(0), end=Fraction(30))),
        draw_evidence(READINGS),
        draw_agreements(AGREEMENTS),
    ],
)
def test_every_picture_is_well_formed_says_what_it_shows_and_stays_inside(picture: str) -> None:
    root = ElementTree.fromstring(picture)
    assert root.get("role") == "img"
    assert root.get("aria-label")
    places = [float(value) for value in re.findall(r' (?:x|cx|x1|x2)="(-?[\d.]+)%"', picture)]
    assert places
    assert all(0 <= place <= 100 for place in places)


def test_the_evidence_counts_what_agrees_and_marks_what_does_not() -> None:
    picture = draw_evidence(READINGS)
    assert "2 of 3 segments agree" in picture
    assert picture.count("≠") == 1


def test_a_span_stands_where_it_lies_in_the_title() -> None:
    picture = draw_spans(title=60.0, copy=30.0, reference=HALF, query=Span(start=Fraction(0), end=Fraction(30)))
    assert '<rect x="8.33%" y="22" width="50%"' in picture


def test_the_page_needs_nothing_but_itself(tmp_path: Path) -> None:
    html = page(tmp_path)
    assert not re.search(r"(?:src|href)=\"(?!data:|#)", html)
    assert "<script" not in html
    assert "@import" not in html
    assert "url(" not in html


def test_the_page_names_the_accused_with_the_bound(tmp_path: Path) -> None:
    html = page(tmp_path)
    assert "Atlas &lt;1&gt;" in html
    assert '<p class="who" dir="auto">Rif &amp; Sons</p>' in html
    assert "1 in 333 million" in html
    assert all(re.search(r'alt="[^"]+"', image) for image in re.findall(r"<img[^>]*>", html))


def test_the_page_accuses_nobody_where_the_evidence_is_too_weak(tmp_path: Path) -> None:
    html = page(tmp_path, accused=None, probability=0.3, difference=None)
    assert '<p class="who">Inconclusive</p>' in html
    assert "Suppose they are innocent" not in html


@pytest.mark.parametrize(
    ("probability", "words"),
    [(0.5, "1 in 2"), (1e-3, "1 in 1,000"), (2.5e-6, "1 in 400,000"), (1e-6, "1 in 1 million"), (3e-12, "1 in 333 billion")],
)
def test_small_probabilities_are_said_as_people_say_them(probability: float, words: str) -> None:
    assert one_in(probability) == words


def test_what_is_too_small_is_not_made_up() -> None:
    assert one_in(1e-40) == "less than 1 in 999 trillion"
