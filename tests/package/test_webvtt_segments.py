"""Subtitles cut into segments, with times counted by hand."""

from fractions import Fraction
from pathlib import Path

import pytest

from mediaforge.package.webvtt_segments import checked_segment, segments_digest, split_webvtt, write_segments

HERE = Path("film.vtt")
TWO_SECONDS = [Fraction(2)] * 3
HEADER = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000"
ONE = "00:00:00.500 --> 00:00:01.000\nSbah lkhir"
ACROSS = "7\n00:00:01.500 --> 00:00:04.000 align:start\nكان يا ما كان"
FILL = "00:00:05.999 --> 00:00:06.000\n"
TEXT = f"WEBVTT - film\n\nSTYLE\n::cue {{ color: lime }}\n\nNOTE nobody\n\n{ONE}\n\n{ACROSS}\n\n{FILL}"


def test_a_cue_stands_in_every_segment_that_it_reaches_into_with_its_own_times() -> None:
    first, second, third = split_webvtt(TEXT, TWO_SECONDS, name=HERE)
    assert ONE in first and ACROSS in first
    assert ONE not in second and ACROSS in second
    assert "-->" not in third  # a cue that ends at 4 s is over; the one that fills the track says nothing


def test_each_segment_has_the_header_and_what_cues_lean_on_but_no_comment() -> None:
    for segment in split_webvtt(TEXT, TWO_SECONDS, name=HERE):
        assert segment.startswith(f"{HEADER}\n\nSTYLE\n")
        assert "NOTE" not in segment


def test_a_playlist_names_the_segments_and_no_init_segment(tmp_path: Path) -> None:
    lines = '#EXTM3U\n#EXT-X-MAP:URI="init.mp4"\n#EXTINF:2.000,\n1.m4s\n#EXTINF:2.000,\n2.m4s\n#EXT-X-ENDLIST\n'
    (tmp_path / "media.m3u8").write_text(lines)
    write_segments(tmp_path, TEXT, TWO_SECONDS[:2])
    assert (tmp_path / "media.m3u8").read_text() == "#EXTM3U\n#EXTINF:2.000,\n1.vtt\n#EXTINF:2.000,\n2.vtt\n#EXT-X-ENDLIST\n"
    assert (tmp_path / "2.vtt").read_text().endswith("كان يا ما كان\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{HEADER}\n\n{ONE}\n", None),
        (f"{HEADER}\n", None),
        (f"{HEADER}\n\n{ACROSS}\n", None),
        (f"{HEADER}\n\n00:00:02.000 --> 00:00:03.000\nlate\n", "does not fall into it"),
        ("WEBVTT\n\n", "times are those of the title"),
        ("1\n", "no WebVTT"),
        (f"{HEADER}\n\n00:00 --> 1\nx\n", "no WebVTT"),
    ],
)
def test_a_segment_is_held_against_its_span(tmp_path: Path, text: str, words: str | None) -> None:
    path = tmp_path / "1.vtt"
    path.write_text(text)
    found = checked_segment(path, (Fraction(0), Fraction(2)))
    assert found is None if words is None else words in str(found)


def test_a_digest_is_of_all_segments_and_of_none_where_there_are_none(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.m4s").touch()
    assert segments_digest(tmp_path) is None
    (tmp_path / "1.vtt").write_text("a")
    one = segments_digest(tmp_path)
    (tmp_path / "2.vtt").write_text("b")
    assert None is not one != segments_digest(tmp_path)
