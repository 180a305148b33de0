"""The end: a lamp of pierced brass turns and throws its stars on a wall; the title card is laid over it."""

import numpy as np

from atlas.light import Picture, grid, mix, ramp, rgb, smoothstep
from atlas.noise import Plane, fractal
from atlas.relief import Tile
from atlas.zellige import star_distance

LAMP = (-0.56, -0.17)
RADIUS = 0.135
SPIN = 0.32  # radians a second


class Lamp:
    def __init__(self, rng: np.random.Generator) -> None:
        self.plaster = Tile(fractal(rng, 1024, first=5, octaves=8, gain=0.65), levels=3)
        self.brass = Tile(fractal(rng, 512, first=8, octaves=5, gain=0.7, stretch=0.3), levels=2)

    def frame(self, t: float, width: int, height: int) -> Picture:
        x, y = grid(width, height)
        x, y = x * (1.02 - 0.02 * t) + 0.02 * t - 0.02, y * (1.02 - 0.02 * t)
        sway = 0.012 * np.sin(1.6 * t)
        x = x - LAMP[0] - sway * (y + 0.6)
        y = y - LAMP[1]
        return self.body(self.wall(x, y, t), x, y, t)

    def wall(self, x: Plane, y: Plane, t: float) -> Picture:
        """Light through the holes: rings of stars that grow with the distance from the lamp and turn with it."""
        away, angle = np.hypot(x, y * 1.06), np.arctan2(y, x)
        ring = np.log(np.maximum(away, 0.05)) * 3.1
        soft = 0.02 + 0.035 * away
        row = np.floor(ring)
        around = (angle + SPIN * t) / (2 * np.pi) * 14 + 0.5 * np.mod(row, 2)
        star = star_distance(np.mod(around, 1) - 0.5, np.mod(ring, 1) - 0.5)
        beams = smoothstep(0.29 + soft, 0.29 - soft, star) * (
            1 - 0.8 * smoothstep(0.12, 0.13 + soft, star) * smoothstep(0.21 + soft, 0.20, star)
        )
        rough = self.plaster.at(x * 0.6, y * 0.6)
        fine = self.plaster.at(x * 1.9, y * 1.9)
        plaster = ramp(rough + 0.3 * fine, (-2, rgb("#6e4630")), (0, rgb("#94624a")), (2, rgb("#b5835f")))
        fall = np.exp(-away * 1.15)
        light = 0.055 + fall * (0.10 + 1.25 * beams * (1 + 0.12 * fine))
        return plaster * light[..., None] * rgb("#ffc890") * 1.5 + plaster * rgb("#30406a") * 0.05

    def body(self, picture: Picture, x: Plane, y: Plane, t: float) -> Picture:
        """The lamp itself: a ball of brass with glowing stars in it, a cap, a chain."""
        across, up = x / RADIUS, y / (RADIUS * 1.12)
        reach = np.hypot(across, up)
        bulge = np.sqrt(np.maximum(1 - reach * reach, 0))
        latitude = np.arcsin(np.clip(up, -1, 1))
        longitude = np.arcsin(np.clip(across / np.maximum(np.cos(latitude), 0.05), -1, 1))
        around = (longitude - SPIN * t) / (2 * np.pi) * 14
        ring = latitude * 2.3
        row = np.floor(ring)
        star = star_distance(np.mod(around + 0.5 * np.mod(row, 2), 1) - 0.5, np.mod(ring, 1) - 0.5)
        holes = (
            smoothstep(0.29, 0.24, star)
            * (1 - smoothstep(0.13, 0.15, star) * smoothstep(0.21, 0.19, star))
            * smoothstep(1.0, 0.9, reach)
        )
        metal = self.brass.at(longitude * 0.2 - 0.05 * SPIN * t, latitude * 0.3)
        brass = (
            ramp(metal, (-2, rgb("#3a2410")), (2, rgb("#8a6428")))
            * (0.25 + 0.55 * np.clip(0.4 * bulge - 0.6 * across - 0.3 * up, 0, 1))[..., None]
        )
        ball = mix(brass, rgb("#fff0c8") * (1.0 + 0.9 * bulge)[..., None], holes)
        picture = mix(picture, rgb("#c08a3c") * 0.30, smoothstep(0.006, 0.003, np.abs(x)) * (y < -RADIUS))
        cap = smoothstep(
            0.004, -0.004, np.abs(x) - np.interp(y, [-0.215, -0.205, -0.150, -0.13], [0.0, 0.018, 0.045, 0.085])
        ) * (y < -0.125)
        picture = mix(picture, rgb("#9a6c2c") * (0.30 - 2.2 * x)[..., None], cap)
        picture = mix(picture, ball, smoothstep(1.01, 0.985, reach))
        halo = np.exp(-np.maximum(reach - 0.7, 0) * 2.4)
        return picture + halo[..., None] * rgb("#ffb45c") * 0.20
