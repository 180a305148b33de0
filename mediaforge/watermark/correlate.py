"""One symbol from one segment: does the copy's error look like A's encode or like B's? (facts-watermark 5, steps 6-8).

The copy is the mean M of the variants, filtered and disturbed, plus rho times half their difference D = (A - B) / 2. What
a filter of M explains is taken out of the copy and out of D alike (a generalised likelihood ratio: taking it out of the copy
only would bias the score); the rest is whitened in space and in frequency and correlated.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]

_REACH = 2  # taps of the channel filter to each side: 5x5
_STRIDE = (2, 2)  # rows and columns between the pixels the filter is fitted on: 26 unknowns need no more
_BLOCK = 360  # pixels multiplied at a time: so small a product BLAS leaves to one thread, and other workers want the cores
_RIDGE = 1e-6
_LOCAL = 17  # pixels of the square in which noise is taken as even
_SMOOTH = 9  # bins over which the noise spectrum is averaged
_FLOOR = 0.02
_WITNESS = 24  # pixels of a block's side: neighbours hardly know of each other, and there are hundreds


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """rho as in `Symbol`, and its standard deviation."""

    rho: float
    sigma: float


def read_symbol(copy: Sequence[Pixels], a: Sequence[Pixels], b: Sequence[Pixels]) -> Reading | None:
    """Read a segment from frames laid over each other, each (h, w) float32; None where A and B do not differ."""
    pairs = [_unexplained(frame, one, other) for frame, one, other in zip(copy, a, b, strict=True)]
    rest = np.stack([pair[0] for pair in pairs])  # (frames, h, w)
    mark = np.stack([pair[1] for pair in pairs])
    noise = _local_rms(rest)
    return _matched(rest / noise, mark / noise)


def _unexplained(copy: Pixels, a: Pixels, b: Pixels) -> tuple[Pixels, Pixels]:
    """The copy and D, less what a filter of M explains of each: two (h, w)."""
    mean, half = (a + b) * 0.5, (a - b) * 0.5
    channel = _Channel(mean)
    taps, level = channel.fit(copy)
    rest = copy - cv2.filter2D(mean, -1, taps, borderType=cv2.BORDER_REPLICATE) - level
    mark = np.asarray(cv2.filter2D(half, -1, taps, borderType=cv2.BORDER_REPLICATE), np.float32)
    taps, level = channel.fit(mark)
    mark = mark - cv2.filter2D(mean, -1, taps, borderType=cv2.BORDER_REPLICATE) - level
    return rest, mark


class _Channel:
    """Least squares of a picture on the shifted copies of M and a constant."""

    def __init__(self, mean: Pixels) -> None:
        height, width = mean.shape
        padded = np.pad(mean, _REACH, mode="edge")
        side = 2 * _REACH + 1
        shifted = [padded[y : y + height, x : x + width] for y in range(side) for x in range(side)]
        columns = [_thinned(picture) for picture in shifted]
        self.columns = np.stack([*columns, np.ones_like(columns[0])], axis=2)  # (blocks, pixels, 26)
        gram = (self.columns.transpose(0, 2, 1) @ self.columns).sum(axis=0, dtype=np.float64)
        self.gram = gram + np.eye(len(gram)) * _RIDGE * np.trace(gram) / len(gram)

    def fit(self, picture: Pixels) -> tuple[Pixels, float]:
        products = (_thinned(picture)[:, None, :] @ self.columns).sum(axis=(0, 1), dtype=np.float64)
        weights = np.linalg.solve(self.gram, products)
        side = 2 * _REACH + 1
        return weights[:-1].reshape(side, side).astype(np.float32), float(weights[-1])


def _thinned(picture: Pixels) -> Pixels:
    """The pixels that filters are fitted on, in blocks: (blocks, pixels)."""
    pixels = picture[:: _STRIDE[0], :: _STRIDE[1]].ravel()
    block = min(_BLOCK, len(pixels))
    return pixels[: len(pixels) // block * block].reshape(-1, block)


def _local_rms(rest: Pixels) -> Pixels:
    power = cv2.blur((rest * rest).mean(axis=0), (_LOCAL, _LOCAL))
    rms = np.sqrt(np.asarray(power, np.float32))
    return np.asarray(np.maximum(rms, 0.1 * np.median(rms) + 1e-3), np.float32)


def _matched(rest: Pixels, mark: Pixels) -> Reading | None:
    """The whitened correlation over the mark's energy.

    Its noise is told from how the picture's blocks disagree. Far shifts, the usual measure, miss what the title's content gives
    by chance: rest and mark lie on the same edges, so few of them decide, and z came out at five times what it was worth.
    """
    spectrum, wanted = np.fft.rfft2(rest), np.fft.rfft2(mark)  # (frames, h, w/2+1)
    noise = _smooth((np.abs(spectrum) ** 2).mean(axis=0))
    white = np.fft.irfft2(spectrum / noise, s=rest.shape[1:])
    match = _by_block((white * mark).sum(axis=0))
    energy = _by_block((np.fft.irfft2(wanted / noise, s=rest.shape[1:]) * mark).sum(axis=0))
    if energy.sum() <= 1e-9:
        return None
    rho = float(match.sum() / energy.sum())
    # A block that speaks for all others is no witness: the loudest counts as noise whole.
    spread = ((match - rho * energy) ** 2).sum() + (match**2).max()
    return Reading(rho=rho, sigma=math.sqrt(spread) / float(energy.sum()))


def _by_block(picture: Pixels) -> NDArray[np.float64]:
    """The sums of its blocks, those at the right and lower edges being smaller."""
    rows, columns = (np.arange(0, side, _WITNESS) for side in picture.shape)
    sums: NDArray[np.float64] = np.add.reduceat(np.add.reduceat(picture, rows, axis=0, dtype=np.float64), columns, axis=1)
    return sums


def _smooth(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """A power spectrum averaged over neighbouring bins; rows wrap around, as frequencies do."""
    centred = np.fft.fftshift(power, axes=0).astype(np.float32)
    even = np.fft.ifftshift(cv2.blur(centred, (_SMOOTH, _SMOOTH), borderType=cv2.BORDER_REPLICATE), axes=0)
    return np.asarray(even + _FLOOR * np.median(even) + 1e-12, np.float32)
