"""Lines through made-up films: offsets, speeds, mirrors, several spans, still pictures, and nothing where nothing is."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mediaforge.detect.index import Index, References
from mediaforge.detect.match import MATCH_SCORE, Verdict, find_matches
from mediaforge.detect.video import Fingerprint, fingerprint
from mediaforge.frames import Frame
from tests.detect.pictures import film, static


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> References:
    index = Index(tmp_path_factory.mktemp("index"))
    for seed in (1, 2, 3):
        index.add(f"film-{seed}", fingerprint(film(seed, 60)))
    return index.load()


def query(*parts: Iterator[Frame]) -> Fingerprint:
    """One film after another."""

    def joined() -> Iterator[Frame]:
        begin = Fraction(0)
        for part in parts:
            for frame in part:
                end = begin + frame.seconds
                yield replace(frame, seconds=end)
            begin = end + Fraction(1, 12)

    return fingerprint(joined())


@pytest.mark.parametrize("start", [0.0, 7.1, 23.33, 50.0])
def test_an_excerpt_lies_where_it_was_taken(references: References, start: float) -> None:
    found = find_matches(query(film(2, 10, fps=12, start=start)), references)
    assert [match.title for match in found] == ["film-2"]
    best = found[0]
    assert (best.verdict, best.speed, best.mirrored) == (Verdict.MATCH, 1, False)
    assert [float(edge) for edge in (best.query.start, best.query.end)] == pytest.approx([0, 10], abs=0.2)
    assert [float(edge) for edge in (best.reference.start, best.reference.end)] == pytest.approx([start, start + 10], abs=0.2)


@pytest.mark.parametrize("speed", [Fraction(25, 24), Fraction(24, 25), Fraction(11, 10)])
def test_another_pace_is_found_with_its_span(references: References, speed: Fraction) -> None:
    best = find_matches(query(film(1, 20, fps=12, start=12, speed=float(speed))), references)[0]
    assert (best.title, best.speed) == ("film-1", speed)
    assert float(best.reference.start) == pytest.approx(12, abs=0.3)
    assert float(best.reference.end) == pytest.approx(12 + 20 * float(speed), abs=0.3)


def test_a_mirrored_copy_is_found_as_such(references: References) -> None:
    turned = (replace(frame, image=np.ascontiguousarray(frame.image[:, ::-1])) for frame in film(3, 8, fps=12, start=30))
    best = find_matches(query(turned), references)[0]
    assert (best.title, best.mirrored) == ("film-3", True)
    assert float(best.reference.start) == pytest.approx(30, abs=0.2)


def test_several_spans_of_several_titles_are_told_apart(references: References) -> None:
    mixed = query(film(1, 8, fps=12, start=40), film(9, 8, fps=12), film(2, 8, fps=12, start=5), film(1, 8, fps=12, start=10))
    found = sorted(find_matches(mixed, references), key=lambda match: match.query.start)
    assert [match.title for match in found] == ["film-1", "film-2", "film-1"]
    assert [float(match.query.start) for match in found] == pytest.approx([0, 16, 24], abs=0.3)
    assert [float(match.query.end) for match in found] == pytest.approx([8, 24, 32], abs=0.3)
    assert [float(match.reference.start) for match in found] == pytest.approx([40, 5, 10], abs=0.3)


def test_an_unknown_film_matches_nothing(references: References) -> None:
    assert find_matches(query(film(7, 30, fps=12)), references) == ()


def test_the_same_pictures_in_another_order_are_no_match(references: References) -> None:
    frames = list(film(1, 40, fps=4))
    order = np.random.default_rng(4).permutation(len(frames))
    shuffled = (replace(frames[place], seconds=Fraction(tick, 4)) for tick, place in enumerate(order))
    assert all(match.score < MATCH_SCORE for match in find_matches(query(shuffled), references))


def test_a_query_without_pictures_matches_nothing(references: References) -> None:
    black = (replace(frame, image=frame.image // 64) for frame in film(1, 10))
    assert find_matches(fingerprint(black), references) == ()


def test_an_empty_index_matches_nothing(tmp_path: Path) -> None:
    assert find_matches(query(film(1, 10)), Index(tmp_path).load()) == ()


def test_many_looks_at_one_picture_count_little_more_than_one(tmp_path: Path) -> None:
    index = Index(tmp_path)
    index.add("still", fingerprint(static(30)))
    best = find_matches(query(static(16, fps=12)), index.load())[0]
    assert best.score == pytest.approx(4, rel=0.15)  # 16 s of one picture are sqrt(16) s of distinct sight


def test_in_a_slow_scene_the_summed_distances_find_the_offset(tmp_path: Path) -> None:
    def slow(seconds: float, fps: int, start: float = 0.0) -> Iterator[Frame]:
        """A shot that changes twelve times more slowly: every frame is alike to those of many seconds."""
        return (
            replace(frame, seconds=Fraction(tick, fps))
            for tick, frame in enumerate(film(6, seconds, fps=fps, start=start / 12, speed=1 / 12))
        )

    index = Index(tmp_path)
    index.add("slow", fingerprint(slow(36, 4)))
    best = find_matches(query(slow(10, 12, start=13.4)), index.load())[0]
    assert float(best.reference.start) == pytest.approx(13.4, abs=0.5)
    assert float(best.reference.end) == pytest.approx(23.4, abs=0.5)


def test_the_nearer_of_two_alike_titles_comes_first(tmp_path: Path) -> None:
    def branded() -> Iterator[Frame]:
        for frame in film(1, 30):
            image = frame.image.copy()
            image[5:20, 125:150] = 160 + image[5:20, 125:150] // 4
            yield replace(frame, image=image)

    index = Index(tmp_path)
    index.add("a-branded", fingerprint(branded()))
    index.add("b-plain", fingerprint(film(1, 30)))
    found = find_matches(query(film(1, 10, fps=12, start=9)), index.load())
    assert [match.title for match in found] == ["b-plain", "a-branded"]
