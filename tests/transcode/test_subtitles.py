from fractions import Fraction
from pathlib import Path

import pytest

from mediaforge.errors import MediaError
from mediaforge.tools import Tools
from mediaforge.transcode.subtitles import RIGHT_TO_LEFT_MARK, convert_subtitles

SRT = "1\n00:00:01,000 --> 00:00:02,500\n{text}\n\n2\n00:00:03,000 --> 00:00:04,000\nfin\n"


def converted(folder: Path, tools: Tools, content: bytes, *, seconds: int = 60) -> str:
    source, target = folder / "in.srt", folder / "out.vtt"
    source.write_bytes(content)
    convert_subtitles(source, target, duration=Fraction(seconds), tools=tools)
    return target.read_text(encoding="utf-8")


def test_srt_becomes_webvtt(tmp_path: Path, tools: Tools) -> None:
    text = converted(tmp_path, tools, SRT.format(text="Bonjour").encode())
    assert text.startswith("WEBVTT") and "00:01.000 --> 00:02.500\nBonjour" in text


def test_arabic_lines_begin_with_a_mark_of_their_direction(tmp_path: Path, tools: Tools) -> None:
    text = converted(tmp_path, tools, SRT.format(text="مرحبا بكم!").encode())
    assert f"\n{RIGHT_TO_LEFT_MARK}مرحبا بكم!" in text and f"{RIGHT_TO_LEFT_MARK}fin" not in text


@pytest.mark.parametrize(
    ("content", "seconds", "sentence"),
    [
        (SRT.format(text="é").encode("latin-1"), 60, "UTF-8"),
        (b"no subtitles at all", 60, "cannot be read as subtitles"),
        (SRT.format(text="late").encode(), 1, "has no cue within the 1 s"),
    ],
)
def test_what_is_no_subtitle_of_this_title_is_a_sentence(
    tmp_path: Path, tools: Tools, content: bytes, seconds: int, sentence: str
) -> None:
    with pytest.raises(MediaError, match=sentence):
        converted(tmp_path, tools, content, seconds=seconds)


def test_a_missing_file_is_a_sentence(tmp_path: Path, tools: Tools) -> None:
    with pytest.raises(MediaError, match="--subtitle"):
        convert_subtitles(tmp_path / "none.srt", tmp_path / "out.vtt", duration=Fraction(1), tools=tools)
