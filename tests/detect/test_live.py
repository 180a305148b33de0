"""Live streams: what their playlists name, what the window remembers, when an alarm is raised."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from mediaforge.detect.features import NO_FEATURES
from mediaforge.detect.live.alarms import QUIET_SECONDS, Alarms, Kind
from mediaforge.detect.live.dash import read_manifest
from mediaforge.detect.live.hls import Renditions, read_media_playlist, renditions
from mediaforge.detect.live.listing import LONGEST_SECONDS, MOST_PIECES, Key, NoListing, Part
from mediaforge.detect.live.window import SECONDS, Stretch, Window, fitted
from mediaforge.detect.match import Match, Verdict
from mediaforge.detect.sound_spectrum import RATE
from mediaforge.detect.tiers import Found
from mediaforge.detect.video import Fingerprint
from mediaforge.media import Span

HLS = "https://tv.example/live/list.m3u8"
DASH = "https://tv.example/live/tv.mpd"


def test_of_the_renditions_the_smallest_with_enough_lines_is_followed() -> None:
    master = "#EXTM3U\n" + "".join(
        f"#EXT-X-STREAM-INF:BANDWIDTH={rate}{size}\n{name}\n"
        for rate, size, name in (
            (64_000, "", "sound.m3u8"),
            (90_000, ",RESOLUTION=256x144", "v144.m3u8"),
            (900_000, ",RESOLUTION=1280x720", "v720.m3u8"),
            (300_000, ",RESOLUTION=426x240", "v240.m3u8"),
        )
    )
    assert renditions(master, HLS) == Renditions(picture="https://tv.example/live/v240.m3u8", sound=None)
    assert renditions("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n", HLS) is None


def test_a_piece_is_named_with_its_bytes_its_key_and_its_clock() -> None:
    listing = read_media_playlist(
        '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-MAP:URI="init.mp4",BYTERANGE="100@0"\n'
        '#EXT-X-KEY:METHOD=AES-128,URI="/k.bin"\n#EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:00:00Z\n'
        "#EXTINF:4,\n#EXT-X-BYTERANGE:500@100\na.mp4\n#EXTINF:4,\nhttps://cdn.example/b.mp4\n",
        HLS,
    )
    first, second = listing.pieces
    assert (listing.ended, listing.reload_seconds) == (False, 4)
    assert first.init == Part(url="https://tv.example/live/init.mp4", first=0, count=100)
    assert first.media == Part(url="https://tv.example/live/a.mp4", first=100, count=500)
    assert first.key == Key(url="https://tv.example/k.bin", iv=bytes(15) + b"\x07")
    assert second.media == Part(url="https://cdn.example/b.mp4")
    assert second.number == 8 and first.broadcast is not None and second.broadcast == first.broadcast + 4


def test_a_playlist_that_lies_about_time_is_held_to_what_can_be() -> None:
    lines = "".join(f"#EXTINF:{said},\na.ts\n" for said in ("1e300", "-5", "nan", "inf"))
    listing = read_media_playlist(f"#EXTM3U\n#EXT-X-TARGETDURATION:999999\n{lines}", HLS)
    assert [piece.seconds for piece in listing.pieces] == [LONGEST_SECONDS, 0, 0, LONGEST_SECONDS]
    assert listing.reload_seconds == LONGEST_SECONDS


@pytest.mark.parametrize(
    ("playlist", "says"),
    [
        ("#EXTM3U\n#EXTINF:abc,\na.ts\n", "cannot be read"),
        ("#EXTM3U\n", "without segments"),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:x\n#EXTINF:1,\na.ts\n", "cannot be read"),
        ('#EXTM3U\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://x"\n#EXTINF:1,\na.ts\n', "is encrypted"),
        ("#EXTM3U\n#EXTINF:1,\n#EXT-X-BYTERANGE:500\na.ts\n", "byte ranges"),
    ],
)
def test_an_hls_playlist_that_cannot_be_followed_says_why(playlist: str, says: str) -> None:
    with pytest.raises(NoListing, match=says):
        read_media_playlist(playlist, HLS)


def mpd(template: str, *, begun: str = "1970-01-01T00:00:00Z", attributes: str = "", before: str = "") -> bytes:
    return (
        f'{before}<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" availabilityStartTime="{begun}" {attributes}>'
        f'<BaseURL>tv/</BaseURL><Period start="PT10S">'
        f'<AdaptationSet contentType="audio">{template}<Representation id="a" bandwidth="1"/></AdaptationSet>'
        f'<AdaptationSet mimeType="video/mp4">{template}<Representation id="v" bandwidth="9" height="360"/></AdaptationSet>'
        "</Period></MPD>"
    ).encode()


def test_numbered_segments_are_those_that_are_whole_by_now() -> None:
    text = mpd('<SegmentTemplate timescale="10" duration="20" startNumber="5" media="$RepresentationID$-$Number%05d$.m4s"/>')
    pieces = read_manifest(text, DASH, now=10 + 9.9).pieces  # four of two seconds have ended, the fifth has not
    assert [piece.media.url.rsplit("/", 1)[1] for piece in pieces] == [f"v-{number:05}.m4s" for number in (5, 6, 7, 8)]
    assert pieces[0].media.url.startswith("https://tv.example/live/tv/")
    assert [piece.number for piece in pieces] == [10_000, 12_000, 14_000, 16_000]
    assert (pieces[0].seconds, pieces[0].broadcast) == (2, 10)


def test_a_timeline_of_a_billion_segments_gives_the_newest() -> None:
    rows = '<SegmentTimeline><S t="0" d="2" r="999999999"/></SegmentTimeline>'
    text = mpd(f'<SegmentTemplate media="$Time$.m4s" initialization="$RepresentationID$.mp4">{rows}</SegmentTemplate>')
    pieces = read_manifest(text, DASH, now=2_000_000_010.0).pieces
    assert 0 < len(pieces) <= MOST_PIECES
    assert pieces[-1].media.url.endswith("tv/1999999998.m4s")
    assert pieces[-1].init == Part(url="https://tv.example/live/tv/v.mp4")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"<MPD", "cannot be read"),
        (b"<html/>", "no DASH manifest"),
        (mpd("<SegmentBase/>"), "without segment templates"),
        (mpd('<SegmentTemplate media="a" duration="0"/>'), "cannot be read"),
        (mpd('<SegmentTemplate media="a"><SegmentTimeline><S d="0"/></SegmentTimeline></SegmentTemplate>'), "last no time"),
        (mpd("<ContentProtection/>"), "is encrypted"),
        (mpd('<SegmentTemplate media="a" duration="1"/>', begun="tomorrow"), "cannot be read"),
    ],
)
def test_a_manifest_that_cannot_be_followed_says_why(text: bytes, says: str) -> None:
    with pytest.raises(NoListing, match=says):
        read_manifest(text, DASH, now=1000.0)


def test_a_manifest_neither_reads_files_nor_unfolds_itself() -> None:
    template = '<SegmentTemplate media="&x;" duration="1"/>'
    entity = '<!DOCTYPE MPD [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    try:
        pieces = read_manifest(mpd(template, before=entity), DASH, now=20.0).pieces
    except NoListing:
        return
    assert all("/" not in piece.media.url.removeprefix("https://tv.example/live/tv/") for piece in pieces)


def stretch(begin: float, seconds: float, *, live_at: float = 0.0, frames: int = 4) -> Stretch:
    times = np.arange(frames, dtype=np.int64) * round(seconds * 1000 / frames)
    codes = np.zeros((frames, 2, 2, 4), np.uint64)
    seen = Fingerprint(
        seconds=Fraction(seconds),
        times=times,
        reference_codes=codes,
        query_codes=codes,
        features=NO_FEATURES,
        turned=NO_FEATURES,
    )
    sound = fitted([], seconds)
    return Stretch(begin=begin, end=begin + seconds, live_at=live_at, broadcast=None, seen=seen, sound=sound)


def test_the_window_never_grows_beyond_its_seconds_and_one_piece() -> None:
    window = Window()
    for number in range(500):
        window.add(stretch(2.0 * number, 2.0))
    seen = window.seen()
    assert seen is not None
    assert 1000 - window.begin <= SECONDS + 2
    assert len(seen.times) <= 4 * (SECONDS / 2 + 1) and len(window.heard()) <= (SECONDS + 2) * RATE
    assert (np.diff(seen.times) > 0).all() and float(seen.seconds) == 1000 - window.begin


def test_times_rise_even_where_a_piece_is_longer_than_the_playlist_said() -> None:
    window = Window()
    first = stretch(0.0, 4.0)
    window.add(replace(first, end=1.0))
    window.add(stretch(1.0, 1.0))
    seen = window.seen()
    assert seen is not None and seen.times.tolist() == [0, 1000, 1250, 1500, 1750]


def test_a_moment_was_live_as_long_before_the_edge_as_it_lies_before_the_pieces_end() -> None:
    window = Window()
    window.add(stretch(0.0, 6.0, live_at=1000.0))
    window.add(stretch(6.0, 6.0, live_at=1006.5))
    assert (window.live_at(1.0), window.live_at(11.0)) == (995.0, 1005.5)


def found(verdict: Verdict, *, start: int = 5, end: int = 9, title: str = "atlas") -> Found:
    span = Span(start=Fraction(start), end=Fraction(end))
    picture = Match(
        title=title,
        verdict=verdict,
        score=2,
        query=span,
        reference=span,
        speed=Fraction(1),
        mirrored=False,
        frames=9,
        distance=1,
    )
    return Found(picture=picture, sound=None)


def kinds(alarms: Alarms, some: list[Found], now: float) -> list[Kind]:
    return [event.kind for event in alarms.update(some, window_begin=now - 30, now=now)]


def test_a_match_is_told_at_once_and_only_once_while_it_runs() -> None:
    alarms = Alarms()
    assert kinds(alarms, [found(Verdict.MATCH), found(Verdict.PROBABLE)], 40) == [Kind.ALARM]
    assert kinds(alarms, [found(Verdict.MATCH, start=1, end=29)], 44) == []
    assert kinds(alarms, [], 44 + QUIET_SECONDS - 2) == []
    assert kinds(alarms, [], 44 + QUIET_SECONDS) == [Kind.ENDED]
    assert kinds(alarms, [found(Verdict.MATCH)], 200) == [Kind.ALARM]


def test_what_is_less_than_a_match_must_be_found_twice_in_a_row() -> None:
    alarms = Alarms()
    assert kinds(alarms, [found(Verdict.PROBABLE)], 40) == []
    assert kinds(alarms, [], 44) == []
    assert kinds(alarms, [found(Verdict.PROBABLE)], 48) == []
    assert kinds(alarms, [found(Verdict.PROBABLE)], 52) == [Kind.ALARM]
    assert kinds(alarms, [found(Verdict.MATCH)], 56) == [Kind.SURER]


def test_a_place_alone_is_to_be_reviewed_until_moments_agree() -> None:
    alarms = Alarms()
    assert kinds(alarms, [found(Verdict.REVIEW)], 40) == []
    assert kinds(alarms, [found(Verdict.REVIEW)], 44) == [Kind.REVIEW]
    assert kinds(alarms, [found(Verdict.MATCH)], 48) == [Kind.ALARM]


def test_a_stream_that_ends_ends_what_was_told_in_it() -> None:
    alarms = Alarms()
    kinds(alarms, [found(Verdict.MATCH), found(Verdict.PROBABLE, title="other")], 40)
    assert [(event.kind, event.sighting.title) for event in alarms.close()] == [(Kind.ENDED, "atlas")]
