import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mediaforge.cli.main import run
from mediaforge.package.keys import KeyStore


def test_it_serves_loudly_until_it_is_told_to_stop(tmp_path: Path) -> None:
    (key,) = KeyStore(tmp_path / "keys").content_keys("atlas", ("SD",))
    code = "from mediaforge.cli.main import main; main()"
    argv = [sys.executable, "-c", code, "key", "serve", "atlas", "--state", str(tmp_path), "--json"]
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        lines = []
        while not lines or lines[-1] != "}\n":
            lines.append(child.stdout.readline())
        answer = json.loads("".join(lines))
        parts = urlsplit(answer["url"])
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        connection.request("POST", parts.path, json.dumps({"kids": ["A" * 22]}))
        assert connection.getresponse().status == 404
    finally:
        os.kill(child.pid, signal.SIGTERM)
        _, said = child.communicate(timeout=20)
    assert child.returncode == 0
    assert "DEVELOPMENT ONLY" in said
    assert "127.0.0.1" in said
    assert key.key.hex() not in said


def test_a_title_without_keys_is_not_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["key", "serve", "nobody", "--state", str(tmp_path)]) == 3
    said = capsys.readouterr()
    assert "nobody" in said.err
    assert "DEVELOPMENT" not in said.err
