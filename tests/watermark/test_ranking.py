"""Ranking in blocks: whole totals, the same as one by one, and only those kept who reach the least."""

import numpy as np
import pytest

from mediaforge.watermark.ranking import rank
from mediaforge.watermark.sequence import biases, codes
from mediaforge.watermark.tail import score_table, tail_near

SECRET = bytes(range(32))


@pytest.fixture(scope="module")
def tables() -> list:
    rng = np.random.default_rng(1)
    return [score_table(rng.normal(0, 1 + number / 9, (2, 90))) for number in range(17)]


def test_totals_in_blocks_are_those_one_by_one(tables: list) -> None:
    read, numbers = list(range(30, 120)), np.arange(3000, dtype=np.uint64)
    totals = np.stack([table.totals(codes(SECRET, numbers, 400)[:, read]) for table in tables])  # (tables, recipients)
    least = np.sort(totals, axis=1)[:, -10]
    found = rank(SECRET, numbers, read, segments=400, tables=tables, least=least.tolist())
    assert found.rows.tolist() == np.flatnonzero((totals >= least[:, None]).any(axis=0)).tolist()
    assert found.best.tolist() == totals.max(axis=1).tolist()


def test_as_many_strangers_are_kept_as_the_tail_says(tables: list) -> None:
    read = list(range(90))
    p = biases(SECRET, 400)[read] / 256
    least = tail_near(p, tables[0], np.log(1e-2)).least_total(np.log(1e-2))
    found = rank(SECRET, np.arange(20_000, dtype=np.uint64), read, segments=400, tables=tables[:1], least=[least])
    assert 200 - 60 < len(found.rows) < 200 + 60
