"""Drawing in SVG: x in per cent of the width and y in pixels, so that a picture fits a phone and its words keep their size."""

from collections.abc import Sequence
from html import escape


def drawing(*parts: str, height: float, label: str) -> str:
    """A picture as wide as its place. `label` says in words what it shows, for those who cannot see it."""
    return element("svg", *parts, width="100%", height=height, role="img", aria_label=label, class_="drawing")


def element(name: str, *parts: str, **attributes: object) -> str:
    """`class_` is written class, `stroke_width` stroke-width; None leaves an attribute out. `parts` are markup already."""
    words = "".join(f' {_spelled(key)}="{escape(_written(value))}"' for key, value in attributes.items() if value is not None)
    return f"<{name}{words}>{''.join(parts)}</{name}>"


def text(words: str, *, x: float, y: float, look: str = "", anchor: str = "start") -> str:
    return element("text", escape(words), x=percent(x), y=y, class_=look or None, text_anchor=anchor)


def bar(*, x: float, y: float, width: float, height: float, look: str, round_by: float = 0, tip: str = "") -> str:
    tips = (element("title", escape(tip)),) if tip else ()
    return element("rect", *tips, x=percent(x), y=y, width=percent(width), height=height, rx=round_by or None, class_=look)


def line(*, x1: float, y1: float, x2: float, y2: float, look: str) -> str:
    return element("line", x1=percent(x1), y1=y1, x2=percent(x2), y2=y2, class_=look)


def dot(*, x: float, y: float, radius: float, look: str, tip: str = "") -> str:
    tips = (element("title", escape(tip)),) if tip else ()
    return element("circle", *tips, cx=percent(x), cy=y, r=radius, class_=look)


def diamond(*, x: float, y: float, radius: float, look: str, tip: str = "") -> str:
    """A square on its point. An inner picture moves it, since a polygon knows no per cent."""
    tips = (element("title", escape(tip)),) if tip else ()
    square = element(
        "path", *tips, d=f"M0-{_written(radius)} {_written(radius)} 0 0 {_written(radius)}-{_written(radius)} 0Z", class_=look
    )
    return element("svg", square, x=percent(x), y=y, overflow="visible")


def band(corners: Sequence[tuple[float, float]], *, height: float, look: str) -> str:
    """A polygon with corners in (per cent, pixels): polygons know no per cent, so it gets a stretched picture of its own."""
    points = " ".join(f"{_written(x)},{_written(y)}" for x, y in corners)
    inner = element("polygon", points=points, class_=look)
    return element("svg", inner, viewBox=f"0 0 100 {_written(height)}", width="100%", height=height, preserveAspectRatio="none")


def trail(corners: Sequence[tuple[float, float]], *, height: float, look: str) -> str:
    """A line through corners in (per cent, pixels), stretched like a band; its width stays what the look says."""
    points = " ".join(f"{_written(x)},{_written(y)}" for x, y in corners)
    inner = element("polyline", points=points, class_=look, vector_effect="non-scaling-stroke")
    return element("svg", inner, viewBox=f"0 0 100 {_written(height)}", width="100%", height=height, preserveAspectRatio="none")


def percent(value: float) -> str:
    return f"{_written(value)}%"


def _written(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _spelled(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
