"""Film grain: how much a title has, and what an encoder that can is told to put back (AV1 specification, 7.18.3).

A low rate leaves no grain in a picture, and VMAF does not miss it; people do. The decoder then draws grain of the master's
strength over the decoded picture. Its parameters take some 25 kbit/s whatever the picture takes, so low rungs go without.

The strength is Immerkaer's estimate of noise (Fast Noise Variance Estimation, CVIU 64/2, 1996) on the difference of
neighbouring frames, where picture detail has gone, in the smoothest quarter of its blocks.
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaforge.frames import read_frames
from mediaforge.ladder import FittedRung
from mediaforge.media import Grid, Master
from mediaforge.transcode.codecs import codec

_PLACES = 6  # looked at along the title
_LEAST_BPS = 600_000
_LEAST_SIGMA = 1.0  # luma levels; what a camera's compression leaves is below
_LEVEL_A_SIGMA = 10.0  # measured: levels 16 and 30 restore 1.6 and 2.8 of the 1.5 and 2.9 that were there at 360p
_MOST_LEVEL = 50
_BLOCK = 32
_SMOOTH = 25  # percentile of blocks
_SHADOWS, _LIGHTS = 32, 220  # grain is clipped beyond
_LAPLACIANS = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)

Picture = NDArray[np.uint8]


def with_grain(rungs: Sequence[FittedRung], master: Master, grid: Grid) -> tuple[FittedRung, ...]:
    """The rungs with the grain that their codec and rate allow them. Raises MediaError.

    Tape noise and HDR code values are no grain of 8-bit film: interlaced and HDR masters get none.
    """
    assert master.video is not None
    fitting = [rung for rung in rungs if codec(rung.rung.codec).has_grain and rung.rung.bitrate_bps >= _LEAST_BPS]
    if not fitting or master.video.is_interlaced or master.video.is_hdr:
        return tuple(rungs)
    pairs = _pairs(master, grid)
    levels = {rung.rung.name: grain_level(grain_sigma(pairs, rung.width, rung.height)) for rung in fitting}
    return tuple(replace(rung, grain=levels.get(rung.rung.name, 0)) for rung in rungs)


def grain_level(sigma: float) -> int:
    """The encoder's 0 to 50 for grain of so many luma levels rms. Pure."""
    return 0 if sigma < _LEAST_SIGMA else min(_MOST_LEVEL, round(_LEVEL_A_SIGMA * sigma))


def grain_sigma(pairs: Sequence[tuple[Picture, Picture]], width: int, height: int) -> float:
    """The grain of neighbouring pictures (height, width) as it is at a size, luma levels rms; 0 where none is seen. Pure."""
    sized = [[cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA) for picture in pair] for pair in pairs]
    said = [sigma for first, second in sized if (sigma := _sigma(first, second)) is not None]
    return float(np.median(said)) if said else 0.0


def _sigma(first: NDArray[np.generic], second: NDArray[np.generic]) -> float | None:
    light = first.astype(np.float32)
    edges = np.abs(cv2.filter2D((second.astype(np.float32) - light) / np.float32(np.sqrt(2)), -1, _LAPLACIANS))
    brightness, rough = (_means(picture) for picture in (light, edges))
    seen = rough[(brightness > _SHADOWS) & (brightness < _LIGHTS)]
    return float(np.sqrt(np.pi / 2) / 6 * np.percentile(seen, _SMOOTH)) if seen.size else None


def _means(picture: NDArray[np.generic]) -> NDArray[np.float32]:
    """Means of whole blocks, (rows, columns)."""
    rows, columns = (side // _BLOCK for side in picture.shape)
    blocks = picture[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float32)


def _pairs(master: Master, grid: Grid) -> list[tuple[Picture, Picture]]:
    """Two neighbouring frames at each of a few places."""
    pairs = []
    for place in range(_PLACES):
        start = float(grid.duration * (2 * place + 1) / (2 * _PLACES))
        end = start + 3 / float(grid.fps)
        found = [frame.image for frame in read_frames(master.path, start=start, end=end)]
        if len(found) >= 2:
            pairs.append((found[0], found[1]))
    return pairs
