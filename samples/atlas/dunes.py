"""Dunes before sunset: long shadows, ripples, sand blowing off the crests, and a caravan along the skyline."""

import cv2
import numpy as np

from atlas.camels import caravan
from atlas.light import Picture, mix, ramp, rgb, smoothstep
from atlas.noise import Plane, fractal, gradient, octave
from atlas.relief import Camera, Tile, View, look, sunlit

STEEPNESS = 0.085
SKY = ((-0.3, rgb("#f3cf9a")), (0.0, rgb("#f2c48c")), (0.14, rgb("#dba98d")), (0.4, rgb("#8f93b4")), (0.9, rgb("#55709f")))
HAZE = rgb("#edbd86")
SIZE = 1024


class Dunes:
    def __init__(self, rng: np.random.Generator) -> None:
        height = dunes(rng)
        self.height = Tile(height * STEEPNESS, levels=3)
        self.colour = Tile(self.paint(rng, height))
        self.ripples = Tile(ripples(rng), levels=7)
        self.blown = Tile(fractal(rng, 512, first=4, octaves=6, gain=0.7, stretch=0.25), levels=1)
        self.clouds = Tile(smoothstep(0.3, 2.2, fractal(rng, 512, first=2, octaves=6, gain=0.5, stretch=0.3)), levels=1)

    def paint(self, rng: np.random.Generator, height: Plane) -> Picture:
        sun = cv2.GaussianBlur(sunlit(height, azimuth=0.5, elevation=0.22, steepness=STEEPNESS), (0, 0), 0.8)
        sand = ramp(
            fractal(rng, SIZE, first=4, octaves=8, gain=0.7), (-2, rgb("#a87448")), (0, rgb("#bd8758")), (2, rgb("#d2a274"))
        )
        hollow = np.clip(0.8 + (height - cv2.GaussianBlur(height, (0, 0), 20)) * 3, 0.4, 1.2)[..., None]
        return (sand * (sun[..., None] * rgb("#ffdcae") * 2.25 + hollow * rgb("#8f8fc0") * 0.34)).astype(np.float32)

    def frame(self, t: float, width: int, height: int) -> Picture:
        camera = Camera(x=0.135 + 0.008 * t, y=0.60 + 0.003 * t, z=0.052 + 0.0010 * t, heading=0.30 - 0.014 * t,
                        focal=1.7, horizon=0.42 + 0.008 * t, near=0.03, far=3.0)  # fmt: skip
        view = look(lambda u, v: self.height.at(u, v, level=0), camera, width, height)
        land = self.colour.seen(view, SIZE / (camera.focal * height))
        texels = SIZE / (camera.focal * height)
        fine = sum(
            share * self.ripples.seen(View(u=view.u * zoom, v=view.v * zoom, depth=view.depth, land=view.land), texels * zoom)
            for zoom, share in ((9, 0.6), (26, 0.8))
        )
        land = land * (1 + 0.15 * fine * np.exp(-view.depth * 2.0))[..., None]
        wind = self.blown.at(view.u * 3 - np.float32(0.22) * t, view.v * 3 + np.float32(0.05) * t)
        land *= (1 + 0.45 * smoothstep(0.4, 2.2, wind) * np.exp(-view.depth * 2.5))[..., None]
        haze = np.exp(-np.maximum(view.depth - 0.1, 0) * 0.9)
        land = mix(np.broadcast_to(HAZE, land.shape), land, haze)
        picture = mix(self.sky(camera, t, width, height), land, view.land)
        skyline = height - view.land.sum(axis=0)
        caravan(picture, cv2.blur(skyline[None, :], (max(3, width // 90), 1))[0], t)
        return self.plume(picture, skyline, t)

    def sky(self, camera: Camera, t: float, width: int, height: int) -> Picture:
        rows = camera.horizon - (np.arange(height, dtype=np.float32) + 0.5) / height
        side = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / height
        picture = np.broadcast_to(ramp(rows, *SKY)[:, None, :], (height, width, 3))
        far = 0.08 / np.maximum(rows + 0.06, 0.02)[:, None]
        cloud = self.clouds.at(
            (side[None, :] * far + 0.02 * t).astype(np.float32), np.broadcast_to(far, (height, width)).astype(np.float32)
        )
        picture = mix(picture, rgb("#ffd2a6"), 0.7 * cloud * smoothstep(-0.02, 0.08, rows)[:, None])
        glow = np.exp(-np.hypot(side[None, :] + 0.75, rows[:, None] - 0.05) * 2.6)
        return picture + glow[..., None] * rgb("#ffc070") * 0.7

    def plume(self, picture: Picture, skyline: Plane, t: float) -> Picture:
        """Sand that the wind lifts over the crest, a little above the skyline."""
        height, width = picture.shape[:2]
        above = (skyline[None, :] - np.arange(height, dtype=np.float32)[:, None]) / height
        x = np.arange(width, dtype=np.float32)[None, :] / height
        flow = self.blown.at(
            np.broadcast_to(x * 0.5 - 0.22 * t, above.shape).astype(np.float32), (above + 0.03 * t).astype(np.float32)
        )
        veil = smoothstep(0.3, 2.2, flow) * np.exp(-np.maximum(above, 0) * 32) * (above > -0.02)
        return mix(picture, rgb("#f7d6a4"), 0.45 * veil)


def dunes(rng: np.random.Generator) -> Plane:
    """Heights from 0 to 1: crests with a gentle windward and a steep lee side, small dunes on the backs of large ones."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE
    total = np.zeros((SIZE, SIZE), np.float32)
    for waves, strength in ((3, 1.0), (6, 0.20), (14, 0.035)):
        bend = fractal(rng, SIZE, first=waves * 0.5, octaves=2, gain=0.3)
        phase = np.mod(waves * (x + y) + 0.42 * bend, 1)
        crest = np.where(phase < 0.70, phase / 0.70, (1 - phase) / 0.30)
        crest = 0.35 * crest + 0.65 * crest * crest  # hollow flanks, a sharp edge on top
        total += strength * crest * (0.75 + 0.25 * fractal(rng, SIZE, first=max(1, waves * 0.4), octaves=2))
    total = cv2.GaussianBlur(np.pad(total, 8, mode="wrap"), (0, 0), 1.1)[8:-8, 8:-8]
    total -= total.min()
    return total / total.max()


def ripples(rng: np.random.Generator) -> Plane:
    """Wind ripples: fine forked lines across the wind, as brightness around 0."""
    lines = octave(rng, SIZE, 40, stretch=3.5)
    dy, _ = gradient(lines)
    return (np.clip(dy / dy.std(), -2, 2) + 0.25 * octave(rng, SIZE, 300)).astype(np.float32) * 0.6
