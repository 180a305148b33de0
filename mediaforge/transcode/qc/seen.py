"""What one decode of a master showed: measured, not judged."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HOP = 0.1  # seconds of sound that one measurement covers: ebur128's step


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A piece of the timeline, seconds after the first picture."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Turn:
    """A frame at which much of the picture turned from darker to brighter (+1) or from brighter to darker (-1)."""

    frame: int
    way: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """The first sound track, in steps of 0.1 s. `start` is where its first sample lies, seconds after the first picture."""

    start: float
    rms: NDArray[np.float64]  # (steps, channels), dBFS
    peak: NDArray[np.float64]  # (steps, channels), dBFS of samples, at most 0
    flat: NDArray[np.float64]  # (steps, channels), dB: how long the samples stay at that peak; 20 is ten at a time
    phase: NDArray[np.float64] | None  # (steps,), correlation of a stereo pair, -1 to 1
    loudness_lufs: float | None  # integrated, EBU R 128; None where nothing was loud enough to count
    range_lu: float
    true_peak_dbtp: float

    @property
    def seconds(self) -> float:
        return len(self.rms) * HOP


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """`fields`: per frame +1 combed, top field first; -1 combed, bottom first; 0 whole; NaN unknown. `bars`: (looks, 4), the
    shares of the picture that are black at the left, right, top and bottom. `turns` is None where flashes were not looked for.
    """

    fps: float
    frames: int
    black: tuple[Stretch, ...]
    frozen: tuple[Stretch, ...]
    fields: NDArray[np.float64]
    bars: NDArray[np.float64]
    turns: tuple[Turn, ...] | None
    sound: Sound | None

    @property
    def seconds(self) -> float:
        return self.frames / self.fps
