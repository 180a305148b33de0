"""The four pictures of the demo's page: rates of the rungs, spans on two timelines, evidence, agreement."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from mediaforge.cli.output import clock
from mediaforge.cli.svg import band, bar, dot, drawing, line, text
from mediaforge.media import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class RungRates:
    """One rung: the mean rate that the ladder asks for, and what each variant came to."""

    name: str
    width: int
    height: int
    asked_bps: float
    a_bps: float
    b_bps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one segment of the copy said: z above 0 reads as A, below as B. `handed` is the accused recipient's variant."""

    segment: int
    z: float
    handed: str

    @property
    def symbol(self) -> str:
        return "A" if self.z > 0 else "B"

    @property
    def agrees(self) -> bool:
        return self.symbol == self.handed


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """In how many of the segments read a recipient was handed the variant that the copy shows."""

    recipient: str
    agreeing: int
    segments: int
    is_accused: bool


def draw_rates(rungs: Sequence[RungRates]) -> str:
    """Each rung on a logarithmic axis: a tick where the ladder asks, a dot for A and one for B."""
    step, top = 40, 8
    foot = top + step * len(rungs)
    low = math.log(min(min(rung.a_bps, rung.b_bps, rung.asked_bps) for rung in rungs) / 1.4)
    high = math.log(max(max(rung.a_bps, rung.b_bps, rung.asked_bps) for rung in rungs) * 1.25)

    def place(bps: float) -> float:
        return 100 * (math.log(bps) - low) / (high - low)

    parts = []
    for kbps in (25, 50, 100, 200, 500, 1000, 2000, 5000, 10_000):
        if 2 < place(kbps * 1000) < 95:
            parts.append(line(x1=place(kbps * 1000), y1=top, x2=place(kbps * 1000), y2=foot, look="grid"))
            parts.append(text(f"{kbps}", x=place(kbps * 1000), y=foot + 16, look="small muted", anchor="middle"))
    parts.append(text("kbit/s", x=100, y=foot + 16, look="small muted", anchor="end"))
    for row, rung in enumerate(reversed(rungs)):
        y = top + row * step
        words = f"asked {rung.asked_bps / 1000:.0f}, A {rung.a_bps / 1000:.0f}, B {rung.b_bps / 1000:.0f} kbit/s"
        parts.append(text(f"{rung.width}×{rung.height}", x=0, y=y + 14, look="label halo"))
        parts.append(text(words, x=100, y=y + 14, look="small muted halo", anchor="end"))
        parts.append(line(x1=0, y1=y + 26, x2=100, y2=y + 26, look="rail"))
        parts.append(line(x1=place(rung.asked_bps), y1=y + 18, x2=place(rung.asked_bps), y2=y + 34, look="tick"))
        parts.append(dot(x=place(rung.b_bps), y=y + 26, radius=5, look="b", tip=f"B: {words}"))
        parts.append(dot(x=place(rung.a_bps), y=y + 26, radius=5, look="a hollow", tip=f"A: {words}"))
    label = "Mean rates: " + "; ".join(f"{rung.width}×{rung.height} {rung.a_bps / 1000:.0f} kbit/s" for rung in rungs)
    return drawing(*parts, height=foot + 24, label=label)


