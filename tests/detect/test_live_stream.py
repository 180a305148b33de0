"""Live streams as hostile servers give them: each ends in a sentence, soon, and leads nowhere else."""

import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from mediaforge.detect.live import child
from mediaforge.detect.live.stream import Received, follow, together
from mediaforge.errors import MediaError, StoreError
from tests.detect.site_of_copies import Site

HEAD = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n"


def playlist(*lines: str, head: str = HEAD) -> bytes:
    return (head + "".join(f"{line}\n" for line in lines)).encode()


def followed(site: Site, name: str = "live.m3u8", *, seconds: float = 3.0) -> list[Received]:
    return list(follow(site.url(name), window_seconds=30, seconds=seconds, allow_hosts=(site.host,)))


def test_this_machine_is_refused_unless_it_is_allowed(site: Site) -> None:
    with pytest.raises(MediaError, match=r"leads to 127\.0\.0\.1, which is no public address"):
        list(follow(site.url("live.m3u8"), window_seconds=30, seconds=3))
    assert site.asked == []


@pytest.mark.parametrize("url", ["file:///etc/hostname", "live.m3u8", "rtmp://host/live", "http://"])
def test_only_http_and_https_are_followed(url: str) -> None:
    with pytest.raises(MediaError, match="no http or https address"):
        list(follow(url, window_seconds=30, seconds=3))


@pytest.mark.parametrize("to", ["http://10.0.0.1/a.ts", "http://169.254.169.254/latest/meta-data", "http://[::1]:9/a.ts"])
def test_a_piece_at_a_private_address_is_refused(site: Site, to: str) -> None:
    site.pages["live.m3u8"] = playlist("#EXTINF:1,", to)
    with pytest.raises(MediaError, match="which is no public address"):
        followed(site)


@pytest.mark.parametrize("to", ["file:///etc/hostname", "data:video/mp2t;base64,AAAA", "concat:/etc/passwd|/etc/group"])
def test_a_piece_of_another_scheme_is_never_opened(site: Site, to: str) -> None:
    site.pages["live.m3u8"] = playlist("#EXTINF:1,", to)
    assert followed(site, seconds=0.5) == []


def test_a_redirect_to_a_private_address_is_refused(site: Site) -> None:
    site.redirects["live.m3u8"] = "http://169.254.169.254/latest/meta-data"
    with pytest.raises(MediaError, match=r"leads to 169\.254\.169\.254"):
        followed(site)


def test_a_recorded_video_is_no_live_stream(site: Site) -> None:
    with pytest.raises(MediaError, match="is a recorded video, not a live stream; identify it without --live"):
        followed(site, "clip.m3u8")


@pytest.mark.parametrize("name", ["clip.mp4", "page"])
def test_what_is_no_playlist_says_so(site: Site, name: str) -> None:
    site.pages["page"] = b"<html>no film</html>"
    with pytest.raises(MediaError, match="neither an HLS nor a DASH playlist"):
        followed(site, name)


def test_an_endless_playlist_is_cut(site: Site) -> None:
    with pytest.raises(MediaError, match="sends more than 1 MB at a time"):
        followed(site, "endless.html")


def test_of_a_playlist_of_very_many_pieces_only_the_newest_are_fetched(site: Site) -> None:
    site.pages["live.m3u8"] = playlist(*(f"#EXTINF:10,\n{number}.ts" for number in range(40_000)))
    site.pages |= {f"{number}.ts": str(number).encode() for number in range(39_000, 40_000)}
    pieces = follow(site.url("live.m3u8"), window_seconds=30, seconds=20, allow_hosts=(site.host,))
    assert [next(pieces).media for _ in range(3)] == [b"39997", b"39998", b"39999"]
    pieces.close()  # type: ignore[attr-defined]


def test_an_endless_piece_is_left_out(site: Site) -> None:
    site.pages["live.m3u8"] = playlist("#EXTINF:1,", "endless.ts", "#EXTINF:1,", "a.ts")
    site.pages["a.ts"] = b"a"
    pieces = follow(site.url("live.m3u8"), window_seconds=30, seconds=20, allow_hosts=(site.host,))
    first = next(pieces)
    assert (first.media, first.is_after_gap) == (b"a", True)
    pieces.close()  # type: ignore[attr-defined]


