"""The Widevine key server client: signatures beside shaka-packager's, and servers that are right, refuse, or lie."""

import base64
import hashlib
import http.server
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mediaforge.confinement import Limits
from mediaforge.errors import KeySourceError, ToolError
from mediaforge.package.keys import KeyStore
from mediaforge.package.keysources.source import KeyWish, fetch_keys
from mediaforge.package.keysources.widevine import WidevineServer, aes_signature, request_message, rsa_signature
from mediaforge.package.pssh import WidevineData, build_widevine
from mediaforge.tools import Tools, run
from tests.package.key_servers import Answerer, Asked, Told, serving, stall
from tests.package.keypairs import pair
from tests.package.packager_boxes import tiny_sound

AES_KEY, AES_IV = b"\x11" * 32, b"\x22" * 16
LABELS = ("AUDIO", "SD", "HD")


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def track(label: str, content_id: bytes) -> dict[str, Any]:
    kid = hashlib.sha256(content_id + label.encode()).digest()[:16]
    data = build_widevine(WidevineData(key_ids=(kid,), scheme="cbcs", provider="local", content_id=content_id))
    pssh = [{"drm_type": "WIDEVINE", "data": b64(data)}]
    return {"type": label, "key_id": b64(kid), "key": b64(hashlib.sha256(kid).digest()[:16]), "pssh": pssh}


def telling(change: Callable[[dict[str, Any]], None] = lambda answer: None) -> Answerer:
    """A server that checks the signature, gives all five keys as the real one does, and then changes its answer."""

    def answer(asked: Asked) -> Told:
        envelope = json.loads(asked.body)
        request = base64.b64decode(envelope["request"])
        if envelope["signature"] != b64(aes_signature(AES_KEY, AES_IV)(request)):
            reply: dict[str, Any] = {"status": "SIGNATURE_FAILED"}
        else:
            content_id = base64.b64decode(json.loads(request)["content_id"])
            reply = {"status": "OK", "drm": [{"type": "WIDEVINE", "system_id": "x"}]}
            reply["tracks"] = [track(label, content_id) for label in ("SD", "HD", "UHD1", "UHD2", "AUDIO")]
        change(reply)
        return Told(body=json.dumps({"response": b64(json.dumps(reply).encode())}).encode())

    return answer


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys")


def source_of(local: Any, *, key: bytes = AES_KEY) -> WidevineServer:
    return WidevineServer(server=local.server, signer="us", sign=aes_signature(key, AES_IV), policy="films")


def test_the_keys_come_into_the_store_under_the_servers_kids(store: KeyStore, tmp_path: Path) -> None:
    with serving(tmp_path, telling()) as local:
        keys = fetch_keys(store, source_of(local), "film", LABELS, scheme="cbcs")
        assert fetch_keys(store, source_of(local), "film", LABELS, scheme="cbcs") == keys
    assert [b64(key.kid) for key in keys] == [track(label, b"film")["key_id"] for label in LABELS]
    assert store.content_keys("film", LABELS) == keys
    request = json.loads(base64.b64decode(json.loads(local.asked[0].body)["request"]))
    assert (request["policy"], request["protection_scheme"]) == ("films", "CBCS")


def test_a_wrong_signing_key_is_refused_by_the_server(store: KeyStore, tmp_path: Path) -> None:
    with serving(tmp_path, telling()) as local, pytest.raises(KeySourceError, match="SIGNATURE_FAILED"):
        fetch_keys(store, source_of(local, key=b"\x12" * 32), "film", LABELS, scheme="cbcs")
    assert store.keys() == ()


def change_track(**values: object) -> Callable[[dict[str, Any]], None]:
    def change(answer: dict[str, Any]) -> None:
        answer["tracks"][0] |= values

    return change


def foreign_pssh(kid: bytes, content_id: bytes) -> list[dict[str, str]]:
    data = build_widevine(WidevineData(key_ids=(kid,), scheme="cbcs", content_id=content_id))
    return [{"drm_type": "WIDEVINE", "data": b64(data)}]


