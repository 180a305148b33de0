"""Words on the picture: the title in Latin letters and in drawn kufic, and the end card."""

from itertools import pairwise

import cv2
import numpy as np

from atlas.light import Picture, mix, rgb, smoothstep
from atlas.noise import Plane

# "Atlas" in Arabic, alef to seen, as strokes of a reed on squared paper: x runs right, y up from the base line.
KUFIC = (
    ((14.6, 0.0), (14.6, 6.2)),
    ((15.4, 9.7), (13.9, 9.7), (13.9, 8.2), (15.4, 8.2)),
    ((16.0, 8.2), (13.1, 8.2)),
    ((9.0, 0.0), (12.6, 0.0), (12.6, 2.4), (9.0, 2.4), (9.0, 0.0)),
    ((9.0, 0.0), (9.0, 6.2)),
    ((12.6, 0.0), (2.0, 0.0)),
    ((7.0, 0.0), (7.0, 6.2)),
    ((5.4, 0.0), (5.4, 2.0)),
    ((3.7, 0.0), (3.7, 2.0)),
    ((2.0, 2.0), (2.0, -2.4), (-1.8, -2.4), (-1.8, 0.6)),
)
PEN = 0.40
CREAM = rgb("#fbf1dc")


def title(picture: Picture, t: float) -> Picture:
    """The film's name over its first shot."""
    shown = float(smoothstep(1.6, 2.6, np.float32(t)) * smoothstep(5.9, 5.0, np.float32(t)))
    if shown == 0:
        return picture
    height, width = picture.shape[:2]
    cover = np.zeros((height, width), np.uint8)
    kufic(cover, (0.5 * width, 0.235 * height), 0.026 * height)
    spaced(cover, "ATLAS", 0.46 * height, 0.085 * height, 0.42 + 0.02 * t, 600)
    spaced(cover, "a journey of one minute", 0.53 * height, 0.034 * height, 0.12, 600)
    return print_over(picture, cover, shown)


def end_card(picture: Picture, t: float) -> Picture:
    """What this was, and whose."""
    shown = float(smoothstep(0.25, 0.75, np.float32(t)))
    if shown == 0:
        return picture
    height, width = picture.shape[:2]
    cover = np.zeros((height, width), np.uint8)
    spaced(cover, "ATLAS", 0.44 * height, 0.085 * height, 0.42, 600, centre=0.62)
    spaced(cover, "drawn by arithmetic, frame by frame", 0.54 * height, 0.040 * height, 0.06, 400, centre=0.62)
    spaced(cover, "the sample film of mediaforge  -  CC0 1.0", 0.62 * height, 0.034 * height, 0.06, 400, centre=0.62)
    return print_over(picture, cover, shown)


def print_over(picture: Picture, cover: np.ndarray, shown: float) -> Picture:
    """Cream letters on a soft shadow."""
    letters = cover.astype(np.float32) / 255
    shadow: Plane = cv2.GaussianBlur(letters, (0, 0), picture.shape[0] / 110)
    picture = picture * (1 - 0.75 * shown * np.minimum(1.6 * shadow, 1))[..., None]
    return mix(picture, CREAM * 0.95, shown * letters)


def spaced(cover: np.ndarray, text: str, base: float, size: float, gap: float, weight: int, *, centre: float = 0.5) -> None:
    """Set a line letter by letter, `gap` letter heights apart, around `centre` of the width. The face comes with OpenCV."""
    face = cv2.FontFace("sans")
    pixels = max(4, round(size))
    widths = [advance(letter, face, pixels, weight) for letter in text]
    x = centre * cover.shape[1] - (sum(widths) + gap * size * (len(text) - 1)) / 2
    for letter, wide in zip(text, widths, strict=True):
        cv2.putText(cover, letter, (round(x), round(base)), (255,), face, pixels, weight)
        x += wide + gap * size


def advance(letter: str, face: "cv2.FontFace", pixels: int, weight: int) -> float:
    """How far the pen moves for a letter: measured beside a bar, since a space has no outline."""
    both = cv2.getTextSize((10000, 1000), f"|{letter}|", (0, 500), face, pixels, weight)
    bars = cv2.getTextSize((10000, 1000), "||", (0, 500), face, pixels, weight)
    return float(both[2] - bars[2])


def kufic(cover: np.ndarray, place: tuple[float, float], unit: float) -> None:
    """Draw the word with its middle at `place`; `unit` pixels a square of the paper."""
    for stroke in KUFIC:
        points = np.array([(place[0] + (x - 6.8) * unit, place[1] + (2.7 - y) * unit) for x, y in stroke])
        for start, end in pairwise(points):
            along = (end - start) / np.linalg.norm(end - start) * PEN * unit
            across = np.array([-along[1], along[0]])
            corners = np.array([start - along + across, end + along + across, end + along - across, start - along - across])
            cv2.fillPoly(cover, [np.round(corners * 16).astype(np.int32)], (255,), cv2.LINE_AA, 4)
