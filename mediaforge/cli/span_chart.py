"""Matched spans on two timelines, the copy's above and the title's below, joined by bands; each timeline on its own scale."""

from collections.abc import Sequence
from dataclasses import dataclass

from mediaforge.cli.output import clock
from mediaforge.cli.svg import band, bar, drawing, line, text
from mediaforge.detect.tiers import Found
from mediaforge.media import Span

_TOP, _TALL, _BETWEEN = 24, 22, 74
_LOW = _TOP + _TALL + _BETWEEN
_LEAST = 0.7  # per cent of the width: ten seconds of a long film are still seen
_WIDE = 5.0  # per cent from which on a number fits into a span


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A match under the number that the page gives it."""

    number: int
    found: Found


def draw_matches(matches: Sequence[Numbered], *, copy: float, title: float, excluded: Sequence[Span] = ()) -> str:
    """`copy` and `title`: how long they are, in seconds. `excluded`: what of the title never counts."""
    above = [_edges(one.found.query, copy) for one in matches]
    below = [_edges(one.found.reference, title) for one in matches]
    foot = _LOW + _TALL
    parts = [
        text("the copy", x=0, y=_TOP - 8, look="label"),
        text(clock(copy), x=100, y=_TOP - 8, look="small muted", anchor="end"),
        bar(x=0, y=_TOP, width=100, height=_TALL, look="track", round_by=3),
        bar(x=0, y=_LOW, width=100, height=_TALL, look="track", round_by=3),
        text("the title", x=0, y=foot + 18, look="label"),
        text(clock(title), x=100, y=foot + 18, look="small muted", anchor="end"),
    ]
    for each in excluded:
        begin, end = _edges(each, title)
        tip = f"never counts: {_span(each)}"
        parts.append(bar(x=begin, y=_LOW, width=end - begin, height=_TALL, look="excluded", tip=tip))
        parts += [line(x1=edge, y1=_LOW, x2=edge, y2=foot, look="fence") for edge in (begin, end)]
    for one, (a, b), (c, d) in zip(matches, above, below, strict=True):
        corners = [(a, _TOP + _TALL), (b, _TOP + _TALL), (d, _LOW), (c, _LOW)]
        parts.append(band(corners, height=foot, look=f"veil {one.found.verdict.value}"))
    for one, upper, lower in zip(matches, above, below, strict=True):
        for y, (begin, end) in ((_TOP, upper), (_LOW, lower)):
            look = one.found.verdict.value
            parts.append(bar(x=begin, y=y, width=end - begin, height=_TALL, look=look, round_by=3, tip=_tip(one)))
            if end - begin >= _WIDE:
                parts.append(text(f"{one.number}", x=(begin + end) / 2, y=y + 16, look="small onfound", anchor="middle"))
    return drawing(*parts, height=foot + 24, label=". ".join(_tip(one) for one in matches))


def _edges(span: Span, whole: float) -> tuple[float, float]:
    """In per cent, never narrower than can be seen."""
    begin, end = (min(100.0, max(0.0, 100 * float(edge) / max(whole, 0.001))) for edge in (span.start, span.end))
    if end - begin < _LEAST:
        begin = min(max(0.0, (begin + end - _LEAST) / 2), 100 - _LEAST)
        end = begin + _LEAST
    return begin, end


def _tip(one: Numbered) -> str:
    found = one.found
    return f"{one.number}: {_span(found.query)} of the copy is {_span(found.reference)} of the title, {found.verdict.value}"


def _span(span: Span) -> str:
    return f"{clock(span.start)} to {clock(span.end)}"
