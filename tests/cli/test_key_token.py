import base64
import json
from pathlib import Path

import pytest

from mediaforge.cli.main import run
from mediaforge.package.keys import KeyStore


@pytest.fixture
def secret(tmp_path: Path) -> str:
    path = tmp_path / "secret.toml"
    path.write_text(f'id = "ours"\nkey = "{base64.b64encode(bytes(range(32))).decode()}"\n')
    path.chmod(0o600)
    return str(path)


@pytest.mark.parametrize("form", ["axinom", "jwt"])
def test_a_token_is_minted_and_verified(tmp_path: Path, secret: str, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    keys = KeyStore(tmp_path / "keys").content_keys("atlas", ("AUDIO", "SD", "HD"))
    common = ["key", "token", "atlas", "--form", form, "--key-file", secret, "--state", str(tmp_path), "--json"]
    assert run([*common, "--labels", "AUDIO,SD"]) == 0
    minted = json.loads(capsys.readouterr().out)
    assert [key["kid"] for key in minted["keys"]] == [key.kid.hex() for key in keys[:2]]
    assert not any(key.key.hex() in minted["token"] for key in keys)
    file = tmp_path / "token.txt"
    file.write_text(minted["token"] + "\n")
    assert run([*common, "--verify", str(file)]) == 0
    verified = json.loads(capsys.readouterr().out)
    assert (verified["id"], verified["keys"]) == (minted["id"], minted["keys"])
    KeyStore(tmp_path / "keys").rekey("atlas")
    assert run([*common, "--verify", str(file)]) == 1
    assert "not a present key" in capsys.readouterr().err


def test_what_cannot_be_minted_is_one_line(tmp_path: Path, secret: str, capsys: pytest.CaptureFixture[str]) -> None:
    KeyStore(tmp_path / "keys").content_keys("atlas", ("SD",))
    state = ["--form", "jwt", "--key-file", secret, "--state", str(tmp_path)]
    assert run(["key", "token", "nobody", *state]) == 3
    assert run(["key", "token", "atlas", "--labels", "HD", *state]) == 3
    (tmp_path / "bad.txt").write_text("a.b.c")
    assert run(["key", "token", "atlas", "--verify", str(tmp_path / "bad.txt"), *state]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert "HD" in lines[1]
