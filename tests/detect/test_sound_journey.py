"""A film with sound is kept, and its copies come back without picture, dubbed, and silent."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mediaforge.context import Context
from mediaforge.detect.sound_spectrum import RATE
from mediaforge.errors import MediaError
from mediaforge.investigate import add_reference, identify
from mediaforge.tools import Tools
from tests.detect.sounds import Samples, music, speech

Ffmpeg = Callable[..., None]


def raw(path: Path, samples: Samples) -> tuple[str | Path, ...]:
    """Samples as an input of ffmpeg."""
    path.write_bytes(np.concatenate([samples]).tobytes())
    return "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, tools: Tools, ffmpeg: Ffmpeg) -> tuple[Context, Path]:
    """A state that knows the film atlas, with two languages, and a folder that it lies in."""
    folder = tmp_path_factory.mktemp("sounds")
    french, arabic = (raw(folder / f"{seed}.raw", speech(24, seed)) for seed in (1, 2))
    picture = ("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=12:duration=24,noise=alls=20:allf=t:all_seed=7")
    coder = ("-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "96k")
    ffmpeg(*picture, *french, *arabic, "-map", "0", "-map", "1", "-map", "2", *coder, folder / "atlas.mp4")
    context = Context(state=folder / "state", tools=tools)
    add_reference(context, folder / "atlas.mp4", "atlas")
    return context, folder


@pytest.mark.parametrize("track", [0, 1])
def test_sound_alone_in_either_language_is_found(world: tuple[Context, Path], ffmpeg: Ffmpeg, track: int) -> None:
    context, folder = world
    copy = folder / f"radio-{track}.mp3"
    cut = ("-ss", "7", "-t", "12", "-i", folder / "atlas.mp4", "-map", f"0:a:{track}", "-af", "asetrate=11686,aresample=22050")
    ffmpeg(*cut, "-b:a", "64k", copy)
    (found,) = identify(context, copy)
    assert (found.title, found.by, found.verdict.value) == ("atlas", ("sound",), "match")
    assert float(found.speed) == pytest.approx(1.06, abs=0.006)
    assert float(found.reference.start - found.speed * found.query.start) == pytest.approx(7, abs=0.25)


def test_a_plain_copy_is_found_by_both(world: tuple[Context, Path], ffmpeg: Ffmpeg) -> None:
    context, folder = world
    ffmpeg(
        "-ss",
        "5",
        "-t",
        "12",
        "-i",
        folder / "atlas.mp4",
        "-threads",
        "1",
        "-c:v",
        "libx264",
        "-crf",
        "30",
        folder / "copy.mp4",
    )
    assert identify(context, folder / "copy.mp4")[0].by == ("picture", "sound")


def test_a_dub_is_found_by_its_picture_alone(world: tuple[Context, Path], ffmpeg: Ffmpeg) -> None:
    context, folder = world
    other = raw(folder / "other.raw", speech(12, 77))
    cut = ("-ss", "5", "-t", "12", "-i", folder / "atlas.mp4")
    ffmpeg(*cut, *other, "-map", "0:v", "-map", "1:a", "-threads", "1", "-c:v", "libx264", folder / "dub.mp4")
    assert identify(context, folder / "dub.mp4")[0].by == ("picture",)


def test_other_sound_is_unknown(world: tuple[Context, Path], ffmpeg: Ffmpeg) -> None:
    context, folder = world
    ffmpeg(*raw(folder / "song.raw", music(15, 5)), folder / "song.mp3")
    assert identify(context, folder / "song.mp3") == ()


def test_sound_that_is_no_sound_is_bad_input(world: tuple[Context, Path]) -> None:
    context, folder = world
    (folder / "broken.mp3").write_bytes(b"\xff\xfb\x90\x00" + bytes(5000))
    with pytest.raises(MediaError):
        identify(context, folder / "broken.mp3")
