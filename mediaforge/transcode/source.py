"""The master's picture on its title's grid, as the head of an ffmpeg-python graph: whoever decodes sees the same frames."""

from fractions import Fraction
from typing import Any

import ffmpeg

from mediaforge.media import Grid, Master
from mediaforge.tools import INPUT_FORMATS
from mediaforge.transcode.clean import cleaning_filters, input_matrix, output_matrix, output_tags


def grid_picture(master: Master, grid: Grid, *, first_frame: int, frames: int) -> Any:
    """`frames` cleaned frames from `first_frame` on. Pure.

    The seek aims a quarter of a frame early, so that rounded times can neither lose the first frame nor take the one before.
    """
    video = master.video
    assert video is not None
    seek = video.start + (first_frame - Fraction(1, 4)) / grid.fps
    options: dict[str, Any] = {"protocol_whitelist": "file", "format_whitelist": INPUT_FORMATS, "threads": 1}
    if seek > 0:
        options["ss"] = f"{float(seek):.6f}"
    picture = ffmpeg.input(f"file:{master.path}", **options)[str(video.index)]
    for name, settings in cleaning_filters(video):
        picture = picture.filter(name, **settings)
    # The grid is constant frame rate; the last frame may be short by a rounding, never by more.
    picture = picture.filter("fps", fps=f"{grid.fps.numerator}/{grid.fps.denominator}", start_time=0, round="near")
    return picture.filter("tpad", stop=2, stop_mode="clone").filter("trim", end_frame=frames)


def every(picture: Any, grid: Grid, step: int) -> Any:
    """Every `step`-th picture of the grid from the first on, each shown so much longer. Pure."""
    if step == 1:
        return picture
    slower = grid.every(step).fps
    # Rounded up, a skipped picture's time falls on that of the next one shown, which takes its place.
    return picture.filter("fps", fps=f"{slower.numerator}/{slower.denominator}", start_time=0, round="up")


def sized(picture: Any, master: Master, *, width: int, height: int, pixel_format: str = "yuv420p") -> Any:
    """The picture at a size in square pixels, 4:2:0, its colours named: what every encoder of ours is given. Pure."""
    assert master.video is not None
    scaled = picture.filter(
        "scale",
        width,
        height,
        flags="lanczos+accurate_rnd",
        in_color_matrix=input_matrix(master.video),
        out_color_matrix=output_matrix(master.video),
        out_range="tv",
    )
    return scaled.filter("setparams", **output_tags(master.video)).filter("setsar", 1).filter("format", pixel_format)
