"""Recall, muAP and segments of hand-made trials."""

import pytest

from mediaforge.detect.bench.figures import FalsePositives, Pair, Segments, held_out_recall, most_events, mu_ap, segments


def pair(score: float, *, true: bool, half: int = 0, family: str = "crop") -> Pair:
    return Pair(query="q", family=family, half=half, is_true=true, score=score)


def test_the_threshold_comes_from_the_other_half() -> None:
    pairs = [
        pair(0.5, true=False, half=0),
        pair(0.9, true=True, half=0),
        pair(0.2, true=False, half=1),
        pair(0.4, true=True, half=1),  # above its own half's wrong score, below the other's
        pair(0.6, true=True, half=1),
    ]
    recall = held_out_recall(pairs, least=0.05)["crop"]
    assert (recall.queries, recall.found) == (3, 2)
    assert recall.false_positives == 1  # the 0.5 of half 0 against the 0.2 of half 1
    assert recall.share == pytest.approx(2 / 3)


def test_where_nothing_wrong_scores_the_least_score_counts() -> None:
    pairs = [pair(0.04, true=True), pair(0.06, true=True), pair(0.0, true=False, half=1)]
    assert held_out_recall(pairs, least=0.05)["all"].found == 1


def test_families_are_counted_apart() -> None:
    pairs = [pair(1, true=True, family="a"), pair(0, true=True, family="b"), pair(1, true=True, family="b", half=1)]
    recalls = held_out_recall(pairs, least=0.05)
    assert (recalls["a"].share, recalls["b"].share, recalls["all"].share) == (1, 0.5, pytest.approx(2 / 3))


def test_mu_ap_of_a_perfect_ranking_is_one() -> None:
    assert mu_ap([pair(3, true=True), pair(2, true=True), pair(1, true=False)]) == 1


def test_mu_ap_counts_what_stands_before() -> None:
    # The true ones are first and third: (1 / 1 + 2 / 3) / 2.
    assert mu_ap([pair(3, true=True), pair(2, true=False), pair(1, true=True)]) == pytest.approx(5 / 6)


def test_among_equal_scores_the_wrong_come_first_and_what_scores_nothing_is_not_found() -> None:
    assert mu_ap([pair(2, true=True), pair(2, true=False)]) == 0.5
    assert mu_ap([pair(0, true=True)]) == 0


def test_segments_found_exactly() -> None:
    box = (0.0, 10.0, 40.0, 50.0)
    found = segments([([box], [box])])
    assert (found.precision, found.recall, found.f1) == (1, 1, 1)


def test_both_axes_count() -> None:
    # Half of the true box is found on both axes; all that was found is true.
    found = segments([([(0.0, 5.0, 40.0, 45.0)], [(0.0, 10.0, 40.0, 50.0)])])
    assert (found.precision, found.recall) == (1, 0.25)


def test_a_box_that_meets_the_truth_on_one_axis_only_is_wrong() -> None:
    found = segments([([(0.0, 10.0, 80.0, 90.0)], [(0.0, 10.0, 40.0, 50.0)])])
    assert found == Segments(precision=0, recall=0)
    assert found.f1 == 0


def test_wrong_titles_cost_precision_and_missed_ones_recall() -> None:
    box = (0.0, 10.0, 0.0, 10.0)
    found = segments([([box], [box]), ([box], []), ([], [box])])
    assert (found.precision, found.recall) == (0.25, 0.25)


def test_overlapping_boxes_are_not_counted_twice() -> None:
    truth = (0.0, 10.0, 0.0, 10.0)
    found = segments([([(0.0, 6.0, 0.0, 6.0), (4.0, 10.0, 4.0, 10.0)], [truth])])
    assert found.recall == pytest.approx(1)


def test_nothing_seen_bounds_the_rate_by_the_rule_of_three() -> None:
    assert most_events(0) == pytest.approx(2.9957, abs=1e-3)
    assert FalsePositives(count=0, hours=3000.0).at_most == pytest.approx(0.9986, abs=1e-3)


def test_what_was_seen_bounds_the_rate_as_garwood_tabulates() -> None:
    assert [round(most_events(seen), 2) for seen in (1, 2, 5, 10)] == [4.74, 6.30, 10.51, 16.96]


def test_nothing_scanned_bounds_nothing() -> None:
    assert FalsePositives(count=0, hours=0.0).at_most == float("inf")
