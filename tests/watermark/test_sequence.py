"""The codes: golden values (a published title's codes must never change), exact odds, independence."""

import numpy as np
import pytest

from mediaforge.watermark.sequence import SHORT_SEGMENTS, as_text, biases, code, code_blocks, codes, columns

SECRET = bytes(range(32))


def test_biases_and_codes_are_what_they_were_when_titles_were_published() -> None:
    assert biases(SECRET, 8).tolist() == [72, 136, 152, 200, 186, 196, 110, 93]
    assert biases(SECRET, 400)[:8].tolist() == [46, 140, 165, 231, 213, 225, 100, 75]
    assert as_text(code(SECRET, 7, 31)) == "BAAABAABAABAABBBAAAAABAAAAAAABA"


def test_a_code_is_the_same_alone_and_among_others() -> None:
    together = codes(SECRET, [3, 900_000, 12], 700)
    assert together.shape == (3, 700)
    for row, number in zip(together, (3, 900_000, 12), strict=True):
        assert (row == code(SECRET, number, 700)).all()


def test_in_blocks_codes_are_the_same_and_what_was_not_read_is_not_there() -> None:
    numbers, read = np.arange(5, 905, dtype=np.uint64), [0, 17, 18, 40, 699]
    blocks = [block.copy() for block in code_blocks(SECRET, numbers, read, segments=700)]
    together = np.concatenate(blocks)
    assert len(blocks) > 1 and together.shape == (900, 4 * 16)  # four cipher blocks of sixteen positions are touched
    assert (together[:, columns(read)] == codes(SECRET, numbers, 700)[:, read]).all()
    assert not np.delete(together, columns(read), axis=1).any()


def test_the_share_of_a_at_each_position_is_its_bias() -> None:
    bits = codes(SECRET, range(20_000), 500)
    p = biases(SECRET, 500) / 256
    z = (bits.mean(axis=0) - p) / np.sqrt(p * (1 - p) / 20_000)
    assert np.abs(z).max() < 4.5
    assert 0.9 < z.std() < 1.1


@pytest.mark.parametrize(("segments", "least"), [(SHORT_SEGMENTS - 1, 51), (4000, 20)])
def test_no_position_is_more_lopsided_than_the_cut(segments: int, least: int) -> None:
    t = biases(SECRET, segments)
    assert t.min() >= least
    assert t.max() <= 256 - least
    assert abs(int(np.median(t)) - 128) < 20


def test_another_title_has_other_biases_and_other_codes() -> None:
    other = bytes(32)
    assert (biases(SECRET, 200) != biases(other, 200)).mean() > 0.9
    assert 0.2 < (code(SECRET, 1, 2000) != code(other, 1, 2000)).mean() < 0.6


def test_a_secret_of_another_length_is_a_bug() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        code(b"short", 1, 8)
