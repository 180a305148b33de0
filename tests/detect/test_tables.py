"""Multi-index hashing: every bucket is looked into, nothing beyond the radius is found, and how much is found."""

import numpy as np
import pytest

from mediaforge.detect.codes import Codes
from mediaforge.detect.tables import BUCKETS, NO_FLIP, ONE_FLIP, Tables, build_tables, find_near
from tests.detect.foreign import flipped, foreign_codes


def tables_of(codes: Codes) -> Tables:
    offsets, entries = zip(*build_tables(codes), strict=True)
    return Tables(offsets=np.stack(offsets), entries=np.stack(entries))


def test_each_table_holds_each_code_once_in_the_bucket_of_its_substring() -> None:
    codes = foreign_codes(3000, seed=1).reshape(-1, 4)
    tables = tables_of(codes)
    for substring in (0, 7, 15):
        rows = tables.entries[substring] & 0xFFFFFF
        assert sorted(rows.tolist()) == list(range(len(codes)))
        keys = codes.view("<u2")[rows, substring]
        assert (np.repeat(np.arange(BUCKETS), np.diff(tables.offsets[substring])) == keys).all()


def test_what_shares_a_substring_is_found_and_nothing_beyond_the_radius() -> None:
    codes = foreign_codes(3000, seed=1).reshape(-1, 4)
    wanted = codes[[5, 700]].copy()
    wanted[0, 0] ^= np.uint64(0xFFFF)  # one whole substring of sixteen
    wanted[1] ^= np.array([0xFFFF_FFFF_FFFF_FFFF, 0xFFFF, 0, 0], np.uint64)
    rows, found = find_near(codes, tables_of(codes), wanted, radius=76, flips=NO_FLIP)
    assert {(0, 5)} <= set(zip(rows.tolist(), found.tolist(), strict=True))
    assert (1, 700) not in set(zip(rows.tolist(), found.tolist(), strict=True))  # 80 bits
    assert (np.bitwise_count(codes[found] ^ wanted[rows]).sum(axis=1) <= 76).all()


@pytest.mark.parametrize(("flips", "share", "least"), [(NO_FLIP, 0.10, 0.93), (ONE_FLIP, 0.15, 0.98)])
def test_a_code_with_flipped_bits_is_found_as_often_as_promised(flips: Codes, share: float, least: float) -> None:
    codes = foreign_codes(20_000, seed=2).reshape(-1, 4)
    truth = np.random.default_rng(3).integers(0, len(codes), 400)
    wanted = flipped(codes[truth], share, seed=4)
    rows, found = find_near(codes, tables_of(codes), wanted, radius=76, flips=flips)
    pairs = set(zip(rows.tolist(), found.tolist(), strict=True))
    assert np.mean([(row, code) in pairs for row, code in enumerate(truth.tolist())]) >= least


def test_an_over_full_bucket_is_looked_into_as_well() -> None:
    """Ten thousand equal codes and one that differs from them in a few bits: it is found among them."""
    codes = np.repeat(foreign_codes(1, seed=1)[0, :1], 10_000, axis=0)
    codes[4321, 0] ^= np.uint64(0b1011)
    rows, found = find_near(codes, tables_of(codes), codes[4321:4322], radius=0, flips=NO_FLIP)
    assert set(found.tolist()) == {4321}
    assert not rows.any()