SD_KID = base64.b64decode(track("SD", b"film")["key_id"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (change_track(key=b64(b"k" * 15)), "15 bytes"),
        (change_track(key_id=b64(b"k" * 17)), "17 bytes"),
        (change_track(key="!!"), "no answer of a Widevine"),
        (change_track(key_id=track("HD", b"film")["key_id"], pssh=[]), "one KID for several"),
        (change_track(key=track("HD", b"film")["key"]), "one key for several"),
        (change_track(pssh=foreign_pssh(b"x" * 16, b"film")), "another KID"),
        (change_track(pssh=foreign_pssh(SD_KID, b"other")), "another content"),
        (change_track(pssh=[{"drm_type": "WIDEVINE", "data": b64(b"\xff\xff")}]), "cannot be read"),
        (change_track(type="HD"), "gave keys for"),
        (lambda answer: answer["tracks"].pop(0), "gave keys for"),
        (lambda answer: answer.update(status="kkkk\nkkkk"), "an unknown status"),
        (lambda answer: answer.update(tracks="none"), "no answer of a Widevine"),
    ],
)
def test_a_server_that_lies_changes_nothing(
    store: KeyStore, tmp_path: Path, change: Callable[[dict[str, Any]], None], words: str
) -> None:
    with serving(tmp_path, telling(change)) as local, pytest.raises(KeySourceError, match=words) as caught:
        fetch_keys(store, source_of(local), "film", LABELS, scheme="cbcs")
    assert store.keys() == ()
    assert "kkkk" not in str(caught.value)


@pytest.mark.parametrize("told", [Told(body=b"{}"), Told(body=b"<html/>"), Told(status=500), Told(instead=stall)])
def test_a_server_that_fails_changes_nothing(store: KeyStore, tmp_path: Path, told: Told) -> None:
    with serving(tmp_path, lambda asked: told) as local, pytest.raises(KeySourceError):
        fetch_keys(store, source_of(local), "film", LABELS, scheme="cbcs")
    assert store.keys() == ()


def test_nothing_shows_the_signing_key(tmp_path: Path) -> None:
    with serving(tmp_path, telling()) as local:
        assert "1111" not in repr(source_of(local))


def packager_asks(tmp_path: Path, tools: Tools, *flags: str) -> tuple[bytes, bytes]:
    """The request that shaka-packager itself makes, and its signature."""
    heard: list[bytes] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            heard.append(body)
            self.send_error(403)

        def log_message(self, *words: object) -> None:
            """Quiet."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        argv = [tools.packager, f"in={tiny_sound(tmp_path, tools).name},stream=audio,output=out.mp4"]
        argv += ["--enable_widevine_encryption", f"--key_server_url=http://127.0.0.1:{server.server_port}/"]
        argv += ["--content_id=66696c6d", "--signer=us", "--policy=films", "--protection_scheme=cbcs", "--quiet"]
        with pytest.raises(ToolError):
            run([*argv, *flags], name="packager", limits=Limits(network=True), cwd=tmp_path, timeout_seconds=60)
        server.shutdown()
    envelope = json.loads(heard[0])
    return base64.b64decode(envelope["request"]), base64.b64decode(envelope["signature"])


def test_an_aes_signed_request_is_the_packagers(tools: Tools, tmp_path: Path) -> None:
    asked, signature = packager_asks(tmp_path, tools, f"--aes_signing_key={AES_KEY.hex()}", f"--aes_signing_iv={AES_IV.hex()}")
    wish = KeyWish(title="film", labels=("SD", "HD", "UHD1", "UHD2", "AUDIO"), kids=(), scheme="cbcs")
    assert request_message(wish, policy="films") == asked
    assert aes_signature(AES_KEY, AES_IV)(asked) == signature


def test_an_rsa_signed_request_is_verified_as_the_packagers(tools: Tools, tmp_path: Path) -> None:
    key = pair("ours").key
    (tmp_path / "rsa.der").write_bytes(key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    asked, theirs = packager_asks(tmp_path, tools, "--rsa_signing_key_path=rsa.der")
    for signature in (theirs, rsa_signature(key)(asked)):
        key.public_key().verify(signature, asked, PSS(MGF1(SHA1()), 20), SHA1())
    with pytest.raises(InvalidSignature):
        key.public_key().verify(theirs, asked + b" ", PSS(MGF1(SHA1()), 20), SHA1())
