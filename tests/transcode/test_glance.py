"""What a glance says of pictures whose likeness and movement are known."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from mediaforge.errors import ToolError
from mediaforge.tools import Tools
from mediaforge.transcode.glance import Glance, read_glance
from mediaforge.transcode.probe import probe
from mediaforge.transcode.quality import score_and_glance, score_frames
from tests.transcode.test_quality import encoded, plain


def test_logs_become_likeness_and_the_lesser_movement(tmp_path: Path) -> None:
    """Changes on the way into the frames: unknown, 9, 4, 1. The first has only what follows, the last only what was before."""
    (tmp_path / "movement.log").write_text(
        "".join(f"n:{n} mse_avg:7 mse_y:{y} mse_u:3\n" for n, y in enumerate((0, 9, 4, 1), 1))
    )
    (tmp_path / "likeness-1.log").write_text("".join(f"n:{n} Y:0.9{n} U:1.0 V:1.0 All:0.99 (20.0)\n" for n in (1, 2, 3, 4)))
    glance = read_glance(tmp_path, 1, frames=4)
    assert glance.likeness.tolist() == [0.91, 0.92, 0.93, 0.94]
    assert glance.movement.tolist() == [9, 4, 1, 1]


@pytest.mark.parametrize(
    "how",
    [
        ("-c:v", "ffv1", "-pix_fmt", "gbrp"),
        ("-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p"),
        (
            "-c:v",
            "ffv1",
            "-pix_fmt",
            "yuv422p10le",
            "-color_trc",
            "smpte2084",
            "-color_primaries",
            "bt2020",
            "-colorspace",
            "bt2020nc",
        ),
        ("-c:v", "mpeg2video", "-q:v", "3", "-pix_fmt", "yuv422p", "-flags", "+ilme+ildct", "-field_order", "tt"),
    ],
    ids=("rgb", "full range", "hdr", "interlaced"),
)
def test_whatever_a_master_is_made_of_can_be_glanced_at(
    how: Sequence[str], ffmpeg: Callable[..., None], tools: Tools, tmp_path: Path
) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc2=rate=25:size=160x90:duration=1", *how, tmp_path / "master.mkv")
    film = probe(tmp_path / "master.mkv", tools=tools)
    grid, renditions = encoded(film, tmp_path, tools=tools, kbps=(100,))
    (seen,) = score_and_glance(renditions, film, [range(5, 20, 7)], span=range(grid.frames), fps=grid.fps, tools=tools)
    assert seen.glance.likeness.min() > 0.5 and seen.glance.movement.min() > 1


def test_a_missing_thumbnail_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "likeness-0.log").write_text("n:1 Y:0.91 U:1.0\n")
    with pytest.raises(ToolError, match="compared 1 of 2 thumbnails"):
        read_glance(tmp_path, 0, frames=2)


def test_a_perfect_and_a_still_picture_are_finite() -> None:
    columns = Glance(likeness=np.array([1.0, 0.0]), movement=np.array([0.0, 400.0])).columns
    assert columns.shape == (2, 2) and np.isfinite(columns).all()


def test_a_poorer_rendition_is_less_like_its_master_and_the_sample_scores_as_ever(
    ffmpeg: Callable[..., None], tools: Tools, tmp_path: Path
) -> None:
    film = probe(plain(ffmpeg, tmp_path), tools=tools)
    grid, renditions = encoded(film, tmp_path, tools=tools, kbps=(60, 400))
    places = [range(31, 89, 7), range(33, 89, 11)]
    low, high = score_and_glance(renditions, film, places, span=range(30, 90), fps=grid.fps, tools=tools)
    assert low.glance.likeness.shape == high.glance.movement.shape == (60,)
    assert (low.glance.likeness < high.glance.likeness).mean() > 0.9
    assert np.array_equal(low.glance.movement, high.glance.movement) and low.glance.movement.min() > 1
    for seen, alone in zip((low, high), score_frames(renditions, film, places, fps=grid.fps, tools=tools), strict=True):
        assert np.abs(seen.scores - alone).max() < 0.01
