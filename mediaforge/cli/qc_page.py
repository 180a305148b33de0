"""The findings as a page: where on the film they lie, and what they say."""

from pathlib import Path

from markupsafe import Markup

from mediaforge import __version__
from mediaforge.cli.output import clock
from mediaforge.cli.svg import bar, drawing, line, text
from mediaforge.cli.templating import template
from mediaforge.errors import StoreError
from mediaforge.media import Master
from mediaforge.transcode.qc.control import Verdict
from mediaforge.transcode.qc.finding import Severity

_LOOKS = {Severity.ERROR: "accused", Severity.WARNING: "b", Severity.NOTICE: "found"}
_STEP = 44  # pixels a row
_LEAST = 0.6  # per cent of the width: what is shorter must be seen all the same
_TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)


def write_report(master: Master, verdict: Verdict, to: Path) -> None:
    """Write the page: one file that needs nothing else. Raises StoreError."""
    page = template("qc.html.j2").render(
        master=master,
        verdict=verdict,
        counts={severity: sum(one.severity is severity for one in verdict.findings) for severity in Severity},
        timeline=Markup(draw_timeline(verdict)),  # noqa: S704 - our own markup; every word in it is escaped by svg.py
        version=__version__,
    )
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StoreError(to, f"cannot be written ({error.strerror}); name another file for --report") from error


def draw_timeline(verdict: Verdict) -> str:
    """A rail a check, from the first picture to the last, with its findings on it."""
    seconds = max(verdict.seconds, 0.001)
    longest = max([seconds, *(one.end for one in verdict.findings)])
    checks = list(dict.fromkeys(one.check for one in verdict.findings))
    foot = 8 + _STEP * len(checks)
    parts = []
    for mark in range(0, int(longest) + 1, _tick(longest)):
        parts.append(line(x1=100 * mark / longest, y1=8, x2=100 * mark / longest, y2=foot, look="grid"))
        anchor = "start" if not mark else "middle" if mark < 0.96 * longest else "end"
        parts.append(
            text(clock(mark).removesuffix(".0"), x=100 * mark / longest, y=foot + 16, look="small muted", anchor=anchor)
        )
    for row, check in enumerate(checks):
        y = 8 + row * _STEP
        found = [one for one in verdict.findings if one.check == check]
        parts.append(text(check.replace("_", " "), x=0, y=y + 14, look="label halo"))
        parts.append(bar(x=0, y=y + 20, width=100 * seconds / longest, height=14, look="track", round_by=3))
        for one in found:
            width = max(_LEAST, 100 * (one.end - one.start) / longest)
            x = min(100 * one.start / longest, 100 - width)
            tip = f"{clock(one.start)} to {clock(one.end)}: {one.message}"
            parts.append(bar(x=x, y=y + 20, width=width, height=14, look=_LOOKS[one.severity], round_by=3, tip=tip))
    label = "; ".join(f"{one.check} {clock(one.start)} to {clock(one.end)}" for one in verdict.findings) or "no findings"
    return drawing(*parts, height=foot + 24, label=label)


def _tick(seconds: float) -> int:
    """Seconds between two marks: at most eight of them."""
    return next((step for step in _TICKS if seconds / step <= 8), _TICKS[-1])
