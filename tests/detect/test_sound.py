"""The fingerprint of sound: what is heard, and what says nothing."""

import numpy as np
import pytest

from mediaforge.detect.sound import sound_fingerprint
from mediaforge.detect.sound_peaks import TONES, TONES_PER_OCTAVE, Peaks, is_varied, ranks
from mediaforge.detect.sound_spectrum import BANDS, BANDS_PER_OCTAVE, FRAME_RATE, LOWEST_HZ, RATE, levels
from mediaforge.detect.sound_triples import query_triples, title_triples
from tests.detect.sounds import beeps, hum, music, silence, speech, tone


def test_a_full_scale_tone_stands_at_zero_decibels_in_its_own_band() -> None:
    band = 60
    hertz = LOWEST_HZ * 2 ** (band / BANDS_PER_OCTAVE)
    wave = (32767 * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)).astype(np.int16)
    heard = np.concatenate(list(levels([wave])))
    assert heard.shape[1] == BANDS
    assert abs(int(heard[5].argmax()) - band) <= 1
    assert heard[5].max() == pytest.approx(0, abs=2)


def test_the_blocks_in_which_sound_comes_change_nothing() -> None:
    samples = music(40, 1)  # longer than a stretch
    whole = sound_fingerprint([samples])
    pieces = sound_fingerprint(samples[at : at + 1234] for at in range(0, len(samples), 1234))
    assert np.array_equal(whole.times, pieces.times) and np.array_equal(whole.tones, pieces.tones)
    assert whole.seconds == pieces.seconds == 40


def test_peaks_are_in_order_and_as_many_as_asked_for() -> None:
    heard = sound_fingerprint([music(40, 2)])
    assert (np.diff(heard.times) >= 0).all()
    assert 5 < np.count_nonzero(heard.is_strong) / 40 < 11
    assert 10 < len(heard.times) / 40 < 20
    assert int(heard.tones.max()) < TONES


def test_a_stretch_ends_without_a_seam() -> None:
    samples = music(80, 3)
    late = sound_fingerprint([samples[20 * 256 * 43 :]])  # whole frames later, so that its stretches lie elsewhere
    whole = sound_fingerprint([samples])
    ours = {(int(time) + 20 * 43, int(tone)) for time, tone in zip(late.times, late.tones, strict=True)}
    theirs = set(zip(whole.times.tolist(), whole.tones.tolist(), strict=True))
    inside = {peak for peak in ours if 25 * FRAME_RATE < peak[0] < 75 * FRAME_RATE}
    assert len(inside & theirs) > 0.98 * len(inside) > 300


@pytest.mark.parametrize(
    "samples",
    [np.zeros(0, np.int16), np.zeros(5 * RATE, np.int16), silence(5), tone(5, 440), hum(5, 1), beeps(9, 880), speech(0.1, 1)],
    ids=["nothing", "zeros", "silence", "tone", "hum", "beeps", "too short"],
)
def test_what_says_nothing_has_no_peaks(samples: np.ndarray) -> None:
    assert not len(sound_fingerprint([samples]).times)


def test_a_peak_is_ranked_among_its_neighbours() -> None:
    rises = np.array([5, 9, 7, 6], np.float32)
    peaks = Peaks(times=np.array([0, 5, 10, 500], np.int32), tones=np.zeros(4, np.uint8), rises=rises)
    assert ranks(peaks).tolist() == [2, 0, 1, 0]  # the last is alone


def test_few_tones_again_and_again_are_not_varied() -> None:
    times = np.arange(0, 1000, 10, dtype=np.int32)
    rises = np.ones(100, np.float32)
    for kinds, varied in ((1, False), (3, False), (8, True)):
        tones = (np.arange(100) % kinds * 20).astype(np.uint8)
        assert is_varied(Peaks(times=times, tones=tones, rises=rises)).all() == varied


PEAKS = (np.array([100, 110, 125, 131], np.int32), np.array([60, 85, 40, 71], np.uint8))


@pytest.mark.parametrize("speed", [0.9, 0.96, 1.0, 1.04, 1.11])
@pytest.mark.parametrize("pitch", [-8, 0, 8])
def test_triples_survive_another_speed_and_pitch(speed: float, pitch: int) -> None:
    times, tones = PEAKS
    moved = np.rint(5000 + times / speed).astype(np.int32), (tones.astype(int) + pitch).astype(np.uint8)
    assert set(title_triples(*PEAKS).codes) <= set(query_triples(*moved).codes)


def test_other_peaks_have_other_triples() -> None:
    times, tones = PEAKS
    other = times, tones[::-1].copy()
    assert not set(title_triples(*PEAKS).codes) & set(query_triples(*other).codes)


def test_two_peaks_have_no_triple() -> None:
    assert not len(title_triples(np.array([3, 30], np.int32), np.array([4, 9], np.uint8)).codes)


def test_an_octave_is_as_many_tones_as_it_says() -> None:
    low, high = (sound_fingerprint([_notes(hertz)]).tones for hertz in (300, 600))
    assert abs(int(np.median(high)) - int(np.median(low)) - TONES_PER_OCTAVE) <= 1


def _notes(hertz: float) -> np.ndarray:
    """Eight tones of a scale, one after the other."""
    time = np.arange(6 * RATE) / RATE
    step = (time * 4).astype(int) % 8
    wave = np.sin(2 * np.pi * hertz * 2 ** (step / 10) * time) * np.exp(-8 * (time % 0.25))
    return (16000 * wave).astype(np.int16)
