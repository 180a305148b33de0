from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mediaforge.frames import decode_all
from mediaforge.ladder import AudioRung
from mediaforge.tools import FFMPEG_QUIET, Tools, run
from mediaforge.transcode.probe import probe
from mediaforge.transcode.sound import SoundRequest, encode_sound, sound_argv
from tests.transcode.values import audio

RUNGS = (
    AudioRung(name="opus24", codec="opus", bitrate_bps=24_000),
    AudioRung(name="aac64", codec="aac", bitrate_bps=64_000),
)


def request_for(path: Path, tools: Tools, *, seconds: Fraction, offset: Fraction = Fraction(0)) -> SoundRequest:
    track = probe(path, tools=tools).audio[0]
    return SoundRequest(path=path, track=track, offset=offset, duration=seconds, rungs=RUNGS)


def loudness(path: Path, tools: Tools) -> np.ndarray:
    """Loudness (rms) of each tenth of a second."""
    argv = [tools.ffmpeg, *FFMPEG_QUIET, "-i", path, "-f", "s16le", "-ac", "1", "-ar", "8000", "-"]
    samples = np.frombuffer(run(argv, name="ffmpeg").stdout, np.int16).astype(float)
    return np.sqrt((samples[: len(samples) // 800 * 800].reshape(-1, 800) ** 2).mean(1))


@pytest.mark.parametrize("seconds", [Fraction(5), Fraction(8), Fraction(11)])
def test_sound_is_as_long_as_the_picture_in_every_rung(clip: Path, tools: Tools, tmp_path: Path, seconds: Fraction) -> None:
    encode_sound(request_for(clip, tools, seconds=seconds), tmp_path, tools=tools, on_progress=lambda _: None)
    for rung in RUNGS:
        decoded = decode_all(tmp_path / f"{rung.name}.mp4", kind="audio")
        assert decoded.error_lines == ()
        assert 0 <= decoded.samples - seconds * 48_000 <= 1024  # the codec's last frame


def test_sound_begins_with_the_picture(ffmpeg: Callable[..., None], tools: Tools, tmp_path: Path) -> None:
    """A beep at 2.0 s of the file is at 1.5 s of a title whose picture begins at 0.5 s."""
    beep = tmp_path / "beep.wav"
    ffmpeg("-f", "lavfi", "-i", "aevalsrc='0.5*sin(880*2*PI*t)*between(t,2,2.5)':s=48000:d=4", beep)
    request = request_for(beep, tools, seconds=Fraction(3), offset=Fraction(1, 2))
    encode_sound(request, tmp_path, tools=tools, on_progress=lambda _: None)
    heard = loudness(tmp_path / "aac64.mp4", tools) > 1000
    assert heard[16:19].all() and not heard[:14].any() and not heard[21:].any()


def test_surround_is_folded_down_with_its_centre(ffmpeg: Callable[..., None], tools: Tools, tmp_path: Path) -> None:
    centre = tmp_path / "surround.wav"
    ffmpeg("-f", "lavfi", "-i", "sine=frequency=440:duration=1", "-af", "pan=5.1|FC=c0", centre)
    encode_sound(request_for(centre, tools, seconds=Fraction(1)), tmp_path, tools=tools, on_progress=lambda _: None)
    assert loudness(tmp_path / "aac64.mp4", tools)[3:8].min() > 200


def test_one_process_makes_all_audio_rungs(tools: Tools) -> None:
    request = SoundRequest(path=Path("/films/a.wav"), track=audio(), offset=Fraction(0), duration=Fraction(60), rungs=RUNGS)
    argv = sound_argv(request, Path("/out"), tools=tools)
    assert argv.count("-i") == 1
    assert [word for word in argv if word.endswith(".mp4")] == ["/out/opus24.mp4", "/out/aac64.mp4"]
