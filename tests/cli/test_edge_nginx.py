"""The snippet of docs/edge.md in a real nginx, before a real edge."""

import http.client
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mediaforge.package.layout import segment_name
from tests.cli.test_edge_command import LETTERS, Mint, mint, package, served
from tests.conftest import REPOSITORY
from tests.package.keypairs import secret_file

__all__ = ["mint", "package"]  # fixtures


@pytest.fixture
def ports() -> tuple[int, int]:
    """Two that nobody has: nginx's and the edge's."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


@pytest.fixture
def nginx(tmp_path: Path, ports: tuple[int, int]) -> Iterator[Path]:
    """As an operator would fill it in; the folder with its logs."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed; what it is told in docs/edge.md is not tried")
    chapter = (REPOSITORY / "docs" / "edge.md").read_text().split("## nginx in front")[1].split("\n## ")[0]
    snippet = "\n".join(line.removeprefix("    ") for line in chapter.splitlines() if line.startswith("    "))
    folder = tmp_path / "nginx"
    folder.mkdir()
    pem = secret_file(folder, "edge")
    for ours, theirs in (
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{ports[0]} ssl http2;"),
        ("# ssl_certificate, ssl_certificate_key", f"ssl_certificate {pem}; ssl_certificate_key {pem};"),
        ("/var/log/nginx/edge.log", str(folder / "edge.log")),
        ("127.0.0.1:8080", f"127.0.0.1:{ports[1]}"),
    ):
        assert ours in snippet
        snippet = snippet.replace(ours, theirs)
    places = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    head = f"daemon off; pid {folder}/pid; error_log {folder}/error.log crit;\nevents {{}}\n"
    (folder / "nginx.conf").write_text(f"{head}http {{ {places}\n{snippet}\n}}\n")
    with subprocess.Popen([program, "-c", folder / "nginx.conf", "-e", folder / "start.log"], stderr=subprocess.PIPE) as child:
        deadline = time.monotonic() + 10
        while not (folder / "pid").exists() and child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert child.poll() is None, child.stderr.read() if child.stderr else ""
        yield folder
        child.send_signal(signal.SIGQUIT)


def test_a_session_downloads_its_code_through_nginx_which_logs_no_token(
    nginx: Path, ports: tuple[int, int], tmp_path: Path, package: Path, mint: Mint
) -> None:
    token = mint("--address", "127.0.0.1")["token"]
    stolen = mint("--address", "192.0.2.7")["token"]

    def get(path: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
        context: Any = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection("127.0.0.1", ports[0], context=context, timeout=10)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    with served(tmp_path, package, "--port", str(ports[1]), "--proxy", "127.0.0.1") as (_, said):
        got = [get(f"/{token}/video/360p/{segment_name(number)}") for number in range(1, len(LETTERS) + 1)]
        assert got == [(200, f"{letter.lower()}{number}".encode()) for number, letter in enumerate(LETTERS, start=1)]
        assert get(f"/{token}/video/360p/1.m4s", Range="bytes=0-0") == (206, b"b"[:1] if LETTERS[0] == "B" else b"a")
        assert get(f"/{stolen}/manifest.mpd", **{"X-Forwarded-For": "192.0.2.7"})[0] == 403  # what a client claims counts not
        for trick in ("b/video/360p/1.m4s", "video/../b/video/360p/1.m4s", "/manifest.mpd", "%2e%2e/secret", "mediaforge.json"):
            assert get(f"/{token}/{trick}") == (403, b"forbidden\n")
        assert get(f"/{token}/manifest.mpd", "POST")[0] == 403
    logs = [path.read_text() for path in nginx.glob("*.log")] + said
    assert not any(token[:40] in text or stolen[:40] in text for text in logs)
