"""`identify FOLDER`: all of it is looked at, in one order, whatever lies among it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from mediaforge.cli import identify_folder as folder_command
from mediaforge.cli.main import run
from mediaforge.detect.folder import list_media
from mediaforge.detect.tiers import Found
from mediaforge.errors import MediaError
from tests.cli.test_way_back import MATCH


@pytest.fixture
def seized(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six media files, of which one shows atlas and one is broken, and a text."""
    folder = tmp_path / "seized"
    for name in ("b/leak.MP4", "a.mp4", "b/broken.mkv", "b/فيلم.webm", "radio.opus", "z\x1b[31m.ts", "notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")

    def looked(_: object, path: Path) -> tuple[Found, ...]:
        if path.name == "broken.mkv":
            raise MediaError(path, "is broken; get a whole copy")
        return (Found(picture=MATCH, sound=None),) if path.name == "leak.MP4" else ()

    monkeypatch.setattr(folder_command, "identify", looked)
    return folder


def test_a_folder_is_listed_in_one_order_and_no_further_than_asked(seized: Path) -> None:
    (seized / "b" / "up").symlink_to(seized, target_is_directory=True)  # a circle
    listing = list_media(seized, most=3)
    assert [str(path.relative_to(seized)) for path in listing.files] == ["a.mp4", "b/broken.mkv", "b/leak.MP4"]
    assert (listing.others, listing.left) == (1, 3)


def test_a_broken_file_does_not_hide_the_others(seized: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["identify", str(seized), "--json", "--progress", "json", "--state", str(tmp_path / "state")]) == 0
    printed = capsys.readouterr()
    data: dict[str, Any] = json.loads(printed.out)
    verdicts = {Path(one["path"]).name: one["verdict"] for one in data["files"]}
    assert list(verdicts.values()) == ["none", "failed", "match", "none", "none", "none"]
    assert (verdicts["leak.MP4"], verdicts["broken.mkv"]) == ("match", "failed")
    assert "is broken; get a whole copy" in data["files"][1]["error"]
    assert data["files"][2]["matches"][0]["title"] == "atlas"
    events = [json.loads(line) for line in printed.err.splitlines()]
    assert [event["event"] for event in events if event["event"] != "started"].count("failed") == 1
    assert events[-1]["overall"] == 1


def test_a_name_from_outside_cannot_steer_the_terminal(
    seized: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (seized / os.fsdecode(b"\xff\xfe.mp4")).write_bytes(b"x")
    assert run(["identify", str(seized), "--state", str(tmp_path / "state")]) == 0
    printed = capsys.readouterr()
    assert "\x1b[31m" not in printed.out + printed.err
    assert "فيلم.webm" in printed.out and "1 of 7 files could not be looked at" in printed.out


def test_what_lies_beyond_the_limit_is_said(seized: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["identify", str(seized), "--most", "1", "--state", str(tmp_path / "state")]) == 0
    assert "5 more files were not looked at; --most 6 looks at all" in capsys.readouterr().err


def test_a_folder_of_nothing_but_broken_files_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "one.mp4").write_bytes(b"this is a text")
    assert run(["identify", str(tmp_path / "bad"), "--state", str(tmp_path / "state")]) == 3
    assert "one.mp4: cannot be read as media" in capsys.readouterr().err


def test_a_folder_without_media_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("a")
    assert run(["identify", str(tmp_path / "texts"), "--state", str(tmp_path / "state")]) == 3
    assert "holds no media files (1 others)" in capsys.readouterr().err


def test_a_name_that_is_no_text_is_a_sentence_like_any_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / os.fsdecode(b"\xff\x1b[2J.mp4")
    copy.write_bytes(b"no film")
    assert run(["identify", str(copy), "--state", str(tmp_path / "state")]) == 3
    said = capsys.readouterr().err
    assert "\ufffd\ufffd[2J.mp4: cannot be read as media" in said and "\x1b" not in said
