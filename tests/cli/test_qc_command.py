"""`qc`: what it answers, when it fails, and its page."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mediaforge.cli.main import run
from mediaforge.cli.qc_page import draw_timeline
from mediaforge.transcode.qc.control import Verdict
from mediaforge.transcode.qc.finding import Finding, Severity


@pytest.fixture(scope="module")
def black(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Callable[..., None]) -> Path:
    """Twelve seconds of black, and no sound."""
    path = tmp_path_factory.mktemp("qc") / "black.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=black:size=160x90:rate=25:duration=12", "-c:v", "libx264", path)
    return path


def test_an_error_is_exit_code_one_and_an_object(black: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["qc", str(black), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["sound"]) == (False, False)
    (finding,) = answer["findings"]
    assert {"check", "severity", "start", "end", "value", "limit"} <= finding.keys()
    assert (finding["check"], finding["severity"], finding["start"], finding["end"]) == ("black", "error", 0.0, 12.0)


def test_a_film_without_errors_passes_in_words_and_on_a_page(
    fast_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "pages" / "qc.html"
    assert run(["qc", str(fast_clip), "--report", str(page)]) == 0
    assert "Nothing was found." in capsys.readouterr().out
    assert "nothing found" in page.read_text(encoding="utf-8")


def test_the_page_needs_nothing_else_and_says_what_was_found(black: Path, tmp_path: Path) -> None:
    page = tmp_path / "qc.html"
    assert run(["qc", str(black), "--report", str(page)]) == 1
    text = page.read_text(encoding="utf-8")
    assert "://" not in text
    assert "the picture is black for 12.0 s" in text


def test_a_page_that_cannot_be_written_is_said_in_a_sentence(
    black: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert run(["qc", str(black), "--report", str(tmp_path / "file" / "qc.html")]) == 3 + 1
    assert "name another file for --report" in capsys.readouterr().err


def test_the_timeline_holds_every_finding_inside_it() -> None:
    finding = Finding.of("silence", Severity.WARNING, (59.99, 60.0), 0.01, 5, "s", "silent")
    drawn = draw_timeline(Verdict(seconds=60.0, sound=True, findings=(finding,)))
    assert 'x="99.4%"' in drawn  # a hair at the end is wide enough to be seen, and does not stick out
    assert "silence 1:00.0 to 1:00.0" in drawn
