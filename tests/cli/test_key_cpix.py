import json
import stat
from pathlib import Path

import pytest

from mediaforge.cli.main import run
from mediaforge.package.keys import KeyStore
from tests.package.keypairs import certificate_file, secret_file

LABELS = ("AUDIO", "SD", "HD")


def answer(capsys: pytest.CaptureFixture[str], state: Path, *arguments: str | Path) -> dict[str, object]:
    assert run([str(word) for word in (*arguments, "--state", state, "--json")]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_keys_go_to_another_state_encrypted_and_signed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here, there, document = tmp_path / "here", tmp_path / "there", tmp_path / "atlas.xml"
    keys = KeyStore(here / "keys").content_keys("atlas", LABELS)
    theirs, ours = secret_file(tmp_path, "theirs"), secret_file(tmp_path, "ours")
    to, by = certificate_file(tmp_path, "theirs"), certificate_file(tmp_path, "ours")
    made = answer(capsys, here, "key", "export", "atlas", "--cpix", document, "--to-certificate", to, "--sign-with", ours)
    assert (made["encrypted"], made["signed"], len(made["keys"])) == (True, True, 3)  # type: ignore[arg-type]
    assert stat.S_IMODE(document.stat().st_mode) == 0o600
    taken = answer(capsys, there, "key", "import", document, "--private-key", theirs, "--signed-by", by)
    assert (taken["title"], taken["signed"], taken["verified"]) == ("atlas", True, True)
    assert KeyStore(there / "keys").content_keys("atlas", LABELS) == keys
    assert {row["origin"] for row in answer(capsys, there, "key", "list")["keys"]} == {"cpix"}  # type: ignore[attr-defined]


def test_a_clear_document_is_said_to_be_clear(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (key,) = KeyStore(tmp_path / "keys").content_keys("atlas", ("SD",))
    document = tmp_path / "clear.xml"
    assert run(["key", "export", "atlas", "--cpix", str(document), "--state", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert "in clear" in said.err
    assert key.key.hex() not in said.out + said.err
    assert run(["key", "import", str(document), "--title", "copy", "--state", str(tmp_path)]) == 4
    assert "in the store already" in capsys.readouterr().err


def test_a_signature_that_nobody_asked_about_is_mentioned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    KeyStore(tmp_path / "keys").content_keys("atlas", ("SD",))
    document, ours = tmp_path / "signed.xml", secret_file(tmp_path, "ours")
    assert run(["key", "export", "atlas", "--cpix", str(document), "--sign-with", str(ours), "--state", str(tmp_path)]) == 0
    assert run(["key", "import", str(document), "--state", str(tmp_path)]) == 0
    assert "--signed-by" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("export", "nobody", "--cpix", "x.xml"), 3, "key list"),
        (("import", "missing.xml"), 3, "cannot be read"),
        (("import", "rubbish.xml"), 3, "no XML"),
        (("import", "rubbish.xml", "--private-key", "open.pem"), 2, "chmod 600"),
        (("import", "rubbish.xml", "--private-key", "rubbish.xml"), 2, "no private key"),
        (("import", "rubbish.xml", "--signed-by", "rubbish.xml"), 2, "no X.509 certificate"),
        (("import", "rubbish.xml", "--signed-by", "missing.pem"), 2, "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rubbish.xml").write_text("<<<<")
    Path("rubbish.xml").chmod(0o600)
    secret_file(tmp_path, "open").chmod(0o644)
    assert run(["key", *arguments, "--state", str(tmp_path / "state")]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
