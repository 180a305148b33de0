"""Packages played for real: Chromium, three players, both manifests, both schemes, mixed variants, wrong keys."""

import base64
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mediaforge.cli.main import run
from mediaforge.errors import ToolError, ToolMissing
from mediaforge.package import player, player_browser
from mediaforge.package.assembly import Package
from mediaforge.package.plan import PackageRequest
from mediaforge.package.player import Played, play_package
from mediaforge.package.player_cells import Mode, Player, plan_cells
from mediaforge.package.player_server import PAGE
from mediaforge.package.record import Scheme, TextForm
from mediaforge.tools import locate_chromium
from tests.package.kinds import in_two_codecs, in_two_languages

PAIRS = ("shaka-mpd", "shaka-m3u8", "dashjs-mpd", "hlsjs-m3u8")
IN_CHILD = """
import json, sys
from pathlib import Path
from mediaforge.package.player import play_package
request = json.load(sys.stdin)
keys = {bytes.fromhex(kid): bytes.fromhex(key) for kid, key in request["keys"].items()}
play_package(Path(request["folder"]), keys=keys, chromium=Path(request["chromium"]))
"""


@pytest.fixture(scope="module")
def chromium() -> Path:
    try:
        named = os.environ.get("MEDIAFORGE_CHROMIUM")
        return locate_chromium({"chromium": named} if named else {})
    except ToolMissing as error:
        if os.environ.get("CI"):
            pytest.fail(f"{error}: a CI run must play packages")
        pytest.skip(error.message)


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Leave these cells of all."""

    def choose(*names: str) -> None:
        def cells(*facts: Any) -> tuple[object, ...]:
            return tuple(cell for cell in plan_cells(*facts) if cell.name in names)

        monkeypatch.setattr(player, "plan_cells", cells)

    return choose


@pytest.mark.parametrize("scheme", [Scheme.CENC, Scheme.CBCS])
def test_every_player_plays_a_package_to_its_end_and_refuses_a_wrong_key(
    scheme: Scheme,
    packages: dict[Scheme, Package],
    key_map: dict[bytes, bytes],
    chromium: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(player, "SPEED", 2.0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # where its profile lies, so that no other Chromium is counted
    leaks: list[str] = []
    rows = play_package(
        packages[scheme].folder,
        keys=key_map,
        chromium=chromium,
        screenshots=tmp_path / "shots",
        on_cell=lambda *_: leaks.extend(processes_that_tell(key_map.values())),
    )
    assert {row.check.id.removeprefix("package.play."): row.check.message for row in rows if not row.check.ok} == {}
    assert [row.take.cell.name for row in rows] == [f"{pair}-{mode}" for mode in Mode for pair in PAIRS]
    assert leaks == []
    for row in rows:
        picture = cv2.imread(str(tmp_path / "shots" / f"{row.take.cell.name}.png"))
        assert picture is not None
        if row.take.cell.mode is not Mode.WRONG_KEY:
            assert switches(row) >= 2
            said = [seen.cue for seen in row.take.seen if seen.step == "subtitles"]
            assert said == (["كان يا ما كان"] if row.take.cell.shows_subtitles else [])
            assert colours(picture) > 500  # the moving test picture; a blank one has 1
    assert chromium_processes(tmp_path) == []


def test_a_package_of_two_codecs_is_played_in_both(
    ffmpeg: Callable[..., None],
    request_: PackageRequest,
    make_package: Callable[[PackageRequest], Package],
    key_map: dict[bytes, bytes],
    chromium: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each player, told to take AV1, is given its rungs alone, switches between them, and shows the subtitles."""
    monkeypatch.setattr(player, "SPEED", 2.0)
    monkeypatch.setattr(player, "plan_cells", lambda *facts: [cell for cell in plan_cells(*facts) if cell.codec == "av01"][:4])
    made = make_package(in_two_languages(in_two_codecs(ffmpeg, tmp_path, request_)))
    rows = play_package(made.folder, keys=key_map, chromium=chromium)
    assert {row.take.cell.name: row.check.message for row in rows if not row.check.ok} == {}
    assert [row.take.cell.name for row in rows] == [f"{pair}-av01-plain" for pair in PAIRS]
    for row in rows:
        assert switches(row) >= 2
        said = [bool(seen.cue) for seen in row.take.seen if seen.step == "subtitles"]
        assert said == ([True] if row.take.cell.shows_subtitles else [])
        folders = {uri.rpartition("/")[0] for uri, _ in row.take.served if uri.endswith(".m4s") and uri.startswith("video/")}
        assert folders == {"video/v060-av1", "video/v120-av1"}


