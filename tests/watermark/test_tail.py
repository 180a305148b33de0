"""The proof: bounds by hand-made numbers, and never below what strangers really reach."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from mediaforge.watermark.collusion import Model, Strategy, model_bank, nobody, symbol_scores
from mediaforge.watermark.softbits import SoftBits
from mediaforge.watermark.tail import ScoreTable, score_table, tail_at, tail_bound, tail_near

Floats = NDArray[np.float64]


def whole(units: list[list[int]]) -> ScoreTable:
    return ScoreTable(step=1.0, units=np.array(units))


def test_a_perfect_match_is_bounded_by_the_product_of_its_odds() -> None:
    p = np.array([0.25, 0.5, 0.75, 0.2])
    table = whole([[-3, -3, 1, -3], [1, 1, -3, 1]])  # the copy shows A, A, B, A
    assert tail_bound(p, table, 4) == pytest.approx(np.log(0.25 * 0.5 * 0.25 * 0.2))


def test_one_mismatch_counts_every_way_to_have_at_most_one() -> None:
    assert tail_bound(np.full(4, 0.5), whole([[-1] * 4, [1] * 4]), 2) == pytest.approx(np.log(5 / 16), abs=1e-8)


def test_everybody_reaches_the_lowest_score_and_nobody_more_than_the_highest() -> None:
    p, table = np.array([0.3, 0.6]), whole([[-4, 2], [8, -1]])
    assert tail_bound(p, table, -5) == 0.0
    assert tail_bound(p, table, 11) == -np.inf


def test_a_long_copy_does_not_underflow() -> None:
    p, table = np.full(5000, 0.5), whole([[-1] * 5000, [1] * 5000])
    assert tail_bound(p, table, 5000) == pytest.approx(5000 * np.log(0.5), rel=1e-6)


def test_the_bound_is_the_sum_over_all_codes_and_never_below_it() -> None:
    """All 4096 codes of twelve positions, at every total that one of them has."""
    rng = np.random.default_rng(2)
    p, table = rng.integers(20, 237, 12) / 256, whole(rng.integers(-40, 40, (2, 12)).tolist())
    codes = np.array(list(product((0, 1), repeat=12)), np.uint8)
    chances, totals = np.where(codes, p, 1 - p).prod(axis=1), table.totals(codes)
    for total in np.unique(totals).tolist():
        reached = chances[totals >= total].sum()
        for tail in (tail_at(p, table, total), tail_near(p, table, np.log(1e-3))):
            assert reached * (1 - 1e-12) <= np.exp(tail.log_reached(total)) <= reached * (1 + 1e-8)


def test_the_least_total_is_the_first_that_is_rare_enough() -> None:
    rng = np.random.default_rng(3)
    p, table = rng.integers(20, 237, 300) / 256, score_table(rng.normal(0, 1, (2, 300)))
    for asked in (0.5, 1e-3, 1e-12, 1e-30):
        tail = tail_near(p, table, np.log(asked))
        least = tail.least_total(np.log(asked))
        assert tail.log_reached(least) <= np.log(asked) < tail.log_reached(least - 1)
        assert tail.log_reached(least) == pytest.approx(tail_bound(p, table, least), abs=1e-7)


def test_rounding_scores_to_steps_changes_them_by_next_to_nothing() -> None:
    rng = np.random.default_rng(4)
    scores = rng.normal(0, 1, (2, 1800))
    table = score_table(scores)
    gain = scores[1] - scores[0]
    kept = table.step * (table.units[1] - table.units[0])
    assert np.corrcoef(gain, kept)[0, 1] ** 2 > 0.99
    assert abs(np.log2(table.step) - round(np.log2(table.step))) == 0


@pytest.mark.parametrize("model", model_bank(), ids=lambda model: model.name)
def test_scores_are_likelihood_ratios_so_their_mean_over_strangers_is_one(model: Model) -> None:
    rng = np.random.default_rng(5)
    p, y, s = rng.uniform(0.08, 0.92, 50), rng.uniform(-1.5, 1.5, 50), rng.uniform(0.3, 1.0, 50)
    scores = symbol_scores(model, SoftBits(p=p, y=y, s=s, level=1.0), nobody(50))
    assert (1 - p) * np.exp(scores[0]) + p * np.exp(scores[1]) == pytest.approx(np.ones(50))


def test_the_bank_spends_the_whole_error_budget_and_no_more() -> None:
    assert sum(model.prior for model in model_bank()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "model",
    [
        Model(strategy=Strategy.SINGLE, pirates=1, prior=1.0),
        Model(strategy=Strategy.INTERLEAVE, pirates=3, prior=1.0),
        Model(strategy=Strategy.AVERAGE, pirates=2, prior=1.0),
    ],
    ids=lambda model: model.name,
)
def test_strangers_reach_a_score_at_most_as_often_as_the_bound_says(model: Model) -> None:
    rng = np.random.default_rng(11)
    positions, strangers = 60, 100_000
    p = rng.integers(51, 206, positions) / 256
    y = np.clip(np.where(rng.random(positions) < p, 1.0, -1.0) * rng.uniform(0.2, 1.2, positions), -1.5, 1.5)
    bits = SoftBits(p=p, y=y, s=np.full(positions, 0.4), level=1.0)
    table = score_table(symbol_scores(model, bits, nobody(positions)))
    totals = table.totals((rng.random((strangers, positions)) < p).astype(np.uint8))
    for share in (1e-1, 1e-2, 1e-3, 1e-4):
        threshold = int(np.quantile(totals, 1 - share))
        reached = (totals >= threshold).mean()
        bound = np.exp(tail_bound(p, table, threshold))
        assert abs(bound - reached) <= 4 * np.sqrt(bound / strangers)  # it is the chance itself, so it is never far above
