"""Hostile copies: each is told in one sentence or looked at like any other, soon, within its limits, and opens nothing else."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

import pytest

from mediaforge import frames
from mediaforge.context import Context
from mediaforge.errors import MediaError
from mediaforge.frames import read_frames
from mediaforge.investigate import add_reference, identify
from mediaforge.tools import Tools
from tests.conftest import REPOSITORY
from tests.hostile_copies import TOLD, Maker, growing_picture

SAMPLE = REPOSITORY / "samples" / "atlas-720p25.mp4"
CODER = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "30", "-threads", "1", "-pix_fmt", "yuv420p", "-g", "25")
SECONDS = 40  # of a busy machine; none takes five on a quiet one


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Whatever hangs fails here."""

    def fail(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"not done after {seconds} s")

    former = signal.signal(signal.SIGALRM, fail)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, former)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Callable[..., None], tools: Tools) -> Context:
    """A state with one title, so that there is something to be held against."""
    folder = tmp_path_factory.mktemp("state")
    found = Context(state=folder / "state", tools=tools)
    ffmpeg("-f", "lavfi", "-i", "life=size=160x90:rate=12:seed=3", "-t", "4", folder / "title.mp4")
    add_reference(found, folder / "title.mp4", "atlas")
    return found


@pytest.mark.parametrize("make", TOLD, ids=lambda make: make.__name__)
def test_a_hostile_copy_is_told_or_shows_nothing(
    make: Maker, context: Context, tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    copy = make(tmp_path, ffmpeg)
    with within(SECONDS):
        if TOLD[make]:
            with pytest.raises(MediaError, match=TOLD[make]):
                identify(context, copy)
        else:
            assert identify(context, copy) == ()


def test_a_pipe_that_never_ends_is_not_waited_for(context: Context, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "copy.mp4")
    for path in (tmp_path / "copy.mp4", Path("/dev/zero")):
        with within(SECONDS), pytest.raises(MediaError, match="is no ordinary file"):
            identify(context, path)


def test_a_picture_that_grows_beyond_what_is_allowed_is_not_decoded(tmp_path: Path, ffmpeg: Callable[..., None]) -> None:
    with within(SECONDS):
        frames = list(read_frames(growing_picture(tmp_path, ffmpeg), max_side=512, rough=True))
    assert [frame.image.shape for frame in frames] == [(512, 512)]


def test_a_decoder_that_takes_more_than_it_may_is_ended(tmp_path: Path, ffmpeg: Callable[..., None]) -> None:
    film = tmp_path / "long.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25:duration=10", "-c:v", "mpeg4", "-threads", "1", film)
    with within(SECONDS), pytest.raises(MediaError, match="broke its decoder"):
        list(read_frames(film, max_side=512, spans=[(0, 10)] * 100, cpu_seconds=1))


def test_a_decoder_that_wants_more_memory_than_it_may_have_is_a_sentence(
    tmp_path: Path, ffmpeg: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "_LIMITS", replace(frames._LIMITS, memory_bytes=400 << 20))
    for name, side in (("small.mkv", 160), ("large.mkv", 8000)):
        color = f"color=size={side}x{side}:rate=1"
        ffmpeg("-f", "lavfi", "-i", color, "-frames:v", "4", "-c:v", "ffvhuff", "-threads", "1", tmp_path / name)
    assert len(list(read_frames(tmp_path / "small.mkv", max_side=512))) == 4
    with within(SECONDS), pytest.raises(MediaError, match=r"large\.mkv: (broke its decoder|cannot be decoded)"):
        list(read_frames(tmp_path / "large.mkv", max_side=512))


@pytest.fixture(scope="module")
def leaked(context: Context, tmp_path_factory: pytest.TempPathFactory, ffmpeg: Callable[..., None]) -> Path:
    """Ten seconds of the sample, which is a title too; the copy's index lies at its front."""
    copy = tmp_path_factory.mktemp("leaked") / "copy.mp4"
    ffmpeg("-ss", "20", "-i", SAMPLE, "-t", "10", "-an", "-vf", "scale=480:-2", *CODER, "-movflags", "+faststart", copy)
    title = copy.with_name("title.mp4")
    ffmpeg("-ss", "15", "-i", SAMPLE, "-t", "20", "-an", "-vf", "scale=480:-2", *CODER, title)
    add_reference(context, title, "sample")
    return copy


def found(context: Context, copy: Path) -> list[tuple[str, float]]:
    with within(SECONDS):
        return [(match.title, float(match.reference.start)) for match in identify(context, copy)]


def test_what_is_left_of_a_broken_download_is_identified(context: Context, leaked: Path, tmp_path: Path) -> None:
    content = leaked.read_bytes()
    (tmp_path / "half.mp4").write_bytes(content[: len(content) * 6 // 10])
    (title, start), *_ = found(context, tmp_path / "half.mp4")
    assert title == "sample" and start == pytest.approx(5, abs=0.5)


def test_broken_bytes_within_do_not_hide_the_rest(context: Context, leaked: Path, tmp_path: Path) -> None:
    content = bytearray(leaked.read_bytes())
    for place in range(len(content) // 2, len(content) // 2 + 40_000, 40):
        content[place] ^= 0xFF
    (tmp_path / "scratched.mp4").write_bytes(bytes(content))
    assert [title for title, _ in found(context, tmp_path / "scratched.mp4")][:1] == ["sample"]


def test_a_recording_whose_times_jump_is_still_a_copy(
    context: Context, leaked: Path, tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    """Two recordings behind one another, the later one with the earlier times, as a receiver's that was switched off."""
    for name, start, offset in (("a.ts", "0", "50000"), ("b.ts", "5", "0")):
        cut = ("-ss", start, "-i", leaked, "-t", "5", "-c:v", "libx264", "-threads", "1", "-preset", "ultrafast")
        ffmpeg(*cut, "-output_ts_offset", offset, tmp_path / name)
    joined = tmp_path / "joined.ts"
    joined.write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    with within(SECONDS):
        matches = [match for match in identify(context, joined) if match.title == "sample"]
    assert sum(float(match.query.seconds) for match in matches) > 8
