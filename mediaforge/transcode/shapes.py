"""The shapes of picture that a title's rungs are chosen from, and which of them are tried. Pure."""

from collections.abc import Sequence

import numpy as np

from mediaforge.ladder import Policy, fit_boxes
from mediaforge.media import Grid, Master, Shape
from mediaforge.transcode.chunks import FAST_FPS
from mediaforge.transcode.codecs.interface import Codec
from mediaforge.transcode.trials import Trial

_SIZES_TRIED = 4  # the curves of those between are interpolated
# Film of 25 frames a second made 50, VMAF v1 phone: half the rate takes a tenth to a seventh fewer bits at 144p below VMAF 40,
# is a draw at 216p and loses from 360p on. At 24 to 30 it loses everywhere but where nearly nothing moves.
_HALF_SIDE = 270


def planned_shapes(policy: Policy, master: Master, grid: Grid) -> tuple[Shape, ...]:
    """What a policy may choose from for a master, of each frame rate low to high."""
    assert master.video is not None
    whole = [Shape(*size) for size in fit_boxes(policy.boxes, *master.video.display_size) if size is not None]
    if not (policy.half_rates and grid.fps > FAST_FPS and grid.can_halve):
        return tuple(whole)
    return (*whole, *(shape._replace(step=2) for shape in whole if min(shape.width, shape.height) <= _HALF_SIDE))


def plan_trials(shapes: Sequence[Shape], codec: Codec) -> tuple[Trial, ...]:
    """Two CRFs for each of a few shapes: finer ones for larger pictures, as that is where they meet the hull."""
    whole = [shape for shape in shapes if shape.step == 1]
    halves = [shape for shape in shapes if shape.step == 2]
    count = min(_SIZES_TRIED, len(whole))
    trials = []
    for number, place in enumerate(np.linspace(0, len(whole) - 1, count)):
        trials += _pair(whole[round(place)], codec, share=number / max(1, count - 1))
    for shape in dict.fromkeys((*halves[:1], *halves[-1:])):
        trials += _pair(shape, codec, share=0.0)
    return tuple(trials)


def _pair(shape: Shape, codec: Codec, *, share: float) -> list[Trial]:
    crfs = (round(small + share * (large - small)) for small, large in zip(codec.small_crfs, codec.large_crfs, strict=True))
    return [Trial(shape=shape, crf=crf, preset=codec.fast_preset) for crf in crfs]
