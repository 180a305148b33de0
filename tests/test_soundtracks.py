"""Which tracks are encoded and which are passed through, of those that the master and side files have."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from mediaforge.soundtracks import Sound, sounds_to_encode, sounds_to_pass
from tests.transcode.values import audio

DOLBY = ("ac-3", "ec-3")


def sound(name: str, language: str, codec: str, *, is_beside: bool = False) -> Sound:
    track = replace(audio(), codec=codec, language=language)
    return Sound(language=language, path=Path(name), digest=name, track=track, offset=Fraction(0), is_beside=is_beside)


STEREO, FRENCH, SURROUND = sound("1", "ar", "aac"), sound("2", "fr", "eac3"), sound("3", "ar", "ac3")
BESIDE = sound("side.ec3", "ar", "eac3", is_beside=True)


def test_each_language_is_encoded_once_from_its_first_track() -> None:
    assert sounds_to_encode((STEREO, FRENCH, SURROUND), ()) == (STEREO, FRENCH)
    assert sounds_to_encode((SURROUND, STEREO), DOLBY) == (SURROUND,)
    assert sounds_to_encode((BESIDE, STEREO), DOLBY) == (BESIDE,)


def test_of_two_side_files_the_one_passed_through_is_not_folded_down() -> None:
    stereo = sound("side.wav", "ar", "pcm_s16le", is_beside=True)
    assert sounds_to_encode((BESIDE, stereo), DOLBY) == (stereo,)
    assert sounds_to_encode((BESIDE, stereo), ()) == (BESIDE,)


def test_what_is_passed_through_is_what_the_ladder_names() -> None:
    found = (BESIDE, STEREO, FRENCH, SURROUND)
    assert sounds_to_pass(found, ()) == ()
    assert sounds_to_pass(found, ("ac-3",)) == (SURROUND,)
    assert sounds_to_pass(found, DOLBY) == (SURROUND, BESIDE, FRENCH)
    assert sounds_to_pass((*found, sound("4", "fr", "eac3")), ("ec-3",)) == (BESIDE, FRENCH)
