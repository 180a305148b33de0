from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from mediaforge.errors import MediaError
from mediaforge.tools import Tools
from mediaforge.transcode.probe import probe, read_timeline


def test_a_master_is_described(clip: Path, tools: Tools) -> None:
    film = probe(clip, tools=tools)
    assert film.video is not None
    assert (film.video.codec, film.video.width, film.video.height, film.video.fps) == ("h264", 320, 180, 25)
    assert [(track.codec, track.channels, track.language) for track in film.audio] == [("aac", 2, "und")]
    timeline = read_timeline(film, tools=tools)
    assert (timeline.packets, timeline.first, timeline.last) == (200, 0, Fraction(199, 25))


@pytest.mark.parametrize(
    ("content", "sentence"), [(b"", "is empty"), (b"hello\n" * 99, "cannot be read as media"), (b"\0" * 9999, "cannot be read")]
)
def test_what_is_no_film_is_a_sentence(tmp_path: Path, tools: Tools, content: bytes, sentence: str) -> None:
    path = tmp_path / "film.mov"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=sentence):
        probe(path, tools=tools)


def test_a_folder_and_a_missing_file_are_told_apart(tmp_path: Path, tools: Tools) -> None:
    with pytest.raises(MediaError, match="is a folder"):
        probe(tmp_path, tools=tools)
    with pytest.raises(MediaError, match="is not there"):
        probe(tmp_path / "none.mov", tools=tools)


def test_a_master_cut_short_is_refused(clip: Path, tools: Tools, tmp_path: Path, ffmpeg: Callable[..., None]) -> None:
    whole = tmp_path / "faststart.mp4"
    ffmpeg("-i", clip, "-c", "copy", "-movflags", "+faststart", whole)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(MediaError, match="get a whole copy"):
        read_timeline(probe(cut, tools=tools), tools=tools)


def test_sound_alone_is_no_title(tools: Tools, tmp_path: Path, ffmpeg: Callable[..., None]) -> None:
    path = tmp_path / "sound.m4a"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=2", path)
    with pytest.raises(MediaError, match="has no picture; give a master with video"):
        read_timeline(probe(path, tools=tools), tools=tools)


@pytest.mark.media
def test_every_real_clip_has_as_many_packets_as_its_rate_says(shared_media: Path, tools: Tools) -> None:
    for path in sorted(shared_media.glob("*.mp4")) + sorted(shared_media.glob("*.webm")):
        film = probe(path, tools=tools)
        assert film.video is not None
        timeline = read_timeline(film, tools=tools)
        assert round((timeline.last - timeline.first) * film.video.fps) + 1 == timeline.packets, path.name
