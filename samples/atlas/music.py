"""An oud and a frame drum: plucked strings (Karplus and Strong 1983) in the scale of Hijaz on D, a rhythm in six."""

import numpy as np
from scipy import signal

from atlas.voice import RATE, Wave

HIJAZ = (0, 1, 4, 5, 7, 8, 10)  # semitones over D
TONIC = 146.83  # Hz
EIGHTH = 0.205  # seconds
# From second to second: notes in ten eighths, how loud, and how the drum plays (0 not, 1 pulse, 2 full).
PARTS = (
    (1.5, 7.0, 4, 0.55, 0),
    (7.0, 15.5, 7, 0.70, 1),
    (15.5, 20.5, 8, 0.80, 2),
    (20.5, 31.0, 9, 0.85, 2),
    (31.0, 36.5, 3, 0.45, 0),
    (36.5, 40.0, 8, 0.75, 2),
    (40.0, 45.0, 3, 0.45, 0),
    (45.0, 51.0, 7, 0.75, 1),
    (51.0, 57.0, 5, 0.60, 1),
    (57.0, 61.5, 8, 0.80, 2),
)
DUM, TAK = (0, 6), (3, 5, 8, 10, 11)  # beats of a bar of twelve


def play(seconds: float, rng: np.random.Generator) -> tuple[Wave, Wave]:
    """The oud and the drum, one channel each."""
    oud, drum = (np.zeros(round(seconds * RATE) + 4 * RATE, np.float32) for _ in range(2))
    degree = 4
    for start, end, busy, strength, rhythm in PARTS:
        for beat in range(int((end - start) / EIGHTH)):
            moment = start + beat * EIGHTH
            last = moment + EIGHTH > end
            if rng.random() * 10 < busy or beat % 6 == 0 or last:
                degree = step_on(degree, rng) if not last else 0
                add(oud, moment + rng.normal(0, 0.006), pluck(pitch(degree), 1.4, rng) * strength * rng.uniform(0.6, 1.0))
                if beat % 12 == 0:
                    add(oud, moment, pluck(pitch(-7), 1.8, rng) * strength * 0.7)
                if rng.random() < 0.16:
                    add(oud, moment + EIGHTH / 2, pluck(pitch(degree), 0.5, rng) * strength * 0.5)
            if rhythm and beat % 12 in DUM:
                add(drum, moment, skin(rng, deep=True) * 0.9 * strength)
            if rhythm == 2 and beat % 12 in TAK:
                add(drum, moment + rng.normal(0, 0.004), skin(rng, deep=False) * rng.uniform(0.3, 0.6) * strength)
    for note, moment in ((2, 61.6), (1, 61.9), (0, 62.2), (-7, 62.2)):
        add(oud, moment, pluck(pitch(note), 1.8, rng) * 0.9)
    add(drum, 62.2, skin(rng, deep=True))
    count = round(seconds * RATE)
    return oud[:count], drum[:count]


def step_on(degree: int, rng: np.random.Generator) -> int:
    """The melody walks by steps, leaps seldom, and is drawn back to the middle."""
    move = int(rng.choice([-2, -1, -1, 1, 1, 2, 3, -3], p=[0.1, 0.25, 0.1, 0.25, 0.1, 0.1, 0.05, 0.05]))
    return int(np.clip(degree + move - (1 if degree > 8 else 0) + (1 if degree < 0 else 0), -3, 10))


def pitch(degree: int) -> float:
    octave, place = divmod(degree, len(HIJAZ))
    return TONIC * 2.0 ** (octave + HIJAZ[place] / 12)


def pluck(frequency: float, seconds: float, rng: np.random.Generator) -> Wave:
    """A string: noise in a loop that loses its edge a little at every round; the fraction of the delay tunes it."""
    count, delay = round(seconds * RATE), RATE / frequency - 0.5
    whole = int(delay)
    share = delay - whole
    burst = np.zeros(count)
    burst[: whole + 1] = signal.lfilter([0.35], [1, -0.65], rng.uniform(-1, 1, whole + 1))
    loss = 0.996 ** (220 / frequency)
    loop = np.zeros(whole + 3)
    loop[0] = 1
    loop[whole : whole + 3] -= loss * np.array([(1 - share) / 2, 0.5, share / 2])
    wave = signal.lfilter([1], loop, burst)
    body = signal.sosfilt(signal.butter(2, (140, 3400), "bandpass", fs=RATE, output="sos"), wave)
    return (body * np.minimum(1, (count - np.arange(count)) / (0.08 * RATE))).astype(np.float32) * 0.5


def skin(rng: np.random.Generator, *, deep: bool) -> Wave:
    """A stroke in the middle of the drum, or on its rim."""
    at = np.arange(round(0.35 * RATE)) / RATE
    noise = rng.standard_normal(at.size)
    if deep:
        fall = np.sin(2 * np.pi * (72 * at + 6 * (1 - np.exp(-at * 28)) / 2.8)) * np.exp(-at * 12)
        rattle = signal.sosfilt(signal.butter(2, (500, 2500), "bandpass", fs=RATE, output="sos"), noise) * np.exp(-at * 26)
        return (0.9 * fall + 0.16 * rattle).astype(np.float32)
    crack = signal.sosfilt(signal.butter(2, (900, 5200), "bandpass", fs=RATE, output="sos"), noise) * np.exp(-at * 52)
    ring = np.sin(2 * np.pi * 410 * at) * np.exp(-at * 38)
    return (0.5 * crack + 0.25 * ring).astype(np.float32)


def add(track: Wave, moment: float, wave: Wave) -> None:
    first = max(0, round(moment * RATE))
    wave = wave[: track.size - first]
    track[first : first + wave.size] += wave
