"""The eyes of the portrait: lids that blink, a gaze that wanders, an iris with fibres and the window of the sky in it."""

import numpy as np

from atlas.light import Picture, mix, ramp, rgb, smoothstep
from atlas.noise import Plane

EYE = (0.275, -0.085)  # the middle of the right and (mirrored) the left eye, in face units
SIZE = 0.128  # half the width of an eye
BLINKS = (0.9, 2.55, 4.3, 4.62)  # seconds
LID = 0.11  # seconds a lid takes to fall


def open_eyes(canvas: Picture, t: float, iris: Plane, half: tuple[float, float], unit: int) -> None:
    """Paint both eyes into the lit canvas, in place. `iris` holds the brightness of its fibres around the circle."""
    shut = max(float(np.exp(-(((t - blink) / LID) ** 2))) for blink in BLINKS)
    opened = 0.92 - 0.10 * float(np.sin(0.7 * t)) ** 2 - shut * 0.92
    aside = 0.34 * float(
        smoothstep(0.75, 0.9, t) - 1.5 * smoothstep(2.4, 2.5, t) + 0.5 * smoothstep(3.5, 3.6, t)
    ) + 0.02 * float(np.sin(3 * t))
    for side in (-1, 1):
        column, row = round((side * EYE[0] + half[0]) * unit), round((EYE[1] + half[1]) * unit)
        wide, tall = round(1.35 * SIZE * unit), round(0.85 * SIZE * unit)
        box = canvas[row - tall : row + tall, column - wide : column + wide]
        ey, ex = np.mgrid[-tall:tall, -wide:wide].astype(np.float32) / (SIZE * unit)
        box[:] = eye(box, ex, ey, side, opened, aside, iris)


def eye(skin: Picture, x: Plane, y: Plane, side: int, opened: float, aside: float, iris: Plane) -> Picture:
    """One eye over the skin around it; x and y are in half eye widths, `side` is -1 for the eye at the left of the picture."""
    outward = x * side
    arch = np.sqrt(np.maximum(1 - x * x, 0))
    slant = 0.06 * outward
    low = 0.25 * arch**1.3 - slant
    rise = (0.25 + 0.43 * (1 - 0.12 * outward)) * arch**0.9
    high = low - rise * max(opened, 0.0)
    inside = np.abs(x) < 1
    gap = smoothstep(-0.015, 0.03, y - high) * smoothstep(-0.015, 0.03, low - y) * inside

    lid = smoothstep(-0.10, 0.02, y - low + rise) * smoothstep(0.02, -0.02, y - high) * smoothstep(1.0, 0.9, np.abs(x))
    dome = 0.55 + 0.45 * np.sqrt(np.maximum(1 - (x / 1.1) ** 2 - ((y + 0.05) / 0.8) ** 2, 0))
    picture = mix(skin, rgb("#8a5a40") * (1.05 * dome)[..., None], 0.85 * lid)
    crease = np.exp(-(((y - high + 0.17) / 0.035) ** 2)) * arch**0.5 * inside
    picture = picture * (1 - 0.5 * crease * min(1, opened * 1.6))[..., None]

    at_x, at_y = x - aside, y + 0.05
    radius = np.hypot(at_x, at_y)
    fibre = iris[(np.floor((np.arctan2(at_y, at_x) / (2 * np.pi) + 0.5) * iris.size).astype(int)) % iris.size]
    white = rgb("#e8ddd0") * (0.95 - 0.35 * np.abs(x) - 0.5 * np.exp(-np.maximum(y - high, 0) * 7))[..., None]
    white = mix(white, rgb("#b86a58"), 0.3 * smoothstep(0.65, 1.0, np.abs(x)))
    coloured = ramp(radius, (0.14, rgb("#8a5a24")), (0.30, rgb("#5a3414")), (0.42, rgb("#1c0f08"))) * fibre[..., None]
    ball = mix(white, coloured, smoothstep(0.44, 0.40, radius))
    ball = mix(ball, rgb("#050403"), smoothstep(0.17, 0.14, radius))
    ball = ball * (1 - 0.55 * np.exp(-np.maximum(y - high, 0) * 9))[..., None]
    window = smoothstep(0.09, 0.06, np.hypot(at_x + 0.14, at_y + 0.13)) + 0.35 * smoothstep(
        0.08, 0.04, np.hypot((at_x - 0.16) / 1.6, at_y - 0.15)
    )
    ball = ball + window[..., None] * rgb("#f4f8ff") * 0.9
    picture = mix(picture, ball, gap)

    kohl = np.exp(-(((y - high) / 0.05) ** 2)) + 0.7 * np.exp(-(((y - low) / 0.045) ** 2))
    flick = smoothstep(1.25, 0.95, np.abs(x))
    return mix(picture, rgb("#0c0807"), np.clip(kohl, 0, 1) * flick * (np.abs(x) < 1.02))
