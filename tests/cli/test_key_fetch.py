import json
from pathlib import Path

import pytest

from mediaforge.cli.main import run
from mediaforge.package.keys import KeyStore
from tests.package.key_servers import Told, serving
from tests.package.test_speke import telling


def describe(folder: Path, url: str, ca: Path) -> str:
    path = folder / "speke.toml"
    path.write_text(f'kind = "speke"\nurl = "{url}"\nca = "{ca}"\n[headers]\nx-api-key = "hush"\n')
    path.chmod(0o600)
    return str(path)


def test_keys_are_fetched_and_not_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(tmp_path, telling()) as local:
        assert local.server.ca is not None
        file = describe(tmp_path, local.server.url, local.server.ca)
        arguments = ["key", "fetch", "atlas", "--from", file, "--labels", "AUDIO,SD", "--state", str(tmp_path)]
        assert run([*arguments, "--json"]) == 0
    said = capsys.readouterr()
    answer = json.loads(said.out)
    assert (answer["origin"], [key["label"] for key in answer["keys"]]) == ("speke", ["AUDIO", "SD"])
    keys = KeyStore(tmp_path / "keys").content_keys("atlas", ("AUDIO", "SD"))
    assert not any(key.key.hex() in said.out + said.err for key in keys)
    assert local.asked[0].headers["x-api-key"] == "hush"


def test_a_server_that_refuses_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(tmp_path, lambda asked: Told(status=403)) as local:
        assert local.server.ca is not None
        file = describe(tmp_path, local.server.url, local.server.ca)
        assert run(["key", "fetch", "atlas", "--from", file, "--state", str(tmp_path)]) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert "403" in line
    assert "hush" not in line


@pytest.mark.parametrize("labels", ["4K", "SD,SD", ""])
def test_odd_labels_are_a_usage_error(labels: str) -> None:
    assert run(["key", "fetch", "atlas", "--from", "x.toml", "--labels", labels]) == 2
