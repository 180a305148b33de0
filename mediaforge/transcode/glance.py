"""A glance at every frame of a rendition, in thumbnails: how like the master it is, and how the master moves.

It costs little more than the decode (0.3 ms a frame; VMAF of a frame of 720p takes 46, its neighbours included), and says most
of what makes one frame's VMAF differ from the next one's: of the variance between frames 0.6 s apart (film at 110, 260, 650 and
1600 kbit/s) likeness and movement explain 0.7, 0.8, 0.75 and 0.55. Likeness at half the picture's size says less at five times
the price; packet sizes say nothing.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mediaforge.errors import ToolError

_SIDE = 180  # a thumbnail's shorter side: structure that a low rung loses is still seen; at 90 half of the use is gone
_NEAR = 0.005  # likeness is told in powers: that of a perfect picture (SSIM 1, to six digits) must be finite
_STILL = 0.5  # mean squared difference, as above

# Whose first plane is luma in the range of television; what else a master may be (RGB, full range) is converted first.
_WITH_LUMA = tuple(f"yuv{chroma}p{depth}" for depth in ("", "10le", "12le") for chroma in (420, 422, 444))
_OF_RENDITIONS = "yuv420p|yuv420p10le"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Glance:
    """What was seen of each frame, (frames,): SSIM of the luma thumbnails, and their mean squared change in the master, the
    lesser of that from the frame before and that to the next, as VMAF has it."""

    likeness: Floats
    movement: Floats

    @property
    def columns(self) -> Floats:
        """(frames, 2): as VMAF depends on them, nearly linearly."""
        return np.stack([np.log(1 + _NEAR - self.likeness), np.log(self.movement + _STILL)], axis=1)


def glance_graph(count: int, *, pixel_format: str, size: tuple[int, int]) -> tuple[str, ...]:
    """Chains that look at `[glanced0]` ... `[glanced<count - 1>]`, renditions, beside `[glanced]`, the master. Pure.

    Their frames are one and the same at one place. `pixel_format` is the master's as its decoder gives it, `size` what pictures
    are compared at. Nothing is cleaned for a glance: it need not be right, only the same for every frame.
    """
    width, height = _thumbnail(*size)
    # Luma alone, before it is scaled: half the price, and it says more. Its range is named, so that none is converted.
    small = f"extractplanes=y,setparams=range=tv,scale={width}:{height}:flags=bilinear,format=gray,settb=1/25,setpts=N"
    of_master = pixel_format if pixel_format in _WITH_LUMA else "yuv420p"
    copies = "".join(f"[thumb{number}]" for number in range(count))
    parts = [
        f"[glanced]format={of_master},{small},split={count + 2}{copies}[now][next]",
        "[next]tpad=start=1:start_mode=clone,settb=1/25,setpts=N[before]",
        "[now][before]psnr=stats_file=movement.log:shortest=1",
    ]
    for number in range(count):
        parts.append(f"[glanced{number}]format={_OF_RENDITIONS},{small}[small{number}]")
        parts.append(f"[small{number}][thumb{number}]ssim=stats_file={_log(number)}:shortest=1")
    return tuple(parts)


def read_glance(folder: Path, number: int, *, frames: int) -> Glance:
    """What the chains left of a rendition. Raises ToolError where that is not one line a frame."""
    likeness = _values(folder / _log(number), "Y", frames=frames)
    change = _values(folder / "movement.log", "mse_y", frames=frames)
    change[0] = change[min(1, frames - 1)]  # nothing is known from before
    return Glance(likeness=likeness, movement=np.minimum(change, np.append(change[1:], change[-1])))


def _thumbnail(width: int, height: int) -> tuple[int, int]:
    scale = _SIDE / min(width, height)
    return 2 * round(width * scale / 2), 2 * round(height * scale / 2)


def _values(log: Path, key: str, *, frames: int) -> Floats:
    found = re.findall(rf"\b{key}:([\d.]+)", log.read_text() if log.exists() else "")
    if len(found) != frames:
        raise ToolError("ffmpeg", f"compared {len(found)} of {frames} thumbnails; release it again")
    return np.array(found, dtype=np.float64)


def _log(number: int) -> str:
    return f"likeness-{number}.log"
