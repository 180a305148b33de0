"""The 256-bit code: hand-made pictures, mirrors, distances, and the order of bits that others exchange."""

import imagehash
import numpy as np
import pytest
from numpy.typing import NDArray

from mediaforge.detect.codes import (
    BITS,
    SIDE,
    as_imagehash,
    coefficients,
    distances,
    encode,
    from_imagehash,
    mirrored,
    quality,
)


def wave(across: int, down: int) -> NDArray[np.float32]:
    """A picture that is one DCT basis function: (1, SIDE, SIDE)."""
    place = (2 * np.arange(SIDE) + 1) * np.pi / (2 * SIDE)
    return (100 * np.outer(np.cos(down * place), np.cos(across * place)) + 128).astype(np.float32)[None]


def pictures(count: int, seed: int = 1) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(0, 255, (count, SIDE, SIDE)).astype(np.float32)


@pytest.mark.parametrize(("across", "down"), [(1, 1), (3, 2), (16, 16)])
def test_a_wave_has_one_coefficient(across: int, down: int) -> None:
    found = coefficients(wave(across, down))[0]
    assert found[down - 1, across - 1] == pytest.approx(100 * SIDE / 2, rel=1e-3)
    found[down - 1, across - 1] = 0
    assert np.abs(found).max() < 0.05


def test_coefficients_do_not_see_the_mean() -> None:
    assert coefficients(pictures(1) + 40) == pytest.approx(coefficients(pictures(1)), abs=0.05)


def test_pdq_writes_its_last_coefficient_first() -> None:
    one = np.full((1, 16, 16), -1, np.float32)
    one[0, 0, 0] = 1
    assert str(as_imagehash(encode(one)[0])) == "0" * 63 + "1"
    one[0, 15, 15] = 2
    assert str(as_imagehash(encode(one)[0])) == "8" + "0" * 62 + "1"


def test_half_of_the_bits_are_set() -> None:
    assert (np.bitwise_count(encode(coefficients(pictures(20)))).sum(axis=1) == BITS // 2).all()


def test_mirrored_coefficients_are_those_of_the_mirrored_picture() -> None:
    seen = pictures(5)
    assert mirrored(coefficients(seen)) == pytest.approx(coefficients(seen[:, :, ::-1]), abs=0.05)
    assert (encode(mirrored(coefficients(seen))) == encode(coefficients(seen[:, :, ::-1]))).all()


def test_distances_count_differing_bits() -> None:
    none, low, all_ = [0, 0, 0, 0], [0, 0, 0, 0b1011], [2**64 - 1] * 4
    ours, theirs = np.array([none, low], np.uint64), np.array([none, low, all_], np.uint64)
    assert distances(ours, theirs).tolist() == [[0, 3, 256], [3, 0, 253]]


def test_distances_are_those_of_imagehash() -> None:
    codes = encode(coefficients(pictures(4)))
    found = distances(codes, codes)
    assert found[0, 1] == as_imagehash(codes[0]) - as_imagehash(codes[1])


def test_a_code_survives_the_trip_through_imagehash() -> None:
    code = encode(coefficients(pictures(1)))[0]
    assert (from_imagehash(as_imagehash(code)) == code).all()
    assert (from_imagehash(imagehash.hex_to_hash(str(as_imagehash(code)))) == code).all()


def test_quality_is_none_for_a_plain_picture_and_full_for_a_busy_one() -> None:
    plain = np.full((1, SIDE, SIDE), 90, np.float32)
    assert quality(np.concatenate([plain, pictures(1)])).tolist() == [0, 100]


def test_quality_counts_hundredths_of_steps() -> None:
    edge = np.zeros((1, SIDE, SIDE), np.float32)
    edge[0, :, SIDE // 2 :] = 255  # 64 steps of 100
    assert quality(edge).tolist() == [6400 // 90]
