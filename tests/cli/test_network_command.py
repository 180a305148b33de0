"""`ladder network`: what is shipped, and one's own network out of a player log."""

import json
from pathlib import Path

import pytest

from mediaforge.cli.main import run
from mediaforge.cli.network import command
from mediaforge.cli.shipped import find_network, shipped_networks
from mediaforge.errors import NetworkError
from mediaforge.transcode.network import load_network


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert run(["ladder", "network", *arguments, "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def players(folder: Path, *, sessions: int = 200) -> Path:
    path = folder / "players.csv"
    path.write_text("sid,mtp\n" + "".join(f"s{number},{100 + 10 * number}\n" for number in range(sessions)))
    return path


def test_shipped_networks_are_found_by_name_and_others_by_path() -> None:
    assert [path.stem for path in shipped_networks()] == ["maroc-2024", "maroc-2025"]
    assert find_network("maroc-2025").is_file()
    assert find_network("./ours.toml") == Path("ours.toml")
    with pytest.raises(NetworkError, match="choose maroc-2024 or maroc-2025"):
        find_network("ours")


def test_networks_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    names = [row["name"] for row in answer(capsys, "list")["networks"]]  # type: ignore[attr-defined]
    assert names == ["maroc-2024", "maroc-2025"]
    shown = answer(capsys, "show", "maroc-2025")["network"]
    assert shown["throughput_bps"]["p50"] == pytest.approx(12_624_520, rel=1e-6)  # type: ignore[index]
    assert shown["price"] == {"currency": "MAD", "per_gigabyte": 10}  # type: ignore[index]
    assert run(["ladder", "network", "show", "maroc-2025"]) == 0
    said = capsys.readouterr().out
    assert "12625 kbit/s" in said and "congested-3g" in said and "10 MAD a gigabyte" in said
    assert run(["ladder", "network", "list"]) == 0
    assert "maroc-2024" in capsys.readouterr().out


def test_a_log_becomes_a_network_that_can_be_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours = tmp_path / "ours.toml"
    made = answer(capsys, "import", str(players(tmp_path)), "--to", str(ours))
    assert (made["rows"], made["rubbish"]) == (200, 0)
    assert made["network"] == answer(capsys, "show", str(ours))["network"]
    network = load_network(ours)
    assert float(network.rate_at(0.5)) == pytest.approx(1095e3)
    assert network.sessions == 200
    assert [kind.name for kind in network.classes] == [kind.name for kind in load_network(find_network("maroc-2025")).classes]


def test_a_network_is_written_over_by_force_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours = tmp_path / "ours.toml"
    ours.write_text("mine")
    words = ["ladder", "network", "import", str(players(tmp_path)), "--to", str(ours)]
    assert run(words) == 3
    assert "is there already" in capsys.readouterr().err
    assert ours.read_text() == "mine"
    assert run([*words, "--force"]) == 0
    assert "200 sessions, half of them below 1095 kbit/s" in capsys.readouterr().out


def test_a_log_too_short_is_one_sentence_and_exit_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = players(tmp_path, sessions=20)
    assert run(["ladder", "network", "import", str(log), "--to", str(tmp_path / "ours.toml")]) == 3
    assert f"mediaforge: {log}: has 20 sessions; 100 or more" in capsys.readouterr().err
    assert not (tmp_path / "ours.toml").exists()


def test_every_command_shows_an_example_of_itself() -> None:
    for name, one in command.commands.items():
        assert one.help is not None
        assert f"mediaforge ladder network {name}" in one.help.partition("Example:")[2]
