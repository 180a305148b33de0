"""What `scan` fetches: every way a page shows a video, and every way it tries to lead us elsewhere."""

import json
from pathlib import Path

import pytest

from mediaforge.detect.sources import Caps, fetch
from mediaforge.errors import MediaError, StoreError
from mediaforge.frames import read_frames
from tests.detect.site_of_copies import Site


def seconds_of(path: Path) -> float:
    return float(max(frame.seconds for frame in read_frames(path, max_side=64)))


def test_a_plain_file_is_fetched_plainly(site: Site, tmp_path: Path) -> None:
    found = fetch(site.url("clip.mp4"), tmp_path, allow_hosts=(site.host,))
    assert (found.extractor, found.complete) == ("plain", True)
    assert found.path.read_bytes() == (site.folder / "clip.mp4").read_bytes()
    assert found.bytes_fetched >= found.path.stat().st_size
    assert site.asked == ["clip.mp4"]


def test_a_playlist_embedded_in_a_page_is_found_and_joined(site: Site, tmp_path: Path) -> None:
    site.pages["watch"] = '<html><title>فيلم</title><video src="clip.m3u8"></video></html>'.encode()
    found = fetch(site.url("watch"), tmp_path, allow_hosts=(site.host,))
    assert found.title == "فيلم"
    assert found.url == site.url("clip.m3u8")
    assert seconds_of(found.path) == pytest.approx(47 / 12, abs=0.01)
    assert [path.name for path in tmp_path.iterdir()] == [found.path.name]


@pytest.mark.parametrize("name", ["clip.m3u8", "clip.mpd"])
def test_a_playlist_that_has_ended_is_fetched_whole(site: Site, tmp_path: Path, name: str) -> None:
    found = fetch(site.url(name), tmp_path, allow_hosts=(site.host,))
    assert found.complete and seconds_of(found.path) == pytest.approx(47 / 12, abs=0.01)


def test_a_live_stream_is_not_fetched_but_watched(site: Site, tmp_path: Path) -> None:
    live = (site.folder / "clip.m3u8").read_bytes().replace(b"#EXT-X-ENDLIST", b"").replace(b"#EXT-X-PLAYLIST-TYPE:VOD", b"")
    site.pages["live.m3u8"] = live
    with pytest.raises(MediaError, match="is a live stream; watch it with `mediaforge identify URL --live`"):
        fetch(site.url("live.m3u8"), tmp_path, allow_hosts=(site.host,))


def test_a_page_that_links_a_file_leads_to_it(site: Site, tmp_path: Path) -> None:
    site.pages["post"] = b'<html><body><a href="/clip.mp4">here</a></body></html>'
    found = fetch(site.url("post"), tmp_path, allow_hosts=(site.host,))
    assert found.path.read_bytes() == (site.folder / "clip.mp4").read_bytes()


def test_a_video_longer_than_the_limit_is_not_fetched(site: Site, tmp_path: Path) -> None:
    video = {"@context": "https://schema.org", "@type": "VideoObject", "contentUrl": site.url("clip.mp4"), "duration": "PT7H"}
    site.pages["watch"] = f'<html><script type="application/ld+json">{json.dumps(video)}</script></html>'.encode()
    with pytest.raises(MediaError, match="runs 25200 s, longer than the limit of 21600 s"):
        fetch(site.url("watch"), tmp_path, allow_hosts=(site.host,))
    assert not list(tmp_path.iterdir())


def test_a_page_without_video_says_so(site: Site, tmp_path: Path) -> None:
    site.pages["about"] = b"<html><title>About us</title><body>No films here.</body></html>"
    with pytest.raises(MediaError, match="shows no video"):
        fetch(site.url("about"), tmp_path, allow_hosts=(site.host,))
    assert not list(tmp_path.iterdir())


def test_a_missing_page_names_its_status(site: Site, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="HTTP status 404; check the address"):
        fetch(site.url("gone.mp4"), tmp_path, allow_hosts=(site.host,))


