"""The proof: bounds by hand-made numbers, and never below what strangers really reach."""

import numpy as np
import pytest

from mediaforge.watermark.collusion import Model, Strategy, model_bank, symbol_scores
from mediaforge.watermark.tail import tail_bound


def test_a_perfect_match_is_bounded_by_the_product_of_its_odds() -> None:
    p = np.array([0.25, 0.5, 0.75, 0.2])
    scores = np.array([[-3.0, -3.0, 1.0, -3.0], [1.0, 1.0, -3.0, 1.0]])  # the copy shows A, A, B, A
    assert tail_bound(p, scores, scores.max(axis=0).sum()) == pytest.approx(np.log(0.25 * 0.5 * 0.25 * 0.2))


def test_one_mismatch_counts_every_way_to_have_at_most_one() -> None:
    p = np.full(4, 0.5)
    scores = np.array([[-1.0] * 4, [1.0] * 4])
    assert tail_bound(p, scores, 2.0) == pytest.approx(np.log(5 / 16), abs=1e-6)


def test_everybody_reaches_the_lowest_score_and_nobody_more_than_the_highest() -> None:
    p = np.array([0.3, 0.6])
    scores = np.array([[-1.0, 0.5], [2.0, -0.25]])
    assert tail_bound(p, scores, -1.25) == pytest.approx(0.0, abs=1e-9)
    assert tail_bound(p, scores, 2.6) == -np.inf


def test_a_long_copy_does_not_underflow() -> None:
    p = np.full(5000, 0.5)
    scores = np.array([np.full(5000, -1.0), np.ones(5000)])
    assert tail_bound(p, scores, 5000.0) == pytest.approx(5000 * np.log(0.5), rel=1e-6)


@pytest.mark.parametrize("model", model_bank(), ids=lambda model: model.name)
def test_scores_are_likelihood_ratios_so_their_mean_over_strangers_is_one(model: Model) -> None:
    rng = np.random.default_rng(5)
    p, y, s = rng.uniform(0.08, 0.92, 50), rng.uniform(-1.5, 1.5, 50), rng.uniform(0.3, 1.0, 50)
    scores = symbol_scores(model, p, y, s)
    assert (1 - p) * np.exp(scores[0]) + p * np.exp(scores[1]) == pytest.approx(np.ones(50))


def test_the_bank_spends_the_whole_error_budget_and_no_more() -> None:
    assert sum(model.weight for model in model_bank()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "model",
    [
        Model(strategy=Strategy.SINGLE, pirates=1, weight=1.0),
        Model(strategy=Strategy.INTERLEAVE, pirates=3, weight=1.0),
        Model(strategy=Strategy.AVERAGE, pirates=2, weight=1.0),
    ],
    ids=lambda model: model.name,
)
def test_strangers_reach_a_score_at_most_as_often_as_the_bound_says(model: Model) -> None:
    rng = np.random.default_rng(11)
    positions, strangers = 60, 100_000
    p = rng.integers(51, 206, positions) / 256
    y = np.clip(np.where(rng.random(positions) < p, 1.0, -1.0) * rng.uniform(0.2, 1.2, positions), -1.5, 1.5)
    scores = symbol_scores(model, p, y, np.full(positions, 0.4))
    bits = rng.random((strangers, positions)) < p
    sums = np.where(bits, scores[1], scores[0]).sum(axis=1)
    for share in (1e-1, 1e-2, 1e-3, 1e-4):
        threshold = float(np.quantile(sums, 1 - share))
        reached = (sums >= threshold).mean()
        bound = np.exp(tail_bound(p, scores, threshold))
        assert bound >= reached - 3 * np.sqrt(reached / strangers)
        assert bound <= 1.2 * reached + 3e-5  # and it is tight: counting beats Chernoff by a decade
