from fractions import Fraction
from pathlib import Path

import pytest

from mediaforge.errors import MediaError
from mediaforge.package.webvtt import fit_webvtt, fitted_webvtt

HERE = Path("subtitles.vtt")


def fit(text: str, seconds: int = 10) -> list[str]:
    return fit_webvtt(text, Fraction(seconds), name=HERE).strip().split("\n\n")


def test_the_last_millisecond_is_filled() -> None:
    assert fit("WEBVTT\n\n00:01.000 --> 00:02.000\nمرحبا") == [
        "WEBVTT",
        "00:00:01.000 --> 00:00:02.000\nمرحبا",
        "00:00:09.999 --> 00:00:10.000",
    ]


def test_cues_are_cut_at_the_end_and_dropped_behind_it() -> None:
    blocks = fit("WEBVTT\n\n1\n00:08.000 --> 00:12.000 align:left\nlong\n\n2\n00:10.000 --> 00:11.000\nlate")
    assert blocks[1:-1] == ["1\n00:00:08.000 --> 00:00:10.000 align:left\nlong"]


def test_what_is_no_cue_stays() -> None:
    text = "WEBVTT - Titre\n\nSTYLE\n::cue { color: white }\n\nNOTE rien\n\n00:01.000 --> 00:02.000\n<b>x</b>\ny"
    assert "\n\n".join(fit(text)[:4]) == text.replace("00:01.000 --> 00:02.000", "00:00:01.000 --> 00:00:02.000")


def test_line_ends_and_byte_order_marks_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "x.vtt"
    path.write_bytes(b"\xef\xbb\xbfWEBVTT\r\n\r\n00:01.000 --> 00:02.000\r\nx\r\n")
    assert "x\n\n00:00:09.999" in fitted_webvtt(path, Fraction(10))


def test_an_hour_is_an_hour() -> None:
    assert fit("WEBVTT", 3600 * 101)[-1] == "100:59:59.999 --> 101:00:00.000"


@pytest.mark.parametrize("text", ["", "1\n00:00:01,000 --> 00:00:02,000\nsrt", "WEBVTTX\n\n"])
def test_other_files_are_refused(text: str) -> None:
    with pytest.raises(MediaError, match="no WebVTT"):
        fit(text)


def test_a_cue_without_times_is_named() -> None:
    with pytest.raises(MediaError, match="soon --> later"):
        fit("WEBVTT\n\nsoon --> later\nx")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.vtt"
    path.write_bytes(b"WEBVTT\xff\xfe")
    with pytest.raises(MediaError, match="not UTF-8"):
        fitted_webvtt(path, Fraction(1))
    with pytest.raises(MediaError, match="cannot be read"):
        fitted_webvtt(tmp_path / "nothing.vtt", Fraction(1))
