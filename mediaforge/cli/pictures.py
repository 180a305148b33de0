"""The demo's frames as small JPEGs: the copy beside the title, and variant A beside variant B."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaforge.cli.page import Difference, Pair
from mediaforge.errors import MediaError
from mediaforge.frames import read_frames

_SIDE = 640
_A_SECOND = 8.0  # so many pictures of a second are sent: the nearest is at most an eighth late
_GOOD = 72  # JPEG quality: a page of four pictures stays below half a megabyte


def frame_pair(copy: Path, title: Path, *, copy_seconds: float, title_seconds: float) -> Pair:
    """One moment in both files."""
    return Pair(
        copy=_jpeg(_frame_at(copy, copy_seconds)),
        title=_jpeg(_frame_at(title, title_seconds)),
        copy_seconds=copy_seconds,
        title_seconds=title_seconds,
    )


def variant_difference(a: Path, b: Path, *, seconds: float, gain: int) -> Difference:
    """One frame of the same rung in both variants, and `gain` times their difference around mid-gray."""
    ours, theirs = _frame_at(a, seconds), _frame_at(b, seconds)  # (h, w, 3)
    apart = np.clip(128 + gain * (ours.astype(np.int16) - theirs), 0, 255).astype(np.uint8)
    return Difference(a=_jpeg(ours), b=_jpeg(theirs), apart=_jpeg(apart), gain=gain)


def frames_at(path: Path, moments: Sequence[float]) -> dict[float, bytes]:
    """The pictures of a file at these moments, or within a second after them, as JPEG, by one decoder.

    A moment without one is left out. Raises MediaError.
    """
    wanted = sorted({max(0.0, moment) for moment in moments})
    spans = [(moment, moment + 1.0) for moment in wanted]
    found: dict[float, bytes] = {}
    for frame in read_frames(path, max_side=_SIDE, rgb=True, fps=_A_SECOND, spans=spans):
        for moment in wanted:
            if moment not in found and moment <= frame.seconds < moment + 1.0:
                found[moment] = _jpeg(frame.image)
    return {moment: found[max(0.0, moment)] for moment in moments if max(0.0, moment) in found}


def spread(start: float, end: float, *, count: int) -> Sequence[float]:
    """`count` moments inside a span, the same distance from each other and from its ends."""
    return [start + (end - start) * (number + 1) / (count + 1) for number in range(count)]


def _frame_at(path: Path, seconds: float) -> NDArray[np.uint8]:
    frame = next(read_frames(path, max_side=_SIDE, rgb=True, start=max(0.0, seconds)), None)
    if frame is None:
        raise MediaError(path, f"has no picture at {seconds:.1f} s")
    return frame.image


def _jpeg(image: NDArray[np.uint8]) -> bytes:
    done, code = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _GOOD])
    assert done  # it fails only for shapes that no frame has
    return code.tobytes()