@pytest.mark.parametrize("cell", ["shaka-mpd-plain", "hlsjs-m3u8-plain"])
def test_subtitles_that_no_manifest_offers_fail_the_cell(
    cell: str,
    packages: dict[Scheme, Package],
    key_map: dict[bytes, bytes],
    chromium: Path,
    copy_of: Callable[[Package], Path],
    only: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only(cell)
    monkeypatch.setattr(player, "PATIENCE_SECONDS", 4.0)
    folder = copy_of(packages[Scheme.CBCS])
    master, mpd = folder / "master.m3u8", folder / "manifest.mpd"
    lines = [line for line in master.read_text().splitlines(keepends=True) if "TYPE=SUBTITLES" not in line]
    master.write_text("".join(lines).replace(',SUBTITLES="text"', ""))
    mpd.write_text(re.sub(r'<AdaptationSet [^>]*contentType="text".*?</AdaptationSet>', "", mpd.read_text(), flags=re.DOTALL))
    (row,) = play_package(folder, keys=key_map, chromium=chromium)
    assert "no subtitles in fr are offered" in row.check.message


def test_players_go_from_a_clear_lead_into_what_is_encrypted_and_stop_there_with_a_wrong_key(
    request_: PackageRequest,
    make_package: Callable[[PackageRequest], Package],
    key_map: dict[bytes, bytes],
    chromium: Path,
    only: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only("shaka-mpd-mixed", "hlsjs-m3u8-plain", "hlsjs-m3u8-wrong-key")
    monkeypatch.setattr(player, "SPEED", 2.0)
    led = make_package(replace(request_, clear_segments=1))
    rows = play_package(led.folder, keys=key_map, chromium=chromium)
    assert {row.take.cell.name: row.check.message for row in rows if not row.check.ok} == {}
    assert len(rows) == 3


def test_imsc_alone_is_on_the_screen(
    request_: PackageRequest,
    make_package: Callable[..., Package],
    key_map: dict[bytes, bytes],
    chromium: Path,
    only: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(player, "SPEED", 2.0)
    only("dashjs-mpd-plain")  # which draws it itself; shaka-player and hls.js make text tracks of it
    made = make_package(replace(request_, text=tuple(replace(row, form=TextForm.IMSC) for row in request_.text)))
    (row,) = play_package(made.folder, keys=key_map, chromium=chromium)
    assert row.check.ok, row.check.message
    assert "كان يا ما كان" in [seen.cue for seen in row.take.seen]


def test_a_segment_that_is_not_there_fails_the_cell(
    packages: dict[Scheme, Package],
    key_map: dict[bytes, bytes],
    chromium: Path,
    copy_of: Callable[[Package], Path],
    only: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only("shaka-mpd-plain")
    monkeypatch.setattr(player, "PATIENCE_SECONDS", 5.0)
    folder = copy_of(packages[Scheme.CBCS])
    (folder / "video/v060/3.m4s").unlink()
    (row,) = play_package(folder, keys=key_map, chromium=chromium)
    assert not row.check.ok
    assert "video/v060/3.m4s was asked for and is not there" in row.check.message or "HTTP" in row.check.message


def test_a_package_without_its_clearkey_signal_does_not_play_in_hls_js(
    packages: dict[Scheme, Package],
    key_map: dict[bytes, bytes],
    chromium: Path,
    copy_of: Callable[[Package], Path],
    only: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The hook adds a line beside those of the package, and never in their place."""
    only("hlsjs-m3u8-plain")
    monkeypatch.setattr(player, "PATIENCE_SECONDS", 4.0)
    folder = copy_of(packages[Scheme.CENC])
    for playlist in folder.rglob("media.m3u8"):
        lines = playlist.read_text(encoding="utf-8").splitlines(keepends=True)
        playlist.write_text("".join(line for line in lines if "EXT-X-KEY" not in line), encoding="utf-8")
    (row,) = play_package(folder, keys=key_map, chromium=chromium)
    assert not row.check.ok


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_browser_outlives_us(
    number: int, packages: dict[Scheme, Package], key_map: dict[bytes, bytes], chromium: Path, tmp_path: Path
) -> None:
    request = {
        "folder": str(packages[Scheme.CBCS].folder),
        "chromium": str(chromium),
        "keys": {kid.hex(): key.hex() for kid, key in key_map.items()},
    }
    child = subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n" + IN_CHILD],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert child.stdin is not None
    child.stdin.write(json.dumps(request).encode())
    child.stdin.close()
    wait_for(lambda: len(chromium_processes(tmp_path)) >= 3)  # the browser and its children
    time.sleep(1.5)  # into the middle of a cell
    child.send_signal(number)
    assert child.wait(20) != 0
    wait_for(lambda: chromium_processes(tmp_path) == [])
    if number == signal.SIGINT:
        assert list(tmp_path.iterdir()) == []


def test_no_browser_is_left_after_an_error_of_ours(
    packages: dict[Scheme, Package],
    key_map: dict[bytes, bytes],
    chromium: Path,
    only: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only("shaka-mpd-wrong-key")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def on_cell(*_: object) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        play_package(packages[Scheme.CBCS].folder, keys=key_map, chromium=chromium, on_cell=on_cell)
    assert chromium_processes(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("program", "words"), [("exit 3", "did not start"), ("exec sleep 60", "did not start")])
def test_a_browser_that_does_not_start_is_an_error_and_no_verdict(
    program: str, words: str, packages: dict[Scheme, Package], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(player_browser, "STARTING_SECONDS", 0.5)
    fake = tmp_path / "chromium"
    fake.write_text(f"#!/bin/sh\n{program}\n")
    fake.chmod(0o755)
    with pytest.raises(ToolError, match=words) as caught:
        play_package(packages[Scheme.CBCS].folder, keys={}, chromium=fake)
    assert caught.value.exit_code == 4


def test_without_chromium_one_sentence_says_what_to_install(
    packages: dict[Scheme, Package], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("MEDIAFORGE_CHROMIUM", raising=False)
    assert run(["verify", str(packages[Scheme.CBCS].folder), "--play", "--state", str(tmp_path / "state")]) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert "apt-get install chromium" in line


def test_without_the_title_s_keys_nothing_is_played(
    packages: dict[Scheme, Package], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MEDIAFORGE_CHROMIUM", "/bin/true")
    assert run(["verify", str(packages[Scheme.CBCS].folder), "--play", "--state", str(tmp_path / "state")]) == 2
    assert "keys of film" in capsys.readouterr().err


def test_every_player_has_an_adapter_and_its_script_is_the_published_one() -> None:
    vendor = PAGE / "vendor"
    sums = dict(reversed(line.split("  ")) for line in (vendor / "SHA256SUMS").read_text().splitlines())
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in vendor.glob("*.js")}
    assert found == sums
    adapters = "".join((vendor.parent / f"{name.value}.js").read_text() for name in Player)
    assert all(name in adapters for name in sums)


def switches(row: Played) -> int:
    sizes = [seen.width for seen in row.take.seen]
    return sum(one != other for one, other in pairwise(sizes))


def colours(picture: np.ndarray) -> int:
    return len(np.unique(picture.reshape(-1, 3), axis=0))


def chromium_processes(folder: Path | str) -> list[str]:
    """Chromium's processes with a profile in `folder`; one that ended and was not waited for yet is none."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words, state = (place / "cmdline").read_bytes(), (place / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:  # gone in between
            continue
        if f"{folder}/mediaforge-chromium-".encode() in words and state != "Z":
            found.append(words.decode("utf-8", "replace"))
    return found


def processes_that_tell(keys: Iterable[bytes]) -> list[str]:
    """Processes with a key in their arguments or environment, in any notation."""
    forms = (
        bytes,
        lambda key: key.hex().encode(),
        lambda key: base64.b64encode(key)[:22],
        lambda key: base64.urlsafe_b64encode(key)[:22],
    )
    needles = [form(key) for key in keys for form in forms]
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
        except OSError:
            continue
        if any(needle in words for needle in needles):
            found.append(place.name)
    return found


def wait_for(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
