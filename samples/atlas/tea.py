"""Mint tea, and nothing happens: the camera stands still, steam rises, the candle behind wavers a little."""

import cv2
import numpy as np

from atlas.light import Picture, grid, mix, ramp, rgb, smoothstep
from atlas.noise import Plane, fractal, octave
from atlas.relief import Tile
from atlas.zellige import GLAZES, cut_pieces, seam, star_distance

GLASS = (-0.10, -0.185, 0.285)  # middle, rim and foot, in picture heights from the middle of the picture
FILLED = -0.075
TRAY = (0.05, 0.30)
CANDLE = (0.52, -0.10)


class Tea:
    def __init__(self, rng: np.random.Generator) -> None:
        pieces, kind = cut_pieces()
        tiles = np.array(GLAZES, np.float32)[kind] * np.where(pieces, 1, 0.7)[..., None]
        small = cv2.resize(tiles.astype(np.float32), (512, 512), interpolation=cv2.INTER_AREA)
        self.wall = Tile(cv2.GaussianBlur(np.tile(small, (3, 3, 1)), (0, 0), 9)[512:1024, 512:1024], levels=1)
        self.scratches = Tile(octave(rng, 1024, 110, stretch=0.2), levels=3)
        self.leaf = Tile(fractal(rng, 512, first=5, octaves=5, gain=0.6), levels=1)
        self.steam = Tile(fractal(rng, 512, first=2, octaves=4, gain=0.42), levels=1)
        self.wood = Tile(fractal(rng, 512, first=3, octaves=7, gain=0.65, stretch=0.1), levels=3)
        self.still: Picture | None = None  # all but the steam, at the size last asked for

    def frame(self, t: float, width: int, height: int) -> Picture:
        x, y = grid(width, height)
        if self.still is None or self.still.shape[:2] != (height, width):
            self.still = self.glass(self.table(self.room(x, y), x, y), x, y)
        waver = 0.05 * np.sin(2.7 * t) + 0.03 * np.sin(6.1 * t + 1)
        reach = np.exp(-np.hypot(x - CANDLE[0], y - CANDLE[1]) * 1.3)
        return self.vapour(self.still * (1 + waver * reach)[..., None], x, y, t)

    def room(self, x: Plane, y: Plane) -> Picture:
        """A tiled wall far out of focus, a candle as a disc of light, cushions."""
        wall = self.wall.at(x * 0.42 + 0.2, y * 0.42)
        glow = np.exp(-np.hypot(x - CANDLE[0], y - CANDLE[1]) * 2.2)
        picture = wall * (rgb("#3a4a6a") * 0.30 + glow[..., None] * rgb("#ffb060") * 1.2)
        for at_x, at_y, radius, code in (
            (0.52, -0.12, 0.062, "#ffd48a"),
            (0.70, -0.20, 0.045, "#ff9a4a"),
            (-0.62, -0.28, 0.05, "#6a9ad8"),
            (-0.75, -0.18, 0.038, "#d87a4a"),
            (0.34, -0.32, 0.035, "#ffb868"),
        ):
            away = np.hypot(x - at_x, y - at_y)
            disc = smoothstep(radius + 0.008, radius - 0.004, away) * (0.75 + 0.25 * smoothstep(radius * 0.5, radius, away))
            picture = picture + disc[..., None] * rgb(code) * 0.55
        seat = smoothstep(0.035, -0.02, 0.13 - y - 0.02 * np.cos(5 * x) - 0.03 * np.abs(np.sin(2.6 * x + 0.4)))
        stripes = ramp(np.sin(16 * x + 3 * y), (-1, rgb("#5a1d20")), (0.2, rgb("#7a2a22")), (0.7, rgb("#b8803a")))
        return mix(picture, stripes * (0.25 + 0.7 * glow)[..., None], seat)

    def table(self, picture: Picture, x: Plane, y: Plane) -> Picture:
        """A low wooden table with a tray of chased brass on it; the candle draws a path of light over both."""
        depth = np.maximum(y - 0.10, 0.02)
        grain = self.wood.at(x * 0.25 / depth * 0.3, 0.035 / depth)
        wood = (
            ramp(grain, (-2, rgb("#2a1710")), (0, rgb("#4a2a1a")), (2, rgb("#6e4228")))
            * (0.55 + 0.35 * np.exp(-np.abs(x - 0.4)))[..., None]
        )
        picture = mix(picture, wood, smoothstep(0.168, 0.176, y))
        dx, dy = (x - TRAY[0]) / 0.66, (y - TRAY[1]) / 0.175
        radius, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
        star = star_distance(dx * 1.05, dy * 1.05)
        rays = smoothstep(0.007, 0.002, seam(angle, 32) * radius) * smoothstep(0.16, 0.18, star) * (np.mod(star * 9, 2) < 1)
        rings = smoothstep(0.007, 0.003, np.abs(np.mod(star * 9 + 0.5, 1) - 0.5) / 9)
        petals = smoothstep(0.10, 0.05, np.abs(np.hypot(np.mod(angle / (2 * np.pi) * 32, 1) - 0.5, (radius - 0.80) * 7) - 0.32))
        lace = np.maximum(rays, rings) * smoothstep(0.70, 0.68, radius) + 0.8 * petals * smoothstep(0.71, 0.73, radius)
        lace = np.clip(
            lace + smoothstep(0.008, 0.003, np.abs(radius - 0.705)) + smoothstep(0.008, 0.003, np.abs(radius - 0.88)), 0, 1
        )
        beads = smoothstep(0.5, 0.3, np.hypot((np.mod(angle / (2 * np.pi) * 72, 1) - 0.5), (radius - 0.92) * 22))
        worn = self.scratches.at(x * 0.7, y * 2.2)
        mirror = np.exp(-(((x - 0.36 - 0.20 * (y - 0.2)) / 0.16) ** 2)) * smoothstep(0.05, 0.30, 1.3 - radius)
        brass = ramp(worn + 0.8 * beads, (-2, rgb("#7a5220")), (0, rgb("#a87a32")), (2, rgb("#d8b060")))
        brass = brass * (1 - 0.50 * lace)[..., None] * (0.42 + 1.3 * mirror + 0.30 * beads)[..., None]
        brass = brass + (mirror * (1 - 0.7 * lace) * (0.55 + 0.2 * worn))[..., None] * rgb("#ffd898") * 0.7
        shadow = np.exp(-(((x - GLASS[0] + 0.20) / 0.22) ** 2) - ((y - GLASS[2] + 0.005) / 0.035) ** 2)
        amber = np.exp(-(((x - GLASS[0] + 0.30) / 0.085) ** 2) - ((y - GLASS[2] - 0.012) / 0.014) ** 2)
        brass = brass * (1 - 0.7 * shadow)[..., None] + amber[..., None] * rgb("#ff9a30") * 0.55
        rim = smoothstep(0.010, 0.0, np.abs(radius - 0.985)) * 0.5
        drop = smoothstep(1.08, 0.98, np.hypot(dx, (y - TRAY[1] - 0.016) / 0.175))
        picture = mix(picture, rgb("#120a06"), 0.75 * drop)
        return mix(picture, brass + rim[..., None] * rgb("#ffe0a0"), smoothstep(1.003, 0.995, radius))

    def glass(self, picture: Picture, x: Plane, y: Plane) -> Picture:
        """A tea glass: thick foot, gilt band of stars, amber tea with mint in it, foam on top, lit through by the candle."""
        middle, rim, foot = GLASS
        half = np.interp(y, [rim, -0.05, 0.10, 0.22, 0.255, foot], [0.128, 0.118, 0.102, 0.094, 0.098, 0.100]).astype(
            np.float32
        )
        across = np.clip((x - middle) / half, -1, 1)
        bulge = np.sqrt(1 - across * across)
        bottom = foot - 0.018 + 0.018 * bulge
        cover = (
            smoothstep(1.004, 0.992, np.abs(x - middle) / half)
            * smoothstep(bottom + 0.002, bottom - 0.001, y)
            * smoothstep(rim - 0.002, rim, y)
        )
        surface = FILLED + 0.016 * bulge
        wet = smoothstep(-0.0015, 0.0015, y - surface) * smoothstep(0.236, 0.228, y - 0.012 * bulge)
        mint = self.leaf.at(across * 0.10 + 0.1, y * 0.75 + 0.37)
        sprig = smoothstep(0.2, 0.75, mint) * smoothstep(0.19, 0.02, y - FILLED) * smoothstep(1.0, 0.8, np.abs(across))
        through = np.exp(-(((across - 0.30) / 0.42) ** 2))
        tea = ramp(
            0.25 + 0.75 * through - 0.45 * np.abs(across) ** 5,
            (-0.3, rgb("#3a1604")),
            (0.2, rgb("#8a4308")),
            (0.6, rgb("#d98a1c")),
            (1.0, rgb("#ffc858")),
        )
        tea = mix(
            tea, ramp(mint, (0.2, rgb("#39501a")), (1.6, rgb("#7a8a34"))) * (0.25 + 0.7 * through)[..., None], 0.85 * sprig
        )
        clear = picture * (0.86 - 0.35 * np.abs(across) ** 6)[..., None]
        inside = mix(clear, tea, wet)
        base = smoothstep(0.232, 0.240, y - 0.012 * bulge)
        thick_foot = (
            picture * 0.4 + (0.12 + 0.9 * through * np.abs(np.sin(9 * across + 40 * y)))[..., None] * rgb("#e8a850") * 0.7
        )
        inside = mix(inside, thick_foot, base)
        top = np.hypot((x - middle) / (half * 0.985), (y - FILLED) / 0.0165)
        foam = self.leaf.at(x * 3.1, y * 7.0)
        froth = mix(
            rgb("#b87420") * np.ones_like(picture),
            rgb("#f0deb0"),
            smoothstep(-0.2, 0.7, foam + 1.2 * smoothstep(0.75, 1.0, top) - 0.2),
        )
        inside = mix(inside, froth * (0.35 + 0.55 * through)[..., None], smoothstep(1.0, 0.97, top))
        turn = np.arcsin(across) / np.pi
        star = star_distance(np.mod(turn * 7, 1) - 0.5, (y - 0.045) * 15)
        band = np.maximum(smoothstep(0.30, 0.27, star) * smoothstep(0.17, 0.20, star), smoothstep(0.09, 0.07, star))
        lines = smoothstep(0.0040, 0.0024, np.abs(np.abs(y - 0.045) - 0.040)) + smoothstep(
            0.0035, 0.002, np.abs(y - rim - 0.030)
        )
        gilt = np.clip(band * (np.abs(y - 0.045) < 0.036) + lines, 0, 1) * smoothstep(1.0, 0.97, np.abs(across))
        gold = rgb("#e0b050") * (0.30 + 0.5 * np.exp(-(((across + 0.55) / 0.25) ** 2)) + 0.9 * through)[..., None]
        inside = mix(inside, gold, 0.88 * gilt)
        shine = (
            0.55 * np.exp(-(((across + 0.70) / 0.055) ** 2)) * smoothstep(rim, rim + 0.05, y) * smoothstep(foot, foot - 0.06, y)
        )
        shine = shine + 0.40 * np.exp(-(((across - 0.86) / 0.035) ** 2)) + 0.22 * smoothstep(0.955, 0.99, np.abs(across))
        picture = mix(picture, inside + shine[..., None] * rgb("#ffe8c8"), cover)
        ring = np.hypot((x - middle) / 0.128, (y - rim) / 0.0155)
        lip = smoothstep(0.075, 0.02, np.abs(ring - 1.0))
        return picture + (lip * (0.22 + 0.5 * np.exp(-(((x - middle - 0.06) / 0.07) ** 2))))[..., None] * rgb("#ffe8c8") * 0.8

    def vapour(self, picture: Picture, x: Plane, y: Plane, t: float) -> Picture:
        up = FILLED - y
        lean = 0.05 * np.sin(0.6 * t) * np.clip(up, 0, 1) + 0.02 * np.sin(9 * up - 1.4 * t) * np.clip(up * 3, 0, 1)
        across = (x - GLASS[0] - lean) / (0.075 + 0.16 * np.clip(up, 0, 1))
        wisp = self.steam.at(across * 0.16 + 0.02 * t, -up * 0.55 + 0.155 * t) + 0.6 * self.steam.at(
            across * 0.33, -up * 1.0 + 0.24 * t
        )
        veil = smoothstep(-0.1, 2.0, wisp) * np.exp(-across * across) * smoothstep(0.0, 0.10, up) * smoothstep(0.62, 0.15, up)
        return mix(picture, rgb("#f0e4d4") * 0.85, 0.42 * veil)
