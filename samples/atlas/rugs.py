"""Carpets on a line in the wind: knotted wool with Berber signs, waves running through the cloth, sun from the side."""

import numpy as np

from atlas.light import Picture, grid, mix, ramp, rgb, smoothstep
from atlas.noise import Plane, fractal, octave
from atlas.relief import Tile, View

SIZE = 1024
KNOTS = 128  # knots a side of the tile: a carpet is a picture with few, woolly pixels
WOOLS = tuple(rgb(code) for code in ("#8e1f1b", "#e8dcc2", "#1c1a22", "#d8902a", "#22407a", "#3f6b3a"))


class Rugs:
    def __init__(self, rng: np.random.Generator) -> None:
        self.rugs = tuple(Tile(weave(rng, pattern(rng, base), base)) for base in (0, 4, 3))
        wall = fractal(rng, 512, first=3, octaves=7, gain=0.6)
        self.wall = Tile(ramp(wall, (-2, rgb("#b87a4c")), (2, rgb("#e8bd8c"))), levels=3)

    def frame(self, t: float, width: int, height: int) -> Picture:
        x, y = grid(width, height)
        zoom = 0.80 - 0.035 * t
        tilt = 0.07 - 0.03 * t
        x, y = x + tilt * y, y - tilt * x
        near = 1 + (0.10 - 0.05 * t) * x  # the line runs a little away from the camera
        x = x * near * zoom + (0.40 + 0.22 * t)
        y = y * near * zoom + (0.62 - 0.03 * t)
        view = View(u=x * 0.6 + 0.02 * t, v=y * 0.6, depth=np.ones_like(x), land=np.ones_like(x))
        picture = self.wall.seen(view, 512 * 0.6 * zoom / height) * 0.95
        for index, (left, top, wide, tall) in enumerate(
            ((1.02, 0.10, 0.62, 1.15), (-0.28, 0.06, 0.66, 1.25), (0.44, 0.03, 0.60, 1.4))
        ):
            picture = self.hang(picture, x, y, index, left, top, wide, tall, t, zoom / height)
        return picture

    def hang(
        self, picture: Picture, x: Plane, y: Plane, index: int,
        left: float, top: float, wide: float, tall: float, t: float, pixel: float,
    ) -> Picture:  # fmt: skip
        """Lay one carpet over the picture, its shadow on the wall first."""
        u, v = (x - np.float32(left)) / np.float32(wide), (y - np.float32(top)) / np.float32(tall)
        loose = np.clip(v, 0, 1.2)
        beat = 2.6 * t + 1.9 * index
        a, b = 7.5 * u + 2.5 * v - np.float32(1.35 * beat), 15 * u - 5 * v - np.float32(2.1 * beat)
        swell = loose * (0.040 * np.sin(a) + 0.014 * np.sin(b)) + 0.04 * loose * np.float32(np.sin(0.7 * beat))
        slope = np.sqrt(loose) * (0.42 * np.cos(a) + 0.26 * np.cos(b)) + 0.10 * np.sin(26 * u) * np.exp(-3 * loose)
        u = u + swell
        v = v + 0.5 * swell - 0.02 * loose * np.sin(a)
        shadow = (
            smoothstep(-0.06, 0.04, u - 0.06) * smoothstep(1.14, 1.04, u) * smoothstep(1.1, 1.0, v) * smoothstep(-0.02, 0.02, v)
        )
        picture = picture * (1 - 0.5 * shadow[..., None])
        fringe = 0.965 + 0.03 * np.abs(np.sin(u * 260)) + 0.01 * np.sin(u * 41 + swell * 60)
        cover = (
            smoothstep(0, 0.006, u) * smoothstep(1, 0.994, u) * smoothstep(0, 0.004, v) * smoothstep(0.004, -0.004, v - fringe)
        )
        view = View(u=u, v=v * np.float32(tall / wide), depth=np.ones_like(u), land=cover)
        wool = self.rugs[index].seen(view, SIZE * pixel / wide)
        wool = mix(wool, np.broadcast_to(rgb("#e6d8ba"), wool.shape), smoothstep(0.955, 0.965, v))
        light = (0.50 + 0.62 * slope + 0.32 * smoothstep(-0.3, 0.5, slope))[..., None] * rgb("#fff0d4") * 1.25 + rgb(
            "#8aa0c8"
        ) * 0.22
        return mix(picture, wool * np.maximum(light, 0.05), cover)


def pattern(rng: np.random.Generator, base: int) -> np.ndarray:
    """Which wool each knot has: bands of diamonds, zigzags and combs. (KNOTS, KNOTS) indices into WOOLS."""
    knots = np.full((KNOTS, KNOTS), base)
    row, column = np.mgrid[0:KNOTS, 0:KNOTS]
    others = [k for k in range(len(WOOLS)) if k != base]
    y = 0
    while y < KNOTS:
        tall = int(rng.choice([10, 16, 16, 26, 32]))
        band = (row >= y) & (row < y + tall)
        across = np.abs((column % 32) - 15.5)
        middle = np.abs(row - y - (tall - 1) / 2)
        one, two, three = rng.permutation(others)[:3]
        figure = int(rng.integers(4)) if tall > 10 else 3
        if figure == 0:
            reach = across / 16 + middle / (tall / 2)
            knots = np.where(band & (reach < 0.95), one, knots)
            knots = np.where(band & (reach < 0.66), two, knots)
            knots = np.where(band & (reach < 0.36), three, knots)
        elif figure == 1:
            wave = np.mod(row - y + np.abs((column % 16) - 7.5).astype(int), 8)
            knots = np.where(band & (wave < 3), one, np.where(band & (wave == 4), two, knots))
        elif figure == 2:
            comb = (column % 8 < 2) & (middle < tall / 2 - 2) | (middle < 2)
            knots = np.where(band & comb, one, knots)
            knots = np.where(band & (across < 3) & (middle < 4), two, knots)
        else:
            knots = np.where(band & (np.mod(row - y, 5) == 2), one, knots)
            knots = np.where(band & ((column + row) % 6 == 0) & (np.mod(row - y, 5) == 4), two, knots)
        y += tall
    edge = np.minimum(column, KNOTS - 1 - column)
    knots = np.where((edge < 7) & ((row // 4) % 2 == 0), others[0], knots)
    return np.where(edge < 2, 2, knots)


def weave(rng: np.random.Generator, knots: np.ndarray, base: int) -> Picture:
    """The carpet from near: every knot a small tuft with its own tone, the dye uneven (abrash) from row to row."""
    step = SIZE // KNOTS
    jitter = (rng.uniform(-0.35, 0.35, (2, SIZE, SIZE)) * step).astype(int)
    row, column = np.mgrid[0:SIZE, 0:SIZE]
    picked = knots[np.clip((row + jitter[0]) // step, 0, KNOTS - 1), np.clip((column + jitter[1]) // step, 0, KNOTS - 1)]
    tone = 1 + 0.16 * rng.standard_normal((KNOTS, KNOTS)) + 0.12 * rng.standard_normal((KNOTS, 1))
    tuft = np.abs(np.sin(np.pi * (row + 0.5) / step)) ** 0.5 * np.abs(np.sin(np.pi * (column + 0.5) / step)) ** 0.5
    hair = 1 + 0.08 * octave(rng, SIZE, 200)
    light = np.kron(tone, np.ones((step, step))) * (0.62 + 0.5 * tuft) * hair
    return (np.array(WOOLS, np.float32)[picked] * light[..., None]).astype(np.float32)