def test_a_stream_that_names_what_is_not_there_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing is waited for here: the follower runs in this process, without its guard.
    monkeypatch.setattr(child.time, "sleep", lambda _: None)
    site.pages["live.m3u8"] = playlist(*(f"#EXTINF:1,\nmissing{number}.ts" for number in range(20)))
    follower = child._Follower({"url": site.url("live.m3u8"), "window": 30, "seconds": None}, _NoGuard(), None)  # type: ignore[arg-type]
    with pytest.raises(child.NotFetched, match="gives none of its last 10 segments"):
        follower.follow()


def test_a_stream_in_which_nothing_new_appears_is_over(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(child.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    monkeypatch.setattr(child.time, "monotonic", lambda: now[0])
    site.pages["live.m3u8"] = playlist("#EXTINF:1,", "clip.mp4")
    with open("/dev/null", "wb") as out:  # noqa: PTH123
        follower = child._Follower({"url": site.url("live.m3u8"), "window": 30, "seconds": None}, _NoGuard(), out)  # type: ignore[arg-type]
        with pytest.raises(child.NotFetched, match="has given nothing new for 60 s"):
            follower.follow()
    assert 60 < now[0] < 75


class _NoGuard:
    refused: tuple[str, ...] = ()

    def allow(self, *, max_bytes: int, seconds: float) -> None: ...


def test_a_piece_under_aes_128_is_opened(site: Site) -> None:
    key, text = bytes(range(16)), b"a piece of a film"
    padder = PKCS7(128).padder()
    lock = Cipher(algorithms.AES128(key), modes.CBC(bytes(15) + b"\x05")).encryptor()
    site.pages["a.ts"] = lock.update(padder.update(text) + padder.finalize()) + lock.finalize()
    site.pages["key"] = key
    head = f'{HEAD}#EXT-X-MEDIA-SEQUENCE:5\n#EXT-X-KEY:METHOD=AES-128,URI="key"\n'
    site.pages["live.m3u8"] = playlist("#EXTINF:1,", "a.ts", head=head)
    assert [piece.media for piece in followed(site, seconds=0.5)] == [text]


def test_a_host_that_does_not_answer_may_be_tried_again() -> None:
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        list(follow("http://127.0.0.1:9/live.m3u8", window_seconds=30, seconds=3, allow_hosts=("127.0.0.1:9",)))
    assert caught.value.transient


def piece(media: bytes, *, seconds: float = 2.0, init: bytes = b"i", gap: bool = False, joined: bool = True) -> Received:
    return Received(init=init, media=media, seconds=seconds, live_at=0.0, broadcast=None, is_after_gap=gap, is_joined=joined)


def test_short_pieces_go_together_as_far_as_their_times_do() -> None:
    some = [piece(b"a"), piece(b"b"), piece(b"c"), piece(b"d", init=b"j"), piece(b"e", joined=False), piece(b"f", gap=True)]
    found = [(each.init, each.media, each.seconds, each.pieces) for each in together(some, least_seconds=4)]
    assert found == [(b"i", b"ab", 4, 2), (b"i", b"c", 2, 1), (b"j", b"d", 2, 1), (b"i", b"e", 2, 1), (b"i", b"f", 2, 1)]


def test_pieces_that_last_no_time_are_not_gathered_for_ever() -> None:
    found = list(together((piece(b"x", seconds=0) for _ in range(80)), least_seconds=4))
    assert [each.pieces for each in found] == [8] * 10


def test_a_follower_is_gone_when_its_listener_is(site: Site, tmp_path: Path) -> None:
    site.pages["live.m3u8"] = playlist("#EXTINF:1,", "a.ts")
    site.pages["a.ts"] = b"a"
    pieces = follow(site.url("live.m3u8"), window_seconds=30, seconds=None, allow_hosts=(site.host,))
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    time.sleep(0.3)
    asked = len(site.asked)
    time.sleep(1.5)
    assert len(site.asked) == asked
