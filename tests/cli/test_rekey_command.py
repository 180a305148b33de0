"""`rekey`: the words of the command line become a wish, and what comes of it is printed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mediaforge.cli import rekey as rekey_command
from mediaforge.cli.main import run
from mediaforge.package.record import Scheme, System
from mediaforge.renewal import Wish
from tests.cli.test_release_command import RELEASE


@pytest.fixture
def wishes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Wish]]:
    asked: list[tuple[str, Wish]] = []
    answer = replace(RELEASE, package="/new")
    monkeypatch.setattr(rekey_command, "rekey", lambda _, title, wish, __: asked.append((title, wish)) or answer)
    return asked


def test_without_words_everything_stays_but_the_keys(wishes: list[tuple[str, Wish]], tmp_path: Path) -> None:
    assert run(["rekey", "atlas", "--state", str(tmp_path)]) == 0
    assert wishes == [("atlas", Wish())]


def test_every_word_of_a_rekey_arrives(wishes: list[tuple[str, Wish]], tmp_path: Path) -> None:
    words = ["--scheme", "cenc", "--drm", "widevine", "--keys", str(tmp_path / "speke.toml"), "--to", "s3://bucket/atlas-2"]
    assert run(["rekey", "atlas", *words, "--state", str(tmp_path)]) == 0
    wish = Wish(scheme=Scheme.CENC, systems=(System.WIDEVINE,), keys=tmp_path / "speke.toml", to="s3://bucket/atlas-2")
    assert wishes == [("atlas", wish)]
    assert run(["rekey", "atlas", "--scheme", "none", "--state", str(tmp_path)]) == 0
    assert wishes[1][1].scheme is Scheme.NONE
    assert run(["rekey", "atlas", "--scheme", "aes", "--state", str(tmp_path)]) == 2


def test_it_prints_what_is_published_now(
    wishes: list[tuple[str, Wish]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["rekey", "atlas", "--json", "--state", str(tmp_path)]) == 0
    data = json.loads(capsys.readouterr().out)
    assert {"ok", "title", "package", "manifests", "keys", "checks", "seconds"} <= set(data)
    assert (data["title"], data["package"], data["keys"]) == ("atlas", "/new", [{"label": "SD", "kid": "ab" * 16}])
    assert run(["rekey", "atlas", "--state", str(tmp_path)]) == 0
    assert "has new keys at /new" in capsys.readouterr().out


def test_a_title_that_was_never_released_is_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rekey", "nothing", "--state", str(tmp_path)]) == 3
    assert "nothing" in capsys.readouterr().err