def test_this_machine_is_refused_unless_it_is_allowed(site: Site, tmp_path: Path) -> None:
    with pytest.raises(
        MediaError, match=r"leads to 127\.0\.0\.1, which is no public address; name its host in scan_allow_hosts"
    ):
        fetch(site.url("clip.mp4"), tmp_path)
    with pytest.raises(MediaError, match="no public address"):
        fetch(site.url("clip.mp4"), tmp_path, allow_hosts=("127.0.0.1:1",))
    assert site.asked == []


@pytest.mark.parametrize("to", ["http://127.0.0.2:9/x.mp4", "http://169.254.169.254/latest/meta-data", "http://[::1]:9/x.mp4"])
def test_a_redirect_of_a_file_to_a_private_address_is_refused(site: Site, tmp_path: Path, to: str) -> None:
    site.redirects["jump.mp4"] = to
    with pytest.raises(MediaError, match="no public address"):
        fetch(site.url("jump.mp4"), tmp_path, allow_hosts=(site.host,))


def test_a_redirect_of_a_page_to_a_private_address_is_refused(site: Site, tmp_path: Path) -> None:
    site.redirects["jump"] = "http://169.254.169.254/latest/meta-data"
    with pytest.raises(MediaError, match=r"leads to 169\.254\.169\.254"):
        fetch(site.url("jump"), tmp_path, allow_hosts=(site.host,))


def test_a_segment_at_a_private_address_is_refused(site: Site, tmp_path: Path) -> None:
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://10.0.0.1/a.ts\n#EXT-X-ENDLIST\n"
    site.pages["list.m3u8"] = playlist
    site.pages["watch"] = b'<html><title>t</title><video src="list.m3u8"></video></html>'
    with pytest.raises(MediaError, match=r"leads to 10\.0\.0\.1"):
        fetch(site.url("watch"), tmp_path, allow_hosts=(site.host,))


@pytest.mark.parametrize("to", ["file:///etc/hostname", "ftp://127.0.0.1/x.mp4"])
def test_a_redirect_to_another_scheme_is_refused(site: Site, tmp_path: Path, to: str) -> None:
    site.redirects["jump.mp4"] = to
    with pytest.raises((MediaError, StoreError)):
        fetch(site.url("jump.mp4"), tmp_path, allow_hosts=(site.host,))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://host/x.mp4", "data:video/mp4;base64,AA", "http://", "film.mp4"])
def test_only_http_and_https_are_addresses(tmp_path: Path, url: str) -> None:
    with pytest.raises(MediaError, match="no http or https address"):
        fetch(url, tmp_path)


def test_an_endless_file_is_cut_at_the_cap_and_kept(site: Site, tmp_path: Path) -> None:
    found = fetch(site.url("endless.ts"), tmp_path, allow_hosts=(site.host,), caps=Caps(max_bytes=1 << 20))
    assert not found.complete
    assert (1 << 20) * 0.8 < found.path.stat().st_size <= 1 << 20


def test_an_endless_segment_is_cut_at_the_cap(site: Site, tmp_path: Path) -> None:
    site.pages["list.m3u8"] = b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nendless.ts\n#EXT-X-ENDLIST\n"
    site.pages["watch"] = b'<html><title>t</title><video src="list.m3u8"></video></html>'
    found = fetch(site.url("watch"), tmp_path, allow_hosts=(site.host,), caps=Caps(max_bytes=1 << 20))
    assert not found.complete
    assert 0 < found.path.stat().st_size <= 1 << 20
    assert [path.name for path in tmp_path.iterdir()] == [found.path.name]


def test_an_endless_page_is_cut_too(site: Site, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="limit of bytes"):
        fetch(site.url("endless.html"), tmp_path, allow_hosts=(site.host,), caps=Caps(max_bytes=1 << 20))


@pytest.mark.parametrize(
    ("url", "says"), [("https://dood.to/e/abc", "known for piracy"), ("https://www.disneyplus.com/video/1", "DRM")]
)
def test_sites_that_yt_dlp_refuses_are_named_as_such(tmp_path: Path, url: str, says: str) -> None:
    with pytest.raises(MediaError, match=says):
        fetch(url, tmp_path)


def test_a_host_that_does_not_answer_may_be_tried_again(site: Site, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        fetch("http://127.0.0.1:9/clip.mp4", tmp_path, allow_hosts=("127.0.0.1:9",))
    assert caught.value.transient
