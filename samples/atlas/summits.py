"""A flight over the High Atlas in the morning: eroded rock, snow on the heights, haze in the valleys."""

import cv2
import numpy as np

from atlas.erosion import mountains
from atlas.light import Picture, mix, ramp, rgb, smoothstep
from atlas.noise import fractal, gradient
from atlas.relief import Camera, Tile, look, sunlit

STEEPNESS = 0.2  # height of the tile's highest summit, in tiles
SKY = ((-0.2, rgb("#e8ddd0")), (0.15, rgb("#a9c4dc")), (0.5, rgb("#4f86bd")))
HAZE = rgb("#b9c9da")


class Summits:
    """The tile with its light baked in; the camera flies up a valley and turns."""

    def __init__(self, rng: np.random.Generator) -> None:
        height, wet = mountains(rng)
        self.height = Tile(height * STEEPNESS, levels=3)
        self.colour = Tile(self.paint(rng, height, wet))
        self.clouds = Tile(smoothstep(0.1, 2.0, fractal(rng, 512, first=3, octaves=6, gain=0.55, stretch=0.5)), levels=1)

    def paint(self, rng: np.random.Generator, height: np.ndarray, wet: np.ndarray) -> Picture:
        dy, dx = gradient(height * STEEPNESS * height.shape[0])
        steep = np.hypot(dx, dy)
        patches = fractal(rng, 1024, first=8, octaves=7, gain=0.6)
        layers = np.cumsum(rng.standard_normal(160)) * 0.3
        bent = height + 0.02 * fractal(rng, 1024, first=4, octaves=6, gain=0.6)
        strata = np.interp(bent, np.linspace(0, 1, 160), layers - layers.mean()).astype(np.float32)
        rock = ramp(patches + strata, (-2, rgb("#4a2f24")), (0, rgb("#8a5f43")), (1.2, rgb("#ad8460")), (2.4, rgb("#cfae88")))
        scrub = ramp(patches, (-1.5, rgb("#2c3a1c")), (1.5, rgb("#6f7440")))
        ground = mix(rock, scrub, smoothstep(1.0, 0.5, steep + 0.2 * patches) * smoothstep(0.42, 0.15, height + 0.06 * patches))
        snow = smoothstep(0.42, 0.56, height + 0.08 * patches - 0.1 * (steep - 0.7))
        ground = mix(ground, rgb("#eef2f7") * 1.1, snow)
        sun = sunlit(height, azimuth=0.4, elevation=0.55, steepness=STEEPNESS)
        hollow = np.clip(0.6 + (height - cv2.GaussianBlur(height, (0, 0), 12)) * 7, 0.25, 1.1)[..., None]
        light = sun[..., None] * rgb("#fff0d8") * 1.8 + hollow * rgb("#8fb0dc") * 0.36
        return (ground * light).astype(np.float32)

    def frame(self, t: float, width: int, height: int) -> Picture:
        heading = 0.50 + 0.10 * t - 0.12 * np.cos(0.5 * t)
        x, y = 0.10 + 0.044 * t, 0.20 + 0.050 * t
        camera = Camera(x=x, y=y, z=0.225 + 0.003 * np.sin(t), heading=heading, focal=1.15, horizon=0.24, near=0.03, far=2.4)
        view = look(lambda u, v: self.height.at(u, v, level=1), camera, width, height)
        land = self.colour.seen(view, 1024 / (camera.focal * height))
        haze = np.exp(-np.maximum(view.depth - 0.08, 0) * 1.05)
        land = mix(np.broadcast_to(HAZE * 0.95, land.shape), land, haze)
        return mix(self.sky(camera, width, height), land, view.land)

    def sky(self, camera: Camera, width: int, height: int) -> Picture:
        rows = camera.horizon - (np.arange(height, dtype=np.float32) + 0.5) / height
        band = ramp(rows, *SKY)[:, None, :]
        side = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / height
        far = 0.12 / np.maximum(rows + 0.05, 0.02)[:, None]
        u = side[None, :] * far + camera.heading * 0.6 + camera.x
        cloud = self.clouds.at(u.astype(np.float32), np.broadcast_to(far * 1.3, u.shape).astype(np.float32))
        return mix(
            np.broadcast_to(band, (height, width, 3)), rgb("#fdf6ee"), 0.85 * cloud * smoothstep(-0.02, 0.12, rows)[:, None]
        )
