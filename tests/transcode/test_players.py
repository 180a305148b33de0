"""How players choose: the formulas of the papers, on numbers small enough to do by hand."""

import numpy as np
import pytest

from mediaforge.transcode.players import Bola, Players, Rule, give_up_requests, throughput_rungs

RATES = np.array([100e3, 200e3, 500e3, 1e6])


def players(rule: Rule, sessions: int = 1) -> Players:
    return Players(RATES, rule, sessions=sessions, segment_seconds=4.0, buffer_seconds=30.0)


def test_the_highest_rung_within_the_throughput_is_taken_and_the_lowest_below_all() -> None:
    assert throughput_rungs(RATES, np.array([50e3, 100e3, 499e3, 500e3, 9e9])).tolist() == [0, 0, 1, 2, 3]


def test_the_first_segment_is_of_the_lowest_rung() -> None:
    for rule in Rule:
        assert players(rule).choose(np.zeros(1))[0].tolist() == [0]


def test_a_constant_throughput_is_estimated_as_it_is_from_the_first_segment_on() -> None:
    player = players(Rule.THROUGHPUT)
    for seconds in (0.3, 2.0, 5.0):
        player.hear(np.array([600e3 * seconds]), np.array([seconds]))
        assert player.throughput() == pytest.approx([600e3])


def test_the_slower_of_two_memories_is_believed() -> None:
    """8 s at 1 Mbit/s, then 3 s at 0.2: the quick memory holds (1 - 2^-8/3) / 2, the slow one (1 - 2^-1) 2^-3/8, and so on."""
    falls = players(Rule.THROUGHPUT)
    falls.hear(np.array([8e6]), np.array([8.0]))
    falls.hear(np.array([0.6e6]), np.array([3.0]))
    old = (1 - 2 ** (-8 / 3)) / 2
    assert falls.throughput() == pytest.approx([(old * 1e6 + 0.5 * 0.2e6) / (1 - 2 ** (-11 / 3))])
    rises = players(Rule.THROUGHPUT)
    rises.hear(np.array([1.6e6]), np.array([8.0]))
    rises.hear(np.array([3e6]), np.array([3.0]))
    old, fresh = 0.5 * 2 ** (-3 / 8), 1 - 2 ** (-3 / 8)
    assert rises.throughput() == pytest.approx([(old * 0.2e6 + fresh * 1e6) / (1 - 2 ** (-11 / 8))])


def test_a_session_that_asked_for_nothing_keeps_its_estimate() -> None:
    player = players(Rule.THROUGHPUT, 2)
    player.hear(np.array([1e6, 2e6]), np.array([1.0, 1.0]))
    player.hear(np.array([5e6, 0.0]), np.array([1.0, 0.0]))
    assert player.throughput()[1] == pytest.approx(2e6)


@pytest.mark.parametrize("rates", [RATES, np.array([70e3, 110e3, 400e3, 410e3, 4.2e6]), np.array([236e3, 2.128e6])])
def test_bola_takes_the_rung_of_the_best_score_at_every_level(rates: np.ndarray) -> None:
    bola = Bola(rates, segment_seconds=4.0, buffer_seconds=30.0)
    levels = np.linspace(0, float(bola.most_level[-1]), 500)
    scores = (bola.most_level[:, None] - levels) / rates[:, None]
    chosen = bola.rungs(levels)
    assert scores[chosen, np.arange(500)] == pytest.approx(scores.max(axis=0))
    assert np.all(np.diff(chosen) >= 0)
    assert (chosen[0], chosen[-1]) == (0, len(rates) - 1)


def test_dense_rungs_change_between_ten_seconds_and_the_target() -> None:
    dense = np.geomspace(100e3, 10e6, 400)
    bola = Bola(dense, segment_seconds=4.0, buffer_seconds=30.0)
    assert bola.least_level[1] == pytest.approx(10, abs=0.1)
    assert bola.least_level[-1] == pytest.approx(26, abs=0.1)


