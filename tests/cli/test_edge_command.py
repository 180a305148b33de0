"""`edge`: tokens that the command mints open what the command serves, over a real socket."""

import http.client
import json
import os
import signal
import subprocess
import sys
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from mediaforge import viewing
from mediaforge.catalogue import Catalogue
from mediaforge.cli.main import run
from mediaforge.edge.cose import is_signed, split_cwt
from mediaforge.media import Grid, Variant
from mediaforge.package.layout import segment_name, video_folder
from mediaforge.package.record import PackageRecord, RungRecord, Scheme, TrickRecord, save_record

LETTERS = "ABBABBBA"
RUNG = RungRecord(name="360p", width=640, height=360, bitrate_bps=1, max_bitrate_bps=1, label="SD")
TRICK = TrickRecord(width=320, height=180, label="SD")

Mint = Callable[..., dict[str, Any]]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    for variant in Variant:
        place = folder / video_folder(RUNG.name, variant)
        place.mkdir(parents=True)
        for number in range(1, len(LETTERS) + 1):
            (place / segment_name(number)).write_text(f"{variant.value}{number}")
    (folder / "trick").mkdir()
    (folder / "trick" / segment_name(2)).write_text("for all")
    (folder / "manifest.mpd").write_text("<MPD/>")
    save_record(_record((Variant.A, Variant.B)), folder)
    return folder


def _record(variants: tuple[Variant, ...]) -> PackageRecord:
    grid = Grid(fps=Fraction(25), gop_frames=48, frames=48 * len(LETTERS))
    nothing: dict[str, Any] = {"systems": (), "audio": (), "text": (), "digests": {}}
    return PackageRecord(title="atlas", scheme=Scheme.CBCS, grid=grid, rungs=(RUNG,), variants=variants, trick=TRICK, **nothing)


@pytest.fixture
def mint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Mint:
    monkeypatch.setattr(viewing, "sequence", lambda *_: LETTERS)
    with Catalogue(tmp_path / "catalogue.db") as catalogue:
        catalogue.put_title("atlas", "Atlas", master_digest="", record=b"")
        catalogue.add_recipient("viewer-7")

    def minted(*words: str) -> dict[str, Any]:
        common = ["edge", "token", "atlas", "--recipient", "viewer-7", "--state", str(tmp_path), "--json"]
        assert run([*common, *words]) == 0
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    return minted


@contextmanager
def served(state: Path, *words: str | Path) -> Iterator[tuple[Callable[..., tuple[int, bytes]], list[str]]]:
    """A function that gets a path from `edge serve`, and what the server had said when it was over."""
    code = "from mediaforge.cli.main import main; main()"
    argv = [sys.executable, "-c", code, "edge", "serve", *map(str, words), "--state", str(state), "--json"]
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said: list[str] = []
    try:
        assert child.stdout is not None
        lines = [""]
        while lines[-1] != "}\n":
            lines.append(child.stdout.readline())
            assert lines[-1], child.communicate()
        parts = urlsplit(json.loads("".join(lines))["url"])

        def get(path: str, **headers: str) -> tuple[int, bytes]:
            connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

        yield get, said
    finally:
        os.kill(child.pid, signal.SIGTERM)
        said.append(child.communicate(timeout=20)[1])
    assert child.returncode == 0


def test_a_session_downloads_its_code_and_the_log_names_nobody(tmp_path: Path, package: Path, mint: Mint) -> None:
    answer = mint()
    token = answer["token"]
    with served(tmp_path, package) as (get, said):
        got = [get(f"/{token}/video/360p/{number}.m4s") for number in range(1, len(LETTERS) + 1)]
        assert got == [(200, f"{letter.lower()}{number}".encode()) for number, letter in enumerate(LETTERS, start=1)]
        assert get(f"/{token}/manifest.mpd?CMCD=bl%3D1000") == (200, b"<MPD/>")
        assert get(f"/{token}/trick/2.m4s") == (200, b"for all")
        assert get(f"/{token}/b/video/360p/1.m4s") == (403, b"forbidden\n")
        assert get(f"/{token}/../../catalogue.db") == (403, b"forbidden\n")
        assert get(f"/{token[:-4]}AAAA/manifest.mpd") == (403, b"forbidden\n")
        assert get(f"http://127.0.0.1/{token}/manifest.mpd")[0] == 403
    assert said[0].count("refused") == 4
    assert answer["session"] in said[0]
    assert "viewer" not in said[0]
    assert token[:40] not in said[0]


