"""Where the sound is loudest around a moment and a tone, and which of these peaks are kept."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.sound_spectrum import BANDS, BANDS_PER_OCTAVE, FLOOR_DB, FRAME_RATE, Levels

TONES_PER_OCTAVE = 60  # between two bands the parabola through three says where the peak lies
TONES = (BANDS - 1) * TONES_PER_OCTAVE // BANDS_PER_OCTAVE + 1  # 247: a tone is a byte

_AROUND_FRAMES, _AROUND_BANDS = 8, 6  # 0.19 s, a third of an octave: there is no louder moment or tone so near a peak
_MEAN_FRAMES = round(2 * FRAME_RATE)  # a peak is louder than its own tone in the mean of this time
_LEAST_RISE_DB = 4.0
_LEAST_DB = FLOOR_DB + 6

_RANK_FRAMES = round(FRAME_RATE / 2)  # peaks are ranked among those half a second before and after
_MOST_NEIGHBOURS = 60

# Beeps, sirens and rings sound alike wherever they come from: some tones, again and again.
_VARIETY_FRAMES = round(4 * FRAME_RATE)
_VARIETY_TONES = TONES_PER_OCTAVE // 6
_LEAST_BITS = 2.0  # four tones, equally often; speech and music have 3.5 to 4.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Peaks:
    """Peaks in the order of their times."""

    times: NDArray[np.int32]  # (peaks,) frames
    tones: NDArray[np.uint8]  # (peaks,) 0 .. TONES - 1
    rises: NDArray[np.float32]  # (peaks,) decibels over the mean of the tone

    @classmethod
    def joined(cls, parts: Sequence["Peaks"]) -> "Peaks":
        """Several behind one another."""
        return cls(
            times=np.concatenate([np.empty(0, np.int32), *(part.times for part in parts)]),
            tones=np.concatenate([np.empty(0, np.uint8), *(part.tones for part in parts)]),
            rises=np.concatenate([np.empty(0, np.float32), *(part.rises for part in parts)]),
        )

    def chosen(self, rows: NDArray[np.bool_]) -> "Peaks":
        """Some of them."""
        return Peaks(times=self.times[rows], tones=self.tones[rows], rises=self.rises[rows])


def find_peaks(heard: Levels, *, first: int, begin: int, end: int) -> Peaks:
    """The peaks in rows begin to end of `heard`, whose first row is frame `first`. The rows around are compared with only."""
    kernel = np.ones((2 * _AROUND_FRAMES + 1, 2 * _AROUND_BANDS + 1), np.uint8)
    rise = heard - cv2.blur(heard, (1, 2 * _MEAN_FRAMES + 1), borderType=cv2.BORDER_REFLECT)
    is_peak = (heard >= cv2.dilate(heard, kernel)) & (rise >= _LEAST_RISE_DB) & (heard >= _LEAST_DB)
    rows, bands = np.nonzero(is_peak[begin:end, 1:-1])
    rows, bands = rows + begin, bands + 1
    low, middle, high = (heard[rows, bands + step] for step in (-1, 0, 1))
    bend = np.maximum(2 * middle - low - high, np.float32(1e-6))
    place = bands + np.clip((high - low) / (2 * bend), -0.5, 0.5)
    return Peaks(
        times=(rows + first).astype(np.int32),
        tones=np.rint(place * (TONES_PER_OCTAVE / BANDS_PER_OCTAVE)).astype(np.uint8),
        rises=rise[rows, bands],
    )


def ranks(peaks: Peaks) -> NDArray[np.intp]:
    """How many peaks in the half second before and after rise higher.  # (peaks,)"""
    count = len(peaks.times)
    higher = np.zeros(count, np.intp)
    for step in range(1, min(_MOST_NEIGHBOURS, count)):
        near = peaks.times[step:] - peaks.times[:-step] <= _RANK_FRAMES
        if not near.any():
            break
        later = peaks.rises[step:] > peaks.rises[:-step]
        higher[:-step] += near & later
        higher[step:] += near & ~later
    return higher


def is_varied(peaks: Peaks) -> NDArray[np.bool_]:
    """Of each peak, whether the tones around it are many: the entropy of those within some seconds.  # (peaks,)"""
    count, kinds = len(peaks.times), TONES // _VARIETY_TONES + 1
    so_far = np.zeros((count + 1, kinds), np.int32)
    so_far[np.arange(1, count + 1), peaks.tones // _VARIETY_TONES] = 1
    so_far = np.cumsum(so_far, axis=0)
    begins = np.searchsorted(peaks.times, peaks.times - _VARIETY_FRAMES, side="left")
    ends = np.searchsorted(peaks.times, peaks.times + _VARIETY_FRAMES, side="right")
    counts = so_far[ends] - so_far[begins]  # (peaks, kinds)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    bits = -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(axis=1)
    return np.asarray(bits >= _LEAST_BITS)
