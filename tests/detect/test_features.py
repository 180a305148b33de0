"""Local features: the same point gives the same code whatever was done to the picture, and a mirror needs no second look."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mediaforge.detect.features import CODE_BITS, SHORT_QUERY, TITLE, Features, Look, gather, look_at
from mediaforge.detect.pointfile import PointFiles
from mediaforge.detect.sightings import find_sightings
from mediaforge.errors import StoreError, UnknownId
from tests.detect.textures import HEIGHT, WIDTH, scene


def seen(image: NDArray[np.uint8], *, mirrored: bool = False) -> Features:
    """One look, as at a query."""
    return gather([(0, look_at(image, SHORT_QUERY))], image.shape[1] / image.shape[0], mirrored=mirrored)


def title(seed: int = 1) -> Features:
    return gather([(0, look_at(scene(seed, 1.0), TITLE))], WIDTH / HEIGHT)


def apart(one: Look, other: Look) -> NDArray[np.int64]:
    bits = np.bitwise_count(one.codes[:, None] ^ other.codes[None]).sum(axis=2, dtype=np.int64)
    return bits.min(axis=1)


def test_a_darker_blurred_picture_keeps_its_codes() -> None:
    image = scene(1, 1.0)
    dull = cv2.GaussianBlur(image, (0, 0), 0.8) // 2 + 20
    assert np.median(apart(look_at(image, TITLE), look_at(dull.astype(np.uint8), SHORT_QUERY))) <= 16


def test_points_of_other_pictures_are_half_the_bits_apart() -> None:
    one, other = look_at(scene(1, 1.0), TITLE).codes, look_at(scene(2, 1.0), TITLE).codes
    mean = np.bitwise_count(one[:, None] ^ other[None]).sum(axis=2).mean()
    assert mean == pytest.approx(CODE_BITS / 2, abs=10)


def test_the_codes_of_the_mirrored_picture_come_from_the_picture_itself() -> None:
    image = scene(1, 1.0)
    there = look_at(np.ascontiguousarray(image[:, ::-1]), TITLE)
    here = look_at(image, TITLE)
    assert np.median(apart(replace(here, codes=here.turned), there)) <= 6
    assert np.median(apart(here, there)) > 30


def test_a_plain_picture_has_no_points() -> None:
    assert len(look_at(np.full((HEIGHT, WIDTH), 90, np.uint8), TITLE).codes) == 0


@pytest.mark.parametrize(
    ("degrees", "scale", "shift"),
    [(0, 1.0, (0, 0)), (5, 1.0, (0, 0)), (0, 0.55, (70, 30)), (0, 1.6, (-90, -60)), (90, 0.6, (60, 60))],
)
def test_a_turned_scaled_moved_picture_is_laid_over_its_title(degrees: float, scale: float, shift: tuple[int, int]) -> None:
    angle = np.deg2rad(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([WIDTH / 2, HEIGHT / 2])
    move = middle - turn @ middle + (shift if scale == 1 else (0, 0))
    copy = cv2.warpAffine(scene(1, 1.0), np.column_stack([turn, move]), (WIDTH, HEIGHT), flags=cv2.INTER_AREA)
    sightings = find_sightings(seen(copy), title())
    assert sightings.inliers.tolist() and sightings.inliers[0] >= 8
    assert sightings.maps[0][:, :2] == pytest.approx(turn, abs=0.04)
    assert sightings.maps[0][:, 2] == pytest.approx(move / HEIGHT, abs=0.04)


def test_another_picture_is_not_seen() -> None:
    assert find_sightings(seen(scene(2, 1.0)), title(1)).inliers.max(initial=0) <= 4


def test_in_a_mirror_the_turned_points_are_seen_and_the_plain_ones_are_not() -> None:
    copy = np.ascontiguousarray(scene(1, 1.0)[:, ::-1])
    assert find_sightings(seen(copy, mirrored=True), title()).inliers.max(initial=0) >= 15
    assert find_sightings(seen(copy), title()).inliers.max(initial=0) <= 4


def test_features_are_kept_as_they_were(tmp_path: Path) -> None:
    files, features = PointFiles(tmp_path), title()
    files.add("atlas", features)
    kept = files["atlas"]
    for name in ("times", "starts", "codes", "places"):
        assert np.array_equal(getattr(kept, name), getattr(features, name)), name
    assert kept.shape == features.shape
    assert list(files) == ["atlas"]


def test_a_title_without_features_has_none(tmp_path: Path) -> None:
    assert PointFiles(tmp_path).get("atlas") is None
    with pytest.raises(UnknownId):
        PointFiles(tmp_path / "here").adopt("atlas", PointFiles(tmp_path))


@pytest.mark.parametrize("at", [0, 5, 40, 400, -1])
def test_one_wrong_byte_is_noticed(tmp_path: Path, at: int) -> None:
    files = PointFiles(tmp_path)
    files.add("atlas", title())
    path = tmp_path / "atlas.mfl"
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreError, match="atlas"):
        files["atlas"]


def test_an_hour_takes_less_than_three_megabytes(tmp_path: Path) -> None:
    files = PointFiles(tmp_path)
    files.add("atlas", title())
    assert len(title().codes) <= TITLE.points
    most = TITLE.points * (16 + 4) + 16  # codes and places; a time and a start
    assert most * 3600_000 / TITLE.step_ms < 3e6
    assert files.size_bytes("atlas") <= most + 100
