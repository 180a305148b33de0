"""Throughput of sessions: bits and times, shapes, traces."""

from pathlib import Path

import numpy as np
import pytest

from mediaforge.errors import NetworkError
from mediaforge.transcode.network import load_network
from mediaforge.transcode.sessions import Trace, draw_sessions, draw_shapes, make_sessions, read_cooked, read_sabre, replay

MAROC = load_network(Path(__file__).parents[2] / "ladders" / "networks" / "maroc-2025.toml")


def test_bits_come_second_by_second_and_the_trace_begins_anew() -> None:
    sessions = make_sessions(np.array([[1e6, 3e6]]), np.array([0.1]))
    for time, bits in ((0.5, 0.5e6), (1.0, 1e6), (1.5, 2.5e6), (2.0, 4e6), (5.0, 9e6)):
        assert sessions.bits_until(np.array([time])) == pytest.approx([bits])
        assert sessions.time_of(np.array([bits])) == pytest.approx([time])


def test_time_and_bits_are_inverse_in_every_session() -> None:
    rng = np.random.default_rng(3)
    sessions = make_sessions(rng.lognormal(13, 2, (50, 40)), np.zeros(50))
    time = rng.uniform(0, 200, 50)
    assert sessions.time_of(sessions.bits_until(time)) == pytest.approx(time, rel=1e-9)


def test_a_second_without_bits_is_waited_out() -> None:
    sessions = make_sessions(np.array([[1e6, 0.0, 0.0, 1e6]]), np.zeros(1))
    assert sessions.time_of(np.array([1.5e6])) == pytest.approx([3.5])


def test_drawn_sessions_have_the_means_of_the_network() -> None:
    sessions = draw_sessions(MAROC, np.random.default_rng(1), count=100)
    assert MAROC.share_below(sessions.mean_bps) == pytest.approx((np.arange(100) + 0.5) / 100)


def test_one_seed_gives_one_draw() -> None:
    first, again, other = (draw_sessions(MAROC, np.random.default_rng(seed), count=20, seconds=50) for seed in (7, 7, 8))
    assert np.array_equal(first.rates_bps, again.rates_bps)
    assert not np.array_equal(first.rates_bps, other.rates_bps)


def test_the_slowest_sessions_are_3g_and_the_fastest_are_not() -> None:
    sessions = draw_sessions(MAROC, np.random.default_rng(1))
    assert set(sessions.round_trip_s[:10]) == {0.095}
    assert set(sessions.round_trip_s[-10:]) == {0.035}


def test_shapes_have_mean_one_and_the_variation_and_memory_asked_for() -> None:
    shapes = draw_shapes(np.random.default_rng(5), variation=np.full(200, 0.4), autocorrelation=np.full(200, 0.9), seconds=900)
    assert shapes.mean(axis=1) == pytest.approx(np.ones(200))
    assert shapes.std(axis=1).mean() == pytest.approx(0.4, abs=0.02)
    log = np.log(shapes) - np.log(shapes).mean(axis=1, keepdims=True)
    assert (log[:, 1:] * log[:, :-1]).mean() / (log * log).mean() == pytest.approx(0.9, abs=0.02)


def test_real_shapes_move_the_sessions_but_not_their_means() -> None:
    saw = Trace(rates_bps=np.array([1e6, 3e6]), round_trip_s=0.05)
    sessions = draw_sessions(MAROC, np.random.default_rng(1), count=10, seconds=20, shapes=[saw])
    assert sessions.rates_bps[:, 1] == pytest.approx(3 * sessions.rates_bps[:, 0])
    assert sessions.mean_bps == pytest.approx(MAROC.rate_at((np.arange(10) + 0.5) / 10))


def test_traces_are_replayed_as_they_are_or_scaled_or_brought_to_a_mean() -> None:
    traces = [Trace(rates_bps=np.array(rates), round_trip_s=0.05) for rates in ([1e6, 3e6], [2e6, 2e6, 2e6, 2e6])]
    assert replay(traces).rates_bps.tolist() == [[1e6, 3e6, 1e6, 3e6], [2e6] * 4]
    assert replay(traces, scale=0.4).mean_bps == pytest.approx([0.8e6, 0.8e6])
    assert replay(traces, mean_bps=120e3).mean_bps == pytest.approx([120e3, 120e3])


def test_a_cooked_trace_is_cut_into_seconds(tmp_path: Path) -> None:
    path = tmp_path / "bus"
    path.write_text("10.0\t9.0\n10.5\t2.0\n12.0\t4.0\n13.0\t1.0\n13.2\t8.0\n")
    trace = read_cooked(path)
    assert trace.rates_bps == pytest.approx([0.5 * 2e6 + 0.5 * 4e6, 4e6, 1e6])


def test_a_sabre_network_is_cut_into_seconds(tmp_path: Path) -> None:
    path = tmp_path / "tram.json"
    path.write_text(
        '[{"duration_ms": 500, "bandwidth_kbps": 1000, "latency_ms": 20},'
        ' {"duration_ms": 1500, "bandwidth_kbps": 3000, "latency_ms": 60}]'
    )
    trace = read_sabre(path)
    assert trace.rates_bps == pytest.approx([2e6, 3e6])
    assert trace.round_trip_s == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 1\nhello\n", "line 2 is 'hello'"),
        ("0 1\n1 2 3\n", "line 2 is '1 2 3'"),
        ("0 1\n2 1\n1 1\n", "line 3 goes back in time"),
        ("0 1\n1 -1\n", "line 2 goes back in time or has a rate below 0"),
        ("0 1\n0.5 1\n", "shorter than a second"),
        ("0 0\n5 0\n", "carries nothing"),
        ("", "carries nothing"),
    ],
)
def test_a_trace_that_makes_no_sense_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "trace"
    path.write_text(text)
    with pytest.raises(NetworkError) as caught:
        read_cooked(path)
    assert words in str(caught.value)


def test_a_sabre_network_that_makes_no_sense_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "tram.json"
    for text, words in (("[{}]", "is no Sabre network"), ("[", "is no Sabre network"), ("[]", "carries nothing")):
        path.write_text(text)
        with pytest.raises(NetworkError, match=words):
            read_sabre(path)
