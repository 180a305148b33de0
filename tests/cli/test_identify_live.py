"""`identify URL --live`: alarms are told as they come, and a watch has an end."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mediaforge.cli import identify_live as live_command
from mediaforge.cli.main import run
from mediaforge.detect.live.alarms import Event, Kind, Sighting
from mediaforge.detect.match import Verdict
from mediaforge.detect.tiers import Found
from mediaforge.watching import Alarm, Watched
from tests.cli.test_way_back import MATCH

SIGHTING = Sighting(
    title="atlas", verdict=Verdict.MATCH, begin=65.0, last=80.0, found=Found(picture=MATCH, sound=None), looks=1, is_told=True
)
URL = "https://tv.example/live.m3u8"


def alarm(kind: Kind) -> Alarm:
    return Alarm(event=Event(kind=kind, sighting=SIGHTING), live_at=0.0, latency_seconds=12.34, broadcast=3600.0)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A watch that sees one title; what it was asked to do."""
    asked: list[dict[str, Any]] = []

    def watch(context: object, url: str, *, on_alarm: Callable[[Alarm], None], watched: Watched, **options: Any) -> None:
        asked.append(options)
        watched.seconds, watched.pieces = 90.0, 45
        on_alarm(alarm(Kind.ALARM))
        if options["seconds"] is None:
            raise KeyboardInterrupt
        on_alarm(alarm(Kind.ENDED))

    monkeypatch.setattr(live_command, "watch", watch)
    return asked


def test_each_alarm_is_a_line_of_json_and_the_last_line_sums_up(
    told: list[dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["identify", URL, "--live", "--for", "1:30", "--json", "--state", str(tmp_path / "state")]) == 0
    assert told[0]["seconds"] == 90.0
    first, ended, summary = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["event"], first["title"], first["latency_seconds"]) == ("alarm", "atlas", 12.3)
    assert (first["stream"], first["live_at"]) == ({"start": 65.0, "end": 80.0}, "1970-01-01T00:00:00Z")
    assert first["broadcast"] == "1970-01-01T01:00:00Z"
    assert ended["event"] == "ended"
    assert (summary["event"], summary["ok"], summary["alarm"], summary["watched"]["pieces"]) == ("summary", True, 1, 45)


def test_a_watch_without_end_is_ended_by_hand_and_sums_up(
    told: list[dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["identify", URL, "--live", "--progress", "json", "--state", str(tmp_path / "state")]) == 0
    printed = capsys.readouterr()
    assert "ALARM   atlas (match), at 0:12.5 of the title" in printed.out and "told 12 s after it was live" in printed.out
    assert "until interrupt; alarms: 1" in printed.out
    (event,) = (json.loads(line) for line in printed.err.splitlines())
    assert (event["about"], event["event"]) == (URL, "alarm")


@pytest.mark.parametrize(
    "words", [["copy.mp4", "--live"], [URL, "--for", "90"], [URL, "--live", "--for", "soon"], [URL, "--live", "--report", "x"]]
)
def test_a_watch_that_makes_no_sense_is_usage(words: list[str], tmp_path: Path) -> None:
    assert run(["identify", *words, "--state", str(tmp_path / "state")]) == 2
