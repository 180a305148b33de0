"""A voice that says nothing: letters become vowels and consonants, a glottal pulse goes through four formants."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from atlas.cues import Cue

RATE = 48_000
LEVEL = 0.075  # effective value of a vowel
STEP = 240  # samples between two settings of the throat: 5 ms

Wave = NDArray[np.float32]

# First three formants in Hz, after the tables of Peterson and Barney (1952), rounded.
VOWELS = {
    "a": (730, 1250, 2500),
    "e": (500, 1500, 2400),
    "é": (400, 2050, 2600),
    "è": (550, 1800, 2500),
    "i": (290, 2250, 3000),
    "o": (450, 850, 2400),
    "u": (300, 1750, 2250),
    "w": (320, 800, 2250),
}
# French spelling and its sound, longest first; w stands for "ou", S for "ch", e for all that is not said clearly.
SPELLING = "eau:o au:o ou:w où:w oi:wa ai:è ei:è ê:è à:a â:a î:i ç:s ch:S qu:k gu:g y:i h: x:ks c:k q:k"
HISSES = {"s": 1.0, "S": 0.9, "z": 0.5, "j": 0.5, "f": 0.35, "v": 0.2}
STOPS, HUMS = "ptkbdg", "mnlr"


@dataclass(frozen=True, slots=True, kw_only=True)
class Throat:
    """How it stands in one step of 5 ms."""

    pitch: float  # Hz
    voiced: float  # strength of the glottal pulse
    hiss: float  # strength of the noise
    formants: tuple[float, float, float]


def narrate(cues: tuple[Cue, ...], seconds: float, rng: np.random.Generator) -> Wave:
    """All cues spoken in their time, one channel. Lines that open with a dash change the speaker."""
    track = np.zeros(round(seconds * RATE), np.float32)
    for cue in cues:
        said = " ".join(cue.lines)
        parts = [part for part in said.split("—") if part.strip()]
        share = (cue.end - cue.start - 0.25) / len(parts)
        for turn, part in enumerate(parts):
            pitch = 168.0 if len(parts) > 1 and turn == 0 else 116.0
            wave = speak(part, pitch, share - 0.15, rng)
            first = round((cue.start + 0.1 + turn * (share + 0.1)) * RATE)
            track[first : first + wave.size] += wave[: track.size - first]
    return track


def speak(text: str, pitch: float, seconds: float, rng: np.random.Generator) -> Wave:
    """One phrase, no longer than `seconds` and no slower than talk."""
    steps = articulate(text, pitch, rng)
    pace = min(1.25, seconds / (len(steps) * STEP / RATE))
    places = np.linspace(0, len(steps) - 1, max(2, int(len(steps) * pace)))
    soft = signal.windows.hann(9) / signal.windows.hann(9).sum()

    def track(values: list[float]) -> NDArray[np.float64]:
        return np.convolve(np.pad(np.interp(places, np.arange(len(steps)), values), 4, mode="edge"), soft, mode="valid")

    formants = np.stack([track([step.formants[k] for step in steps]) for k in range(3)])
    return sing(
        track([step.pitch for step in steps]), track([s.voiced for s in steps]), track([s.hiss for s in steps]), formants, rng
    )


def articulate(text: str, pitch: float, rng: np.random.Generator) -> list[Throat]:
    """The steps of the throat for a text: the pitch falls over the phrase and rises at a question."""
    letters = text.lower()
    for rule in SPELLING.split():
        letters = letters.replace(*rule.split(":"))
    steps: list[Throat] = []
    mouth = VOWELS["e"]
    for place, letter in enumerate(letters):
        along = place / len(letters)
        lift = 1.12 - 0.24 * along + 0.05 * np.sin(9 * along) + (0.30 * max(0, along - 0.8) / 0.2 if "?" in text else 0)
        tone = float(pitch * lift * rng.uniform(0.98, 1.02))
        if letter in VOWELS:
            mouth = VOWELS[letter]
            steps += [Throat(pitch=tone, voiced=1.0, hiss=0.02, formants=mouth)] * int(rng.integers(15, 21))
        elif letter in HISSES:
            steps += [Throat(pitch=tone, voiced=0.25 if letter in "zjv" else 0.0, hiss=HISSES[letter], formants=mouth)] * 15
        elif letter in STOPS:
            steps += [Throat(pitch=tone, voiced=0.12 if letter in "bdg" else 0.0, hiss=0.0, formants=mouth)] * 10
            steps += [Throat(pitch=tone, voiced=0.3, hiss=0.7, formants=mouth)] * 3
        elif letter in HUMS:
            steps += [Throat(pitch=tone, voiced=0.45, hiss=0.0, formants=(280, mouth[1] * 0.8, 2300))] * 11
        elif letter in ",;:.?":
            steps += [Throat(pitch=tone, voiced=0.0, hiss=0.0, formants=mouth)] * (34 if letter in ",;:" else 6)
        elif letter.isspace():
            steps += [Throat(pitch=tone, voiced=0.3, hiss=0.0, formants=mouth)] * 3
    return steps


def sing(pitch: NDArray, voiced: NDArray, hiss: NDArray, formants: NDArray, rng: np.random.Generator) -> Wave:
    """The sound of a throat that moves: one setting every STEP samples; `formants` is (3, settings), in Hz."""
    count = pitch.size * STEP
    at, settings = np.arange(count), np.arange(pitch.size) * STEP
    tremor = 1 + 0.012 * np.interp(at, settings, signal.lfilter([0.3], [1, -0.7], rng.standard_normal(pitch.size)))
    phase = np.mod(np.cumsum(np.interp(at, settings, pitch) * tremor / RATE), 1)
    flow = np.where(
        phase < 0.40,
        0.5 - 0.5 * np.cos(np.pi * phase / 0.40),
        np.where(phase < 0.58, np.cos(np.pi / 2 * (phase - 0.40) / 0.18), 0),
    )
    pulse = np.diff(flow, prepend=0) * 12 * np.interp(at, settings, voiced)
    breath = rng.standard_normal(count) * 0.012 * np.interp(at, settings, voiced)
    wave = pulse + breath
    for frequencies, width in ((formants[0], 80), (formants[1], 100), (formants[2], 140), (np.full(pitch.size, 3500.0), 220)):
        wave = resonate(wave, frequencies, width)
    sharp = signal.sosfilt(signal.butter(2, (3200, 9000), "bandpass", fs=RATE, output="sos"), rng.standard_normal(count))
    wave = signal.lfilter([1, -0.82], [1], wave)  # the mouth radiates high tones better
    level = LEVEL / (np.sqrt(np.mean(wave[np.interp(at, settings, voiced) > 0.8] ** 2)) + 1e-9)
    return (wave * level + 0.05 * sharp * np.interp(at, settings, hiss)).astype(np.float32)


def resonate(wave: NDArray, frequencies: NDArray, width: float) -> NDArray:
    """A two-pole resonator of unit gain at 0 Hz (Klatt 1980) whose frequency is set anew every STEP samples."""
    out, state = np.empty_like(wave), np.zeros(2)
    radius = np.exp(-np.pi * width / RATE)
    for index, frequency in enumerate(frequencies):
        feedback = [1, -2 * radius * np.cos(2 * np.pi * frequency / RATE), radius * radius]
        part = slice(index * STEP, (index + 1) * STEP)
        out[part], state = signal.lfilter([sum(feedback)], feedback, wave[part], zi=state)
    return out