def test_a_key_is_renewed_by_its_version(tmp_path: Path, package: Path, mint: Mint) -> None:
    old, new = mint()["token"], mint("--key-version", "2")["token"]
    with served(tmp_path, package, "--key-version", "2") as (get, _):
        assert [get(f"/{token}/manifest.mpd")[0] for token in (old, new)] == [403, 200]
    with served(tmp_path, package, "--key-version", "1", "--key-version", "2") as (get, _):
        assert [get(f"/{token}/manifest.mpd")[0] for token in (old, new)] == [200, 200]


def test_a_signed_token_opens_too_and_others_verify_it_with_what_is_printed(
    tmp_path: Path, package: Path, mint: Mint, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    token = mint("--algorithm", "es256")["token"]
    with served(tmp_path, package) as (get, _):
        assert get(f"/{token}/manifest.mpd")[0] == 200
    assert run(["edge", "public-key", "nobody", "--state", str(tmp_path)]) == 3
    monkeypatch.setattr(viewing, "read_release", lambda *_: None)
    capsys.readouterr()
    assert run(["edge", "public-key", "atlas", "--state", str(tmp_path)]) == 0
    public = load_pem_public_key(capsys.readouterr().out.encode())
    assert isinstance(public, EllipticCurvePublicKey)
    assert is_signed(split_cwt(urlsafe_b64decode(token + "=" * (-len(token) % 4))), public)


def test_an_address_behind_a_proxy_is_believed_where_it_is_told_to(tmp_path: Path, package: Path, mint: Mint) -> None:
    path = f"/{mint('--address', '192.0.2.7')['token']}/manifest.mpd"
    forwarded = {"X-Forwarded-For": "192.0.2.7"}
    with served(tmp_path, package, "--proxy", "127.0.0.1") as (get, _):
        assert [get(path, **forwarded)[0], get(path)[0]] == [200, 403]
    with served(tmp_path, package) as (get, _):
        assert get(path, **forwarded)[0] == 403


def test_a_cookie_is_printed_with_the_token_and_asked_for(tmp_path: Path, package: Path, mint: Mint) -> None:
    answer = mint("--cookie")
    path = f"/{answer['token']}/manifest.mpd"
    with served(tmp_path, package) as (get, _):
        assert [get(path, Cookie=f"mediaforge-edge={answer['cookie']}")[0], get(path)[0]] == [200, 403]


def test_a_token_goes_into_a_new_private_file(tmp_path: Path, mint: Mint, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "token.txt"
    answer = mint("--to", str(file))
    assert "token" not in answer
    assert file.stat().st_mode & 0o777 == 0o600
    words = ["edge", "token", "atlas", "--recipient", "viewer-7", "--to", str(file), "--state", str(tmp_path)]
    assert run(words) == 4
    assert "name a new file" in capsys.readouterr().err


def test_a_session_is_noted_in_the_catalogue(tmp_path: Path, mint: Mint) -> None:
    mint()
    with Catalogue(tmp_path / "catalogue.db") as catalogue:
        assert [copy.kind for copy in catalogue.copies("atlas")] == ["sequence"]


def test_sidecars_lie_where_the_segments_do(tmp_path: Path, package: Path) -> None:
    assert run(["edge", "sidecars", str(package), "--to", str(tmp_path / "sidecars"), "--state", str(tmp_path)]) == 0
    written = tmp_path / "sidecars" / "video/360p/WMPaceInfo"
    found = [cbor2.loads((written / segment_name(number)).read_bytes())[2][0][6] for number in (1, len(LETTERS))]
    assert found == [0, len(LETTERS) - 1]


def test_what_cannot_be_served_is_one_line(tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_record(_record((Variant.A,)), package)
    state = ["--state", str(tmp_path)]
    assert run(["edge", "serve", str(package), *state]) == 3
    assert run(["edge", "serve", "nobody", *state]) == 3
    assert run(["edge", "serve", "ftp://host/atlas", *state]) == 4
    assert run(["edge", "token", "atlas", "--recipient", "x", "--address", "localhost", *state]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert "one variant" in lines[0]
