"""General flashes, counted from luma as ITU-R BT.1702 and Ofcom's guidance define them. Pure.

A flash is a pair of opposing changes in luminance of 20 cd/m2 or more, the darker picture below 160 cd/m2, over a quarter of
the screen or more at a time. Luminance is that of a screen of 200 cd/m2 (BT.1886's gamma of 2.4). Not looked for: saturated
red flashes, halves of the screen that flash against each other, patterns in space. So it finds what is dangerous and common;
it is no certificate of a broadcaster's test.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mediaforge.transcode.qc.seen import Stretch, Turn

_STEP = 20.0  # cd/m2
_DARK = 160.0  # cd/m2
_AREA = 0.25
_WHITE = 200.0  # cd/m2
_LUMINANCE = (_WHITE * np.clip((np.arange(256) - 16) / 219, 0, 1) ** 2.4).astype(np.float32)


class FlashCounter:
    """Watches thumbnails one after the other; every pixel remembers the extreme since it last turned."""

    def __init__(self) -> None:
        self.frames = 0
        self.turns: list[Turn] = []
        self._low: NDArray[np.float32] = np.empty(0, np.float32)
        self._high: NDArray[np.float32] = self._low
        self._before = 0.0  # the frame before: a change takes two frames where fields blend
        self._way = 0

    def watch(self, luma: NDArray[np.uint8]) -> None:
        """The next frame, (pixels,), luma of television range."""
        light = _LUMINANCE[luma]
        if not self.frames:
            self._low, self._high = light, light
        low, high = np.minimum(self._low, light), np.maximum(self._high, light)
        up = (light - low >= _STEP) & (low < _DARK)
        down = (high - light >= _STEP) & (light < _DARK)
        # Where a pixel turned, the search for the next extreme begins here.
        turned = up | down
        self._low, self._high = np.where(turned, light, low), np.where(turned, light, high)
        self._note(float(up.mean() - down.mean()))
        self.frames += 1

    def _note(self, net: float) -> None:
        """`net`: the share of the screen that turned brighter less that which turned darker. What moves turns both ways."""
        both, self._before = net + self._before, net
        way = 1 if both > 0 else -1
        if abs(both) >= _AREA and way != self._way:
            self.turns.append(Turn(self.frames, way))
            self._way, self._before = way, 0.0


def flash_trains(turns: tuple[Turn, ...], *, fps: float, limit: float) -> Iterator[tuple[Stretch, float]]:
    """Where there are more flashes than `limit` in a second, and how many there are in the worst second."""
    frames = np.array([turn.frame for turn in turns], dtype=np.float64)
    # From every turn on: how many lie within the second that begins with it. Two turns are a flash.
    ends = np.searchsorted(frames, frames + fps, side="left")
    counts = (ends - np.arange(len(frames))) / 2
    start, end, worst = -1.0, -1.0, 0.0
    for frame, count, stop in zip(frames, counts, ends, strict=True):
        if count <= limit:
            continue
        if frame > end >= 0:
            yield Stretch(start=start / fps, end=end / fps), worst
            start, worst = -1.0, 0.0
        start = frame if start < 0 else start
        end, worst = float(frames[stop - 1]), max(worst, float(count))
    if end >= 0:
        yield Stretch(start=start / fps, end=end / fps), worst
