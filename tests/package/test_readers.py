"""What others read in our manifests: the schema of MPEG, and parsers that share no code with us or the packager.

m3u8: m3u8 (PyPI), yt-dlp and libavformat. MPD: mpegdash and yt-dlp. What hls.js, shaka-player and dash.js make of them is in
test_play.py. Every kind of package: one codec and two, in clear, cenc and cbcs, bare and with all languages.
"""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import av
import m3u8
import pytest
from lxml import etree
from mpegdash.parser import MPEGDASHParser
from yt_dlp import YoutubeDL
from yt_dlp.extractor.generic import GenericIE

from mediaforge.package.assembly import Package
from mediaforge.package.layout import TRICK_FOLDER, audio_folder, text_folder, video_folder
from mediaforge.package.plan import PackageRequest
from mediaforge.package.record import Scheme
from tests.package.kinds import bare, in_two_codecs, in_two_languages, under

HERE = "https://tv.example/"


class Offer(NamedTuple):
    """What a reader found: the folder of each stream by kind, with what it says of it."""

    video: dict[str, Any]
    audio: dict[str, Any]
    text: dict[str, Any]


@pytest.fixture(scope="module")
def two_codecs(ffmpeg: Callable[..., None], request_: PackageRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return in_two_codecs(ffmpeg, tmp_path_factory.mktemp("av1"), request_)


@pytest.fixture(scope="module", params=list(Scheme))
def scheme(request: pytest.FixtureRequest) -> Scheme:
    return Scheme(request.param)


@pytest.fixture(scope="module", params=["h264", "h264 and av1"])
def codecs(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=["bare", "one language", "two languages"])
def made(
    request: pytest.FixtureRequest,
    scheme: Scheme,
    codecs: str,
    request_: PackageRequest,
    two_codecs: PackageRequest,
    make_package: Callable[..., Package],
) -> Package:
    of_codecs = request_ if codecs == "h264" else two_codecs
    kinds = {"bare": bare, "one language": lambda it: it, "two languages": in_two_languages}
    return make_package(under(kinds[request.param](of_codecs), scheme))


@pytest.fixture(scope="module")
def wanted(made: Package) -> Offer:
    record = made.record
    return Offer(
        video={video_folder(row.name): (row.width, row.height) for row in record.rungs},
        audio={audio_folder(row.language, row.name): row.language for row in record.audio},
        text={text_folder(row.language): row.language for row in record.text},
    )


@pytest.fixture(scope="module")
def wanted_of_mpd(made: Package, wanted: Offer) -> Offer:
    """A reader that is no player lists trick play with the rungs: both are sets of pictures."""
    trick = made.record.trick
    assert trick is not None
    return wanted._replace(video=wanted.video | {TRICK_FOLDER: (trick.width, trick.height)})


def test_the_mpd_is_valid_by_the_schema_of_mpeg(made: Package, mpd_schema: etree.XMLSchema) -> None:
    mpd_schema.assertValid(etree.parse(made.dash))


def test_the_schema_would_have_told(made: Package, mpd_schema: etree.XMLSchema) -> None:
    changed = made.dash.read_bytes().replace(b"<Period ", b'<Period made="up" ', 1)
    assert not mpd_schema.validate(etree.fromstring(changed))


def test_m3u8_reads_the_playlists(made: Package, wanted: Offer) -> None:
    master = m3u8.load(str(made.hls))
    sizes = {_folder(row.uri): row.stream_info.resolution for row in master.playlists}
    offered = {kind: {_folder(row.uri): row.language for row in master.media if row.type == kind} for kind in _KINDS}
    assert Offer(sizes, offered["AUDIO"], offered["SUBTITLES"]) == wanted
    assert all(row.stream_info.codecs and row.stream_info.bandwidth and row.stream_info.frame_rate for row in master.playlists)
    (trick,) = master.iframe_playlists
    assert _folder(trick.uri) == TRICK_FOLDER
    for uri in {trick.uri, *(row.uri for row in master.playlists), *(row.uri for row in master.media)}:
        playlist = m3u8.load(str(made.folder / uri))
        assert bool(playlist.is_i_frames_only) == (uri == trick.uri)
        is_text = uri.startswith("text/")
        assert playlist.is_endlist and [row.uri for row in playlist.segment_map] == ([] if is_text else ["init.mp4"])
        suffix = "vtt" if is_text else "m4s"
        assert [segment.uri for segment in playlist.segments] == [f"{n}.{suffix}" for n in range(1, len(playlist.segments) + 1)]
        assert _is_as_long(sum(segment.duration for segment in playlist.segments), made, text=is_text)
        keys = {key.method for key in playlist.keys if key is not None}
        assert keys == ({_METHODS[made.record.scheme]} if made.keys and not is_text else set())


def test_yt_dlp_reads_the_master_playlist(made: Package, wanted: Offer) -> None:
    formats, texts = _extractor()._parse_m3u8_formats_and_subtitles(made.hls.read_text(), f"{HERE}master.m3u8", ext="mp4")
    assert _offer(formats, texts, _address) == wanted


def test_yt_dlp_reads_the_mpd(made: Package, wanted_of_mpd: Offer) -> None:
    tree = ET.fromstring(made.dash.read_bytes())
    formats, texts = _extractor()._parse_mpd_formats_and_subtitles(tree, mpd_base_url=HERE)
    assert _offer(formats, texts, _first_fragment) == wanted_of_mpd
    assert {row.get("has_drm", False) for row in formats} == {bool(made.keys)}
    for row in [*formats, *(row for rows in texts.values() for row in rows)]:
        assert all((made.folder / fragment["path"]).is_file() for fragment in row["fragments"])
        assert len(row["fragments"]) == len(list((made.folder / _first_fragment(row)).glob("*.m4s"))) + 1


def test_mpegdash_reads_the_mpd(made: Package, wanted_of_mpd: Offer) -> None:
    found = Offer({}, {}, {})
    (period,) = MPEGDASHParser.parse(str(made.dash)).periods
    for group in period.adaptation_sets:
        for row in group.representations:
            assert row.codecs and row.bandwidth
            assert bool(group.content_protections) == (bool(made.keys) and group.content_type != "text")
            (template,) = row.segment_templates
            folder, last = _folder(template.initialization), template.segment_timelines[0].Ss[-1]
            said = (row.width or group.width, row.height or group.height) if group.content_type == "video" else group.lang
            getattr(found, group.content_type)[folder] = said
            end = ((last.t or 0) + last.d * (1 + (last.r or 0))) / template.timescale
            assert _is_as_long(end, made, text=group.content_type == "text")
    assert found == wanted_of_mpd


def test_libavformat_reads_the_master_playlist(made: Package, wanted: Offer, copy_of: Callable[[Package], Path]) -> None:
    """ffmpeg's own reader of HLS opens every playlist and its first segment, and finds each stream that we offer.

    It does not know that skd: is nothing to fetch.
    """
    folder = copy_of(made)
    for playlist in folder.rglob("*.m3u8"):
        lines = playlist.read_text().splitlines(keepends=True)
        playlist.write_text("".join(line for line in lines if "skd://" not in line))
    found: dict[str, list[Any]] = {"video": [], "audio": [], "subtitle": []}
    with av.open(str(folder / made.hls.name), options={"allowed_extensions": "ALL"}) as container:
        assert container.format.name == "hls"
        for stream in container.streams:
            said = (stream.width, stream.height) if stream.type == "video" else stream.language
            found[stream.type].append(said)
    groups = len({row.name for row in made.record.audio}) or 1  # of sounds: a rung is listed once for each
    assert sorted(found["video"]) == sorted([*wanted.video.values()] * groups)
    assert sorted(found["audio"]) == sorted(wanted.audio.values())
    assert len(found["subtitle"]) == len(wanted.text)


_KINDS = ("AUDIO", "SUBTITLES")
_METHODS = {Scheme.CBCS: "SAMPLE-AES", Scheme.CENC: "SAMPLE-AES-CTR"}


def _is_as_long(seconds: float, made: Package, *, text: bool) -> bool:
    """As the title, a frame of sound apart; text fills its last segment."""
    grid = made.record.grid
    wanted = grid.segments * grid.segment_seconds if text else grid.duration
    return bool(abs(seconds - wanted) < 0.05)


def _extractor() -> Any:
    return GenericIE(YoutubeDL({"quiet": True, "no_warnings": True, "allow_unplayable_formats": True}))


def _offer(formats: list[dict[str, Any]], texts: dict[str, list[dict[str, Any]]], folder: Callable[[Any], str]) -> Offer:
    """yt-dlp's formats as what they offer."""
    pictures = [row for row in formats if row.get("vcodec") != "none"]
    sounds = [row for row in formats if row.get("vcodec") == "none"]
    return Offer(
        video={folder(row): (row["width"], row["height"]) for row in pictures},
        audio={folder(row): row["language"] for row in sounds},
        text={folder(row): language for language, rows in texts.items() for row in rows},
    )


def _address(row: dict[str, Any]) -> str:
    return _folder(row["url"].removeprefix(HERE))


def _first_fragment(row: dict[str, Any]) -> str:
    return _folder(row["fragments"][0]["path"])


def _folder(uri: str) -> str:
    return str(Path(uri).parent)
