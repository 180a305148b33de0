import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from mediaforge.errors import KeyServerError, SettingsError
from mediaforge.package.keysources.https import MOST_ANSWER_BYTES, Answer, Server, post
from tests.package.key_servers import QUICK, Asked, Told, cut_short, drip, endless, hang_up, rubbish, serving, stall
from tests.package.keypairs import certificate_file


def test_an_answer_comes_with_its_headers_and_our_credentials_went(tmp_path: Path) -> None:
    secret = {"Authorization": "Bearer hush-hush"}
    with serving(tmp_path, lambda asked: Told(body=b"yes", headers={"X-Speke-Version": "2.0"}), headers=secret) as local:
        answer = post(local.server, b"please", {"Content-Type": "application/xml"})
        assert (answer.body, answer.headers["x-speke-version"]) == (b"yes", "2.0")
        (asked,) = local.asked
    assert asked.body == b"please"
    assert (asked.headers["authorization"], asked.headers["content-type"]) == ("Bearer hush-hush", "application/xml")
    assert "hush" not in repr(local.server)
    assert "hush" not in local.server.name


def test_a_server_that_stumbles_is_asked_again(tmp_path: Path) -> None:
    answers = iter([Told(status=503), Told(body=b"yes")])
    with serving(tmp_path, lambda asked: next(answers)) as local:
        assert post(local.server, b"", {}).body == b"yes"
        assert len(local.asked) == 2


@pytest.mark.parametrize(
    ("status", "asked", "transient"), [(500, 2, True), (429, 2, True), (403, 1, False), (302, 1, False), (204, 1, False)]
)
def test_a_refusal_is_one_sentence_without_the_servers_words(tmp_path: Path, status: int, asked: int, transient: bool) -> None:
    told = Told(status=status, body=b"secret-words", headers={"Location": "https://localhost:1/secret-place"})
    with serving(tmp_path, lambda request: told) as local:
        with pytest.raises(KeyServerError, match=f"answered {status}") as caught:
            post(local.server, b"", {})
        assert len(local.asked) == asked
    assert caught.value.transient is transient
    assert "secret" not in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("instead", "words"),
    [
        (stall, "no whole answer"),
        (drip, "no whole answer"),
        (hang_up, "broke off"),
        (rubbish, "broke off"),
        (cut_short, "broke off"),
    ],
)
def test_a_server_that_gives_no_whole_answer_is_left_in_time(
    tmp_path: Path, instead: Callable[[BaseHTTPRequestHandler], None], words: str
) -> None:
    started = time.monotonic()
    with serving(tmp_path, lambda asked: Told(instead=instead)) as local, pytest.raises(KeyServerError, match=words) as caught:
        post(local.server, b"", {})
    assert caught.value.transient
    assert time.monotonic() - started < QUICK.attempts * QUICK.seconds + 1.5


def test_an_endless_answer_is_cut_off(tmp_path: Path) -> None:
    with serving(tmp_path, lambda asked: Told(instead=endless)) as local:
        with pytest.raises(KeyServerError, match=f"more than {MOST_ANSWER_BYTES}") as caught:
            post(local.server, b"", {})
        assert not caught.value.transient
        assert len(local.asked) == 1


def test_an_answer_as_long_as_allowed_is_taken(tmp_path: Path) -> None:
    with serving(tmp_path, lambda asked: Told(body=b"x" * MOST_ANSWER_BYTES)) as local:
        assert len(post(local.server, b"", {}).body) == MOST_ANSWER_BYTES


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_said(tmp_path: Path) -> None:
    with serving(tmp_path, lambda asked: Told(body=b"yes")) as local:
        for ca in (None, certificate_file(tmp_path, "stranger")):
            with pytest.raises(KeyServerError, match="not to be trusted") as caught:
                post(Server(url=local.server.url, ca=ca, patience=QUICK), b"secret", {})
            assert not caught.value.transient
        assert local.asked == []


def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path, lambda asked: Told(body=b"yes")) as local:
        url = local.server.url.replace("localhost", "127.0.0.1")
        with pytest.raises(KeyServerError, match="not to be trusted"):
            post(Server(url=url, ca=local.server.ca, patience=QUICK), b"secret", {})
        assert local.asked == []


def test_a_server_without_tls_gets_no_request() -> None:
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            for _ in range(QUICK.attempts):
                connection, _ = server.accept()
                with connection:
                    heard.append(connection.recv(4096))
                    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nyes")

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        with pytest.raises(KeyServerError):
            post(Server(url=f"https://127.0.0.1:{server.getsockname()[1]}/", patience=QUICK), b"secret", {})
        thread.join(timeout=5)
    assert heard
    assert not any(b"secret" in words for words in heard)


def test_nobody_there_is_a_reason_to_try_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(KeyServerError, match="could not be reached") as caught:
        post(Server(url=f"https://127.0.0.1:{port}/", patience=QUICK), b"", {})
    assert caught.value.transient


@pytest.mark.parametrize("url", ["http://keys.example/", "keys.example", "https://", "ftp://keys.example/"])
def test_keys_never_travel_in_clear(url: str) -> None:
    with pytest.raises(SettingsError, match="https://"):
        Server(url=url)


def test_credentials_do_not_stand_in_the_address() -> None:
    with pytest.raises(SettingsError, match="headers") as caught:
        Server(url="https://user:hunter2@keys.example/")
    assert "hunter2" not in str(caught.value)


def test_an_answer_does_not_show_its_body() -> None:
    assert "secret" not in repr(Answer(headers={}, body=b"secret"))
    assert Asked(headers={}, body=b"").body == b""
