"""`fingerprint exclude` and its kin: said in a sentence, kept in the index, obeyed by `identify`."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from mediaforge.cli.arguments import TimeType
from mediaforge.cli.main import run


@pytest.fixture
def ask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    def asked(*words: str | Path) -> dict[str, Any]:
        assert run([*map(str, words), "--json", "--state", str(tmp_path / "state")]) == 0
        return dict(json.loads(capsys.readouterr().out))

    return asked


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Callable[..., None]) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    source = ("-f", "lavfi", "-i", "mandelbrot=size=320x180:rate=12:end_scale=0.01,trim=duration=9")
    ffmpeg(*source, "-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-pix_fmt", "yuv420p", path)
    return path


def test_an_excluded_title_is_not_found_until_it_is_included(ask: Callable[..., dict[str, Any]], clip: Path) -> None:
    ask("fingerprint", "add", clip, "--title", "atlas")
    assert [match["title"] for match in ask("identify", clip)["matches"]] == ["atlas"]
    ask("fingerprint", "exclude", "atlas", "0", "0:30.5")
    assert ask("fingerprint", "excluded")["spans"] == [{"title": "atlas", "start": 0.0, "end": 30.5, "why": "said"}]
    assert ask("identify", clip)["matches"] == []
    ask("fingerprint", "include", "atlas")
    assert ask("fingerprint", "excluded")["spans"] == []
    assert ask("identify", clip)["matches"]
    assert ask("fingerprint", "check")["titles"] == 1


def test_a_rejected_pair_never_comes_back_and_the_title_stays(
    ask: Callable[..., dict[str, Any]], clip: Path, tmp_path: Path
) -> None:
    ask("fingerprint", "add", clip, "--title", "atlas")
    ask("fingerprint", "add", clip, "--title", "rif")
    ask("fingerprint", "reject", clip, "atlas")
    assert {match["title"] for match in ask("identify", clip)["matches"]} == {"rif"}
    another = tmp_path / "another.mp4"
    another.write_bytes(clip.read_bytes() + bytes(8))
    assert {match["title"] for match in ask("identify", another)["matches"]} == {"atlas", "rif"}


@pytest.mark.parametrize(("text", "seconds"), [("12.5", "12.5"), ("1:02", "62"), ("1:02:03.4", "3723.4")])
def test_a_time_is_seconds_or_a_clock(text: str, seconds: str) -> None:
    assert TimeType().convert(text, None, None) == Fraction(seconds)


@pytest.mark.parametrize("words", [("atlas", "5", "5"), ("atlas", "-1", "5"), ("atlas", "soon", "5"), ("../x", "0", "5")])
def test_a_span_that_makes_no_sense_is_usage(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert run(["fingerprint", "exclude", *words, "--state", str(tmp_path / "state")]) == 2


def test_a_title_that_is_not_there_cannot_be_excluded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fingerprint", "exclude", "atlas", "0", "5", "--state", str(tmp_path / "state")]) == 3
    assert "fingerprint list" in capsys.readouterr().err
