"""Faults put into tiny generated films are found where they were put, and nothing else is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mediaforge.errors import MediaError
from mediaforge.tools import Tools
from mediaforge.transcode.probe import probe
from mediaforge.transcode.qc.control import control
from mediaforge.transcode.qc.finding import Finding

Make = Callable[..., dict[str, Finding]]
_NEAR = 0.2  # seconds
_PICTURE = "testsrc2=size=320x180:rate=25,noise=alls=12:allf=t:all_seed=7"
_TONE = "aevalsrc=0.07*sin(880*PI*t)|0.07*sin(890*PI*t):s=48000"  # about -23 LUFS


@pytest.fixture
def made(tmp_path: Path, ffmpeg: Callable[..., None], tools: Tools) -> Make:
    """Make a film of a picture and a sound, and say what is found in it, by check."""

    def make(picture: str = _PICTURE, sound: str = _TONE, *, seconds: int = 12) -> dict[str, Finding]:
        path = tmp_path / "film.mkv"
        ffmpeg(
            *("-f", "lavfi", "-i", f"{picture},trim=duration={seconds},setpts=PTS-STARTPTS"),
            *("-f", "lavfi", "-i", f"{sound},atrim=duration={seconds}"),
            *("-c:v", "ffv1", "-threads", "1", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le", path),
        )
        return {one.check: one for one in control(probe(path, tools=tools), tools=tools).findings}

    return make


def at(finding: Finding, start: float, end: float) -> bool:
    return abs(finding.start - start) <= _NEAR and abs(finding.end - end) <= _NEAR


def test_nothing_is_found_in_a_good_film(made: Make) -> None:
    assert made() == {}


def test_a_black_piece_and_a_frozen_one_are_found_where_they_are(made: Make) -> None:
    still = f"{_PICTURE},loop=loop=75:size=1:start=150,setpts=N/25/TB"  # from 6.0 to 9.04 s
    found = made(f"{still},drawbox=enable='between(t,2,4.5)':color=black:t=fill")
    assert found.keys() == {"black", "freeze"}
    assert at(found["black"], 2.0, 4.54)
    assert at(found["freeze"], 6.0, 9.04)


def test_letterbox_is_found(made: Make) -> None:
    found = made("testsrc2=size=320x180:rate=25,pad=320:240:0:30", seconds=4)
    assert found.keys() == {"crop"}
    assert found["crop"].value == pytest.approx(25.0, abs=1)


def test_fields_marked_as_whole_pictures_are_found(made: Make) -> None:
    found = made("testsrc2=size=320x180:rate=50,tinterlace=interleave_top,setfield=prog", seconds=4)
    assert found.keys() == {"combing"}
    assert at(found["combing"], 0.0, 4.0)


def test_a_train_of_flashes_is_found_where_it_is(made: Make) -> None:
    flash = "drawbox=enable='between(t,3,6)*lt(mod(n,4),2)':color=white:t=fill"
    dark = "drawbox=enable='between(t,3,6)*gte(mod(n,4),2)':color=0x101010:t=fill"
    found = made(f"{_PICTURE},{flash},{dark}", seconds=8)
    assert found.keys() == {"flashes"}
    assert at(found["flashes"], 3.0, 6.0)


def test_silence_is_found_where_it_is(made: Make) -> None:
    found = made(sound=f"{_TONE},volume=enable='between(t,3,9)':volume=0")
    assert found.keys() - {"loudness"} == {"silence"}
    assert at(found["silence"], 3.0, 9.0)


def test_clipping_is_found_where_it_is(made: Make) -> None:
    found = made(sound=f"{_TONE},volume=enable='between(t,3,5)':volume=40dB")
    assert {"clipping", "true_peak"} <= found.keys()
    assert at(found["clipping"], 3.0, 5.0)


def test_a_channel_turned_over_is_found(made: Make) -> None:
    assert "phase" in made(sound="aevalsrc=0.07*sin(880*PI*t)|-0.07*sin(880*PI*t):s=48000")


def test_sound_that_ends_early_is_found(made: Make) -> None:
    found = made(sound=f"{_TONE},atrim=duration=9", seconds=12)
    assert found.keys() == {"sync"}
    assert at(found["sync"], 9.0, 12.0)


def test_a_silent_film_has_no_sound_to_judge(fast_clip: Path, tools: Tools) -> None:
    verdict = control(probe(fast_clip, tools=tools), tools=tools)
    assert (verdict.sound, verdict.errors) == (False, ())
    assert verdict.seconds == pytest.approx(203 / 50)


def test_progress_ends_at_one_and_never_goes_back(fast_clip: Path, tools: Tools) -> None:
    told: list[float] = []
    control(probe(fast_clip, tools=tools), tools=tools, on_progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_sound_alone_is_no_master(tmp_path: Path, ffmpeg: Callable[..., None], tools: Tools) -> None:
    path = tmp_path / "tone.wav"
    ffmpeg("-f", "lavfi", "-i", f"{_TONE},atrim=duration=1", path)
    with pytest.raises(MediaError, match="has no picture"):
        control(probe(path, tools=tools), tools=tools)
