"""The disguises that copies wear, as ffmpeg filters: each family is a way to hide, its seed says how much and where.

The families of `HELD` were invented when the detector was finished, and nothing was tuned on them: once their figures
have been used to change it, they belong to the others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

import numpy as np

SOURCE, MARKS = "[clip]", "[marks]"  # what a graph may take: the excerpt, and a logo with subtitles of its size
RESULT = "[copy]"

_PLAIN_CRF, _POOR_CRF = 28, 35


@dataclass(frozen=True, slots=True, kw_only=True)
class Disguise:
    """One query's look: a filter graph from SOURCE (and MARKS) to RESULT, the x264 crf, and how much faster it plays."""

    graph: str
    crf: int = _PLAIN_CRF
    speed: Fraction = Fraction(1)
    mirrored: bool = False
    fps: Fraction | None = None

    @property
    def has_marks(self) -> bool:
        return MARKS in self.graph


Maker = Callable[[np.random.Generator, int, int], Disguise]


def _chain(*filters: str, **more: object) -> Disguise:
    return Disguise(graph=f"{SOURCE}{','.join(filters)}{RESULT}", **more)  # type: ignore[arg-type]


def _gamma(rng: np.random.Generator) -> str:
    gamma = rng.uniform(0.55, 0.7) if rng.random() < 0.5 else rng.uniform(1.5, 1.9)
    return f"eq=gamma={gamma:.2f}:saturation={rng.uniform(0.5, 1.5):.2f}"


def _letterbox(rng: np.random.Generator, width: int, height: int) -> str:
    """Bars above and below, or at the sides, a quarter to a third as large as the picture."""
    more = rng.uniform(1.25, 1.35)
    if rng.random() < 0.7:
        return f"pad={width}:{_even(height * more)}:0:(oh-ih)/2"
    return f"pad={_even(width * more)}:{height}:(ow-iw)/2:0"


def _crop(width: int, height: int, *, each_side: float) -> str:
    return f"crop={_even(width * (1 - 2 * each_side))}:{_even(height * (1 - 2 * each_side))}"


def _camcorder(rng: np.random.Generator, width: int, height: int) -> str:
    """A screen filmed from the side: perspective, a shaking hand, blur, noise, wrong light."""
    corners = rng.uniform(0.01, 0.05, 8)
    x0, y0, x1, y1, x2, y2, x3, y3 = (
        corners[0] * width,
        corners[1] * height,
        (1 - corners[2]) * width,
        corners[3] * height,
        corners[4] * width,
        (1 - corners[5]) * height,
        (1 - corners[6]) * width,
        (1 - corners[7]) * height,
    )
    view = f"perspective={x0:.1f}:{y0:.1f}:{x1:.1f}:{y1:.1f}:{x2:.1f}:{y2:.1f}:{x3:.1f}:{y3:.1f}:sense=destination"
    inner = f"{_even(width * 0.96)}:{_even(height * 0.96)}"
    shake = f"crop={inner}:x='(iw-ow)/2*(1+0.6*sin(t*5.1))':y='(ih-oh)/2*(1+0.6*sin(t*4.3+1))'"
    return f"{view},{shake},gblur=sigma=0.9,noise=alls=12:allf=t:all_seed={rng.integers(1 << 20)},eq=gamma=1.25:contrast=0.85"


def _pip(rng: np.random.Generator, width: int, height: int) -> Disguise:
    """The copy as a small picture, 55 % of the width, before moving foreign pictures."""
    small_w, small_h = _even(width * 0.55), _even(height * 0.55)
    left, top = int(rng.uniform(0.05, 0.4) * width), int(rng.uniform(0.05, 0.4) * height)
    back = f"testsrc2=size={width}x{height}" if rng.random() < 0.5 else foreign(rng, width, height)
    graph = (
        f"{back}:rate=25[back];{SOURCE}scale={small_w}:{small_h}[small];[back][small]overlay={left}:{top}:shortest=1{RESULT}"
    )
    return Disguise(graph=graph)


def foreign(rng: np.random.Generator, width: int, height: int) -> str:
    """A generated source of textured moving pictures that belong to nobody; its rate is still to be said."""
    x, y = rng.uniform(-0.75, -0.74), rng.uniform(0.1, 0.14)
    zoom = f"start_x={x:.5f}:start_y={y:.5f}:start_scale=0.6:end_scale=0.01:end_pts=900:maxiter=400"
    return f"mandelbrot=size={width}x{height}:{zoom}"


def _even(length: float) -> int:
    return max(2, 2 * round(length / 2))


_FACE = (  # two eyes' worth of nobody: an ellipse that moves before a plain wall
    "color=gray:size=96x54:rate=25,geq=lum='if(lt(hypot((X-24-3*sin(T*2))/10,(Y-27-2*sin(T*3))/15),1),185-Y,70+X/4)':cb=120:cr=140"
)
_SWAY = "W*0.012*sin(in*1.7)"
_ROTATE = "rotate=5*PI/180:ow=iw:oh=ih"
_MARKED = f"{SOURCE}{{0}}[dressed];[dressed]{MARKS}overlay=(W-w)/2:(H-h)/2{{1}}{RESULT}"

