"""`identify URL --live`: a stream is watched, and what it shows is told while it runs."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from fractions import Fraction

import click

from mediaforge.cli.command import Call
from mediaforge.cli.matches import match_data
from mediaforge.cli.output import clock, plain, size
from mediaforge.cli.tables import print_lines
from mediaforge.context import Context
from mediaforge.detect.live.alarms import Kind
from mediaforge.watching import Alarm, Watched, watch

_TELL_EVERY = 60.0  # seconds between two lines that say that nothing was found


def identify_live(call: Call, context: Context, url: str, *, seconds: Fraction | None) -> None:
    """Alarms as they come, and at the end what the watch came to.

    With --json every alarm is one line of JSON on stdout, and the last line sums up: a stream may go on for years, and its
    alarms cannot wait for one object.
    """
    watched, alarms = Watched(), []

    def tell(alarm: Alarm) -> None:
        alarms.append(alarm.event.kind)
        data = _data(alarm)
        if call.printer.as_json:
            _print_line(data)
        else:
            print_lines(_sentence(alarm))
        if call.progress == "json":
            _print_line(data | {"about": url}, err=True)

    ended_by = "end of stream"
    begun = time.monotonic()
    try:
        allowed = call.settings.scan_allow_hosts
        limit = None if seconds is None else float(seconds)
        watch(context, url, seconds=limit, allow_hosts=allowed, on_alarm=tell, on_piece=_telling(call, url), watched=watched)
        if limit is not None and time.monotonic() - begun >= limit:
            ended_by = "--for"
    except KeyboardInterrupt:  # how a watch without end is meant to end
        ended_by = "interrupt"
    counts = {kind.value: alarms.count(kind) for kind in Kind}
    summary: dict[str, object] = {
        "event": "summary",
        "ok": True,
        "url": url,
        "ended_by": ended_by,
        "watched": watched,
        **counts,
    }
    if call.printer.as_json:
        _print_line(summary)
    else:
        rest = f", {watched.broken} of them broken" if watched.broken else ""
        gaps = f", {watched.gaps} times some were lost" if watched.gaps else ""
        print_lines(
            f"watched {clock(watched.seconds)} ({watched.pieces} pieces{rest}{gaps}, {size(watched.bytes)}) until {ended_by}; "
            f"alarms: {counts['alarm']}, to review: {counts['review']}"
        )


def _telling(call: Call, url: str) -> Callable[[Watched], None]:
    """From time to time: that the watch goes on."""
    told = time.monotonic()

    def tell(watched: Watched) -> None:
        nonlocal told
        if call.progress == "json":
            _print_line({"about": url, "event": "progress", "watched": watched}, err=True)
        elif time.monotonic() - told > _TELL_EVERY:
            call.printer.say(f"{url}: watched {clock(watched.seconds)}")
            told = time.monotonic()

    return tell


def _data(alarm: Alarm) -> dict[str, object]:
    sighting = alarm.event.sighting
    return {
        "event": alarm.event.kind.value,
        **match_data(sighting.found),
        "verdict": sighting.verdict.value,
        "stream": {"start": round(sighting.begin, 3), "end": round(sighting.last, 3)},
        "live_at": _moment(alarm.live_at),
        "broadcast": None if alarm.broadcast is None else _moment(alarm.broadcast),
        "latency_seconds": round(alarm.latency_seconds, 1),
    }


def _sentence(alarm: Alarm) -> str:
    sighting, kind = alarm.event.sighting, alarm.event.kind
    seen = f"from {clock(sighting.begin)} of the watch, seen by {' and '.join(sighting.found.by)}"
    if kind is Kind.ENDED:
        return f"{_moment(time.time())}  over    {sighting.title}: {clock(sighting.last - sighting.begin)} of it, {seen}"
    word = {Kind.ALARM: "ALARM", Kind.REVIEW: "review", Kind.SURER: "surer"}[kind]
    at = f"at {clock(sighting.found.reference.start)} of the title"
    late = f"told {alarm.latency_seconds:.0f} s after it was live"
    return f"{_moment(time.time())}  {word:<6}  {sighting.title} ({sighting.verdict.value}), {at}, {seen}; {late}"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _print_line(data: Mapping[str, object], *, err: bool = False) -> None:
    click.echo(json.dumps(data, default=plain), err=err)
