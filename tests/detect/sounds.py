"""Sounds made of numbers: something like speech, something like music, and what says nothing. Mono at RATE, int16."""

import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.sound_spectrum import RATE

Samples = NDArray[np.int16]
Wave = NDArray[np.float64]

_MINOR = np.array([0, 2, 3, 5, 7, 8, 10])
_FORMANTS = np.array([[300, 870, 2240], [270, 2290, 3010], [730, 1090, 2440], [530, 1840, 2480], [570, 840, 2410]])  # Hz


def speech(seconds: float, seed: int) -> Samples:
    """A voice that says syllables: a buzz of gliding pitch under three formants, hisses between, and pauses."""
    rng = np.random.default_rng(seed)
    count = int(seconds * RATE)
    wave = np.zeros(count)
    base, size = rng.uniform(90, 230), rng.uniform(0.88, 1.15)
    at = 0
    while at < count:
        length = int(rng.uniform(0.09, 0.28) * RATE)
        time = np.arange(length) / RATE
        pitch = base * np.exp(rng.normal(0, 0.12)) * (1 + rng.normal(0, 0.5) * time)
        phase = 2 * np.pi * np.cumsum(np.clip(pitch, 60, 400)) / RATE
        start, end = (_FORMANTS[rng.integers(5)] * size * rng.uniform(0.9, 1.1, 3) for _ in range(2))
        formants = start + (end - start) * np.linspace(0, 1, length)[:, None]  # (length, 3)
        sound = np.zeros(length)
        for harmonic in range(1, 1 + int(4000 / max(pitch.mean(), 60))):
            tone = harmonic * pitch[:, None]
            gain = (np.exp(-(((tone - formants) / 110) ** 2)) * (1.0, 0.6, 0.35)).sum(axis=1) + 0.01
            sound += gain * np.sin(harmonic * phase)
        sound *= np.hanning(length)
        if rng.random() < 0.4:
            hiss = np.diff(rng.normal(size=length // 3 + 1)) * np.hanning(length // 3)
            sound[: length // 3] += 0.4 * hiss
        sound *= rng.uniform(0.4, 1.0)
        wave[at : at + length] += sound[: count - at]
        at += int(length * rng.uniform(0.8, 1.1)) + (int(rng.uniform(0.15, 0.6) * RATE) if rng.random() < 0.15 else 0)
    return as_samples(wave, rng)


def music(seconds: float, seed: int, *, key: int | None = None, tempo: float | None = None) -> Samples:
    """A tune over chords and a drum, in a key (semitones over 110 Hz) and at a tempo (beats a minute)."""
    rng = np.random.default_rng(seed)
    count = int(seconds * RATE)
    wave = np.zeros(count)
    root = 110 * 2 ** ((rng.uniform(0, 12) if key is None else key) / 12)
    beat = 60 / (rng.uniform(75, 150) if tempo is None else tempo)
    brightness = rng.uniform(0.4, 0.75)
    for number in range(int(seconds / beat * 2)):
        at = number * beat / 2
        if number % 8 == 0:
            degree = rng.integers(7)
            for step in (0, 2, 4):
                _note(wave, at, root * 2 ** (_scale(degree + step) / 12), beat * 4, gain=0.25, brightness=brightness)
        if rng.random() < 0.75:
            pitch = root * 2 ** (1 + _scale(int(rng.integers(0, 14))) / 12)
            _note(wave, at, pitch, beat * rng.uniform(0.4, 1.5), gain=rng.uniform(0.3, 0.6), brightness=brightness)
        if number % 2 == 0:
            begin, length = int(at * RATE), int(0.06 * RATE)
            knock = rng.normal(size=length) * np.exp(-np.arange(length) / (0.015 * RATE))
            wave[begin : begin + length] += 0.4 * knock[: max(0, count - begin)]
    return as_samples(wave, rng)


def tone(seconds: float, hertz: float) -> Samples:
    """A steady tone."""
    return as_samples(np.sin(2 * np.pi * hertz * _time(seconds)))


def hum(seconds: float, seed: int, *, mains: float = 50.0) -> Samples:
    """The hum of the mains: harmonics that hardly move, and a little hiss."""
    rng = np.random.default_rng(seed)
    time = _time(seconds)
    wave = sum(rng.uniform(0.05, 1) / n * np.sin(2 * np.pi * n * mains * time + rng.uniform(0, 6)) for n in range(1, 30))
    return as_samples(wave + 0.003 * rng.normal(size=len(time)))


def beeps(seconds: float, hertz: float, *, every: float = 1.0, length: float = 0.12, second: float = 0.0) -> Samples:
    """A beep again and again, by turns with a second one where that is given (hertz)."""
    time = _time(seconds)
    tones = np.where((time / every).astype(int) % 2 == 1, second or hertz, hertz)
    return as_samples(np.sin(2 * np.pi * tones * time) * ((time % every) < length))


def clicks(seconds: float, *, every: float = 0.5) -> Samples:
    """A metronome: one and the same short noise."""
    wave = np.zeros(int(seconds * RATE))
    knock = np.random.default_rng(1).normal(size=400) * np.exp(-np.arange(400) / 80)
    for begin in range(0, len(wave) - 400, int(every * RATE)):
        wave[begin : begin + 400] = knock
    return as_samples(wave)


def noise(seconds: float, seed: int, *, slope: float = 0.0) -> Samples:
    """Noise: white (slope 0), pink (1), brown (2)."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(rng.normal(size=int(seconds * RATE)))
    spectrum /= np.maximum(np.arange(len(spectrum)), 20) ** (slope / 2)
    return as_samples(np.fft.irfft(spectrum, int(seconds * RATE)))


def silence(seconds: float, seed: int = 0, *, decibels: float = -90.0) -> Samples:
    """Silence as equipment records it: noise so quiet."""
    rng = np.random.default_rng(seed)
    return np.rint(rng.normal(size=int(seconds * RATE)) * 32768 * 10 ** (decibels / 20)).astype(np.int16)


def as_samples(wave: Wave, rng: np.random.Generator | None = None) -> Samples:
    """A wave at half of full scale, over a hiss 60 dB below where `rng` is given."""
    scaled = wave / max(np.abs(wave).max(), 1e-9) / 2
    if rng is not None:
        scaled = scaled + rng.normal(size=len(wave)) * 0.0005
    return np.rint(scaled * 32767).astype(np.int16)


def with_noise(samples: Samples, decibels: float, seed: int) -> Samples:
    """White noise so many decibels below the sound."""
    wave = samples.astype(np.float64)
    hiss = np.random.default_rng(seed).normal(size=len(wave))
    hiss *= np.sqrt((wave**2).mean() / 10 ** (decibels / 10))
    return np.clip(wave + hiss, -32768, 32767).astype(np.int16)


def resampled(samples: Samples, speed: float) -> Samples:
    """Played so much faster, and higher by as much."""
    places = np.arange(0, len(samples) - 1, speed)
    return np.interp(places, np.arange(len(samples)), samples.astype(np.float64)).astype(np.int16)


def nothings(seconds: float) -> list[Samples]:
    """A hundred tracks that say nothing: silences, tones, hums, beeps, sirens, metronomes, noises."""
    return [
        *(silence(seconds, seed, decibels=-96 + 2 * seed) for seed in range(15)),
        *(np.zeros(int(seconds * RATE), np.int16) for _ in range(5)),
        *(tone(seconds, 200 * 1.15**step) for step in range(15)),
        *(hum(seconds, seed, mains=50 if seed % 2 else 60) for seed in range(15)),
        *(beeps(seconds, 600 * 1.1**step, every=0.5 + step / 10) for step in range(10)),
        *(beeps(seconds, 1000, every=1) for _ in range(5)),
        *(beeps(seconds, 700, every=0.6, length=0.6, second=900 + 20 * step) for step in range(8)),
        *(clicks(seconds, every=0.3 + step / 20) for step in range(7)),
        *(noise(seconds, seed, slope=seed % 3) for seed in range(20)),
    ]


def _note(wave: Wave, at: float, hertz: float, seconds: float, *, gain: float, brightness: float) -> None:
    begin = int(at * RATE)
    length = min(int(seconds * RATE), len(wave) - begin)
    if length <= 0:
        return
    time = np.arange(length) / RATE
    harmonics = [n for n in range(1, 9) if n * hertz < RATE / 2.2]
    sound = sum(brightness**n * np.sin(2 * np.pi * n * hertz * time) for n in harmonics)
    wave[begin : begin + length] += gain * sound * np.exp(-2.5 * time) * np.minimum(1, time / 0.01)


def _scale(degree: int) -> float:
    return float(_MINOR[degree % 7] + 12 * (degree // 7))


def _time(seconds: float) -> Wave:
    return np.arange(int(seconds * RATE)) / RATE
