from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from mediaforge.errors import ToolError
from mediaforge.ladder import FittedRung, Rung, Screen
from mediaforge.media import Grid, Master, Variant
from mediaforge.tools import Tools
from mediaforge.transcode.chunks import plan_chunks, plan_grid
from mediaforge.transcode.encoder import EncodeRequest, encode, rendition_name
from mediaforge.transcode.probe import probe, read_timeline
from mediaforge.transcode.quality import MODELS, read_scores, score_frames, shown_size

Ffmpeg = Callable[..., None]
PICTURE = "size=160x90:duration=5,noise=alls=6:allf=t:all_seed=7"


def test_small_pictures_are_shown_a_whole_number_of_times() -> None:
    assert shown_size(1280, 720) == (1280, 720)
    assert shown_size(160, 90) == (640, 360)
    assert shown_size(176, 144) == (528, 432)


def test_a_log_without_scores_is_a_sentence(tmp_path: Path) -> None:
    log = tmp_path / "vmaf.json"
    with pytest.raises(ToolError, match="left no scores"):
        read_scores(log)
    log.write_text('{"frames": []}')
    with pytest.raises(ToolError, match="was shown no frame"):
        read_scores(log)
    log.write_text('{"frames": [{"metrics": {"motion": 3.5, "vmaf": 81.5}}, {"metrics": {"motion": 2.5, "vmaf": 79}}]}')
    assert read_scores(log).tolist() == [81.5, 79.0]


def plain(ffmpeg: Ffmpeg, to: Path) -> Path:
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=rate=25:{PICTURE}", *_master_settings(), to / "plain.mp4")
    return to / "plain.mp4"


def with_an_edit_list(ffmpeg: Ffmpeg, to: Path) -> Path:
    """Cut in the middle of a GOP without encoding anew: packets before the cut stay in the file, hidden."""
    ffmpeg("-ss", "0.6", "-i", plain(ffmpeg, to), "-c", "copy", to / "cut.mp4")
    return to / "cut.mp4"


def with_late_picture(ffmpeg: Ffmpeg, to: Path) -> Path:
    """The sound begins 0.33 s before the picture."""
    sound = ("-f", "lavfi", "-i", "sine=sample_rate=48000:duration=5")
    ffmpeg(*sound, "-itsoffset", "0.33", "-i", plain(ffmpeg, to), "-c:v", "copy", "-c:a", "aac", to / "late.mov")
    return to / "late.mov"


def of_ntsc_rate_in_milliseconds(ffmpeg: Ffmpeg, to: Path) -> Path:
    """Matroska rounds every time to a millisecond."""
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=rate=30000/1001:{PICTURE}", *_master_settings(), to / "ntsc.mkv")
    return to / "ntsc.mkv"


@pytest.mark.parametrize("make", [plain, with_an_edit_list, with_late_picture, of_ntsc_rate_in_milliseconds])
def test_every_frame_is_held_against_its_own(
    make: Callable[[Ffmpeg, Path], Path], ffmpeg: Ffmpeg, tools: Tools, tmp_path: Path
):
    film = probe(make(ffmpeg, tmp_path), tools=tools)
    grid, (rendition,) = encoded(film, tmp_path, tools=tools, kbps=(1500,))
    (scores,) = score_frames([rendition], film, [range(grid.frames)], fps=grid.fps, tools=tools)
    assert scores.shape == (grid.frames,) and grid.frames > 80
    assert scores.min() > 75 and scores.mean() > 90  # a neighbour's picture scores below 40


def test_a_television_is_judged_by_a_model_of_its_own(ffmpeg: Ffmpeg, tools: Tools, tmp_path: Path) -> None:
    film = probe(plain(ffmpeg, tmp_path), tools=tools)
    grid, renditions = encoded(film, tmp_path, tools=tools, kbps=(150,))
    held, stood = (
        score_frames(renditions, film, [range(24)], fps=grid.fps, tools=tools, screen=screen)[0].mean() for screen in Screen
    )
    assert MODELS == {Screen.PHONE: "vmaf_v1.0.16_5d0h", Screen.TV: "vmaf_v1.0.16_3d0h"}
    assert abs(held - stood) > 0.2


def test_a_frame_scores_the_same_in_a_sample_as_in_the_whole(ffmpeg: Ffmpeg, tools: Tools, tmp_path: Path) -> None:
    """However it is reached: read through, by a seek, alone, beside another rendition."""
    film = probe(with_an_edit_list(ffmpeg, tmp_path), tools=tools)
    grid, renditions = encoded(film, tmp_path, tools=tools, kbps=(60, 400))
    whole = score_frames(renditions, film, [range(grid.frames)] * 2, fps=grid.fps, tools=tools)
    assert whole[0].mean() + 5 < whole[1].mean()
    end = grid.frames - 1
    for low, high in ((range(1, end, 7), range(5, end, 11)), (range(60, 61, 7),) * 2, (range(50, end, 13), range(40, 80, 3))):
        sampled = score_frames(renditions, film, [low, high], fps=grid.fps, tools=tools)
        assert np.abs(sampled[0] - whole[0][list(low)]).max() < 0.01
        assert np.abs(sampled[1] - whole[1][list(high)]).max() < 0.01


def encoded(film: Master, to: Path, *, tools: Tools, kbps: Sequence[int]) -> tuple[Grid, list[Path]]:
    """A film's grid, and its renditions as a release makes them."""
    assert film.video is not None
    timeline = read_timeline(film, tools=tools)
    grid = plan_grid(fps=film.video.fps, seconds=timeline.last - timeline.first + 1 / film.video.fps)
    rungs = tuple(_rung(rate, *film.video.display_size) for rate in kbps)
    (chunk,) = plan_chunks(grid)
    folder = to / "chunk"
    folder.mkdir()
    request = EncodeRequest(master=film, grid=grid, chunk=chunk, rungs=rungs, differing={Variant.A: {}})
    encode(request, folder, tools=tools, on_progress=lambda _: None)
    names = [rendition_name(rung.rung.name, Variant.A) for rung in rungs]
    for name in names:
        (folder / name).replace(to / name)
    return grid, [to / name for name in names]


def _rung(kbps: int, width: int, height: int) -> FittedRung:
    target = Rung(
        name=f"v{kbps}",
        box_width=width,
        box_height=height,
        bitrate_bps=kbps * 1000,
        max_bitrate_bps=kbps * 2000,
        buffer_bits=kbps * 2000,
        preset="veryfast",
    )
    return FittedRung(rung=target, width=width, height=height)


def _master_settings() -> tuple[str, ...]:
    return (
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-bf",
        "2",
        "-crf",
        "12",
        "-g",
        "50",
        "-threads",
        "1",
        "-pix_fmt",
        "yuv420p",
    )
