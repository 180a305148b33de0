"""What a codec must say about itself to be probed, planned and encoded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mediaforge.ladder import Rung

Options = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What an encode of some GOPs in a row is to reach: a constant quality for each, or where `crfs` is empty the rung's rate.

    `gop_frames` are the rendition's own; `grain` is FittedRung's; `differing` are the encoder's settings in which a variant
    leaves the plain encode.
    """

    rung: Rung
    gop_frames: int
    crfs: tuple[float, ...]
    grain: int
    differing: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """`options(preset=, crf=, gop_frames=)` are ffmpeg's output options of a trial at constant quality, `rendition(goal)` of a
    rendition to be released.

    Probes are encoded with `fast_preset` and mapped to the rung's own preset by two probes with that.
    """

    name: str
    pixel_format: str  # what the encoder is given: 4:2:0 of 8 or 10 bits, as ffmpeg names it
    fast_preset: str
    small_crfs: tuple[int, int]  # where the smallest pictures meet the hull, fine and coarse ...
    large_crfs: tuple[int, int]  # ... and the largest
    presets: tuple[str, ...]
    octave: float  # CRF steps that halve the bits, roughly
    coarsest: Callable[[str], float]  # the highest CRF that a preset takes
    coarse_preset: str | None  # which preset a rung takes that is coarser than its own allows; None: there is no such thing
    one_crf: bool  # whether an encode has one CRF for all its GOPs, so that GOPs of different ones are encoded one by one
    has_grain: bool  # whether decoders put film grain back
    options: Callable[..., Options]
    rendition: Callable[[Goal], Options]
