"""How far something is, told on stderr; stdout stays clean."""

import json

import pytest

from mediaforge.cli.progress import Note, by_fraction, steps_of, telling

NOTES = (
    Note(event="planned", step="", fraction=0.0, overall=0.0),
    Note(event="started", step="chunk-0000", fraction=0.0, overall=0.0),
    Note(event="progress", step="chunk-0000", fraction=0.5, overall=0.25),
    Note(event="finished", step="chunk-0000", fraction=1.0, overall=0.5, seconds=12.34),
    Note(event="failed", step="join", fraction=0.0, overall=0.5, message="no space is left"),
)


def test_a_log_hears_what_was_done_and_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    with telling("auto", about="atlas") as tell:
        for note in NOTES:
            tell(note)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == ["atlas  50%  chunk-0000 in 12.3 s", "atlas  50%  join failed: no space is left"]


def test_a_script_gets_every_event_as_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with telling("json", about="atlas") as tell:
        for note in NOTES:
            tell(note)
    said = capsys.readouterr()
    events = [json.loads(line) for line in said.err.splitlines()]
    assert said.out == ""
    assert [event["event"] for event in events] == ["planned", "started", "progress", "finished", "failed"]
    assert events[3] == {
        "about": "atlas",
        "event": "finished",
        "step": "chunk-0000",
        "fraction": 1.0,
        "overall": 0.5,
        "seconds": 12.34,
    }


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with telling("auto", about="atlas") as tell:
        for note in NOTES:
            tell(note)
    said = capsys.readouterr()
    assert said.out == ""
    assert "atlas" in said.err


def test_work_that_reports_a_fraction_ends_once_it_is_whole() -> None:
    told: list[Note] = []
    report = by_fraction(told.append, "copy")
    report(0.5)
    report(1.0)
    steps_of(told.append)("vmaf", 0.1)
    assert [(note.event, note.step) for note in told] == [("progress", "copy"), ("finished", "copy"), ("progress", "vmaf")]