def test_with_a_low_buffer_the_dynamic_rule_goes_by_throughput_and_with_a_high_one_by_buffer() -> None:
    player = players(Rule.DYNAMIC)
    player.choose(np.zeros(1))
    player.hear(np.array([1.5e6]), np.array([2.5]))  # 600 kbit/s: 0.9 of it bears 500
    assert player.choose(np.array([8.0]))[0].tolist() == [2]
    rung, _ = player.choose(np.array([26.0]))
    assert rung.tolist() == [2]  # BOLA-O: not above both the last rung and what throughput bears
    player.hear(np.array([4e6]), np.array([2.0]))
    assert player.choose(np.array([26.0]))[0].tolist() == [3]


def fast(rule: Rule) -> Players:
    """A player past its start, with throughput for every rung."""
    player = players(rule)
    player.hear(np.array([40e6]), np.array([4.0]))
    player.choose(np.array([8.0]))
    return player


def test_bola_goes_by_the_buffer_alone() -> None:
    """Four rungs aim at 18 s: the lowest is best up to 11.1 s, the second to 13.8, the third to 16.7."""
    assert fast(Rule.BOLA_E).choose(np.array([8.0]))[0].tolist() == [0]
    assert fast(Rule.BOLA_E).choose(np.array([12.0]))[0].tolist() == [1]
    assert fast(Rule.BOLA_E).choose(np.array([20.0]))[0].tolist() == [3]


def test_time_waited_at_a_full_buffer_counts_as_buffer_until_it_stalls() -> None:
    player = fast(Rule.BOLA_E)
    player.wait(np.array([8.0]))
    assert player.choose(np.array([12.0]))[0].tolist() == [3]
    player.wait(np.array([8.0]))
    player.stall(np.array([True]))
    assert player.choose(np.array([12.0]))[0].tolist() == [1]


def test_bola_starts_with_what_throughput_bears_and_believes_the_buffer_it_would_need_for_it() -> None:
    player = players(Rule.BOLA_E)
    player.choose(np.zeros(1))
    player.hear(np.array([1.4e6]), np.array([2.0]))
    assert player.choose(np.array([6.0]))[0].tolist() == [2]
    assert player.choose(np.array([9.0]))[0].tolist() == [2]  # without that belief 9 s would be the lowest rung


def test_bola_pauses_where_the_buffer_is_more_than_its_rung_is_worth() -> None:
    """100 kbit/s of 150: BOLA-O stays low, and its score is negative above 10 + 8 / ln 10 s."""
    player = players(Rule.BOLA_E)
    player.hear(np.array([0.6e6]), np.array([4.0]))
    player.choose(np.array([8.0]))
    rung, pause = player.choose(np.array([20.0]))
    assert rung.tolist() == [0]
    assert pause == pytest.approx([20 - 10 - 8 / np.log(10)])


def test_a_nearly_empty_buffer_brings_a_rung_that_comes_in_half_of_it() -> None:
    player = players(Rule.THROUGHPUT)
    player.choose(np.zeros(1))
    player.hear(np.array([10e6]), np.array([2.5]))  # 4 Mbit/s
    assert player.choose(np.array([8.0]))[0].tolist() == [3]
    assert player.choose(np.array([1.0]))[0].tolist() == [2]  # 4 Mbit/s x 1 s / 2 is half of a 1 Mbit/s segment of 4 s


def test_a_request_is_abandoned_when_it_would_take_far_longer_than_the_segment_plays() -> None:
    moments = np.array([0.5, 1.0, 2.0])
    progress = np.array([[0.25e6, 0.5e6, 1e6], [0.4e6, 0.8e6, 0.9e6], [0.4e6, 0.8e6, 0.9e6]])
    given_up, moment = give_up_requests(
        progress, moments, size_bits=np.full(3, 4e6), buffer=np.array([8.0, 8.0, 20.0]), segment_seconds=4.0
    )
    # 4 Mbit at 0.5 Mbit/s are 8 s, more than 1.8 x 4; at 0.8 they are 5 s until it slows; a full buffer can wait
    assert given_up.tolist() == [True, True, False]
    assert moment[:2].tolist() == [0, 2]
