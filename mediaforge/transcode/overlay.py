"""A pattern laid onto a picture, more where nobody sees it: added for one variant, taken away for the other. Pure.

The pattern comes as an input of its own, a few gray cells a frame; it is weighed on a coarse grid and only then drawn as large
as the picture, so that the mask costs next to nothing. Every step is a whole-number table on 8-bit planes: outside the
pattern no pixel changes, and the two variants lie to either side of the picture.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ffmpeg

from mediaforge.media import Grid, Variant

# The mask's amplitude in luma levels: at least _FLAT, more with the texture around (mean deviation from the blurred picture; a
# standard deviation is 1.25 times that), less where it is dark, more where it moves (docs/watermark.md has what it costs).
_FLAT, _PER_TEXTURE, _MOST = 0.35, 0.06, 1.8
_AMPLITUDE = f"clip({_FLAT}+{_PER_TEXTURE}*1.25*x,{_FLAT},{_MOST})*clip(0.55+y/90,0.6,1)"
_MOVING = "clip(0.9+y/20,0.9,1.3)"  # y: half the change from the picture before
_GRID = (160, 90)  # where texture, light and motion are weighed: less than a pattern's cell
_MASK_UNIT, _FINE = 64, 8  # one level of amplitude in the mask's gray, and in the weighed pattern's

_BLEND = {Variant.A: "grainmerge", Variant.B: "grainextract"}  # a + b - 128, a - b + 128


def pattern_input(path: Path, grid: Grid, *, cells: tuple[int, int]) -> Any:
    """The raw gray frames in a file, one for each of a rung's, as a stream."""
    fps = f"{grid.fps.numerator}/{grid.fps.denominator}"
    return ffmpeg.input(f"file:{path}", f="rawvideo", pixel_format="gray", video_size=cells, framerate=fps)["0"]


def laid_on(
    picture: Any, pattern: Any, *, width: int, height: int, middle: int, unit: int, tags: Mapping[str, str]
) -> dict[Variant, Any]:
    """The picture (8-bit 4:2:0) of either variant. `middle` and `unit` are the pattern's gray values of 0 and of 1, `tags` name
    the picture's colours: its planes alone do not say them."""
    planes = picture.filter_multi_output("extractplanes", "y+u+v")
    luma = planes.stream(0).filter_multi_output("split", 3)
    mask = _mask(luma.stream(2), grid=_GRID if width >= height else _GRID[::-1])
    across = pattern.filter("scale", *(_GRID if width >= height else _GRID[::-1]), flags="bicubic")
    weighed = f"clip(round(128+x*(y-{middle})*{_FINE}/{_MASK_UNIT * unit}),0,255)"
    small = ffmpeg.filter([mask, across], "lut2", c0=weighed)
    large = small.filter("scale", width, height, flags="bicubic")
    marks = large.filter("lut", c0=f"round((val-128)/{_FINE})+128").filter_multi_output("split", 2)
    chroma = [planes.stream(number).filter_multi_output("split", 2) for number in (1, 2)]
    laid = {}
    for number, (variant, blend) in enumerate(_BLEND.items()):
        marked = ffmpeg.filter([luma.stream(number), marks.stream(number)], "blend", all_mode=blend)
        whole = [marked, *(plane.stream(number) for plane in chroma)]
        merged = ffmpeg.filter(whole, "mergeplanes", map1s=1, map2s=2, format="yuv420p")
        laid[variant] = merged.filter("setparams", **tags)
    return laid


def _mask(luma: Any, *, grid: tuple[int, int]) -> Any:
    """How strongly to mark each place of the coarse grid: gray, _MASK_UNIT a luma level."""
    sharp = luma.filter_multi_output("split", 3)
    blurred = sharp.stream(0).filter("avgblur", sizeX=4)
    busy = ffmpeg.filter([sharp.stream(1), blurred], "blend", all_mode="difference").filter("scale", *grid, flags="area")
    # The quietest place around counts: beside an edge a flat wall shows everything.
    texture = busy.filter("erosion").filter("avgblur", sizeX=2)
    light = sharp.stream(2).filter("scale", *grid, flags="area").filter_multi_output("split", 3)
    before = light.stream(0).filter("tmix", frames=2)
    motion = ffmpeg.filter([light.stream(1), before], "blend", all_mode="difference").filter("avgblur", sizeX=1)
    still = ffmpeg.filter([texture, light.stream(2)], "lut2", c0=f"round({_MASK_UNIT}*{_AMPLITUDE})")
    return ffmpeg.filter([still, motion], "lut2", c0=f"round(x*{_MOVING})")
