"""The plan's page and its pictures, on a hand-made plan."""

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from mediaforge.cli.ladder_hulls import draw_hulls, shape_curves
from mediaforge.cli.ladder_page import page
from mediaforge.cli.ladder_plan import sentences
from mediaforge.cli.ladder_shots import columns, draw_strips
from mediaforge.cli.ladder_viewers import draw_bars, draw_percentiles, headline, price_at
from mediaforge.cli.svg import diamond, trail
from mediaforge.forecast import forecast
from mediaforge.ladderfile import load_ladder
from mediaforge.titleplan import TitlePlan
from mediaforge.transcode.network import load_network
from mediaforge.transcode.planning import choose, static_offers
from mediaforge.transcode.shapes import planned_shapes
from tests.transcode.studied import GRID, title
from tests.transcode.values import master, video

LADDERS = Path(__file__).parents[2] / "ladders"


@pytest.fixture(scope="module")
def plan() -> TitlePlan:
    network, ladder = load_network(LADDERS / "networks" / "maroc-2025.toml"), load_ladder(LADDERS / "maroc.toml")
    static, film = load_ladder(LADDERS / "maroc-mobile.toml"), master(video(width=1280, height=720))
    others = (static, load_ladder(LADDERS / "references" / "apple.toml"))
    assert ladder.policy is not None
    chosen = choose(title(), ladder, film, network=network, reference=static)
    return TitlePlan(
        master=replace(film, path=Path("Rif & <Sons>.mov")),
        grid=GRID,
        ladder=ladder,
        network=network,
        curves=title(),
        shapes=planned_shapes(ladder.policy, film, GRID),
        rungs=chosen.rungs,
        ours=forecast(ladder.name, chosen.offers, network, GRID, sessions=20),
        others=tuple(forecast(one.name, static_offers(title(), one, film), network, GRID, sessions=20) for one in others),
    )


@pytest.fixture(scope="module")
def html(plan: TitlePlan) -> str:
    return page(plan, sentences=sentences(plan), encoder="abc123")


def test_the_page_needs_nothing_else(html: str) -> None:
    assert not re.findall(r"(?:src|href)=\"(?!#)[^\"]*\"|url\(|@import|<script", html)
    assert "prefers-color-scheme: dark" in html and "width=device-width" in html


def test_a_name_from_outside_is_only_words(html: str) -> None:
    assert "Rif &amp; &lt;Sons&gt;.mov" in html and "<Sons>" not in html


def test_the_page_says_what_the_plan_says(plan: TitlePlan, html: str) -> None:
    assert all(sentence.replace("'", "&#39;") in html for sentence in sentences(plan))
    assert all(f"<td>{offer.name}</td>" in html for offer in plan.ours.offers)
    assert "M-Lab" in html and "abc123" in html and f"{plan.ours.price_per_hour:.2f} MAD an hour" in html
    assert all(kind.name in html for kind in plan.ours.classes)


def test_every_drawing_is_well_formed_and_says_what_it_shows(html: str) -> None:
    drawings = re.findall(r"<svg width=\"100%\" height=\"[\d.]+\" role=\"img\".*?</svg>(?=\n| *<fig|</fig)", html, re.DOTALL)
    assert len(drawings) == 8
    assert all(ElementTree.fromstring(one).get("aria-label") for one in drawings)
    assert "nan" not in html and "inf%" not in html


def test_a_static_ladder_and_one_rung_make_a_page(plan: TitlePlan) -> None:
    static = replace(
        plan,
        ladder=load_ladder(LADDERS / "maroc-mobile.toml"),
        rungs=plan.rungs[:1],
        ours=forecast("maroc-mobile", plan.others[0].offers[:1], plan.network, GRID, sessions=20),
        others=(),
    )
    assert "none: fixed rates" in page(static, sentences=sentences(static), encoder="abc")
    assert len(sentences(static)) == 2  # there is no static ladder to hold it against


def test_every_rung_has_its_mark_and_the_reference_other_marks(plan: TitlePlan) -> None:
    ladders = (plan.ours, *plan.others)
    drawn = draw_hulls(shape_curves(plan.curves, plan.shapes, plan.ladder.audio), ladders, plan.network)
    assert drawn.count('class="k0 mark"') == len(plan.ours.offers)
    assert drawn.count('class="k1 mark"') == len(plan.others[0].offers)
    assert drawn.count('class="size"') == len(plan.shapes) and drawn.count('class="hull"') == 1
    places = [float(x) for x in re.findall(r'cx="([\d.]+)%"', drawn)]
    assert places == sorted(places) and places[0] > 0 and places[-1] < 100


def test_shape_curves_rise_and_hold_the_sound(plan: TitlePlan) -> None:
    for one in shape_curves(plan.curves, plan.shapes, plan.ladder.audio):
        assert np.all(np.diff(one.mean_bps) > 0) and np.all(np.diff(one.vmaf) > 0)
        assert one.mean_bps[0] > 24e3


def test_steps_turn_where_the_viewers_rung_changes() -> None:
    row = np.where(np.arange(97) < 8, 40.0, 90.0)
    points = re.findall(r'points="([^"]+)"', draw_percentiles([row], ["ours"], most=100, unit="VMAF"))[0].split()
    corners = [tuple(map(float, point.split(","))) for point in points]
    assert len(corners) == 4
    assert corners[0][1] == corners[1][1] > corners[2][1] == corners[3][1]
    assert corners[1][0] == corners[2][0] and (corners[0][0], corners[3][0]) == (0, 100)


def test_the_longest_bar_is_the_most_and_nothing_has_none() -> None:
    drawn = draw_bars([("ours", 2.0, "2"), ("theirs", 8.0, "8"), ("nobody", None, "never reached")], label="MAD")
    assert re.findall(r'width="([\d.]+)%" height="8" rx="2" class="k\d fill"', drawn) == ["25", "100", "0"]
    assert "never reached" in drawn


def test_prices_follow_the_rates(plan: TitlePlan) -> None:
    """1 Mbit/s is 0.45 GB an hour, 4.50 MAD."""
    dear = replace(plan.ours, bps_at=np.array([0.0, 1e6]))
    assert price_at(dear) == pytest.approx([0, 4.5])
    assert [way for _, way, _ in headline((plan.ours,), 80, 6000)] == [
        "more is better",
        "less is better",
        "less is better",
        "more is better",
    ]


def test_a_films_columns_are_the_highest_of_their_segments() -> None:
    tall, edges = columns(np.array([1.0, 3, 2, 5, 4, 0]), most=3)
    assert list(tall) == [3, 5, 4] and list(edges) == [0, 2, 4, 6]
    same, _ = columns(np.arange(5.0), most=400)
    assert list(same) == [0, 1, 2, 3, 4]


def test_each_rung_has_a_strip_with_the_shots_marked(plan: TitlePlan) -> None:
    drawn = draw_strips(plan.ours.offers, plan.curves)
    assert drawn.count('class="spent"') == len(plan.ours.offers)
    assert drawn.count('class="cut"') == 2 * len(plan.ours.offers)  # three shots


def test_stretched_lines_keep_their_width_and_diamonds_their_place() -> None:
    assert 'vector-effect="non-scaling-stroke"' in trail([(0, 1), (100, 2)], height=10, look="hull")
    assert '<svg x="25%" y="7" overflow="visible">' in diamond(x=25, y=7, radius=5, look="k1", tip="a & b")
