"""What one hears: voice, oud, drum, and the places themselves - wind, water, the market, crickets, the fire - in stereo."""

import numpy as np
from scipy import signal

from atlas import music
from atlas.cues import Cue
from atlas.voice import RATE, Wave, narrate, speak

GAIN = 1.12  # brings the whole to about -20 LUFS
# From second to second: wind, water, market, crickets, fire, strength 0 to 1.
PLACES = (
    (0.0, 6.8, 0.6, 0, 0, 0, 0),
    (6.8, 12.4, 1.0, 0, 0, 0, 0),
    (12.4, 15.8, 0.35, 0.5, 0, 0.25, 0),
    (15.8, 20.6, 0.4, 0, 0.35, 0, 0),
    (20.6, 23.2, 0.1, 0, 1.0, 0, 0),
    (23.2, 27.2, 0.15, 0.3, 0.15, 0, 0),
    (27.2, 30.8, 0.1, 0, 0.2, 0, 0),
    (30.8, 36.4, 0.7, 0, 0, 0, 0),
    (36.4, 39.6, 0.6, 0, 0.25, 0, 0),
    (39.6, 44.8, 0.08, 0, 0.06, 0.1, 0.15),
    (44.8, 50.6, 0.9, 0, 0, 0, 0),
    (50.6, 56.6, 0.25, 0, 0, 0.6, 1.0),
    (56.6, 61.0, 0.5, 1.0, 0, 0, 0),
    (61.0, 64.0, 0.1, 0.15, 0, 0.2, 0),
)
CROWD = "alé bara tukan sidi walou makaïn mouchkil zid chouf hada bezaf iwa safi ndir la chi haja men hna"


def mix_sound(cues: tuple[Cue, ...], seconds: float, seed: int) -> Wave:
    """The whole track at 48 kHz: (samples, 2), between -1 and 1."""
    rng = np.random.default_rng(seed)
    spoken = narrate(cues, seconds, rng)
    oud, drum = music.play(seconds, rng)
    room = hall(rng)
    duck = 1 - 0.45 * np.clip(
        signal.sosfiltfilt(signal.butter(1, 2.5, fs=RATE, output="sos"), (np.abs(spoken) > 0.01).astype(float)), 0, 1
    )
    dry = np.stack([0.9 * spoken + duck * (0.42 * oud + 0.55 * drum), 0.9 * spoken + duck * (0.58 * oud + 0.45 * drum)])
    wet = np.stack(
        [signal.fftconvolve(0.10 * spoken + 0.35 * oud * duck + 0.10 * drum, room[side])[: spoken.size] for side in (0, 1)]
    )
    whole = (dry + wet + ambience(seconds, rng)) * fade(seconds)
    return np.tanh(whole * GAIN).T.astype(np.float32)


def ambience(seconds: float, rng: np.random.Generator) -> Wave:
    """The places, cross-faded at the cuts: (2, samples)."""
    count = round(seconds * RATE)
    total = np.zeros((2, count))
    makers = (wind, water, market, crickets, fire)
    edges = np.arange(count) / RATE
    for kind, maker in enumerate(makers):
        level = np.zeros(count)
        for start, end, *strengths in PLACES:
            level += strengths[kind] * np.clip((edges - start) / 0.16 + 0.5, 0, 1) * np.clip((end - edges) / 0.16 + 0.5, 0, 1)
        total += np.stack([maker(count, rng) for _ in range(2)]) * level
    return total


def wind(count: int, rng: np.random.Generator) -> Wave:
    gusts = 0.6 + 0.4 * slow(count, rng, 0.6)
    low = signal.sosfilt(signal.butter(2, (120, 480), "bandpass", fs=RATE, output="sos"), rng.standard_normal(count))
    whistle = signal.sosfilt(signal.butter(2, (600, 1100), "bandpass", fs=RATE, output="sos"), rng.standard_normal(count))
    return 0.075 * low * gusts + 0.025 * whistle * gusts**3


def water(count: int, rng: np.random.Generator) -> Wave:
    swell = np.clip(0.5 + 0.5 * slow(count, rng, 0.35), 0, 2) ** 1.5
    return (
        0.09
        * signal.sosfilt(signal.butter(1, (250, 3500), "bandpass", fs=RATE, output="sos"), rng.standard_normal(count))
        * (0.25 + swell)
    )


def market(count: int, rng: np.random.Generator) -> Wave:
    """Many people at once, none of them near."""
    track = np.zeros(count)
    words = CROWD.split()
    for _ in range(70):
        wave = speak(" ".join(rng.permutation(words)[:4]), float(rng.uniform(95, 230)), 2.0, rng) * rng.uniform(0.15, 0.6)
        music.add(track, float(rng.uniform(14, 40)), wave)
    return 0.5 * signal.sosfilt(signal.butter(1, 2200, fs=RATE, output="sos"), track)


def crickets(count: int, rng: np.random.Generator) -> Wave:
    at = np.arange(count) / RATE
    chirp = np.clip(np.sin(2 * np.pi * 31 * at), 0, 1) * (np.mod(at * rng.uniform(1.5, 1.8), 1) < 0.45)
    return 0.035 * np.sin(2 * np.pi * rng.uniform(4200, 4700) * at) * chirp


def fire(count: int, rng: np.random.Generator) -> Wave:
    """A low roar and dry cracks."""
    roar = signal.sosfilt(signal.butter(2, (60, 300), "bandpass", fs=RATE, output="sos"), rng.standard_normal(count)) * 0.05
    cracks = np.where(rng.random(count) < 14 / RATE, rng.standard_normal(count) * 3, 0)
    return roar + 0.12 * signal.sosfilt(signal.butter(2, (1200, 6000), "bandpass", fs=RATE, output="sos"), cracks)


def slow(count: int, rng: np.random.Generator, frequency: float) -> Wave:
    """A wandering level around 0, about -1 to 1, that changes `frequency` times a second."""
    knots = max(4, int(count / RATE * frequency * 2))
    return np.interp(np.linspace(0, knots - 1, count), np.arange(knots), rng.uniform(-1, 1, knots))


def hall(rng: np.random.Generator) -> Wave:
    """The echo of a courtyard: 0.9 s of fading noise, (2, samples)."""
    at = np.arange(round(0.9 * RATE)) / RATE
    return 0.035 * rng.standard_normal((2, at.size)) * np.exp(-at * 6.5) * (at > 0.012)


def fade(seconds: float) -> Wave:
    at = np.arange(round(seconds * RATE)) / RATE
    return np.clip(at / 0.8, 0, 1) * np.clip((seconds - at) / 1.2, 0, 1)
