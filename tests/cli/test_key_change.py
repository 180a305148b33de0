import json
from pathlib import Path

import pytest

from mediaforge.cli.main import run
from mediaforge.package.keys import KeyStore, OutsideKey


def answer(capsys: pytest.CaptureFixture[str], state: Path, *arguments: str) -> dict[str, object]:
    assert run([*arguments, "--state", str(state), "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_a_title_is_rekeyed_and_its_former_keys_forgotten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (old,) = KeyStore(tmp_path / "keys").content_keys("atlas", ("SD",))
    (new,) = answer(capsys, tmp_path, "key", "rekey", "atlas")["keys"]  # type: ignore[misc]
    assert new["kid"] != old.kid.hex()
    listed = answer(capsys, tmp_path, "key", "list")["keys"]
    assert [(row["generation"], row["current"]) for row in listed] == [(1, False), (2, True)]  # type: ignore[attr-defined]
    assert answer(capsys, tmp_path, "key", "forget", "atlas", "--generation", "1")["keys"] == 1
    assert run(["key", "show", old.kid.hex(), "--state", str(tmp_path)]) == 3
    assert run(["key", "forget", "atlas", "--generation", "2", "--state", str(tmp_path)]) == 4
    assert "present one" in capsys.readouterr().err


def test_rekeying_what_came_from_outside_says_whose_the_new_keys_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = OutsideKey(kid=b"k" * 16, key=b"s" * 16, label="SD")
    KeyStore(tmp_path / "keys").admit("atlas", (key,), origin="speke")
    for expected in (True, False):  # the second time they are our own already
        assert run(["key", "rekey", "atlas", "--state", str(tmp_path)]) == 0
        assert ("speke" in capsys.readouterr().err) is expected


def test_rotate_says_how_many_keys_and_shows_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (key,) = KeyStore(tmp_path / "keys").content_keys("atlas", ("SD",))
    assert run(["key", "rotate", "--state", str(tmp_path)]) == 0
    said = "".join(capsys.readouterr())
    assert "1 keys" in said
    assert "back up" in said
    assert key.key.hex() not in said
    assert KeyStore(tmp_path / "keys").reveal(key.kid) == key


def test_an_empty_state_has_nothing_to_renew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["key", "rotate", "--state", str(tmp_path)]) == 4
    assert run(["key", "rekey", "atlas", "--state", str(tmp_path)]) == 3
    assert "key list" in capsys.readouterr().err
