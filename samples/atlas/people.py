"""Small figures: people in djellabas, painted once as sprites - robe, sleeves, head, cap or scarf - for many shots."""

import cv2
import numpy as np

from atlas.light import Picture, mix, rgb, smoothstep
from atlas.noise import Plane, fractal

ROWS, COLUMNS = 512, 256
SKINS = tuple(rgb(code) for code in ("#c68f68", "#a9714b", "#7c4e33", "#b57f58"))


def walker(rng: np.random.Generator, cloth: Picture, trim: Picture, *, hat: str) -> tuple[Picture, Plane]:
    """One standing figure: a premultiplied (512, 256, 3) picture and its alpha. `hat` is "cap", "scarf" or "hood"."""
    y = np.broadcast_to(np.linspace(0, 1, ROWS, dtype=np.float32)[:, None], (ROWS, COLUMNS))
    x = np.broadcast_to(np.linspace(-0.25, 0.25, COLUMNS, dtype=np.float32)[None, :], (ROWS, COLUMNS))
    folds = cv2.resize(
        fractal(rng, 512, first=5, octaves=5, gain=0.6)[:70, :COLUMNS], (COLUMNS, ROWS), interpolation=cv2.INTER_CUBIC
    )
    picture, alpha = np.zeros((ROWS, COLUMNS, 3), np.float32), np.zeros((ROWS, COLUMNS), np.float32)
    skin = SKINS[rng.integers(len(SKINS))]
    leather = rgb("#c9a03c") if rng.random() < 0.5 else rgb("#5a2f1c")

    for side in (-1, 1):
        paint(picture, alpha, leather, oval(x - side * 0.045, y - 0.962, 0.030, 0.016), 0.9)
    half = np.interp(y, [0.15, 0.18, 0.215, 0.30, 0.48, 0.75, 0.95], [0.03, 0.06, 0.098, 0.092, 0.098, 0.118, 0.128])
    half = half + 0.005 * np.sin(13 * y + 1) * smoothstep(0.4, 0.9, y)
    robe = smoothstep(0, 0.008, half - np.abs(x)) * smoothstep(0.15, 0.16, y) * smoothstep(0.955, 0.945, y)
    stripes = smoothstep(0.8, 0.95, np.sin(x / np.maximum(half, 0.05) * 15 + 0.4 * folds))
    robe_colour = mix(
        mix(np.broadcast_to(cloth, picture.shape), trim, 0.6 * stripes), trim, smoothstep(0.008, 0.004, np.abs(x)) * 0.8
    )
    edge = x / np.maximum(half, 1e-3)
    paint(picture, alpha, robe_colour, robe, shade(edge) * (1 + 0.20 * folds) * np.interp(y, [0.2, 0.8, 0.95], [1.1, 0.9, 0.7]))
    for side in (-1, 1):
        bend = side * (0.092 + 0.035 * smoothstep(0.2, 0.5, y) - 0.02 * smoothstep(0.5, 0.6, y))
        width = np.interp(y, [0.2, 0.3, 0.55], [0.030, 0.034, 0.046])
        sleeve = smoothstep(0, 0.008, width - np.abs(x - bend)) * smoothstep(0.195, 0.23, y) * smoothstep(0.555, 0.545, y)
        paint(picture, alpha, skin, oval(x - bend, y - 0.565, 0.018, 0.026), 0.8)
        paint(picture, alpha, robe_colour, sleeve, shade((x - bend) / width) * (0.85 + 0.16 * folds))
    paint(
        picture,
        alpha,
        skin,
        smoothstep(0, 0.006, 0.026 - np.abs(x)) * smoothstep(0.12, 0.13, y) * smoothstep(0.19, 0.17, y),
        0.6,
    )
    head = oval(x, y - 0.098, 0.040, 0.052)
    features = 1 - 0.45 * (oval(x - 0.015, y - 0.092, 0.009, 0.006) + oval(x + 0.015, y - 0.092, 0.009, 0.006))
    features = features - 0.3 * oval(x, y - 0.125, 0.014, 0.005)
    paint(picture, alpha, skin, head, shade(x / 0.045) * features)
    if hat == "cap":
        paint(picture, alpha, trim, oval(x, y - 0.06, 0.041, 0.030) * smoothstep(0.074, 0.068, y), shade(x / 0.045))
        paint(picture, alpha, rgb("#1c1512"), head * smoothstep(0.112, 0.122, y) * rng.integers(2), 0.9)
    else:
        veil = oval(x, y - 0.105, 0.060, 0.075) * (1 - oval(x, y - 0.100, 0.033, 0.044))
        paint(picture, alpha, trim if hat == "scarf" else cloth, veil, shade(x / 0.07) * (1 + 0.15 * folds))
    return picture, alpha


def paint(picture: Picture, alpha: Plane, colour: Picture, cover: Plane, light: Plane | float) -> None:
    """Lay one part over what is there, in place."""
    shown = cover[..., None]
    picture *= 1 - shown
    picture += shown * colour * (light[..., None] if isinstance(light, np.ndarray) else light)
    alpha *= 1 - cover
    alpha += cover


def shade(across: Plane) -> Plane:
    """The light on a round body: `across` is -1 at its left edge and 1 at its right; the sun is at the left."""
    inside = np.clip(across, -1, 1)
    return 0.35 + 0.55 * np.sqrt(1 - inside * inside) - 0.28 * inside


def oval(x: Plane, y: Plane, wide: float, tall: float) -> Plane:
    """1 inside an ellipse around (0, 0), 0 outside, soft at the edge."""
    return smoothstep(1.06, 0.94, np.hypot(x / wide, y / tall))
