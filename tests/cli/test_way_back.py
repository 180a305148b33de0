"""`identify`, `trace`, `scan`: what is found is an answer, and so is finding nothing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mediaforge.cli import identify as identify_command
from mediaforge.cli import scan as scan_command
from mediaforge.cli import trace as trace_command
from mediaforge.cli.main import run
from mediaforge.detect.match import Match
from mediaforge.detect.match import Verdict as Likeness
from mediaforge.detect.sound_match import SoundMatch
from mediaforge.detect.tiers import Found
from mediaforge.errors import MediaError
from mediaforge.investigate import Trace
from mediaforge.media import Span
from mediaforge.watermark.evidence import Evidence, Symbol
from mediaforge.watermark.trace import Accusation, Outcome, Verdict

MATCH = Match(
    title="atlas",
    verdict=Likeness.MATCH,
    score=21.5,
    query=Span(start=Fraction(0), end=Fraction(30)),
    reference=Span(start=Fraction(25, 2), end=Fraction(85, 2)),
    speed=Fraction(25, 24),
    mirrored=False,
    frames=110,
    distance=12.3456,
)
HEARD = SoundMatch(
    title="atlas",
    verdict=Likeness.MATCH,
    score=41.26,
    query=Span(start=Fraction(1), end=Fraction(9)),
    reference=Span(start=Fraction(61), end=Fraction(69)),
    speed=Fraction(1),
    pitch=0.9436,
    peaks=70,
)
SYMBOL = Symbol(segment=3, rho=-0.9, sigma=0.1, z=-9.0, rung="v400")


def answer(capsys: pytest.CaptureFixture[str], tmp_path: Path, *arguments: str) -> dict[str, Any]:
    assert run([*arguments, "--json", "--state", str(tmp_path / "state")]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def found(*accusations: Accusation, title: str | None = "atlas") -> Trace:
    symbols = (SYMBOL,) if title else ()
    evidence = Evidence(segments=32, symbols=symbols, seconds_read=Fraction(48, 25), alignment=None, rungs=())
    verdict = Verdict(
        verdict=Outcome.ACCUSED if accusations else Outcome.INCONCLUSIVE,
        segments_read=len(symbols),
        seconds_read=evidence.seconds_read,
        accusations=accusations,
        lowest_probability=1e-7 if accusations else 0.2,
    )
    return Trace(title=title, evidence=evidence, verdict=verdict)


def test_a_match_says_where_in_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(identify_command, "identify", lambda *_, **__: (Found(picture=MATCH, sound=None),))
    assert answer(capsys, tmp_path, "identify", "copy.mp4")["matches"] == [
        {
            "title": "atlas",
            "verdict": "match",
            "score": 21.5,
            "query": {"start": 0.0, "end": 30.0},
            "reference": {"start": 12.5, "end": 42.5},
            "speed": 1.041667,
            "mirrored": False,
            "found_by": ["picture"],
            "matrix": None,
            "evidence": {
                "video": {
                    "verdict": "match",
                    "score": 21.5,
                    "frames": 110,
                    "distance": 12.35,
                    "points": 0,
                    "cuts": 0,
                    "of_cuts": 0,
                    "correlation": 0.0,
                    "contrast": 0.0,
                },
                "audio": None,
            },
        }
    ]
    assert run(["identify", "copy.mp4", "--state", str(tmp_path / "state")]) == 0
    assert "0:12.5 to 0:42.5" in capsys.readouterr().out


def test_a_match_by_sound_alone_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(identify_command, "identify", lambda *_, **__: (Found(picture=None, sound=HEARD),))
    (match,) = answer(capsys, tmp_path, "identify", "copy.mp3")["matches"]
    assert (match["title"], match["found_by"], match["mirrored"]) == ("atlas", ["sound"], False)
    assert match["evidence"]["video"] is None
    assert match["evidence"]["audio"] == {
        "verdict": "match",
        "score": 41.3,
        "query": {"start": 1.0, "end": 9.0},
        "reference": {"start": 61.0, "end": 69.0},
        "speed": 1.0,
        "pitch": 0.9436,
        "peaks": 70,
    }
    assert run(["identify", "copy.mp3", "--state", str(tmp_path / "state")]) == 0
    assert "sound" in capsys.readouterr().out


def test_an_unknown_film_is_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(identify_command, "identify", lambda *_, **__: ())
    assert answer(capsys, tmp_path, "identify", "copy.mp4") == {"ok": True, "matches": []}


def test_a_copy_that_is_not_there_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["identify", str(tmp_path / "none.mp4"), "--state", str(tmp_path / "state")]) == 3
    assert "none.mp4" in capsys.readouterr().err


def test_an_accusation_comes_with_its_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    accused = Accusation(recipient="rif", score=9.25, false_accusation_probability=1e-7, model="alone")
    monkeypatch.setattr(trace_command, "trace", lambda *_, **__: found(accused))
    data = answer(capsys, tmp_path, "trace", "copy.mp4")
    assert (data["title"], data["verdict"], data["segments_read"], data["seconds_read"]) == ("atlas", "accused", 1, 1.92)
    assert data["accusations"][0]["recipient"] == "rif"
    assert data["accusations"][0]["false_accusation_probability"] == 1e-7
    assert data["false_accusation"] == 1e-6
    assert data["evidence"]["symbols"][0]["segment"] == 3
    assert run(["trace", "copy.mp4", "--state", str(tmp_path / "state")]) == 0
    assert "1.0e-07" in capsys.readouterr().out


@pytest.mark.parametrize("title", ["atlas", None])
def test_inconclusive_is_an_answer(
    title: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(trace_command, "trace", lambda *_, **__: found(title=title))
    data = answer(capsys, tmp_path, "trace", "copy.mp4", "--false-accusation", "1e-3")
    assert (data["title"], data["verdict"], data["accusations"]) == (title, "inconclusive", [])
    assert run(["trace", "copy.mp4", "--state", str(tmp_path / "state")]) == 0
    assert "inconclusive" in capsys.readouterr().out


@pytest.mark.parametrize("value", ["0", "1", "2", "often"])
def test_a_bound_that_is_no_probability_is_usage(value: str) -> None:
    assert run(["trace", "copy.mp4", "--false-accusation", value]) == 2


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def fetched(settings: object, url: str) -> Iterator[SimpleNamespace]:
        if "dead" in url:
            raise MediaError(url, "shows no video; give another address")
        yield SimpleNamespace(path=Path(url.rsplit("/", 1)[1]), bytes_fetched=1000)

    monkeypatch.setattr(scan_command, "fetched", fetched)
    monkeypatch.setattr(
        scan_command, "identify", lambda _, path, **__: (Found(picture=MATCH, sound=None),) if path.name == "leak" else ()
    )


@pytest.mark.usefixtures("web")
def test_a_scan_goes_on_after_a_dead_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    items = answer(capsys, tmp_path, "scan", "http://x/leak", "http://x/dead", "http://x/other")["items"]
    assert [(item["verdict"], item["title"]) for item in items] == [("match", "atlas"), ("failed", None), ("unknown", None)]
    assert items[1]["error"] == "http://x/dead: shows no video; give another address"
    assert items[0]["bytes_fetched"] == 1000


@pytest.mark.usefixtures("web")
def test_a_scan_where_nothing_could_be_looked_at_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["scan", "http://x/dead", "--state", str(tmp_path / "state")]) == 3
    assert "shows no video" in capsys.readouterr().err
