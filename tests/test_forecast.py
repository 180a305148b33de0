"""What a ladder gives: on hand-made titles, held against the closed form and against arithmetic."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mediaforge.forecast import Forecast, by_class, delivered, forecast, rate_at_vmaf, tracks
from mediaforge.media import Grid, Shape
from mediaforge.transcode.allocate import Allocation
from mediaforge.transcode.network import load_network
from mediaforge.transcode.optimise import PERCENTILES
from mediaforge.transcode.planning import Offer
from mediaforge.transcode.sessions import draw_classes, draw_sessions
from mediaforge.transcode.simulate import Report

MAROC = load_network(Path(__file__).parent.parent / "ladders" / "networks" / "maroc-2025.toml")
GRID = Grid(fps=Fraction(25), gop_frames=50, frames=300)


def offer(name: str, mean_bps: float, vmaf: float, *, sound_bps: float = 20e3) -> Offer:
    """A rung of six equal segments, declared a tenth above its mean."""
    picture = mean_bps - sound_bps
    allocation = Allocation(
        shape=Shape(256, 144),
        cap_bps=1.1 * picture,
        crf=np.full(6, 30.0),
        bps=np.full(6, picture),
        vmaf=np.full(6, vmaf),
        mean_bps=picture,
        mean_vmaf=vmaf,
        peak_bps=picture,
    )
    return Offer(name=name, codec="h264", allocation=allocation, declared_bps=1.1 * mean_bps, mean_bps=mean_bps)


LADDER = (offer("low", 100e3, 40), offer("middle", 500e3, 80), offer("high", 1500e3, 94))


@pytest.fixture(scope="module")
def judged() -> Forecast:
    return forecast("ours", LADDER, MAROC, GRID, sessions=100)


def test_a_film_at_the_vmaf_of_a_rung_costs_what_the_rung_does() -> None:
    assert rate_at_vmaf(LADDER, 80) == pytest.approx(500e3)


def test_between_two_rungs_they_are_watched_by_turns() -> None:
    assert rate_at_vmaf(LADDER, 87) == pytest.approx(1000e3)


def test_who_is_content_with_less_than_the_lowest_rung_pays_the_lowest_rung() -> None:
    assert rate_at_vmaf(LADDER, 10) == pytest.approx(100e3)


def test_what_no_rung_reaches_has_no_price() -> None:
    assert rate_at_vmaf(LADDER, 95) is None


def test_a_rung_below_the_line_between_its_neighbours_is_not_watched_for_its_vmaf() -> None:
    dear = (offer("low", 100e3, 40), offer("dear", 900e3, 60), offer("high", 1000e3, 94))
    assert rate_at_vmaf(dear, 67) == pytest.approx(550e3)


def test_the_price_is_bits_times_tariff(judged: Forecast) -> None:
    """500 kbit/s for 6000 s are 0.375 GB; at 10 MAD a gigabyte 3.75 MAD."""
    assert judged.price(80, 6000) == pytest.approx(3.75)
    assert judged.price(99, 6000) is None
    assert judged.price_per_hour == pytest.approx(judged.expected.delivered_bps * 3600 / 8e9 * 10)


def test_each_percentile_gets_and_pays_its_rung(judged: Forecast) -> None:
    assert set(judged.vmaf_at) <= {0.0, 40.0, 80.0, 94.0}
    assert np.all(np.diff(judged.vmaf_at) >= 0)
    pays = {0.0: 0.0, 40.0: 100e3, 80.0: 500e3, 94.0: 1500e3}
    assert [pays[float(score)] for score in judged.vmaf_at] == pytest.approx(list(judged.bps_at))


def test_who_sees_nothing_pays_nothing() -> None:
    dear = (offer("only", 50e6, 99),)
    assert list(delivered(dear, MAROC, np.array([0.1, 0.99]))) == [0.0, 50e6]


def test_the_replay_confirms_the_closed_form(judged: Forecast) -> None:
    assert judged.report.mean_vmaf == pytest.approx(judged.expected.vmaf, abs=1.5)
    assert judged.report.delivered_bps == pytest.approx(judged.expected.delivered_bps, rel=0.03)


def test_the_same_ladder_is_judged_the_same_twice(judged: Forecast) -> None:
    again = forecast("ours", LADDER, MAROC, GRID, sessions=100)
    assert np.array_equal(again.report.vmaf, judged.report.vmaf)


def test_a_players_segment_holds_the_sound_and_lasts_a_whole_segment() -> None:
    (track,) = tracks(LADDER[:1], GRID)
    assert track.segment_bits == pytest.approx(np.full(6, 100e3 * 2))
    assert track.declared_bps == pytest.approx(110e3)


def test_the_classes_are_those_that_the_sessions_were_drawn_with(judged: Forecast) -> None:
    kinds = draw_classes(MAROC, np.random.default_rng(7), count=100)
    sessions = draw_sessions(MAROC, np.random.default_rng(7), count=100)
    assert sessions.round_trip_s == pytest.approx([MAROC.classes[kind].round_trip_ms / 1000 for kind in kinds])
    assert sum(one.sessions for one in judged.classes) == 100
    mean = sum(one.sessions * one.vmaf for one in judged.classes) / 100
    assert mean == pytest.approx(judged.report.mean_vmaf)


def test_a_class_stalls_by_its_own_seconds() -> None:
    nothing = np.zeros(3)
    report = Report(
        vmaf=np.array([90.0, 50.0, 70.0]),
        start_seconds=nothing,
        played_seconds=np.array([600.0, 90.0, 600.0]),
        stalled_seconds=np.array([0.0, 10.0, 0.0]),
        stalls=nothing.astype(np.int64),
        switches=nothing.astype(np.int64),
        bits=nothing,
        left=nothing.astype(bool),
        rung_share=nothing,
    )
    fast, slow = by_class(report, np.array([0, 2, 0]), ["fast", "nobody", "slow"])
    assert (fast.name, fast.sessions, fast.vmaf, fast.stall_ratio) == ("fast", 2, 80.0, 0.0)
    assert (slow.name, slow.p10_vmaf, slow.stall_ratio) == ("slow", 50.0, pytest.approx(0.1))


def test_percentiles_are_from_the_second_to_the_last_but_one() -> None:
    assert (PERCENTILES[0], PERCENTILES[-1], len(PERCENTILES)) == (0.02, 0.98, 97)
