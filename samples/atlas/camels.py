"""A caravan in the distance: camels with loads and men on foot, cut out against the light, walking."""

import cv2
import numpy as np

from atlas.light import Picture, rgb
from atlas.noise import Plane

BODY = ((-0.36, -0.60), (-0.30, -0.70), (-0.16, -0.74), (-0.06, -0.90), (0.05, -0.91), (0.13, -0.74), (0.28, -0.70),
        (0.36, -0.62), (0.34, -0.50), (0.20, -0.44), (-0.10, -0.43), (-0.30, -0.47))  # fmt: skip
NECK = ((0.26, -0.70), (0.40, -0.66), (0.50, -0.76), (0.56, -0.98), (0.60, -1.02), (0.72, -1.00), (0.74, -0.95), (0.62, -0.91),
        (0.56, -0.70), (0.44, -0.52), (0.30, -0.50))  # fmt: skip
LOAD = (
    (-0.20, -0.86),
    (-0.10, -1.00),
    (0.10, -1.02),
    (0.18, -0.86),
    (0.20, -0.58),
    (0.06, -0.52),
    (-0.12, -0.52),
    (-0.22, -0.60),
)
ROBE = ((-0.07, 0.0), (-0.09, -0.30), (-0.08, -0.52), (-0.03, -0.58), (0.03, -0.58), (0.08, -0.50), (0.08, -0.28), (0.09, 0.0))
LOADS = tuple(rgb(code) for code in ("#7a2a22", "#2c4560", "#8a6a30", "#5a3048"))
SIZE = 0.105  # a camel's height at the shoulder, in picture heights
PACE = 0.034  # picture heights a second
STRIDE = 0.8  # steps a second
SAMPLES = 4  # drawn this much larger, then averaged


def caravan(picture: Picture, skyline: Plane, t: float) -> None:
    """Draw the caravan into the picture, in place; feet on `skyline` (pixel row of every column)."""
    height, width = picture.shape[:2]
    for place in range(7):
        x = (-0.62 + 0.155 * place + PACE * t) * height + width / 2
        column = int(np.clip(x, 0, width - 1))
        ahead = int(np.clip(x + 0.05 * height, 0, width - 1))
        slope = float(np.clip((skyline[ahead] - skyline[max(2 * column - ahead, 0)]) / (0.1 * height), -0.5, 0.5))
        phase = STRIDE * t + 0.37 * place
        parts = man(phase) if place in (3, 6) else camel(phase, place)
        draw(picture, parts, x, float(skyline[column]) + 0.006 * height, SIZE * height, slope)


def camel(phase: float, place: int) -> list[tuple[np.ndarray, Picture]]:
    """Polygons, in camel heights with the feet at (0, 0), back to front, each with its colour."""
    hide, far = rgb("#54341e"), rgb("#3a2415")
    bob = 0.012 * np.sin(4 * np.pi * phase)
    parts = [(leg(at, phase + shift), far) for at, shift in ((-0.24, 0.0), (0.24, 0.25))]
    tail = np.array([(-0.35, -0.62), (-0.40, -0.45 + 0.03 * np.sin(6 * phase)), (-0.38, -0.44), (-0.33, -0.56)])
    parts += [
        (tail, hide),
        (moved(NECK, 0.015 * np.sin(2 * np.pi * phase), bob), hide),
        (moved(BODY, 0, bob), hide),
    ]
    parts.append((moved(LOAD, 0, bob), LOADS[place % len(LOADS)]))
    parts += [(leg(at, phase + shift), hide) for at, shift in ((-0.22, 0.5), (0.26, 0.75))]
    return parts


def moved(polygon: tuple[tuple[float, float], ...], x: float, y: float) -> np.ndarray:
    return np.array(polygon) + np.array([x, y])


def leg(at: float, phase: float) -> np.ndarray:
    """One leg as a bent strip: the foot goes back on the ground and forward in the air."""
    swing = 0.13 * np.sin(2 * np.pi * phase)
    raised = max(0.0, float(np.cos(2 * np.pi * phase))) * 0.07
    knee = (at + 0.45 * swing + 0.5 * raised, -0.27 - 0.4 * raised)
    foot = (at + swing, -raised)
    return np.array([(at - 0.055, -0.52), (knee[0] - 0.026, knee[1]), (foot[0] - 0.022, foot[1]), (foot[0] + 0.04, foot[1]),
                     (knee[0] + 0.026, knee[1]), (at + 0.055, -0.52)])  # fmt: skip


def man(phase: float) -> list[tuple[np.ndarray, Picture]]:
    sway = 0.03 * np.sin(2 * np.pi * phase)
    robe = np.array(ROBE) + np.column_stack([np.where(np.array(ROBE)[:, 1] > -0.1, sway, 0), np.zeros(len(ROBE))])
    turn = np.linspace(0, 2 * np.pi, 12)
    head = np.column_stack([0.052 * np.cos(turn), -0.64 + 0.062 * np.sin(turn)])
    staff = np.array([(0.13 + sway, 0), (0.15 + sway, 0), (0.13 - sway, -0.62), (0.115 - sway, -0.62)])
    return [(staff, rgb("#3a2415")), (robe, rgb("#2e4a78")), (head, rgb("#22365a"))]


def draw(picture: Picture, parts: list[tuple[np.ndarray, Picture]], x: float, y: float, size: float, slope: float) -> None:
    """Fill the polygons into the picture, with smooth edges, leaning with the slope of the ground."""
    height, width = picture.shape[:2]
    x0, x1 = max(int(x - size), 0), min(int(x + size) + 1, width)
    y0, y1 = max(int(y - 1.4 * size), 0), min(int(y + 0.4 * size) + 1, height)
    if x0 >= x1 or y0 >= y1:
        return
    canvas = cv2.resize(picture[y0:y1, x0:x1], None, fx=SAMPLES, fy=SAMPLES, interpolation=cv2.INTER_NEAREST)
    for polygon, colour in parts:
        places = (
            np.column_stack([x - x0 + polygon[:, 0] * size, y - y0 + (polygon[:, 1] + slope * polygon[:, 0]) * size]) * SAMPLES
        )
        cv2.fillPoly(canvas, [np.round(places).astype(np.int32)], tuple(float(c) for c in colour))
    picture[y0:y1, x0:x1] = cv2.resize(canvas, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
