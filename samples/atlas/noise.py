"""Random textures without seams: octaves of band-limited noise, made from frequencies so that every tile wraps around."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

Plane = NDArray[np.float32]


def octave(rng: np.random.Generator, size: int, cycles: float, *, stretch: float = 1.0) -> Plane:
    """Noise of one octave around `cycles` periods a tile: (size, size), zero mean, unit deviation.

    `stretch` over 1 draws the grain out along x, as wind does with sand and a plasterer with mud.
    """
    fy = fft.fftfreq(size, 1 / size)[:, None]
    fx = fft.rfftfreq(size, 1 / size)[None, :] * stretch
    distance = np.sqrt(fx * fx + fy * fy) / cycles
    band = np.exp(-0.5 * (np.log2(np.maximum(distance, 1e-6)) / 0.45) ** 2)
    band[0, 0] = 0
    white = fft.rfft2(rng.standard_normal((size, size), dtype=np.float32))
    plane = fft.irfft2(white * band.astype(np.float32), s=(size, size))
    return (plane / plane.std()).astype(np.float32)


def fractal(
    rng: np.random.Generator, size: int, *, first: float = 2, octaves: int = 7, gain: float = 0.5, stretch: float = 1.0
) -> Plane:
    """A sum of octaves, each twice as fine and `gain` times as strong as the last: zero mean, unit deviation."""
    total = np.zeros((size, size), np.float32)
    for step in range(octaves):
        total += gain**step * octave(rng, size, first * 2**step, stretch=stretch)
    return total / total.std()


def enlarge(plane: Plane) -> Plane:
    """The same tile with twice the texels a side, still without a seam."""
    padded = np.pad(plane, 2, mode="wrap")
    return cv2.resize(padded, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)[4:-4, 4:-4]


def gradient(plane: Plane) -> tuple[Plane, Plane]:
    """Central differences along y and x of a tile that wraps, per texel."""
    dy = (np.roll(plane, -1, 0) - np.roll(plane, 1, 0)) / 2
    dx = (np.roll(plane, -1, 1) - np.roll(plane, 1, 1)) / 2
    return dy, dx
