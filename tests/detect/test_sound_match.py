"""Which title a query sounds like, and where: sounds made of numbers, so that every offset is known."""

from fractions import Fraction

import numpy as np
import pytest

from mediaforge.detect.match import Verdict
from mediaforge.detect.sound import SoundPrint, sound_fingerprint
from mediaforge.detect.sound_match import SoundMatch, find_sound
from mediaforge.detect.sound_references import SoundReference, SoundReferences, sound_references
from mediaforge.detect.sound_spectrum import RATE
from tests.detect.sounds import (
    Samples,
    beeps,
    clicks,
    hum,
    music,
    noise,
    resampled,
    silence,
    speech,
    tone,
    with_noise,
)

TITLES = {
    **{f"speech-{seed}": speech(30, seed) for seed in range(4)},
    **{f"music-{seed}": music(30, seed) for seed in range(4)},
    **{f"twin-{seed}": music(30, seed, key=3, tempo=120) for seed in range(10, 12)},
}


def heard(samples: Samples) -> SoundPrint:
    return sound_fingerprint([samples])


def reference(title: str, seen: SoundPrint) -> SoundReference:
    return SoundReference(title=title, seconds=seen.seconds, times=seen.times[seen.is_strong], tones=seen.tones[seen.is_strong])


@pytest.fixture(scope="module")
def references() -> SoundReferences:
    return sound_references([reference(title, heard(samples)) for title, samples in TITLES.items()])


def excerpt(title: str, begin: float = 8.0, seconds: float = 10.0) -> Samples:
    return TITLES[title][int(begin * RATE) : int((begin + seconds) * RATE)]


def offset(match: SoundMatch) -> float:
    return float(match.reference.start - match.speed * match.query.start)


@pytest.mark.parametrize("title", TITLES)
def test_ten_seconds_are_found_where_they_are_and_nowhere_else(title: str, references: SoundReferences) -> None:
    (match,) = find_sound(heard(excerpt(title)), references)
    assert (match.title, match.verdict, match.speed) == (title, Verdict.MATCH, pytest.approx(1, abs=0.003))
    assert offset(match) == pytest.approx(8.0, abs=0.05)
    assert match.query.start < 1 and match.query.end > 9


@pytest.mark.parametrize("title", ["speech-0", "music-1", "twin-10"])
def test_noise_hides_nothing(title: str, references: SoundReferences) -> None:
    (match,) = find_sound(heard(with_noise(excerpt(title), 5, 1)), references)
    assert (match.title, match.verdict) == (title, Verdict.MATCH)
    assert offset(match) == pytest.approx(8.0, abs=0.1)


@pytest.mark.parametrize("speed", [0.9, 0.94, 1.06, 1.12])
@pytest.mark.parametrize("title", ["speech-2", "music-3"])
def test_speed_and_pitch_are_told(title: str, speed: float, references: SoundReferences) -> None:
    (match,) = find_sound(heard(resampled(excerpt(title), speed)), references)
    assert (match.title, match.verdict) == (title, Verdict.MATCH)
    assert float(match.speed) == pytest.approx(speed, abs=0.006)
    assert match.pitch == pytest.approx(1 / speed, abs=0.012)
    assert offset(match) == pytest.approx(8.0, abs=0.25)


def test_pieces_in_another_order_are_several_spans(references: SoundReferences) -> None:
    copy = np.concatenate([excerpt("speech-1", 15), speech(6, 99), excerpt("speech-1", 2), excerpt("music-2", 5)])
    found = sorted(find_sound(heard(copy), references), key=lambda match: match.query.start)
    assert [match.title for match in found] == ["speech-1", "speech-1", "music-2"]
    for match, (begin, moved) in zip(found, [(0, 15), (16, 2 - 16), (26, 5 - 26)], strict=True):
        assert offset(match) == pytest.approx(moved, abs=0.25)
        assert float(match.query.start) == pytest.approx(begin, abs=0.7)
        assert float(match.query.end) == pytest.approx(begin + 10, abs=0.7)


def test_a_long_copy_is_one_span(references: SoundReferences) -> None:
    (match,) = find_sound(heard(resampled(TITLES["music-0"], 1.04)), references)
    assert float(match.query.end - match.query.start) > 27


@pytest.mark.parametrize(
    "samples", [speech(20, 50), music(20, 51), music(20, 52, key=3, tempo=120)], ids=["speech", "music", "twin"]
)
def test_what_is_no_title_is_unknown(samples: Samples, references: SoundReferences) -> None:
    assert find_sound(heard(samples), references) == ()


def test_tracks_that_say_nothing_match_nothing_not_even_each_other() -> None:
    tracks = [
        *(silence(12, seed, decibels=-90 + 15 * seed) for seed in range(2)),
        *(tone(12, hertz) for hertz in (440, 440, 1000)),
        *(hum(12, seed) for seed in range(2)),
        *(beeps(12, 1000) for _ in range(2)),
        *(beeps(12, 700, every=0.6, length=0.6, second=950) for _ in range(2)),
        *(clicks(12) for _ in range(2)),
        *(noise(12, seed, slope=seed % 3) for seed in range(6)),
    ]
    prints = [heard(samples) for samples in tracks]
    for number, seen in enumerate(prints):
        others = [reference(f"t-{other}", each) for other, each in enumerate(prints) if other != number]
        assert find_sound(seen, sound_references(others)) == (), number


def test_a_louder_or_quieter_copy_is_the_same(references: SoundReferences) -> None:
    quiet = (excerpt("speech-3") * 0.05).astype(np.int16)
    assert [match.title for match in find_sound(heard(quiet), references)] == ["speech-3"]


def test_of_two_tracks_of_a_title_one_answers() -> None:
    tracks = [reference("atlas", heard(TITLES["music-0"])), reference("atlas", heard(with_noise(TITLES["music-0"], 20, 3)))]
    assert len(find_sound(heard(excerpt("music-0")), sound_references(tracks))) == 1


def test_nothing_is_found_where_there_is_nothing() -> None:
    assert find_sound(heard(excerpt("music-0")), sound_references([])) == ()
    assert find_sound(heard(np.zeros(0, np.int16)), sound_references([reference("a", heard(excerpt("music-1")))])) == ()


def test_times_stay_in_the_query_and_in_the_title(references: SoundReferences) -> None:
    (match,) = find_sound(heard(TITLES["speech-0"]), references)
    assert match.query.start >= 0 and match.query.end <= Fraction(30) and match.reference.end <= Fraction(30)
