"""The keyed pattern that is laid onto pictures whose variants do not differ enough by themselves. Pure.

A grid of cells, each +1 or -1 by the title's secret: as coarse as a scaled, blurred copy still shows. It is drawn anew four
times a segment, so that what a detector's registration gets wrong averages out. Nothing jumps: one drawing fades into the
next, and towards a segment's ends the pattern fades away, where a copy may change from A to B (facts-watermark 5, step 2).
How strongly it is laid on is the encoder's affair (transcode/overlay.py).
"""

import hashlib
import hmac
from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from mediaforge.media import Grid

CELLS = (32, 18)  # columns and rows: of 20 pixels at 640x360, which survive 144p
MIDDLE, UNIT = 128, 48  # gray values of 0 and of the distance to +1

_DRAWINGS = 4  # a segment: at 25 frames a second one lasts 12 frames
_FADES = 12  # of a segment's frames one in so many passes while it fades: 4 frames of 48
_LABEL = b"mediaforge watermark: pattern "

Floats = NDArray[np.float32]


def pattern_key(secret: bytes) -> bytes:
    """What a title's patterns are drawn from: derived from its secret, so nothing of that is given away with it."""
    return hmac.digest(secret, _LABEL, hashlib.sha256)


def pattern_frames(key: bytes, grid: Grid, frames: range, segments: Collection[int]) -> Iterator[bytes]:
    """The pattern of some frames of a rung's own grid, gray (rows, columns) uint8 each; nothing outside `segments`."""
    nothing = np.full(CELLS[::-1], MIDDLE, np.uint8).tobytes()
    for frame in frames:
        segment, place = divmod(frame, grid.gop_frames)
        if segment in segments:
            height = fading(place, grid.segment_frames(segment), fade=_fade(grid))
            cells = height * _drawn(key, segment, place, grid)
            yield np.rint(MIDDLE + UNIT * cells).astype(np.uint8).tobytes()
        else:
            yield nothing


def fading(place: int, frames: int, *, fade: int) -> float:
    """A raised cosine over the first and last `fade` frames of `frames`, 1 between them."""
    near = min(place, frames - 1 - place)
    return 1.0 if near >= fade else _rise((near + 0.5) / fade)


def _drawn(key: bytes, segment: int, place: int, grid: Grid) -> Floats:
    """The drawing at a place of a segment, (rows, columns): one, or two of which the later fades in."""
    lasting = max(1, grid.gop_frames // _DRAWINGS)
    number, since = divmod(place, lasting)
    drawing = _drawing(key, segment, number)
    if number == 0 or since >= _fade(grid):
        return drawing
    share = _rise((since + 0.5) / _fade(grid))
    return share * drawing + (1 - share) * _drawing(key, segment, number - 1)


def _drawing(key: bytes, segment: int, number: int) -> Floats:
    """+1 and -1, less their mean: it must not make a whole picture lighter."""
    columns, rows = CELLS
    name = segment.to_bytes(4, "big") + number.to_bytes(4, "big")
    stream = hashlib.shake_256(key + name).digest(columns * rows // 8)
    signs = np.unpackbits(np.frombuffer(stream, np.uint8)).reshape(rows, columns).astype(np.float32) * 2 - 1
    return np.asarray(signs - signs.mean(), np.float32)


def _fade(grid: Grid) -> int:
    return max(1, grid.gop_frames // _FADES)


def _rise(share: float) -> float:
    return float(0.5 - 0.5 * np.cos(np.pi * share))
