"""Copies made to frame somebody: strangers reach a total as often as was computed, under every model, and no more often."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mediaforge.watermark.collusion import nobody
from mediaforge.watermark.scoring import fitted_bits, scored_models
from mediaforge.watermark.sequence import biases, codes
from mediaforge.watermark.tail import tail_near
from tests.watermark.test_trace import SECRET, read

POSITIONS, STRANGERS = 80, 20_000
Floats = NDArray[np.float64]

ODDS = biases(SECRET, 400)[:POSITIONS]
LIKELY = np.where(ODDS > 128, 1.0, -1.0)
NOISE = np.random.default_rng(5)
COPIES = {
    "all A": np.ones(POSITIONS),
    "the likelier variant throughout": LIKELY,
    "the rarer one": -LIKELY,
    "as bright as the odds": ODDS / 128 - 1,
    "random": np.sign(NOISE.normal(size=POSITIONS)),
    "extreme and tiny values": LIKELY * 10.0 ** NOISE.uniform(-3, 3, POSITIONS),
    "somebody else's": 2.0 * codes(SECRET, [10**6], 400)[0, :POSITIONS] - 1,
}


@pytest.fixture(scope="module")
def handed() -> NDArray[np.uint8]:
    return codes(SECRET, range(STRANGERS), 400)[:, :POSITIONS]


@pytest.mark.parametrize("kind", COPIES)
def test_strangers_reach_a_total_no_more_often_than_computed(kind: str, handed: NDArray[np.uint8]) -> None:
    evidence = read(COPIES[kind], segments=400, sigma=0.05)
    for one in scored_models(fitted_bits(evidence, ODDS), nobody(POSITIONS)):
        tail = tail_near(one.bits.p, one.table, np.log(1e-3))
        totals = one.table.totals(handed)
        for share in (1e-1, 1e-2, 1e-3):
            least = tail.least_total(np.log(share))
            chance = np.exp(tail.log_reached(least))
            assert chance <= share
            assert (totals >= least).sum() <= STRANGERS * chance + 5 * np.sqrt(STRANGERS * chance) + 5


@pytest.mark.parametrize("kind", COPIES)
def test_a_models_shares_of_the_budget_sum_to_one_whatever_was_read(kind: str) -> None:
    scored = scored_models(fitted_bits(read(COPIES[kind], segments=400, sigma=0.05), ODDS), nobody(POSITIONS))
    assert sum(one.weight for one in scored) == pytest.approx(1.0)
    assert all(one.weight >= one.model.prior / 2 for one in scored)
