"""The edge on a package of a few bytes: who gets what, and who gets nothing."""

import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mediaforge.edge.app import COOKIE, edge_app
from mediaforge.edge.site import Site
from mediaforge.edge.token import EdgeKey, Session, cookie_digest, mint_token, session_name, signing_key
from tests.edge.asking import Answer, ask

KEY = EdgeKey(kid=b"1", mac=b"m" * 32, pattern=b"p" * 32, signer=signing_key(b"s" * 64))
SESSION = Session(session_id=b"0123456789abcdef", title="atlas", variants="ABBAB", issued=1000, expires=1600)
RUNGS = ("360p", "720p")
SEGMENTS = 5
NOW = 1100

Ask = Callable[..., Answer]


def token(session: Session = SESSION) -> str:
    return mint_token(session, KEY, nonce=b"n" * 12)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Every file holds its own address, so that an answer says where it came from."""
    folder = tmp_path / "package"
    places = ["manifest.mpd", "master.m3u8", "mediaforge.json", "audio/fr-aac64/init.mp4", "audio/fr-aac64/1.m4s"]
    for rung in RUNGS:
        places += [f"video/{rung}/init.mp4", f"video/{rung}/media.m3u8"]
        places += [f"{top}video/{rung}/{number}.m4s" for top in ("", "b/") for number in range(1, SEGMENTS + 1)]
    for place in places:
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(place)
    (tmp_path / "secret").write_text("secret")
    return folder


@pytest.fixture
def site(package: Path) -> Site:
    return Site(
        title="atlas",
        folder=package,
        manifests=frozenset({"manifest.mpd", "master.m3u8"}),
        marked={f"video/{rung}": f"b/video/{rung}" for rung in RUNGS},
        shared=frozenset({"audio/fr-aac64"}),
        heads=frozenset({"init.mp4", "media.m3u8"}),
    )


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def edge(site: Site, log: list[str]) -> Ask:
    app = edge_app(site, {KEY.kid: KEY}, now=lambda: NOW, tell=log.append)
    return lambda path, **more: ask(app, path.encode("latin-1"), **more)


def test_every_session_downloads_its_own_code(edge: Ask) -> None:
    draw = random.Random(4)
    for _ in range(20):
        variants = "".join(draw.choices("AB", k=SEGMENTS))
        text = token(replace(SESSION, variants=variants, session_id=draw.randbytes(16)))
        for rung in RUNGS:
            got = [edge(f"/{text}/video/{rung}/{number}.m4s").body.decode() for number in range(1, SEGMENTS + 1)]
            assert "".join("B" if place.startswith("b/") else "A" for place in got) == variants
            assert [place.removeprefix("b/") for place in got] == [f"video/{rung}/{n}.m4s" for n in range(1, SEGMENTS + 1)]


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("manifest.mpd", "application/dash+xml"),
        ("master.m3u8", "application/vnd.apple.mpegurl"),
        ("video/360p/init.mp4", "video/mp4"),
        ("audio/fr-aac64/1.m4s", "video/iso.segment"),
    ],
)
def test_the_rest_of_the_package_is_there(edge: Ask, place: str, kind: str) -> None:
    answer = edge(f"/{token()}/{place}")
    assert (answer.status, answer.body.decode(), answer.headers["content-type"].split(";")[0]) == (200, place, kind)


def test_nothing_is_cached_for_longer_than_the_token_or_by_others(edge: Ask) -> None:
    segment = edge(f"/{token()}/video/360p/1.m4s").headers["cache-control"]
    assert segment == "private, max-age=500, immutable"
    assert edge(f"/{token()}/manifest.mpd").headers["cache-control"] == "private, max-age=60"
    assert edge("/x/manifest.mpd").headers["cache-control"] == "no-store"


def test_headers_do_not_say_which_variant_it_was(edge: Ask, package: Path) -> None:
    os.utime(package / "b/video/360p/2.m4s", (2_000_000_000, 2_000_000_000))
    both = [edge(f"/{token()}/video/360p/{number}.m4s") for number in (1, 2)]
    assert len({answer.headers["last-modified"] for answer in both}) == 1
    other = token(replace(SESSION, session_id=b"f" * 16))
    assert edge(f"/{other}/video/360p/1.m4s").headers["etag"] != both[0].headers["etag"]
    assert edge(f"/{token()}/video/360p/1.m4s").headers["etag"] == both[0].headers["etag"]


def test_head_says_the_same_without_the_bytes(edge: Ask) -> None:
    whole, head = (edge(f"/{token()}/video/360p/2.m4s", method=method) for method in ("GET", "HEAD"))
    assert head.body == b""
    assert (head.status, head.headers) == (whole.status, whole.headers)


def test_ranges_are_of_the_session_s_own_variant(edge: Ask) -> None:
    path = f"/{token()}/video/360p/2.m4s"  # "b/video/360p/2.m4s"
    part = edge(path, headers={"Range": "bytes=0-6"})
    assert (part.status, part.body, part.headers["content-range"]) == (206, b"b/video", "bytes 0-6/18")
    assert edge(path, headers={"Range": "bytes=-5"}).body == b"2.m4s"[-5:]
    assert edge(path, headers={"Range": "bytes=99-"}).status == 416
    assert edge(path, headers={"Range": "bytes=0-0", "If-Range": '"old"'}).status == 200
    assert edge(path, headers={"Range": "bytes=0-0", "If-Range": part.headers["etag"]}).status == 206


WRONG = {
    "none at all": "",
    "no token": "nonsense",
    "another key": mint_token(SESSION, replace(KEY, mac=b"x" * 32), nonce=b"n" * 12),
    "expired": token(replace(SESSION, expires=NOW)),
    "from the future": token(replace(SESSION, issued=NOW + 60)),
    "another title": token(replace(SESSION, title="rif")),
    "another address": token(replace(SESSION, address="192.0.2.8")),
    "without its cookie": token(replace(SESSION, cookie=cookie_digest("crumb"))),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("place", ["manifest.mpd", "video/360p/1.m4s", "nowhere"])
def test_a_wrong_token_gets_nothing(edge: Ask, log: list[str], wrong: str, place: str) -> None:
    answer = edge(f"/{wrong}/{place}")
    assert (answer.status, answer.body) == (403, b"forbidden\n")
    assert len(log) == 1
    assert not wrong or wrong not in log[0]


TRICKS = [
    "",
    "/",
    "video/360p/",
    "mediaforge.json",
    "b/video/360p/1.m4s",
    "video/360p/../../b/video/360p/1.m4s",
    "../secret",
    "../../secret",
    "video/../../secret",
    "%2e%2e/secret",
    "%2E%2e%2fsecret",
    "%252e%252e/secret",
    "..%5csecret",
    "..\\secret",
    "video\\360p\\1.m4s",
    "/etc/passwd",
    "//etc/passwd",
    "manifest.mpd%00",
    "manifest.mpd\0.m4s",
    "manifest%2empd",
    "video/360p/1.m4s/",
    "video/360p/1.m4s;x",
    "video/360p/é.m4s",
    "http://192.0.2.1/manifest.mpd",
]


@pytest.mark.parametrize("trick", TRICKS)
def test_no_trick_reaches_another_file(edge: Ask, log: list[str], trick: str) -> None:
    answer = edge(f"/{token()}/{trick}")
    assert (answer.status, answer.body) == (403, b"forbidden\n")
    assert len(log) == 1


@pytest.mark.parametrize("path", ["", "/", "//", "manifest.mpd", f"{token()}/manifest.mpd", f"/{token()}", f"//{token()}/x"])
def test_a_path_without_token_or_file_gets_nothing(edge: Ask, path: str) -> None:
    assert edge(path).status == 403


def test_a_link_out_of_the_package_is_not_followed(edge: Ask, package: Path) -> None:
    for place in ("video/360p/1.m4s", "b/video/360p/2.m4s"):
        (package / place).unlink()
        (package / place).symlink_to(package.parent / "secret")
    (package / "manifest.mpd").unlink()
    (package / "manifest.mpd").mkdir()
    for place in ("video/360p/1.m4s", "video/360p/2.m4s", "manifest.mpd"):
        assert (edge(f"/{token()}/{place}").status, edge(f"/{token()}/{place}").body) == (403, b"forbidden\n")


def test_a_neighbour_whose_name_begins_alike_is_outside(edge: Ask, package: Path) -> None:
    beside = package.with_name("package-two")
    beside.mkdir()
    (beside / "1.m4s").write_text("secret")
    (package / "video/360p/1.m4s").unlink()
    (package / "video/360p/1.m4s").symlink_to(beside / "1.m4s")
    assert edge(f"/{token()}/video/360p/1.m4s").status == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
def test_other_methods_get_nothing(edge: Ask, method: str) -> None:
    assert edge(f"/{token()}/manifest.mpd", method=method).status == 403


def test_a_file_that_is_missing_is_said(edge: Ask, package: Path) -> None:
    (package / "video/360p/1.m4s").unlink()
    assert edge(f"/{token()}/video/360p/1.m4s").status == 404


def test_a_bound_token_works_where_it_belongs(edge: Ask) -> None:
    here = token(replace(SESSION, address="192.0.2.7"))
    assert edge(f"/{here}/manifest.mpd").status == 200
    crumb = token(replace(SESSION, cookie=cookie_digest("crumb")))
    assert edge(f"/{crumb}/manifest.mpd", headers={"Cookie": f"a=b; {COOKIE}=crumb"}).status == 200
    assert edge(f"/{crumb}/manifest.mpd", headers={"Cookie": f"{COOKIE}=other"}).status == 403


def test_the_log_names_a_session_by_a_hash_alone(edge: Ask, log: list[str]) -> None:
    text = token(replace(SESSION, expires=NOW))
    edge(f"/{text}/video/360p/1.m4s", headers={"Cookie": "secret=1"})
    assert log == [f"refused: expired token (session {session_name(SESSION)})"]
    assert SESSION.session_id.hex()[:8] not in log[0]


def test_a_web_page_may_read_it_only_where_it_is_named(site: Site, edge: Ask) -> None:
    assert "access-control-allow-origin" not in edge(f"/{token()}/manifest.mpd").headers
    for origin, credentials in (("*", False), ("https://tv.example", True)):
        app = edge_app(site, {KEY.kid: KEY}, now=lambda: NOW, tell=lambda _: None, origin=origin)
        headers = ask(app, f"/{token()}/manifest.mpd".encode()).headers
        assert headers["access-control-allow-origin"] == origin
        assert ("access-control-allow-credentials" in headers) == credentials
