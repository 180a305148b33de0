"""The development licence server: the exchange of EME, and who gets nothing."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from mediaforge.errors import SettingsError
from mediaforge.package.clearkey import read_request, write_licence
from mediaforge.package.devserver import licence_server, licence_url
from mediaforge.package.keys import ContentKey

KID, KEY = bytes.fromhex("2cc3e0ab3a8d4c50a7f6bb80d5a7d1d2"), bytes.fromhex("b79e53b9b3a4ec8c86ea5d1c3c6a7d10")
KNOWN = ContentKey(kid=KID, key=KEY, iv=bytes(16), label="SD", title="atlas")
OTHER = ContentKey(kid=bytes(range(16)), key=bytes(range(16, 32)), iv=bytes(16), label="HD", title="atlas")


def request(*kids: str) -> bytes:
    return json.dumps({"kids": kids, "type": "temporary"}).encode()


KNOWN_TEXT, OTHER_TEXT = "LMPgqzqNTFCn9ruA1afR0g", "AAECAwQFBgcICQoLDA0ODw"


@pytest.fixture
def url() -> Iterator[str]:
    with licence_server({key.kid: key for key in (KNOWN, OTHER)}) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield licence_url(server)
        server.shutdown()
        thread.join(timeout=5)


def ask(
    url: str, body: bytes, *, method: str = "POST", path: str | None = None, **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request(method, path or parts.path, body, {key.replace("_", "-"): value for key, value in headers.items()})
        response = connection.getresponse()
        return response.status, response.read(), dict(response.getheaders())
    finally:
        connection.close()


def test_a_request_is_read_and_a_licence_written_as_eme_says() -> None:
    assert read_request(request(KNOWN_TEXT, OTHER_TEXT)) == (KNOWN.kid, OTHER.kid)
    assert json.loads(write_licence([OTHER])) == {
        "keys": [{"kty": "oct", "kid": OTHER_TEXT, "k": "EBESExQVFhcYGRobHB0eHw"}],
        "type": "temporary",
    }


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"kids":[]}', b'{"kids":["AA"]}', b'{"kids":["!!"]}', b'{"kids":[7]}', request(*["AA"] * 65)]
)
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="request"):
        read_request(body)


def test_the_keys_asked_for_are_given_and_no_others(url: str) -> None:
    status, body, headers = ask(url, request(KNOWN_TEXT, "x" * 22))
    assert status == 200
    assert [row["kid"] for row in json.loads(body)["keys"]] == [KNOWN_TEXT]
    assert headers["Cache-Control"] == "no-store"
    assert "never for viewers" in headers["X-Development-Only"]


def test_an_unknown_kid_gets_nothing(url: str) -> None:
    assert ask(url, request("A" * 22))[0] == 404
    assert ask(url, b"rubbish")[0] == 400


@pytest.mark.parametrize("origin", ["http://localhost:8080", "http://127.0.0.1", "https://localhost"])
def test_pages_of_this_machine_may_ask(url: str, origin: str) -> None:
    assert ask(url, b"", method="OPTIONS", Origin=origin)[0] == 204
    status, _, headers = ask(url, request(KNOWN_TEXT), Origin=origin)
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, origin)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:80"},
        {"Host": ""},
    ],
)
def test_pages_from_elsewhere_get_nothing(url: str, headers: dict[str, str]) -> None:
    for method in ("POST", "OPTIONS"):
        status, body, answered = ask(url, request(KNOWN_TEXT), method=method, **headers)
        assert status == 403
        assert "Access-Control-Allow-Origin" not in answered
        assert KEY not in body


@pytest.mark.parametrize("path", ["/", "/license", "/x/license", "/../license"])
def test_the_address_cannot_be_guessed(url: str, path: str) -> None:
    assert ask(url, request(KNOWN_TEXT), path=path)[0] == 403


def test_a_long_request_is_not_read(url: str) -> None:
    assert ask(url, b"", Content_Length="100000000")[0] == 413
    assert ask(url, b"", Content_Length="-1")[0] == 413
    assert ask(url, request(KNOWN_TEXT), method="GET")[0] == 501


def test_a_client_that_stalls_keeps_nobody_waiting(url: str) -> None:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0)) as stalled:
        stalled.sendall(b"POST ")
        started = time.monotonic()
        assert ask(url, request(KNOWN_TEXT))[0] == 200
        assert time.monotonic() - started < 3


def test_it_listens_on_the_loopback_alone(url: str) -> None:
    assert url.startswith("http://127.0.0.1:")
    with socket.socket() as anywhere:  # the same port of another address is still free
        anywhere.bind(("127.0.0.2", urlsplit(url).port or 0))


def test_two_servers_have_two_addresses() -> None:
    with licence_server({}) as one, licence_server({}) as other:
        assert urlsplit(licence_url(one)).path != urlsplit(licence_url(other)).path


def test_a_taken_port_is_named() -> None:
    with (
        licence_server({}) as server,
        pytest.raises(SettingsError, match="--port"),
        licence_server({}, port=server.server_port),
    ):
        pass
