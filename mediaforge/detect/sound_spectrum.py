"""How loud each tone is at each moment, in decibels: a spectrogram on a logarithmic scale of tones."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

RATE = 11_025  # samples a second
HOP = 256  # samples from a frame to the next
WINDOW = 2048  # samples that a frame sees: two tones 11 Hz apart are two
FRAME_RATE = RATE / HOP

BANDS_PER_OCTAVE = 36
LOWEST_HZ = 220.0
BANDS = 149  # up to 3.8 kHz, which 24 kbit/s and a copy 12 % slower still hold

FLOOR_DB = -70.0  # of a full-scale tone: what is quieter is silence

_HALF_BAND = 2.0 ** (1.0 / BANDS_PER_OCTAVE)  # bands overlap by half, so that a tone between two is not lost
_FRAMES = 512  # transformed at a time

Levels = NDArray[np.float32]  # (frames, BANDS) decibels


def levels(samples: Iterable[NDArray[np.int16]]) -> Iterator[Levels]:
    """The levels of mono sound at RATE, some frames at a time. Less than WINDOW samples give none."""
    held = np.empty(0, np.int16)
    for block in samples:
        held = np.concatenate([held, block])
        while len(held) >= WINDOW + (_FRAMES - 1) * HOP:
            yield _levels(held[: WINDOW + (_FRAMES - 1) * HOP])
            held = held[_FRAMES * HOP :]
    if len(held) >= WINDOW:
        yield _levels(held)


def _levels(samples: NDArray[np.int16]) -> Levels:
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]  # (frames, WINDOW)
    spectrum = np.fft.rfft(frames * _HANN, axis=1)[:, :_BINS]
    power = spectrum.real.astype(np.float64) ** 2 + spectrum.imag.astype(np.float64) ** 2
    below = np.zeros((len(frames), _BINS + 1))  # the power of all bins under an edge
    np.cumsum(power, axis=1, out=below[:, 1:])
    bands = _at(below, _UPPER) - _at(below, _LOWER)
    return np.asarray(10 * np.log10(np.maximum(bands, 0) + 10 ** (FLOOR_DB / 10)), np.float32)


def _at(below: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    whole = edges.astype(np.intp)
    share = edges - whole
    return np.asarray(below[:, whole] * (1 - share) + below[:, whole + 1] * share)


_HANN = (np.hanning(WINDOW + 1)[:-1] * (4 / WINDOW / 32768)).astype(np.float32)  # a full-scale tone has 0 dB
_CENTRES = LOWEST_HZ * 2.0 ** (np.arange(BANDS) / BANDS_PER_OCTAVE)  # Hz
_LOWER, _UPPER = (edge * WINDOW / RATE + 0.5 for edge in (_CENTRES / _HALF_BAND, _CENTRES * _HALF_BAND))  # FFT bins
_BINS = int(_UPPER[-1]) + 2
