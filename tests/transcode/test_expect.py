"""The closed form on numbers done by hand; against the simulator it stands in test_simulate."""

from pathlib import Path

import numpy as np
import pytest

from mediaforge.transcode.expect import at_share, audience, expect, rung_at_share, strugglers
from mediaforge.transcode.network import AccessClass, Network, Percentiles, Price, load_network

MAROC = load_network(Path(__file__).parents[2] / "ladders" / "networks" / "maroc-2025.toml")
# One decade is 40 percent of the sessions: a tenth below 90 kbit/s, half below 900, nine tenths below 9 Mbit/s.
DECADES = Network(
    name="decades",
    description="",
    source="",
    licence="",
    date="",
    sessions=100,
    throughput=Percentiles(percent=(10, 50, 90), values=(90e3 / 0.81, 900e3 / 0.81, 9e6 / 0.81)),
    round_trip=None,
    loss=None,
    price=Price(currency="MAD", per_gigabyte=10),
    classes=(
        AccessClass(name="a", median_bps=1e6, sigma_ln=1, weight=1, variation=0.4, autocorrelation=0.9, round_trip_ms=50),
    ),
)


def test_a_rung_is_held_by_those_between_it_and_the_next() -> None:
    assert audience(DECADES, 100e3, 1e6) == pytest.approx(0.4)
    assert audience(DECADES, 1e6, np.inf) == pytest.approx(0.5)


def test_all_pairs_are_one_call() -> None:
    rates = np.geomspace(50e3, 8e6, 200)
    pairs = audience(MAROC, rates[:, None], rates[None, :])
    assert pairs.shape == (200, 200)
    assert pairs[3, 17] == pytest.approx(float(audience(MAROC, rates[3], rates[17])))
    assert np.all(np.diff(pairs, axis=1) >= 0) and np.all(np.diff(pairs, axis=0) <= 0)


def test_below_half_of_the_lowest_rung_nobody_stays() -> None:
    """200 kbit/s: held from 222 on, twice the tenth percentile; borne down to 100, nine tenths of it."""
    held, gone = 0.1 + 0.4 * np.log10(2), 0.1 + 0.4 * np.log10(0.9)
    assert strugglers(DECADES, 200e3, 200e3) == pytest.approx(held - gone)


def test_the_expectation_is_the_sum_over_the_audiences() -> None:
    found = expect(DECADES, [100e3, 1e6], mean_bps=[90e3, 900e3], vmaf=[40, 90], segment_seconds=6, session_seconds=600)
    low = 0.5 - float(DECADES.share_below(45e3))
    assert found.audience == pytest.approx((low, 0.5))
    assert found.seeing_nothing == pytest.approx(0.5 - low)
    assert found.vmaf == pytest.approx(0.99 * (low * 40 + 0.5 * 90) + 0.01 * 40 * (low + 0.5))
    assert found.delivered_bps == pytest.approx(0.99 * (low * 90e3 + 0.5 * 900e3) / (low + 0.5) + 0.01 * 90e3)


def test_another_rung_between_two_never_loses_quality() -> None:
    few = expect(MAROC, [100e3, 1e6], mean_bps=[100e3, 1e6], vmaf=[20, 85])
    more = expect(MAROC, [100e3, 400e3, 1e6], mean_bps=[100e3, 400e3, 1e6], vmaf=[20, 62, 85])
    assert more.vmaf > few.vmaf


def test_each_percentile_has_the_rung_it_holds() -> None:
    shares = [0.01, 0.0999, 0.1001, 0.4999, 0.5001, 0.98]
    assert rung_at_share(DECADES, shares, [100e3, 1e6]).tolist() == [-1, -1, 0, 0, 1, 1]


def test_who_cannot_hold_the_lowest_rung_sees_it_with_stalls_or_nothing() -> None:
    """200 kbit/s are borne at 111 (the tenth percentile) and not at 83 (the fifth)."""
    rates = [200e3, 1e6]
    seen = at_share(DECADES, [0.05, 0.10, 0.3, 0.9], declared_bps=rates, mean_bps=rates, vmaf=[40, 90])
    assert seen.tolist() == [0, 40, 40, 90]


def test_the_audience_of_a_rung_is_those_whose_percentile_holds_it() -> None:
    rates = np.array([120e3, 300e3, 700e3, 2e6])
    rungs = rung_at_share(MAROC, (np.arange(100_000) + 0.5) / 100_000, rates)
    counted = [(rungs == index).mean() for index in range(4)]
    assert audience(MAROC, rates, np.append(rates[1:], np.inf)) == pytest.approx(counted, abs=2e-5)