def draw_spans(*, title: float, copy: float, reference: Span, query: Span) -> str:
    """Two timelines on one scale: where in the title the copy's piece lies."""
    longest = max(title, copy)

    def place(seconds: Fraction | float) -> float:
        return 100 * float(seconds) / longest

    spans = ((place(reference.start), 42), (place(reference.end), 42), (place(query.end), 96), (place(query.start), 96))
    parts = [
        text("the title", x=0, y=14, look="label"),
        text(clock(title), x=place(title), y=14, look="small muted", anchor="end"),
        bar(x=0, y=22, width=place(title), height=20, look="track", round_by=3),
        bar(x=place(reference.start), y=22, width=place(reference.seconds), height=20, look="found", round_by=3),
        band(spans, height=138, look="veil"),
        bar(x=0, y=96, width=place(copy), height=20, look="track", round_by=3),
        bar(x=place(query.start), y=96, width=place(query.seconds), height=20, look="found", round_by=3),
        text("the copy", x=0, y=132, look="label"),
        text(clock(copy), x=place(copy), y=132, look="small muted", anchor="end"),
        text(
            f"{clock(reference.start)} to {clock(reference.end)}",
            x=place((reference.start + reference.end) / 2),
            y=36,
            look="small onfound",
            anchor="middle",
        ),
        text(
            f"{clock(query.start)} to {clock(query.end)}",
            x=place((query.start + query.end) / 2),
            y=110,
            look="small onfound",
            anchor="middle",
        ),
    ]
    label = (
        f"The copy from {clock(query.start)} to {clock(query.end)} is the title from "
        f"{clock(reference.start)} to {clock(reference.end)}."
    )
    return drawing(*parts, height=140, label=label)


def draw_evidence(readings: Sequence[Reading]) -> str:
    """A column a segment, up for A and down for B, as high as it is sure; below it what the accused was handed."""
    half, middle, cell = 64, 78, 100 / len(readings)
    top = max(abs(reading.z) for reading in readings) or 1.0
    parts = [
        text("reads as A", x=0, y=10, look="small muted"),
        line(x1=0, y1=middle, x2=100, y2=middle, look="rail"),
        text("reads as B", x=0, y=middle + half + 14, look="small muted"),
        text("handed to the accused", x=0, y=middle + half + 42, look="label"),
    ]
    for place, reading in enumerate(readings):
        tall = max(2.0, half * math.sqrt(abs(reading.z) / top))  # the root keeps the weak segments visible
        x, y = place * cell, middle + half + 52
        look = reading.symbol.lower()
        tip = f"segment {reading.segment}: reads as {reading.symbol}, z {reading.z:+.1f}; handed {reading.handed}"
        start = middle - tall if reading.z > 0 else middle
        parts.append(bar(x=x + cell * 0.12, y=start, width=cell * 0.76, height=tall, look=look, tip=tip))
        parts.append(
            bar(x=x + cell * 0.06, y=y, width=cell * 0.88, height=24, look=reading.handed.lower(), round_by=2, tip=tip)
        )
        parts.append(text(reading.handed, x=x + cell / 2, y=y + 16, look="cell", anchor="middle"))
        if not reading.agrees:
            parts.append(text("≠", x=x + cell / 2, y=y + 38, look="label", anchor="middle"))
    agreeing = sum(reading.agrees for reading in readings)
    return drawing(*parts, height=middle + half + 94, label=f"{agreeing} of {len(readings)} segments agree with the accused.")


def draw_agreements(rows: Sequence[Agreement]) -> str:
    """For each recipient the share of segments in which the copy shows what they were handed, from none to all."""
    step, top = 40, 4
    foot = top + step * len(rows)
    parts = [line(x1=place, y1=top, x2=place, y2=foot, look="grid") for place in (25, 50, 75)]
    for number, row in enumerate(rows):
        y, share = top + number * step, 100 * row.agreeing / row.segments
        parts.append(text(row.recipient, x=0, y=y + 14, look="label halo" if row.is_accused else "halo"))
        parts.append(text(f"{row.agreeing} of {row.segments}", x=100, y=y + 14, look="small muted halo", anchor="end"))
        parts.append(bar(x=0, y=y + 20, width=100, height=12, look="track", round_by=2))
        parts.append(bar(x=0, y=y + 20, width=share, height=12, look="accused" if row.is_accused else "innocent", round_by=2))
    parts += [text(f"{place} %", x=place, y=foot + 14, look="small muted", anchor="middle") for place in (25, 50, 75)]
    label = "Segments that agree: " + "; ".join(f"{row.recipient} {row.agreeing} of {row.segments}" for row in rows)
    return drawing(*parts, height=foot + 22, label=label)
