"""What a page is served while a package is played, and what nobody is."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediaforge.media import Variant
from mediaforge.package.assembly import Package
from mediaforge.package.player_hook import with_clear_key
from mediaforge.package.player_server import PAGE, PackageServer, Site, open_server, package_files
from mediaforge.package.record import Scheme

KID, KEY = bytes(range(16)), bytes(range(16, 32))
CONTENT = bytes(range(256))


@pytest.fixture(scope="module")
def server() -> Iterator[PackageServer]:
    with open_server() as running:
        yield running


@pytest.fixture
def site(server: PackageServer, tmp_path: Path) -> Site:
    inside, outside = tmp_path / "package", tmp_path / "secret.m4s"
    inside.mkdir()
    outside.write_bytes(b"secret")
    (inside / "1.m4s").write_bytes(CONTENT)
    made = Site(files={"video/low/1.m4s": inside / "1.m4s"}, keys={KID: KEY}, token="right")
    server.add("cell", made)
    return made


def ask(
    server: PackageServer, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    host = server.origin.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content, dict(answer.getheaders())


def test_a_file_is_served_with_its_kind(server: PackageServer, site: Site) -> None:
    status, content, headers = ask(server, "/cell/video/low/1.m4s")
    assert (status, content, headers["Content-Type"]) == (200, CONTENT, "video/iso.segment")
    assert site.served == [("video/low/1.m4s", 200)]


def test_it_listens_to_this_machine_only(server: PackageServer) -> None:
    assert server.origin.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("asked", "status", "part", "span"),
    [
        ("bytes=0-9", 206, CONTENT[:10], "bytes 0-9/256"),
        ("bytes=250-", 206, CONTENT[250:], "bytes 250-255/256"),
        ("bytes=-6", 206, CONTENT[250:], "bytes 250-255/256"),
        ("bytes=250-999", 206, CONTENT[250:], "bytes 250-255/256"),
        ("bytes=256-", 416, b"", "bytes */256"),
        ("bytes=0-1,4-5", 200, CONTENT, None),
        ("lines=1-2", 200, CONTENT, None),
    ],
)
def test_a_range_is_served_as_asked(
    asked: str, status: int, part: bytes, span: str | None, server: PackageServer, site: Site
) -> None:
    found, content, headers = ask(server, "/cell/video/low/1.m4s", Range=asked)
    assert (found, content, headers.get("Content-Range")) == (status, part, span)


@pytest.mark.parametrize(
    "path",
    [
        "/cell/../secret.m4s",
        "/cell/video/low/../../../secret.m4s",
        "/cell/%2e%2e/secret.m4s",
        "/cell/video/low/..%2f..%2f..%2fsecret.m4s",
        "/cell//etc/passwd",
        "//etc/passwd",
        "/cell/video/low/1.m4s%00",
        "/cell/video/low/",
        "/cell",
        "/",
        "/nothing/video/low/1.m4s",
        "/page/../player_server.py",
        "/page/vendor/README.md",
    ],
)
def test_no_trick_in_an_address_reaches_another_file(path: str, server: PackageServer, site: Site) -> None:
    assert ask(server, path)[:2] == (404, b"")


def test_a_link_out_of_the_package_is_not_followed(packages: dict[Scheme, Package], tmp_path: Path) -> None:
    (tmp_path / "secret.m4s").write_bytes(b"secret")
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "out.m4s").symlink_to(tmp_path / "secret.m4s")
    (folder / "in.m4s").write_bytes(b"")
    assert list(package_files(folder, packages[Scheme.CBCS].record)) == ["in.m4s"]


def test_a_name_that_points_at_us_from_elsewhere_gets_nothing(server: PackageServer, site: Site) -> None:
    assert ask(server, "/cell/video/low/1.m4s", Host="evil.example")[0] == 404
    assert ask(server, "/cell/licence", method="POST", body=b"{}", Host="evil.example", Authorization="Bearer right")[0] == 404


def test_only_the_token_opens_the_licence(server: PackageServer, site: Site) -> None:
    body = json.dumps({"kids": ["AAECAwQFBgcICQoLDA0ODw", "AAAAAAAAAAAAAAAAAAAAAA"]}).encode()
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "right"}):
        assert ask(server, "/cell/licence", method="POST", body=body, **headers)[:2] == (403, b"")
    status, content, headers = ask(server, "/cell/licence", method="POST", body=body, Authorization="Bearer right")
    assert (status, headers["Cache-Control"]) == (200, "no-store")
    (key,) = json.loads(content)["keys"]
    assert key == {"kty": "oct", "kid": "AAECAwQFBgcICQoLDA0ODw", "k": "EBESExQVFhcYGRobHB0eHw"}


@pytest.mark.parametrize("body", [b"x", b"[]", b"{}", b'{"kids": [1]}', b'{"kids": 4}'])
def test_a_licence_request_that_is_none_is_refused(body: bytes, server: PackageServer, site: Site) -> None:
    assert ask(server, "/cell/licence", method="POST", body=body, Authorization="Bearer right")[0] == 400


def test_a_licence_request_of_any_size_is_not_read(server: PackageServer, site: Site) -> None:
    headers = {"Authorization": "Bearer right", "Content_Length": str(10**9)}
    assert ask(server, "/cell/licence", method="POST", **headers)[0] == 404


def test_a_site_s_secrets_are_not_in_its_words(site: Site) -> None:
    assert "right" not in repr(site)
    assert repr(KEY) not in repr(site)


def test_a_mix_serves_each_segment_in_the_variant_chosen(packages: dict[Scheme, Package]) -> None:
    made = packages[Scheme.CBCS]
    files = package_files(made.folder, made.record, (Variant.A, Variant.B, Variant.B))
    found = [files[f"video/v060/{number}.m4s"].relative_to(made.folder).as_posix() for number in (1, 2, 3, 4)]
    assert found == ["video/v060/1.m4s", "b/video/v060/2.m4s", "b/video/v060/3.m4s", "video/v060/4.m4s"]


PLAYLIST = """#EXTM3U
#EXT-X-MAP:URI="init.mp4"
#EXT-X-KEY:METHOD=SAMPLE-AES,URI="data:text/plain;base64,AAAA",KEYFORMAT="com.microsoft.playready"
#EXT-X-KEY:METHOD=SAMPLE-AES,URI="data:text/plain;base64,AAAA",KEYFORMAT="identity"
#EXTINF:1.920,
1.m4s
"""


def test_a_hooked_playlist_says_what_it_said_and_names_its_kid_to_clearkey() -> None:
    lines = with_clear_key(PLAYLIST, KID).splitlines()
    assert [line for line in PLAYLIST.splitlines() if line not in lines] == [PLAYLIST.splitlines()[3]]
    (added,) = [line for line in lines if line not in PLAYLIST.splitlines()]
    assert added == (
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="data:text/plain;base64,AAECAwQFBgcICQoLDA0ODw==",'
        f'KEYID=0x{KID.hex()},KEYFORMAT="org.w3.clearkey"'
    )
    assert lines.index(added) == 2


@pytest.mark.parametrize("text", ["#EXTM3U\n#EXTINF:1.920,\n1.m4s\n", "#EXTM3U\n#EXT-X-KEY:METHOD=NONE\n1.m4s\n"])
def test_a_playlist_without_keys_is_not_mended(text: str) -> None:
    assert with_clear_key(text, KID) == text


def test_the_page_and_its_policy_let_nothing_in_from_elsewhere(server: PackageServer) -> None:
    status, content, headers = ask(server, "/page/index.html")
    assert (status, content) == (200, (PAGE / "index.html").read_bytes())
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert not any(b"://" in path.read_bytes() for path in PAGE.glob("*.*") if path.is_file())
