"""What never counts: spans that a person names, and what many titles share."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mediaforge.detect.exclusions import Exclusions
from mediaforge.detect.index import Index, Reference
from mediaforge.detect.match import find_matches
from mediaforge.detect.video import fingerprint
from mediaforge.errors import StoreError
from mediaforge.frames import Frame
from mediaforge.media import Span
from tests.detect.foreign import flipped, foreign_codes
from tests.detect.pictures import film

INTRO = foreign_codes(60, seed=1000)  # 15 s
BODY_FRAMES = 240


def span(start: float, end: float) -> Span:
    return Span(start=Fraction(start), end=Fraction(end))


def episode(number: int, *, intro: bool = True) -> Reference:
    """A minute of its own, and from 10 s on the intro as another encoder left it."""
    own = foreign_codes(BODY_FRAMES, seed=number)
    seen = flipped(INTRO.reshape(-1, 4), 0.03, seed=number).reshape(INTRO.shape)
    codes = np.concatenate([own[:40], seen, own[40:]]) if intro else own
    return Reference(title=f"episode-{number}", seconds=Fraction(len(codes), 4), times=np.arange(len(codes)) * 250, codes=codes)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "index")


def test_an_intro_is_common_from_the_fifth_title_on_and_only_it(index: Index) -> None:
    for number in range(1, 5):
        index.put(episode(number))
    index.put(episode(50, intro=False))
    assert not index.exclusions().learnt
    index.put(episode(5))
    learnt = index.exclusions().learnt
    assert sorted(learnt) == [f"episode-{number}" for number in range(1, 6)]
    for spans in learnt.values():
        (only,) = spans
        assert [float(only.start), float(only.end)] == pytest.approx([10, 25], abs=1.1)
    references = index.load()
    assert not len(references.lookup(INTRO[8:-8, 0], 40).frame)
    assert set(references.lookup(episode(3).codes[:30, 0], 0).query) == set(range(30))
    assert (np.diff(references.starts) >= BODY_FRAMES - 8).all()


def test_five_versions_of_one_film_are_not_common(index: Index) -> None:
    film = episode(7, intro=False)
    for number in range(6):
        index.put(replace(film, title=f"version-{number}", codes=flipped_title(film, number)))
    assert not index.exclusions().learnt


def flipped_title(film: Reference, seed: int) -> np.ndarray:
    return flipped(film.codes.reshape(-1, 4), 0.03, seed=seed).reshape(film.codes.shape)


def test_what_was_learnt_of_a_title_goes_with_it(index: Index) -> None:
    for number in range(1, 6):
        index.put(episode(number))
    index.remove("episode-2")
    assert "episode-2" not in index.exclusions().learnt
    index.put(episode(3, intro=False))
    assert "episode-3" not in index.exclusions().learnt


def test_a_title_that_a_person_keeps_counts_whole(index: Index) -> None:
    for number in range(1, 6):
        index.put(episode(number))
    index.change_exclusions(lambda now: now.include("episode-1"))
    index.put(episode(6))
    hits = index.load().lookup(INTRO[8:-8, 0], 40)
    titles = np.searchsorted(index.load().starts, hits.frame, side="right") - 1
    assert {index.load().titles[number] for number in titles} == {"episode-1"}


def test_frames_of_an_excluded_span_are_not_there(index: Index) -> None:
    index.put(episode(1, intro=False))
    index.change_exclusions(lambda now: now.exclude("episode-1", span(10, 20)).exclude("episode-1", span(15, 25)))
    references = index.load()
    assert references.times.tolist() == [time for time in range(0, 60_000, 250) if not 10_000 <= time < 25_000]
    whole = index.load(everything=True)
    assert (references.codes[:] == whole.codes[:][(whole.times < 10_000) | (whole.times >= 25_000)]).all()
    hits = references.lookup(whole.codes[np.array([36, 44, 104])][:, 0], 0)
    assert [references.times[frame] for frame in hits.frame] == [9000, 26_000]
    assert index.exclusions().said["episode-1"] == (span(10, 25),)


def test_an_excluded_scene_matches_nothing_and_the_rest_of_the_film_does(index: Index) -> None:
    def excerpt(start: float) -> Iterator[Frame]:
        return film(1, 8, fps=12, start=start)

    index.add("film", fingerprint(film(1, 60)))
    index.change_exclusions(lambda now: now.exclude("film", span(20, 32)))
    references = index.load()
    assert not find_matches(fingerprint(excerpt(22)), references)
    (found,) = find_matches(fingerprint(excerpt(40)), references)
    assert float(found.reference.start) == pytest.approx(40, abs=0.2)


def test_exclusions_are_kept_as_they_were_said(index: Index) -> None:
    said = Exclusions().exclude("a", span(0, 1.5)).include("b").reject("f" * 64, "c").learn({"d": (span(1, 4),)})
    index.change_exclusions(lambda _: said)
    assert index.exclusions() == said
    (index.folder / "exclusions.json").write_text("{}")
    with pytest.raises(StoreError, match=r"exclusions\.json: is damaged"):
        index.load()
