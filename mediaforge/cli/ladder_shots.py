"""How a rung spends its bits along the title: a strip a rung, as high as each segment's rate, shots marked."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mediaforge.cli.output import clock, rate
from mediaforge.cli.svg import band, drawing, line, text
from mediaforge.transcode.hull import TitleCurves
from mediaforge.transcode.planning import Offer

_TALL, _STEP, _TOP = 34, 66, 4
_MOST_COLUMNS = 400  # of a film's thousands of segments, each column the highest of those it stands for
_MOST_SHOTS = 150  # more lines than that are a grey wall

Floats = NDArray[np.float64]


def draw_strips(offers: Sequence[Offer], curves: TitleCurves) -> str:
    """High rungs above low ones, as in a player's menu."""
    starts = np.concatenate(([0.0], np.cumsum(curves.seconds)))
    edges = 100 * starts / starts[-1]  # (segments + 1,) in per cent of the width
    foot = _TOP + _STEP * len(offers)
    cuts = [float(edges[place]) for place in np.flatnonzero(np.diff(curves.shot)) + 1]
    parts = []
    for row, offer in enumerate(reversed(offers)):
        parts += _strip(offer, edges, y=_TOP + row * _STEP)
    if len(cuts) <= _MOST_SHOTS:
        for row in range(len(offers)):
            y = _TOP + row * _STEP + 22
            parts += [line(x1=x, y1=y, x2=x, y2=y + _TALL, look="cut") for x in cuts]
    parts += [text("0:00", x=0, y=foot + 12, look="small muted")]
    parts += [text(clock(float(starts[-1])), x=100, y=foot + 12, look="small muted", anchor="end")]
    return drawing(*parts, height=foot + 18, label=f"{len(offers)} rungs along {len(cuts) + 1} pieces of shots")


def columns(values: Floats, *, most: int = _MOST_COLUMNS) -> tuple[Floats, NDArray[np.int64]]:
    """At most so many columns: the highest value of each, and the first segment of each with the end behind the last."""
    edges = np.unique(np.linspace(0, len(values), min(most, len(values)) + 1).round().astype(np.int64))
    return np.maximum.reduceat(values, edges[:-1]), edges


def _strip(offer: Offer, edges: Floats, *, y: float) -> list[str]:
    allocation = offer.allocation
    cap = min(allocation.cap_bps, allocation.peak_bps)
    tall, places = columns(allocation.bps / cap)
    ridge = []
    for height, start, end in zip(tall, places[:-1], places[1:], strict=True):
        top = y + 22 + _TALL * (1 - min(1.0, float(height)))
        ridge += [(float(edges[start]), top), (float(edges[end]), top)]
    foot = y + 22 + _TALL
    low, high = float(allocation.crf.min()), float(allocation.crf.max())
    crfs = f"CRF {low:.0f}" if high - low < 0.5 else f"CRF {low:.0f} to {high:.0f}"
    mean = foot - _TALL * allocation.mean_bps / cap
    return [
        text(f"{allocation.shape.width}×{allocation.shape.height}", x=0, y=y + 15, look="label"),
        text(f"{crfs}, {rate(allocation.mean_bps)} of {rate(cap)}", x=100, y=y + 15, look="small muted", anchor="end"),
        band([(0.0, foot), (0.0, y + 22), (100.0, y + 22), (100.0, foot)], height=foot, look="track"),
        band([(0.0, foot), *ridge, (100.0, foot)], height=foot, look="spent"),
        line(x1=0, y1=mean, x2=100, y2=mean, look="mean"),
    ]
