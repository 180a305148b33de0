"""One known key, every key command, half of them made to fail: the key shows up nowhere but where it was asked for."""

import base64
import json
import subprocess
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mediaforge.cli.main import run
from mediaforge.errors import MediaforgeError
from mediaforge.package.keys import ContentKey, KeyStore, OutsideKey
from mediaforge.package.keysources.cpix import cpix_of, outside_keys
from mediaforge.package.keysources.cpix_read import read_cpix
from mediaforge.package.keysources.cpix_write import write_cpix
from tests.package.key_servers import Told, serving
from tests.package.keypairs import certificate_file, pair, secret_file

CANARY = bytes.fromhex("ca9a2711de7ec7ab1edeadbeefca9a27")
KID = bytes(range(16))
KEY = OutsideKey(kid=KID, key=CANARY, label="SD")
CONTENT_KEY = ContentKey(kid=KID, key=CANARY, iv=bytes(16), label="SD", title="atlas")


def forms(secret: bytes) -> tuple[str, ...]:
    """How a key could slip into text: hex, base64 of both alphabets (without the ends, which depend on padding), repr."""
    plain, url = base64.b64encode(secret).decode(), base64.urlsafe_b64encode(secret).decode()
    return (secret.hex(), secret.hex().upper(), plain[:16], url[:16], repr(secret)[2:-1], str(list(secret)))


def shows(text: str) -> bool:
    return any(form in text for form in forms(CANARY))


def at_rest(folder: Path) -> bool:
    return any(
        CANARY in content or shows(content.decode("latin-1"))
        for path in folder.rglob("*")
        if path.is_file()
        for content in [path.read_bytes()]
    )


@pytest.fixture
def state(tmp_path: Path) -> Path:
    KeyStore(tmp_path / "state" / "keys").admit("atlas", (KEY,), origin="cpix")
    return tmp_path / "state"


def test_no_command_shows_a_key(state: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    document, sealed, secret = tmp_path / "clear.xml", tmp_path / "sealed.xml", tmp_path / "token.toml"
    document.write_bytes(write_cpix(cpix_of("other", (CONTENT_KEY,), scheme="cbcs", version="2.4")))
    secret.write_text(f'id = "ours"\nkey = "{base64.b64encode(bytes(32)).decode()}"\n')
    secret.chmod(0o600)
    to, theirs = str(certificate_file(tmp_path, "theirs")), str(secret_file(tmp_path, "ours"))
    kid, token = KID.hex(), ("token", "atlas", "--form", "jwt", "--key-file", str(secret))
    codes = [
        run(["key", *words, "--state", str(state), *more])
        for more in ((), ("--json",))
        for words in (
            ("list",),
            ("show", kid),
            ("show", "00" * 16),
            ("export", "atlas", "--cpix", str(sealed), "--to-certificate", to),
            ("export", "atlas", "--cpix", str(tmp_path / "none" / "x.xml")),
            ("import", str(document)),
            ("import", str(sealed)),
            ("import", str(sealed), "--private-key", theirs),
            ("import", str(document), "--signed-by", to),
            ("forget", "atlas", "--generation", "1"),
            ("fetch", "atlas", "--from", str(secret)),
            token,
            (*token, "--labels", "HD"),
            ("rotate",),
        )
    ]
    said = capfd.readouterr()
    assert codes.count(0) == 10
    assert len(codes) == 28
    assert not shows(said.out + said.err)
    assert not at_rest(state)
    assert not shows(sealed.read_text())
    assert run(["key", "show", kid, "--reveal", "--state", str(state)]) == 0
    assert shows(capfd.readouterr().out)  # so the search would have found it


def bad_mac(tmp_path: Path, state: Path) -> object:
    content = write_cpix(cpix_of("x", (CONTENT_KEY,), scheme="cbcs", version="2.4"), certificate=pair("theirs").certificate)
    return read_cpix(content.replace(b"<pskc:ValueMAC>", b"<pskc:ValueMAC>AAAA"), source="x", private_key=pair("theirs").key)


def long_key(tmp_path: Path, state: Path) -> object:
    content = write_cpix(cpix_of("x", (CONTENT_KEY,), scheme="cbcs", version="2.4"))
    plain = base64.b64encode(CANARY)
    return read_cpix(content.replace(plain, base64.b64encode(CANARY + b"!!")), source="x")


def broken_xml(tmp_path: Path, state: Path) -> object:
    content = write_cpix(cpix_of("x", (CONTENT_KEY,), scheme="cbcs", version="2.4"))
    return read_cpix(content.replace(b"</pskc:PlainValue>", b"</pskc:Other>"), source="x")


def no_rule(tmp_path: Path, state: Path) -> object:
    return outside_keys(replace(cpix_of("x", (CONTENT_KEY,), scheme="cbcs", version="2.4"), rules=()), source="x")


def taken_kid(tmp_path: Path, state: Path) -> object:
    return KeyStore(state / "keys").admit("other", (KEY,), origin="cpix")


def other_iv(tmp_path: Path, state: Path) -> object:
    return KeyStore(state / "keys").admit("atlas", (replace(KEY, iv=bytes(16)),), origin="cpix")


def damaged_store(tmp_path: Path, state: Path) -> object:
    file = state / "keys" / "keys.json"
    file.write_bytes(file.read_bytes().replace(b'"SD"', b'"HD"'))
    return KeyStore(state / "keys").reveal(KID)


def echoing_server(tmp_path: Path, state: Path) -> object:
    from mediaforge.package.keysources.https import post  # noqa: PLC0415

    with serving(tmp_path, lambda asked: Told(status=400, body=CANARY.hex().encode())) as local:
        return post(local.server, CANARY.hex().encode(), {})


@pytest.mark.parametrize(
    "failing",
    [bad_mac, long_key, broken_xml, no_rule, taken_kid, other_iv, damaged_store, echoing_server],
    ids=lambda case: case.__name__,
)
def test_no_error_shows_a_key_not_even_in_its_traceback(
    failing: Callable[[Path, Path], object], tmp_path: Path, state: Path
) -> None:
    with pytest.raises(MediaforgeError) as caught:
        failing(tmp_path, state)
    text = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert not shows(text)


def test_a_process_that_serves_keys_has_none_in_its_arguments_or_environment(state: Path) -> None:
    code = "from mediaforge.cli.main import main; main()"
    argv = [sys.executable, "-c", code, "key", "serve", "atlas", "--json", "--state", str(state)]
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert child.stdout is not None
        lines = [child.stdout.readline()]
        while lines[-1] != "}\n":
            lines.append(child.stdout.readline())
        assert json.loads("".join(lines))["ok"]
        for name in ("cmdline", "environ"):
            place = Path(f"/proc/{child.pid}/{name}")
            if not place.exists():
                pytest.skip("this system has no /proc to look into")
            assert not shows(place.read_bytes().decode("latin-1"))
    finally:
        child.terminate()
        child.wait(timeout=20)
        child.stdout.close() if child.stdout else None