TUNED: Mapping[str, Maker] = MappingProxyType(
    {
        "crf35": lambda rng, w, h: _chain("null", crf=_POOR_CRF),
        "gamma": lambda rng, w, h: _chain(_gamma(rng)),
        "logo-subtitles": lambda rng, w, h: Disguise(graph=_MARKED.format("null", "")),
        "speed-1.04": lambda rng, w, h: _chain("setpts=PTS/1.04", speed=Fraction(26, 25)),
        "speed-0.96": lambda rng, w, h: _chain("setpts=PTS/0.96", speed=Fraction(24, 25)),
        "letterbox": lambda rng, w, h: _chain(_letterbox(rng, w, h)),
        "crop-10": lambda rng, w, h: _chain(_crop(w, h, each_side=0.10)),
        "crop-25": lambda rng, w, h: _chain(_crop(w, h, each_side=0.25)),
        "mirror": lambda rng, w, h: _chain("hflip", mirrored=True),
        "rotate-5": lambda rng, w, h: _chain(_ROTATE),
        "camcorder": lambda rng, w, h: _chain(_camcorder(rng, w, h), crf=30),
        "picture-in-picture": _pip,
        "mirror-gamma-bars-logo": lambda rng, w, h: Disguise(
            graph=_MARKED.format(f"hflip,{_gamma(rng)}", f",{_letterbox(rng, w, h)}"), mirrored=True
        ),
        "crop-speed-logo": lambda rng, w, h: Disguise(
            graph=_MARKED.format(f"{_crop(w, h, each_side=0.10)},scale={w}:{h},setpts=PTS/1.04", ""),
            crf=32,
            speed=Fraction(26, 25),
        ),
        # A wide film on a telephone: above its own blurred pictures, as short-video apps do it.
        "stacked": lambda rng, w, h: Disguise(
            graph=(
                f"{SOURCE}split[a][b];[a]scale={_even(w * 0.5)}:{_even(h * 1.2)},gblur=sigma=12[back];"
                f"[b]scale={_even(w * 0.5)}:{_even(h * 0.5)}[small];[back][small]overlay=0:{_even(h * 0.2)},setsar=1{RESULT}"
            )
        ),
        # The wrong shape: made wider, and a little taken off the sides.
        "stretched": lambda rng, w, h: _chain(
            f"crop={_even(w * 0.94)}:{h}", f"scale={_even(w * rng.uniform(1.15, 1.25))}:{h}", "setsar=1"
        ),
        # A tape: few lines, few pictures a second, noise.
        "tape": lambda rng, w, h: _chain(
            f"noise=alls={rng.integers(18, 26)}:allf=t:all_seed={rng.integers(1 << 20)}",
            f"scale={_even(w * 0.5)}:{_even(h * 0.5)}",
            "fps=15,hue=s=0.2",
            crf=30,
            fps=Fraction(15),
        ),
        # A slow zoom with dark corners.
        "zoom-vignette": lambda rng, w, h: _chain(
            f"scale=w='trunc({w}*(1+0.03*min(t,10))/2)*2':h='trunc({h}*(1+0.03*min(t,10))/2)*2':eval=frame",
            f"crop={w}:{h}",
            "vignette=PI/4.5",
        ),
    }
)

HELD: Mapping[str, Maker] = MappingProxyType(
    {
        # Somebody who reacts: a moving face beside the film, which has 45 % of the width.
        "reaction": lambda rng, w, h: Disguise(
            graph=(
                f"{_FACE},scale={w}:{h},format=yuv420p,setsar=1[back];{SOURCE}scale={_even(w * 0.45)}:{_even(h * 0.45)}[small];"
                f"[back][small]overlay={_even(w * rng.uniform(0.48, 0.53))}:{_even(h * rng.uniform(0.05, 0.5))}:"
                f"shortest=1{RESULT}"
            )
        ),
        # A worn tape: colours beside their things, lines that sway, eight pictures a second.
        "worn-tape": lambda rng, w, h: _chain(
            f"chromashift=cbh={rng.integers(4, 9)}:crh=-{rng.integers(4, 9)}",
            f"perspective=x0='{_SWAY}':y0=0:x1='W+{_SWAY}':y1=0:x2='-{_SWAY}':y2=H:x3='W-{_SWAY}':y3=H:eval=frame",
            "gblur=sigma=1.2:sigmaV=0.3,fps=8",
            crf=30,
            fps=Fraction(8),
        ),
        # A news channel: the film squeezed to one side, a ticker below, a clock in a corner.
        "news": lambda rng, w, h: Disguise(
            graph=(
                f"{SOURCE}scale={_even(w * 0.82)}:{_even(h * 0.86)},pad={w}:{h}:{_even(w * rng.uniform(0, 0.18))}:0:color=navy,"
                f"setsar=1[film];testsrc2=size={_even(w)}x{_even(h * 0.12)}:rate=25[ticker];"
                f"testsrc2=size={_even(w * 0.16)}x{_even(h * 0.1)}:rate=25[clock];"
                f"[film][ticker]overlay=0:H-h:shortest=1[told];[told][clock]overlay=W-w-8:8:shortest=1{RESULT}"
            )
        ),
        # A screen filmed by a telephone from the side: ten degrees, a moire, fifteen pictures a second.
        "telephone": lambda rng, w, h: _chain(
            f"perspective={w * 0.02:.1f}:{h * 0.09:.1f}:{w * 0.97:.1f}:{h * 0.01:.1f}:"
            f"{w * 0.03:.1f}:{h * 0.9:.1f}:{w * 0.98:.1f}:{h * 0.99:.1f}:sense=destination",
            f"fps=15,geq=lum='lum(X,Y)*(0.87+0.13*sin(X*{rng.uniform(1.5, 2.2):.3f}+Y*0.13))':cb='cb(X,Y)':cr='cr(X,Y)'",
            "noise=alls=8:allf=t:all_seed=7",
            crf=30,
            fps=Fraction(15),
        ),
    }
)

FAMILIES: Mapping[str, Maker] = MappingProxyType({**TUNED, **HELD})
