"""What a codec must say about itself to be probed, planned and encoded."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Options = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """`options(preset=, crf=, gop_frames=)` are the ffmpeg output options of an encode at constant quality.

    Probes are encoded with `fast_preset` and mapped to the rung's own preset by two probes with that.
    """

    name: str
    fast_preset: str
    small_crfs: tuple[int, int]  # where the smallest pictures meet the hull, fine and coarse ...
    large_crfs: tuple[int, int]  # ... and the largest
    presets: tuple[str, ...]
    options: Callable[..., Options]
