"""A palm grove by the water: the camera walks along the bank, fronds move in the wind, the pool mirrors it in ripples."""

import cv2
import numpy as np

from atlas.light import Picture, grid, mix, ramp, rgb, smoothstep
from atlas.noise import Plane, fractal
from atlas.relief import Tile

SKY = ((-0.1, rgb("#f4e6c8")), (0.1, rgb("#d5e4e6")), (0.35, rgb("#84bcd8")), (0.7, rgb("#3f86bd")))
SHORE = 0.16  # rows below the middle, in picture heights
WALK = 0.13  # picture heights a second at depth 1
LEAFLETS = 25
GREENS = ("#33501f", "#4c6a26", "#6c8430", "#8a9a44", "#2a4420")


class Palms:
    def __init__(self, rng: np.random.Generator) -> None:
        depths = np.sort(rng.uniform(1.15, 4.8, 26))[::-1]
        self.palms = [Palm(rng, float(depth), float(x)) for depth, x in zip(depths, rng.uniform(-1.0, 1.25, 26), strict=True)]
        self.bank = Tile(fractal(rng, 1024, first=8, octaves=6, gain=0.6), levels=4)
        self.bush = fractal(rng, 512, first=5, octaves=7, gain=0.6)[:4]
        self.ripple = Tile(fractal(rng, 512, first=3, octaves=4, gain=0.45, stretch=0.35), levels=2)
        self.clouds = Tile(smoothstep(0.2, 2.0, fractal(rng, 512, first=2, octaves=7, gain=0.55, stretch=0.5)), levels=1)

    def frame(self, t: float, width: int, height: int) -> Picture:
        x, y = grid(width, height)
        picture = ramp(SHORE - y[:, 0], *SKY)[:, None, :] * np.ones((1, width, 1), np.float32)
        cloud = self.clouds.at(x * 0.45 + 0.02 * t, y * 0.7)
        picture = mix(picture, rgb("#fffaf0"), 0.8 * cloud)
        picture = self.thicket(picture, x, y, t)
        ink = (np.sqrt(np.clip(picture, 0, 1)) * 255).astype(np.uint8)
        for palm in self.palms:
            palm.draw(ink, t)
        picture = (ink.astype(np.float32) / 255) ** 2
        return self.pool(picture, x, y, t)

    def thicket(self, picture: Picture, x: Plane, y: Plane, t: float) -> Picture:
        """Hazy hills, rows of bushes and the sunny bank, each sliding by at its own pace."""
        across = np.linspace(-2.5, 2.5, 512)
        for index, (depth, level, rise, tone) in enumerate(
            (
                (30, 0.02, 0.05, "#a9b4b4"),
                (9, 0.10, 0.035, "#6f8660"),
                (5, 0.135, 0.028, "#4f6a3a"),
                (3.2, 0.150, 0.014, "#3f5628"),
            )
        ):
            line = np.interp(x[0] + WALK * t / depth, across, self.bush[index]).astype(np.float32)
            leaves = self.bank.at(x * 1.2 + np.float32(1.2 * WALK * t / depth + index * 0.3), y * 2.4)
            colour = rgb(tone) * (1 + 0.35 * leaves * (depth < 20))[..., None]
            picture = mix(picture, colour, smoothstep(-0.002, 0.002, y - level + rise * (line + 0.25 * leaves * (depth < 20))))
        ground = np.maximum(y - 0.145, 0.004)
        sand = self.bank.at(
            (x * 0.10 / ground * 0.12 + 0.35 * WALK * t).astype(np.float32), (0.012 / ground).astype(np.float32)
        )
        dapple = smoothstep(-0.2, 0.8, self.bank.at(x * 1.6 + 0.4 * WALK * t, y * 7))
        colour = ramp(sand, (-2, rgb("#8a6a44")), (2, rgb("#d8b584"))) * (0.45 + 0.7 * dapple)[..., None]
        return mix(picture, colour, smoothstep(0.150, 0.156, y + 0.004 * sand))

    def pool(self, picture: Picture, x: Plane, y: Plane, t: float) -> Picture:
        """Below the shore the picture again, upside down, broken by ripples that are larger nearer by."""
        height, width = y.shape
        below = y - np.float32(SHORE + 0.035)
        near = np.maximum(below, 0.004)
        one = self.ripple.at(x / (near + 0.12) * 0.10 + 0.10 * t, 0.05 / (near + 0.03) + 0.16 * t)
        two = self.ripple.at(x / (near + 0.10) * 0.17 - 0.07 * t, 0.09 / (near + 0.03) + 0.23 * t)
        wave = one + 0.6 * two
        source_x = (x + 0.030 * near * wave * 2) * height + width / 2
        source_y = (SHORE + 0.035 - below * 1.02 + 0.16 * near * wave - 0.004 + 0.5) * height
        mirror = cv2.remap(
            picture, source_x.astype(np.float32), source_y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        water = mix(mirror * 0.72, rgb("#2d4a3c"), np.clip(0.25 + 0.9 * near, 0, 0.62))
        water = water + (0.45 * smoothstep(2.6, 3.4, wave + 0.7 * two))[..., None] * rgb("#fff6dc")
        edge = np.exp(-np.abs(below) * 220) * 0.45
        water = mix(water, rgb("#3a2c1c"), edge)
        return mix(picture, water, smoothstep(-0.001, 0.002, below))


class Palm:
    """One date palm; lengths are in picture heights at depth 1."""

    def __init__(self, rng: np.random.Generator, depth: float, x: float) -> None:
        self.depth, self.x = depth, x * (0.6 + 0.55 * depth)
        self.tall, self.bend = rng.uniform(0.75, 1.5), rng.uniform(-0.12, 0.12)
        fronds = 30 if depth < 2.5 else 22
        self.angle = np.linspace(-0.42 * np.pi, 1.42 * np.pi, fronds) + rng.uniform(-0.1, 0.1, fronds)
        self.reach = rng.uniform(0.24, 0.38, fronds)
        self.depth_of = rng.uniform(0.35, 1.0, fronds)  # fronds that point at us look shorter
        self.phase = rng.uniform(0, 6.3, fronds)
        self.shade = rng.integers(0, len(GREENS), fronds)
        self.order = rng.permutation(fronds)

    def draw(self, ink: np.ndarray, t: float) -> None:
        height, width = ink.shape[:2]
        scale = height / self.depth
        base_x = (self.x - WALK * t * 1.35) * scale + width / 2
        if not -0.6 * scale < base_x < width + 0.6 * scale:
            return
        base_y = (0.5 + 0.15 + 0.035 / self.depth) * height
        haze = float(np.exp(-0.17 * (self.depth - 0.9)))
        sway = 0.015 * np.sin(1.1 * t + self.depth * 5)
        s = np.linspace(0, 1, 22)
        trunk_x = base_x + (self.bend * s**2 + sway * s**2) * scale
        trunk_y = base_y - self.tall * s * scale
        thick = 0.030 * scale * (1.15 - 0.35 * s)
        for step in range(21):
            band = 0.62 + 0.38 * (step % 2)
            low, high = (
                (trunk_x[step], trunk_y[step], thick[step]),
                (trunk_x[step + 1], trunk_y[step + 1], 0.85 * thick[step + 1]),
            )
            quad = np.array([(x + side * half, y) for (x, y, half), side in ((low, -1), (low, 1), (high, 1), (high, -1))])
            cv2.fillPoly(ink, [fixed(quad)], self.tone("#6b4e30", band, haze), cv2.LINE_AA, 4)
            lit = quad.copy()
            lit[[1, 2], 0] = quad[[0, 3], 0] + 0.55 * thick[step]
            cv2.fillPoly(ink, [fixed(lit)], self.tone("#a8814f", band, haze), cv2.LINE_AA, 4)
        for index in self.order:
            self.frond(ink, int(index), (float(trunk_x[-1]), float(trunk_y[-1])), scale, haze, t)

    def frond(self, ink: np.ndarray, index: int, crown: tuple[float, float], scale: float, haze: float, t: float) -> None:
        """A rib that droops under its weight, and leaflets on both sides of it, as one bundle of lines."""
        wind = 0.07 * np.sin(2.1 * t + self.phase[index]) + 0.05 * np.sin(3.7 * t + 2 * self.phase[index]) + 0.05
        s = np.linspace(0.05, 1, LEAFLETS)
        angle = self.angle[index] + wind * 0.6
        reach = self.reach[index] * self.depth_of[index] ** 0.5
        x = crown[0] + scale * (reach * np.cos(angle) * s + wind * 0.08 * s**2)
        y = crown[1] + scale * (-reach * np.sin(angle) * s + (0.20 + 0.05 * np.cos(angle)) * self.reach[index] * 1.5 * s**2.2)
        along = np.column_stack([np.gradient(x), np.gradient(y)])
        along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-6
        across = np.column_stack([-along[:, 1], along[:, 0]])
        length = scale * 0.075 * np.sin(np.pi * (0.12 + 0.85 * s)) ** 0.7
        flutter = 0.25 * np.sin(9 * t + self.phase[index] + 12 * s)
        rib = np.column_stack([x, y])
        lines = []
        for side in (-1, 1):
            tip = (
                rib
                + length[:, None] * (0.75 * along + side * (0.75 + 0.2 * flutter)[:, None] * across)
                + np.array([0, 0.022 * scale])
            )
            lines.append(np.stack([rib, tip], axis=1))
        light = 0.75 + 0.5 * max(0.0, float(np.sin(angle)))
        thick = max(1, round(scale * 0.0030))
        bundle = fixed(np.concatenate(lines))
        for half, gain in ((0, 0.80), (1, 1.08)):  # every other leaflet turns its back to the light
            colour = self.tone(GREENS[self.shade[index]], light * gain, haze)
            cv2.polylines(ink, list(bundle[half::2]), False, colour, thick, cv2.LINE_AA, 4)
        cv2.polylines(ink, [fixed(rib)], False, self.tone("#9a9a4c", 1.0, haze), max(1, round(scale * 0.006)), cv2.LINE_AA, 4)

    def tone(self, code: str, light: float, haze: float) -> tuple[int, int, int]:
        """A display colour, lit and faded by distance."""
        return tuple(
            int(min(255, int(code[i : i + 2], 16) * light) * haze + air * (1 - haze))
            for i, air in ((1, 205), (3, 222), (5, 214))
        )


def fixed(points: np.ndarray) -> np.ndarray:
    """Points for cv2, with four bits below the pixel."""
    return np.round(np.clip(points, -3000, 6000) * 16).astype(np.int32)
