"""What points add to whole pictures: parts and insets are found, where they lie is told, and a set is no take."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mediaforge.detect.features import SHORT_QUERY, Features
from mediaforge.detect.index import Index
from mediaforge.detect.match import Match, Verdict, find_matches
from mediaforge.detect.pointfile import PointFiles
from mediaforge.detect.video import fingerprint
from mediaforge.frames import Frame
from mediaforge.media import Span
from tests.detect.textures import HEIGHT, WIDTH, stage, textured

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def titles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("index")
    for name, frames in (("film", textured(1, 24)), ("other", textured(2, 24)), ("stage", stage(1, 16))):
        seen = fingerprint(frames)
        Index(folder).add(name, seen)
        PointFiles(folder).add(name, seen.features)
    return folder


def matches(
    titles: Path, frames: Iterator[Frame], change: Callable[[Picture], Picture], *, points: bool = True
) -> tuple[Match, ...]:
    seen = fingerprint((replace(frame, image=change(frame.image)) for frame in frames), SHORT_QUERY)
    looked_at: dict[str, Features] = dict(PointFiles(titles)) if points else {}
    return find_matches(seen, Index(titles).load(), looked_at)


def middle(image: Picture) -> Picture:
    """A quarter of the picture."""
    return np.ascontiguousarray(image[HEIGHT // 4 : -HEIGHT // 4, WIDTH // 4 : -WIDTH // 4])


def inset(image: Picture) -> Picture:
    whole = cv2.resize(image[::-1, ::-1], None, fx=0.1, fy=0.1)
    whole = cv2.resize(whole, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)  # as short-video apps fill what is left
    small = cv2.resize(image, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    whole[20 : 20 + small.shape[0], 30 : 30 + small.shape[1]] = small
    return whole


@pytest.mark.parametrize(
    ("change", "scale", "shift"),
    [(middle, 2.0, (-WIDTH / HEIGHT / 2, -0.5)), (inset, 0.6 * HEIGHT / 180, (30 / 180, 20 / 180))],
)
def test_parts_and_insets_are_found_and_laid_over_their_title(
    titles: Path, change: Callable[[Picture], Picture], scale: float, shift: tuple[float, float]
) -> None:
    copy = list(textured(1, 10, fps=12, start=7.3))
    best = matches(titles, iter(copy), change)[0]
    assert (best.title, best.mirrored) == ("film", False)
    assert best.verdict in (Verdict.MATCH, Verdict.PROBABLE)
    assert float(best.reference.start) == pytest.approx(7.3, abs=0.5)
    assert best.matrix is not None
    assert best.matrix[:3] == pytest.approx((scale, 0, shift[0]), abs=0.06)
    assert best.matrix[3:] == pytest.approx((0, scale, shift[1]), abs=0.06)
    assert not any(match.verdict is Verdict.MATCH for match in matches(titles, iter(copy), change, points=False))


def test_a_part_in_a_mirror_is_found_as_such(titles: Path) -> None:
    best = matches(titles, textured(1, 8, fps=12, start=10), lambda image: np.ascontiguousarray(middle(image)[:, ::-1]))[0]
    assert (best.title, best.mirrored) == ("film", True)


def test_a_part_of_an_unknown_film_is_no_match(titles: Path) -> None:
    assert not any(match.verdict is Verdict.MATCH for match in matches(titles, textured(3, 10, fps=12), middle))


def test_another_take_on_the_same_set_is_for_a_person_to_judge(titles: Path) -> None:
    found = matches(titles, stage(2, 8, fps=12), lambda image: image)
    assert [match.title for match in found] == ["stage"]
    assert found[0].verdict is Verdict.REVIEW


def test_the_same_take_on_a_set_that_never_changes_is_a_match(titles: Path) -> None:
    best = matches(titles, stage(1, 8, fps=12, start=4), lambda image: image)[0]
    assert (best.title, best.verdict) == ("stage", Verdict.MATCH)
    assert float(best.reference.start) == pytest.approx(4, abs=0.5)


def test_an_excluded_span_has_no_points(titles: Path) -> None:
    kept = PointFiles(titles, {"film": (Span(start=4, end=24),)})["film"]  # type: ignore[arg-type]
    assert kept.times.tolist() == [0, 2000]
    assert len(kept.codes) == kept.starts[-1] == len(kept.places)
