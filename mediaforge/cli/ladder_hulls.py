"""The picture of a title's hulls: VMAF against rate for every size, the hull over them, and where the ladders' rungs lie."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mediaforge.cli.output import rate
from mediaforge.cli.svg import band, diamond, dot, drawing, line, text, trail
from mediaforge.forecast import Forecast
from mediaforge.ladder import AudioRung
from mediaforge.media import Shape
from mediaforge.transcode.allocate import at_slope, slopes
from mediaforge.transcode.hull import TitleCurves, upper_hull
from mediaforge.transcode.network import Network
from mediaforge.transcode.planning import container_bps, sound_bps

_TOP, _FOOT = 16, 380
_TICKS = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)  # kbit/s
_POINTS = 24  # a curve
_SMOOTH = 0.35  # nats of rate: the density's window, wider than the steps between measured percentiles
_TALL = 0.4  # of the picture: the density's highest place
_APART = 9.0  # per cent of the width: names nearer than this would touch on a phone

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeCurve:
    """One shape at constant slope without a cap: mean rates with sound and container in bit/s, VMAF; (points,) each."""

    shape: Shape
    mean_bps: Floats
    vmaf: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axes:
    """Logarithmic rates in bit/s from left to right, VMAF from `worst` at the foot to its ceiling at the top."""

    low_bps: float
    high_bps: float
    worst: int

    def across(self, bps: float) -> float:
        return 100 * math.log(bps / self.low_bps) / math.log(self.high_bps / self.low_bps)

    def down(self, vmaf: float) -> float:
        return _FOOT - (_FOOT - _TOP) * (vmaf - self.worst) / (101 - self.worst)


def shape_curves(curves: TitleCurves, shapes: Sequence[Shape], audio: Sequence[AudioRung]) -> tuple[ShapeCurve, ...]:
    """What each shape would give where its curve may be trusted, fine to coarse turned round: by rising rate."""
    return tuple(_shape_curve(curves, shape, audio) for shape in shapes)


def draw_hulls(shapes: Sequence[ShapeCurve], ladders: Sequence[Forecast], network: Network) -> str:
    """`ladders`: the one asked for first, with names at its rungs; of the others the rungs alone."""
    axes = _axes(shapes, ladders)
    parts = [_density(network, axes), *_grid(axes)]
    parts += [_trail(axes, one.mean_bps, one.vmaf, look="size") for one in shapes]
    bps, vmaf = (np.concatenate([getattr(one, name) for one in shapes]) for name in ("mean_bps", "vmaf"))
    hull = upper_hull(bps, vmaf)
    parts += [_trail(axes, bps[hull], vmaf[hull], look="hull"), *_shape_names(axes, shapes)]
    for number, ladder in reversed(tuple(enumerate(ladders))):
        parts += _marks(axes, ladder, number)
    parts += _rung_names(axes, ladders[0])
    beyond = 1 - float(network.share_below(axes.high_bps))
    if beyond >= 0.01:
        parts.append(text(f"{beyond:.0%} of sessions are faster →", x=100, y=_FOOT - 8, look="small muted halo", anchor="end"))
    rungs = "; ".join(f"{offer.name} {rate(offer.mean_bps)} VMAF {offer.vmaf:.0f}" for offer in ladders[0].offers)
    return drawing(*parts, height=_FOOT + 24, label=f"VMAF against rate. Rungs of {ladders[0].name}: {rungs}")


def _shape_curve(curves: TitleCurves, shape: Shape, audio: Sequence[AudioRung]) -> ShapeCurve:
    curve = curves.shaped(shape)
    tried = slopes(curves, curve, np.linspace(curve.coarsest, curve.finest, _POINTS))
    found = [at_slope(curves, curve, slope, cap_bps=math.inf) for slope in tried]
    beside = container_bps(curves.grid.every(shape.step))
    return ShapeCurve(
        shape=shape,
        mean_bps=np.array([one.mean_bps + sound_bps(audio, one.mean_bps) + beside for one in found]),
        vmaf=np.array([one.mean_vmaf for one in found]),
    )


def _axes(shapes: Sequence[ShapeCurve], ladders: Sequence[Forecast]) -> _Axes:
    offers = [offer for ladder in ladders for offer in ladder.offers]
    rates = np.concatenate([*(one.mean_bps for one in shapes), [offer.mean_bps for offer in offers]])
    scores = np.concatenate([*(one.vmaf for one in shapes), [offer.vmaf for offer in offers]])
    worst = 20 * math.floor(max(0.0, float(scores.min())) / 20)
    return _Axes(low_bps=float(rates.min()) / 1.3, high_bps=float(rates.max()) * 1.25, worst=worst)


def _grid(axes: _Axes) -> list[str]:
    parts = []
    for kbps in _TICKS:
        x = axes.across(kbps * 1000)
        if 5 < x < 86:
            parts.append(line(x1=x, y1=_TOP, x2=x, y2=_FOOT, look="grid"))
            parts.append(text(f"{kbps}", x=x, y=_FOOT + 17, look="small muted", anchor="middle"))
    parts.append(text("kbit/s", x=100, y=_FOOT + 17, look="small muted", anchor="end"))
    for vmaf in range(axes.worst, 101, 20):
        parts.append(line(x1=0, y1=axes.down(vmaf), x2=100, y2=axes.down(vmaf), look="grid"))
        parts.append(text(f"{vmaf} VMAF" if vmaf == 100 else f"{vmaf}", x=0, y=axes.down(vmaf) - 4, look="small muted halo"))
    return parts


def _density(network: Network, axes: _Axes) -> str:
    """How many sessions have each rate, as a hill; a window of _SMOOTH nats over the distribution."""
    logs = np.linspace(math.log(axes.low_bps), math.log(axes.high_bps), 80)
    dense = network.share_below(np.exp(logs + _SMOOTH)) - network.share_below(np.exp(logs - _SMOOTH))
    tall = (_FOOT - _TOP) * _TALL / max(1e-9, float(dense.max()))
    ridge = [(100 * place / 79, _FOOT - tall * float(share)) for place, share in enumerate(dense)]
    return band([(0.0, float(_FOOT)), *ridge, (100.0, float(_FOOT))], height=_FOOT, look="density")


def _trail(axes: _Axes, bps: Floats, vmaf: Floats, *, look: str) -> str:
    corners = [(axes.across(float(x)), axes.down(float(y))) for x, y in zip(bps, vmaf, strict=True)]
    return trail(corners, height=_FOOT, look=look)


def _marks(axes: _Axes, ladder: Forecast, number: int) -> list[str]:
    parts = []
    for offer in ladder.offers:
        tip = f"{ladder.name}, {offer.name}: {rate(offer.mean_bps)} with sound, VMAF {offer.vmaf:.1f}"
        x, y = axes.across(offer.mean_bps), axes.down(offer.vmaf)
        mark = dot(x=x, y=y, radius=6.5, look="k0 mark", tip=tip)
        parts.append(mark if number == 0 else diamond(x=x, y=y, radius=5.5, look=f"k{number} mark", tip=tip))
    return parts


def _shape_names(axes: _Axes, shapes: Sequence[ShapeCurve]) -> list[str]:
    """Each curve is named where it begins, below and to the right; a name that would touch the last one is left out."""
    parts, last = [], -100.0
    for one in shapes:
        x, y = axes.across(float(one.mean_bps[0])), axes.down(float(one.vmaf[0]))
        if x - last >= _APART:
            parts.append(text(_name(one.shape), x=x + 1.5, y=min(y + 18, _FOOT - 24), look="small muted halo"))
            last = x
    return parts


def _name(shape: Shape) -> str:
    return f"{shape.height}p" + ("½" if shape.step == 2 else "")


def _rung_names(axes: _Axes, ladder: Forecast) -> list[str]:
    """Above and to the left of its mark, where nothing lies."""
    parts, last = [], -100.0
    for offer in ladder.offers:
        x, y = axes.across(offer.mean_bps), axes.down(offer.vmaf)
        if x - last >= _APART:
            parts.append(text(_name(offer.allocation.shape), x=x - 1, y=y - 9, look="small label halo", anchor="end"))
            last = x
    return parts
