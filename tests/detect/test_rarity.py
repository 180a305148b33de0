import numpy as np
import pytest

from mediaforge.detect.features import CODE_WORDS, NO_FEATURES, Features
from mediaforge.detect.rarity import rarity
from mediaforge.detect.sightings import find_sightings

OWN, COMMON = 0, 1
POINTS = np.random.default_rng(5).integers(0, 1 << 63, (2, 40, CODE_WORDS), dtype=np.uint64)  # own | common, points, words


def look(*codes: np.ndarray) -> Features:
    """One picture whose points lie where they always lie."""
    joined = np.concatenate(codes)
    places = np.random.default_rng(7).integers(0, 256, (len(joined), 4)).astype(np.uint8)
    places[:, 2:] = 100
    return Features(times=np.zeros(1, np.int64), starts=np.array([0, len(joined)]), codes=joined, places=places, shape=16 / 9)


def test_what_one_title_has_is_worth_more_than_what_all_have() -> None:
    query = look(POINTS[OWN], POINTS[COMMON])
    worth = rarity(query, [query, *(look(POINTS[COMMON]) for _ in range(12))])
    assert worth[:40] == pytest.approx(1.0)
    assert worth[40:] == pytest.approx((1 - 12 / 20) ** 2)


def test_two_titles_that_share_pictures_hardly_lessen_their_worth() -> None:
    query = look(POINTS[OWN])
    assert rarity(query, [query, query]).min() > 0.75


def test_a_long_title_says_no_more_than_a_short_one() -> None:
    noise = np.random.default_rng(9).integers(0, 1 << 63, (4000, CODE_WORDS), dtype=np.uint64)
    long = look(*(POINTS[COMMON] for _ in range(3)), noise)  # of 4,120 points a third is looked at
    worth = rarity(look(POINTS[COMMON]), [long, NO_FEATURES])
    assert worth.min() >= (1 - 1 / 9) ** 2


def test_a_sighting_by_common_points_is_worth_less() -> None:
    query = look(POINTS[OWN])
    full = find_sightings(query, query)
    less = find_sightings(query, query, np.full(40, 0.5))
    assert less.inliers.tolist() == full.inliers.tolist()
    assert less.worth == pytest.approx(0.5 * full.worth)


def test_nothing_is_known_without_titles() -> None:
    assert rarity(look(POINTS[OWN]), []).tolist() == [1.0] * 40


def test_points_that_most_titles_have_are_not_compared() -> None:
    query = look(POINTS[OWN])
    assert not len(find_sightings(query, query, np.full(40, 0.1)).query)
