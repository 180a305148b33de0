"""`ladder`, `config` and `key`: what they print of what is there."""

import json
from pathlib import Path

import pytest

from mediaforge.cli.main import run
from mediaforge.cli.shipped import find_ladder, shipped_ladders
from mediaforge.errors import LadderError
from mediaforge.package.keys import KeyStore


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert run([*arguments, "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_shipped_ladders_are_found_by_name_and_others_by_path(tmp_path: Path) -> None:
    assert "maroc-mobile" in [path.stem for path in shipped_ladders()]
    assert find_ladder("maroc-mobile").is_file()
    assert find_ladder("./ours.toml") == Path("ours.toml")
    with pytest.raises(LadderError, match="choose maroc or "):
        find_ladder("ours")


def test_a_ladder_is_shown_with_its_rates(capsys: pytest.CaptureFixture[str]) -> None:
    shown = answer(capsys, "ladder", "show", "maroc-mobile")
    first = shown["rungs"][0]  # type: ignore[index]
    assert {"name", "codec", "width", "height", "bitrate_bps", "max_bitrate_bps"} <= set(first)
    assert first["bitrate_bps"] == 70_000
    assert run(["ladder", "show", "maroc-mobile"]) == 0
    assert "70 kbit/s" in capsys.readouterr().out


def test_a_ladder_file_that_is_out_of_order_is_named_with_its_rung(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rung = '[[rung]]\nname = "{}"\nwidth = 640\nheight = 360\nbitrate_kbps = {}\n'
    file = tmp_path / "ours.toml"
    file.write_text(rung.format("one", 400) + rung.format("two", 300) + '[[audio]]\nname = "a"\nbitrate_kbps = 64\n')
    assert run(["ladder", "show", str(file)]) == 3
    assert f"mediaforge: {file}, rung 2: 300 kbit/s is not above rung 1" in capsys.readouterr().err


def test_config_shows_where_a_value_was_set(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MEDIAFORGE_QUEUE_URL", "redis://user:hunter2@queue:6379/0")
    rows = {row["key"]: row for row in answer(capsys, "config", "show")["settings"]}  # type: ignore[attr-defined]
    assert rows["queue_url"]["origin"] == "MEDIAFORGE_QUEUE_URL"
    assert rows["queue_url"]["value"] == "redis://user:***@queue:6379/0"
    assert rows["tools.ffmpeg"]["origin"] == "default"


def test_a_key_is_shown_only_where_it_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (made,) = KeyStore(tmp_path / "keys").content_keys("atlas", ("SD",))
    state = ("--state", str(tmp_path))
    kid, secret = made.kid.hex(), made.key.hex()
    record = {"kid": kid, "title": "atlas", "label": "SD", "generation": 1, "current": True, "origin": "seed"}
    assert answer(capsys, "key", "list", *state)["keys"] == [record]
    assert answer(capsys, "key", "show", kid, *state) == {"ok": True} | record
    assert answer(capsys, "key", "show", kid, "--reveal", *state)["key"] == secret
    for arguments in (["key", "list"], ["key", "show", kid]):
        assert run([*arguments, *state]) == 0
        assert secret not in capsys.readouterr().out
