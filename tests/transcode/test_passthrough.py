"""Dolby sound passed through: whole frames, from the picture's beginning to its end, or a clear no."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from mediaforge.errors import MediaError
from mediaforge.frames import decode_all
from mediaforge.tools import FFMPEG_QUIET, Tools, run
from mediaforge.transcode.passthrough import FRAME, PassRequest, choose_frames, pass_sound, read_times
from mediaforge.transcode.probe import probe
from tests.transcode.values import audio

SURROUND = "pan=5.1|FL=c0|FR=c0|FC=c0|LFE=c0|BL=c0|BR=c0"


def request(*, offset: Fraction = Fraction(0), seconds: Fraction = Fraction(3)) -> PassRequest:
    track = replace(audio(), codec="eac3", sample_rate=48_000)
    return PassRequest(path=Path("/films/a.mkv"), track=track, offset=offset, duration=seconds)


def times(count: int, *, start: Fraction = Fraction(0)) -> list[Fraction]:
    return [start + number * FRAME for number in range(count)]


@pytest.fixture(scope="module", params=["ac3.mkv", "eac3.mkv", "eac3.eac3"])
def surround(request: pytest.FixtureRequest, ffmpeg: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of 5.1 in Matroska, which counts milliseconds, and as a file of nothing but frames."""
    path = tmp_path_factory.mktemp("surround") / request.param
    tone = "aevalsrc='0.3*sin(2*PI*(200+100*t)*t)':s=48000:d=4"
    ffmpeg("-f", "lavfi", "-i", tone, "-af", SURROUND, "-c:a", path.stem, "-b:a", "192k", path)
    return path


def test_frames_are_the_ones_over_the_picture() -> None:
    assert choose_frames(request(), times(200)) == (0, 94)  # 3 s are 93.75 frames
    assert choose_frames(request(offset=Fraction(1, 2)), times(200)) == (16, 94)  # 0.512 s, the nearest beginning
    assert choose_frames(request(seconds=Fraction(1, 100)), times(3)) == (0, 1)


def test_less_than_a_frame_may_be_missing_and_no_more() -> None:
    assert choose_frames(request(), times(93)) == (0, 93)
    assert choose_frames(request(), times(94, start=FRAME / 2)) == (0, 94)
    with pytest.raises(MediaError, match=r"ends 0\.06 s before the picture; give one that fits"):
        choose_frames(request(), times(92))
    with pytest.raises(MediaError, match=r"track of ec-3 that begins 0\.03 s after the picture"):
        choose_frames(request(), times(200, start=FRAME))
    with pytest.raises(MediaError, match=r"begins 3\.00 s after the picture"):
        choose_frames(request(), [])


def test_a_hole_is_named_by_its_place() -> None:
    holed = [*times(30), *times(170, start=31 * FRAME)]
    with pytest.raises(MediaError, match=r"has a hole or a jump at 0\.99 s"):
        choose_frames(request(), holed)
    rounded = [Fraction(round(time * 1000) + number % 2, 1000) for number, time in enumerate(times(200))]
    assert choose_frames(request(), rounded) == (0, 94)


def test_frames_stay_as_they_were(surround: Path, tools: Tools, tmp_path: Path) -> None:
    wanted = PassRequest(
        path=surround, track=probe(surround, tools=tools).audio[0], offset=Fraction(1, 2), duration=Fraction(2)
    )
    made = tmp_path / "made.mp4"
    pass_sound(wanted, made, tools=tools, on_progress=lambda _: None)
    assert frames(made, tools) == frames(surround, tools)[16 : 16 + 62]
    track = probe(made, tools=tools).audio[0]
    assert (track.codec, track.channels, track.start) == (wanted.track.codec, 6, 0)
    decoded = decode_all(made, kind="audio")
    assert (decoded.samples, decoded.error_lines) == (62 * 1536, ())
    assert read_times(replace(wanted, path=made, track=track), tools=tools) == tuple(times(62))


def test_another_sampling_rate_is_refused(tmp_path: Path, tools: Tools) -> None:
    track = replace(audio(), codec="ac3", sample_rate=44_100)
    with pytest.raises(MediaError, match="has ac-3 at 44100 Hz; give it at 48000"):
        pass_sound(replace(request(), track=track), tmp_path / "made.mp4", tools=tools, on_progress=lambda _: None)


def frames(path: Path, tools: Tools) -> list[str]:
    """The digest of each frame's bytes."""
    argv = [tools.ffmpeg, *FFMPEG_QUIET, "-i", path, "-map", "0:a", "-c", "copy", "-f", "framemd5", "-"]
    lines = run(argv, name="ffmpeg").stdout.decode().splitlines()
    return [line.rpartition(",")[2].strip() for line in lines if not line.startswith("#")]
