"""Shared fixtures: this machine's tools, tiny generated media, and the real clips where they lie beside the checkout."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mediaforge.tools import FFMPEG_QUIET, Tools, locate_tools, run

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def tools() -> Tools:
    return locate_tools({})


@pytest.fixture(scope="session")
def ffmpeg(tools: Tools) -> Callable[..., None]:
    """Call ffmpeg with these arguments; the last one is the file to make."""

    def call(*arguments: str | Path) -> None:
        run([tools.ffmpeg, *FFMPEG_QUIET, "-y", *arguments], name="ffmpeg", timeout_seconds=120)

    return call


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Callable[..., None]) -> Path:
    """A master of 8 s, 320x180p25 with stereo sound: moving shapes over noise, so that codecs have work to do."""
    path = tmp_path_factory.mktemp("media") / "clip.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=8,noise=alls=12:allf=t:all_seed=7"),
        *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=8"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-threads", "1", "-pix_fmt", "yuv420p", "-g", "60"),
        *("-c:a", "aac", "-b:a", "96k", "-ac", "2", "-shortest"),
        path,
    )
    return path


@pytest.fixture(scope="session")
def fast_clip(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Callable[..., None]) -> Path:
    """A silent master of 203 frames, 320x180p50."""
    path = tmp_path_factory.mktemp("media") / "fast.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=50,noise=alls=12:allf=t:all_seed=7", "-frames:v", "203"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-threads", "1", "-pix_fmt", "yuv420p"),
        path,
    )
    return path


@pytest.fixture(scope="session")
def shared_media() -> Path:
    folder = REPOSITORY.parent / "shared" / "media"
    if not folder.is_dir():
        pytest.skip("the real clips are not beside this checkout; the same laws are tested on generated media")
    return folder
