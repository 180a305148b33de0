"""What viewers get: each percentile's VMAF and data price as steps, and a few figures of all ladders as bars."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from mediaforge.cli.svg import bar, drawing, line, text, trail
from mediaforge.forecast import Forecast
from mediaforge.transcode.optimise import PERCENTILES

_TOP = 18
_TICKS = (4, 10, 20, 35, 50, 70, 90)
_HALF = 0.5  # of a percentile: a step lies around its own

Floats = NDArray[np.float64]


def draw_percentiles(rows: Sequence[Floats], names: Sequence[str], *, most: float, unit: str, tall: float = 240) -> str:
    """Steps, one line a ladder: its value at each of PERCENTILES, from 0 to `most` of `unit`; the first lies on top."""
    foot = _TOP + tall

    def down(value: float) -> float:
        return foot - tall * value / most

    parts = [line(x1=0, y1=down(most * share / 4), x2=100, y2=down(most * share / 4), look="grid") for share in range(5)]
    for percentile in _TICKS:
        x = _across(percentile)
        parts.append(line(x1=x, y1=_TOP, x2=x, y2=foot, look="grid"))
        parts.append(text(f"{percentile} %", x=x, y=foot + 17, look="small muted", anchor="middle"))
    for number, row in reversed(tuple(enumerate(rows))):
        parts.append(trail(_steps(row, down), height=foot, look=f"k{number} steps"))
    for share in range(5):  # over the lines, and on the right where they are few
        value = most * share / 4
        words = f"{value:.3g} {unit}" if share == 4 else f"{value:.3g}"
        parts.append(text(words, x=100, y=down(value) - 4, look="small muted halo", anchor="end"))
    ends = "; ".join(f"{name}: {row[8]:.3g}, {row[48]:.3g}, {row[88]:.3g}" for name, row in zip(names, rows, strict=True))
    return drawing(*parts, height=foot + 24, label=f"{unit} of the 10th, the 50th and the 90th percentile. {ends}")


def draw_bars(rows: Sequence[tuple[str, float | None, str]], *, label: str) -> str:
    """One figure of every ladder: its name, the value (None: there is none), the value in words."""
    step = 38
    most = max((value for _, value, _ in rows if value is not None), default=0.0) or 1.0
    parts = []
    for number, (name, value, words) in enumerate(rows):
        y = number * step
        parts.append(text(name, x=0, y=y + 13, look="label" if number == 0 else ""))
        parts.append(text(words, x=100, y=y + 13, look="label figure" if number == 0 else "figure muted", anchor="end"))
        parts.append(bar(x=0, y=y + 19, width=100, height=8, look="track", round_by=2))
        parts.append(bar(x=0, y=y + 19, width=100 * (value or 0) / most, height=8, look=f"k{number} fill", round_by=2))
    said = "; ".join(f"{name} {words}" for name, _, words in rows)
    return drawing(*parts, height=step * len(rows) - 8, label=f"{label}: {said}")


def headline(ladders: Sequence[Forecast], vmaf: float, seconds: float) -> tuple[tuple[str, str, str], ...]:
    """Title, which way is better, picture: the figures that people ask for first."""
    currency = ladders[0].network.price.currency
    prices = [ladder.price(vmaf, seconds) for ladder in ladders]
    figures: tuple[tuple[str, str, list[tuple[float | None, str]]], ...] = (
        ("VMAF of the mean viewer", "more is better", [(one.expected.vmaf, f"{one.expected.vmaf:.1f}") for one in ladders]),
        (
            f"{currency} for 100 minutes at VMAF {vmaf:.0f}",
            "less is better",
            [(price, "never reached" if price is None else f"{price:.2f}") for price in prices],
        ),
        (
            f"{currency} an hour, mean viewer",
            "less is better",
            [(one.price_per_hour, f"{one.price_per_hour:.2f}") for one in ladders],
        ),
        (
            "Share of viewers who can watch",
            "more is better",
            [(1 - one.expected.seeing_nothing, _share(1 - one.expected.seeing_nothing)) for one in ladders],
        ),
    )
    return tuple(
        (title, way, draw_bars([(one.name, *row) for one, row in zip(ladders, rows, strict=True)], label=title))
        for title, way, rows in figures
    )


def price_at(ladder: Forecast) -> Floats:
    """What an hour costs the viewer at each percentile, in the network's currency, (percentiles,)."""
    return ladder.bps_at * 3600 / 8e9 * ladder.network.price.per_gigabyte


def _across(percentile: float) -> float:
    """By the root: the slow viewers, for whom ladders differ, get more room than their number."""
    first, last = (math.sqrt(end) for end in (100 * PERCENTILES[0] - _HALF, 100 * PERCENTILES[-1] + _HALF))
    return 100 * (math.sqrt(percentile) - first) / (last - first)


def _steps(row: Floats, down: Callable[[float], float]) -> list[tuple[float, float]]:
    """A corner where the value changes, on both sides of the change."""
    ends = [*np.flatnonzero(np.diff(row)), len(row) - 1]
    starts = [0, *(end + 1 for end in ends[:-1])]
    corners = []
    for start, end in zip(starts, ends, strict=True):
        y = down(float(row[start]))
        corners += [(_across(100 * PERCENTILES[start] - _HALF), y), (_across(100 * PERCENTILES[end] + _HALF), y)]
    return corners


def _share(share: float) -> str:
    return "all" if share > 0.9995 else f"{share:.1%}"
