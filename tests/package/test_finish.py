import re
from fractions import Fraction
from pathlib import Path

import pytest

from mediaforge.errors import MediaError
from mediaforge.package.dash import parse_mpd
from mediaforge.package.finish import finished_master, finished_mpd, finished_playlist
from mediaforge.package.hls import parse_master, parse_playlist
from mediaforge.package.stream import Rate

HERE = Path("x")

RATES = {
    "video/low": Rate(peak_bps=1000, average_bps=900),
    "audio/fr-opus24": Rate(peak_bps=30, average_bps=20),
    "audio/ary-opus24": Rate(peak_bps=40, average_bps=10),
    "text/fr": Rate(peak_bps=5, average_bps=1),
}

MASTER = """#EXTM3U

#EXT-X-MEDIA:TYPE=AUDIO,URI="audio/fr-opus24/media.m3u8",GROUP-ID="opus24",LANGUAGE="fr",NAME="Français",DEFAULT=YES
#EXT-X-MEDIA:TYPE=AUDIO,URI="audio/ary-opus24/media.m3u8",GROUP-ID="opus24",LANGUAGE="ary",NAME="الدارجة",DEFAULT=NO
#EXT-X-MEDIA:TYPE=SUBTITLES,URI="text/fr/media.m3u8",GROUP-ID="text",LANGUAGE="fr",NAME="Français",DEFAULT=NO
#EXT-X-STREAM-INF:BANDWIDTH=7,AVERAGE-BANDWIDTH=6,CODECS="avc1.64,opus",RESOLUTION=160x90,AUDIO="opus24",SUBTITLES="text"
video/low/media.m3u8
"""

MPD = """<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" mediaPresentationDuration="PT1M6.5S"><Period>
<AdaptationSet contentType="video" frameRate="12800/512" width="160" height="90">
<Representation id="0" bandwidth="7" codecs="avc1.64"><SegmentTemplate timescale="100" startNumber="1"
 initialization="video/low/init.mp4" media="video/low/$Number$.m4s"><SegmentTimeline><S t="0" d="200" r="1"/><S d="50"/>
</SegmentTimeline></SegmentTemplate></Representation></AdaptationSet></Period></MPD>
"""


def test_the_master_declares_what_any_mix_needs_with_its_costliest_company() -> None:
    (variant,) = parse_master(finished_master(MASTER, RATES), name=HERE).variants
    assert (variant.bandwidth, variant.average_bandwidth) == (1000 + 40 + 5, 900 + 20 + 1)
    assert variant.codecs == ("avc1.64", "opus", "wvtt")


def test_finishing_a_master_twice_changes_nothing_more() -> None:
    once = finished_master(MASTER, RATES)
    assert once.startswith("#EXTM3U\n#EXT-X-VERSION:6\n")
    assert "VIDEO-RANGE=SDR" in once
    assert finished_master(once, RATES) == once


def test_identity_keys_go_and_other_keys_stay() -> None:
    text = '#EXTM3U\n#EXT-X-KEY:METHOD=X,URI="a",KEYFORMAT="identity"\n#EXT-X-KEY:METHOD=X,URI="old",KEYFORMAT="other"\n1.m4s\n'
    assert finished_playlist(text, {"old": "new"}) == '#EXTM3U\n#EXT-X-KEY:METHOD=X,URI="new",KEYFORMAT="other"\n1.m4s\n'


def test_the_mpd_declares_rates_frame_rates_and_access_points() -> None:
    presentation = parse_mpd(finished_mpd(MPD, RATES, {}, gop_frames=48), name=HERE)
    (row,) = presentation.representations
    assert (row.bandwidth, row.starts_with_sap) == (1000, True)
    assert b'frameRate="25"' in finished_mpd(MPD, RATES, {}, gop_frames=48)


def test_protection_comes_before_properties_as_the_schema_wants_it() -> None:
    odd = '<SupplementalProperty schemeIdUri="a" value="1"/><Role schemeIdUri="r"/><ContentProtection schemeIdUri="b"/>'
    text = finished_mpd(MPD.replace("<Representation", odd + "<Representation", 1), RATES, {}, gop_frames=48).decode()
    order = re.findall("<(ContentProtection|SupplementalProperty|Role|Representation)", text)
    assert order == ["ContentProtection", "SupplementalProperty", "Role", "Representation"]


def test_an_mpd_is_read_as_it_stands() -> None:
    presentation = parse_mpd(MPD.encode(), name=HERE)
    assert presentation.duration == Fraction(133, 2)
    (row,) = presentation.representations
    assert (row.kind, row.width, row.height, row.init) == ("video", 160, 90, "video/low/init.mp4")
    assert row.segments == (
        ("video/low/1.m4s", Fraction(0), Fraction(2)),
        ("video/low/2.m4s", Fraction(2), Fraction(2)),
        ("video/low/3.m4s", Fraction(4), Fraction(1, 2)),
    )


def test_a_playlist_is_read_as_it_stands() -> None:
    text = '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI="init.mp4"\n#EXTINF:1.920,\n1.m4s\n#EXT-X-ENDLIST\n'
    playlist = parse_playlist(text, name=HERE)
    assert (playlist.init, playlist.uris, playlist.seconds) == ("init.mp4", ("1.m4s",), (Fraction(48, 25),))
    assert playlist.is_ended
    assert playlist.target_seconds == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text",
        "#EXTM3U\n#EXTINF:soon,\n1.m4s",
        '#EXTM3U\n#EXT-X-KEY:METHOD=X,URI="data:,!",KEYFORMAT="com.microsoft.playready"',
    ],
)
def test_a_playlist_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(MediaError):
        parse_playlist(text, name=HERE)


@pytest.mark.parametrize("change", [("PT1M6.5S", "later"), ('timescale="100"', 'timescale="none"'), ("</MPD>", "")])
def test_an_mpd_that_makes_no_sense_is_refused(change: tuple[str, str]) -> None:
    with pytest.raises(MediaError):
        parse_mpd(MPD.replace(*change).encode(), name=HERE)


def test_an_mpd_reads_no_file_beside_it(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("PT66S")
    head, _, rest = MPD.partition("?>")
    text = f'{head}?><!DOCTYPE MPD [<!ENTITY x SYSTEM "file://{secret}">]>' + rest.replace("<Period>", "<Period>&x;")
    assert "PT66S" not in finished_mpd(text, RATES, {}, gop_frames=48).decode()


def test_every_group_of_sound_gets_one_default() -> None:
    none = MASTER.replace("DEFAULT=YES", "DEFAULT=NO")
    sounds = [row.is_default for row in parse_master(finished_master(none, RATES), name=HERE).renditions if row.kind == "AUDIO"]
    assert sounds == [True, False]
    assert finished_master(MASTER, RATES).count("DEFAULT=YES") == 1
