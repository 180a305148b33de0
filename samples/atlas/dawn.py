"""Dawn over ridge behind ridge, seen from far off through a long lens; mist in the valleys, the sun just up, birds leaving."""

import numpy as np

from atlas.birds import flock
from atlas.erosion import mountains
from atlas.light import Picture, mix, ramp, rgb, smoothstep
from atlas.noise import fractal
from atlas.relief import Camera, Tile, look, sunlit

STEEPNESS = 0.17
SKY = ((-0.1, rgb("#ffb877")), (0.02, rgb("#ffb06c")), (0.12, rgb("#f08f78")), (0.28, rgb("#a8789c")), (0.6, rgb("#46568c")))
SUN = (0.30, 0.055)  # right of the middle, above the horizon


class Dawn:
    def __init__(self, rng: np.random.Generator) -> None:
        height, wet = mountains(rng)
        self.height = Tile(height * STEEPNESS, levels=3)
        rough = fractal(rng, 1024, first=16, octaves=6, gain=0.75)
        sun = sunlit(height, azimuth=0.2, elevation=0.30, steepness=STEEPNESS)
        rock = ramp(rough - wet, (-2, rgb("#3a2c38")), (0, rgb("#5d4650")), (2, rgb("#8a6a66")))
        snow = smoothstep(0.45, 0.62, height + 0.05 * rough)
        ground = mix(rock, rgb("#c9c3d6"), snow)
        self.colour = Tile((ground * (sun[..., None] * rgb("#ffb684") * 1.5 + rgb("#6a6f9c") * 0.55)).astype(np.float32))
        self.mist = Tile(fractal(rng, 512, first=3, octaves=5, gain=0.55, stretch=0.6), levels=3)
        self.clouds = Tile(smoothstep(-0.4, 2.0, fractal(rng, 512, first=2, octaves=7, gain=0.55, stretch=0.22)), levels=1)

    def frame(self, t: float, width: int, height: int) -> Picture:
        camera = Camera(x=0.15 + 0.020 * t, y=0.30 - 0.006 * t, z=0.185 + 0.0022 * t, heading=1.35 - 0.026 * t, focal=2.1,
                        horizon=0.50, near=0.12, far=4.5)  # fmt: skip
        view = look(lambda u, v: self.height.at(u, v, level=1), camera, width, height)
        land = self.colour.seen(view, 1024 / (camera.focal * height))
        row = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height - camera.horizon
        altitude = camera.z - row / camera.focal * view.depth
        drift = self.mist.at(view.u * 0.8 + 0.012 * t, view.v * 0.8)
        low = smoothstep(0.105, 0.02, altitude + 0.022 * drift) * smoothstep(0.15, 0.9, view.depth)
        side = ((np.arange(width, dtype=np.float32) + 0.5 - width / 2) / height)[None, :]
        sun_x = np.float32(SUN[0] + 0.026 * 2.1 * t)
        warm = np.exp(-np.abs(side - sun_x) * 1.3)[..., None]
        air = mix(np.broadcast_to(rgb("#7d7aa6"), (1, width, 3)), rgb("#ffae7a"), warm) * 0.92
        haze = 1 - np.exp(-np.maximum(view.depth - 0.1, 0) * 0.85)
        land = mix(land, np.broadcast_to(air, land.shape), haze)
        land = mix(land, np.broadcast_to(mix(air, rgb("#ffe0c4"), 0.35), land.shape), 0.75 * low)
        picture = mix(self.sky(camera, t, side, row, sun_x), land, view.land)
        flock(
            picture,
            t,
            seed=3,
            count=9,
            colour=rgb("#2a2334"),
            span=0.022,
            drift=(-0.05, -0.006),
            region=(0.15, 0.55, -0.20, -0.05),
        )
        return picture

    def sky(self, camera: Camera, t: float, side: np.ndarray, row: np.ndarray, sun_x: float) -> Picture:
        picture = np.broadcast_to(ramp(-row, *SKY), (row.shape[0], side.shape[1], 3))
        far = 0.16 / np.maximum(0.10 - row, 0.04)
        u = (side - sun_x) * far * 0.8
        cloud = self.clouds.at((u + 0.006 * t).astype(np.float32), np.broadcast_to(far, u.shape).astype(np.float32))
        away = np.hypot(side - sun_x, -row - SUN[1])
        lit = mix(np.broadcast_to(rgb("#9a6a86"), picture.shape), rgb("#ffc792") * 1.1, np.exp(-away * 1.6))
        picture = mix(picture, lit, 0.75 * cloud * smoothstep(0.0, 0.10, -row))
        glow = 0.9 * np.exp(-away * 6) + 0.5 * np.exp(-away * 1.8)
        disk = smoothstep(0.036, 0.033, away)
        return picture + glow[..., None] * rgb("#ffb066") * 0.8 + disk[..., None] * rgb("#fff0cc") * 1.6
