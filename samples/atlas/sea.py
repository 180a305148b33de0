"""The Atlantic off the old port: swell, glitter, foam, a blue boat, gulls; the camera stands on another boat."""

import cv2
import numpy as np

from atlas.birds import flock
from atlas.light import Picture, mix, ramp, rgb, smoothstep
from atlas.noise import Plane, fractal, gradient
from atlas.relief import Camera, Tile, View, look
from atlas.stage import lay

SKY = ((-0.3, rgb("#dfe7ea")), (0.0, rgb("#dbe6ea")), (0.18, rgb("#86b3cf")), (0.7, rgb("#2f6ea6")), (1.5, rgb("#1d4f86")))
SUN = (0.42, 0.34)  # where its glitter lies: sideways slope and height of the sun
SWELL = 0.0048


class Sea:
    def __init__(self, rng: np.random.Generator) -> None:
        self.swell = Tile(fractal(rng, 512, first=5, octaves=4, gain=0.45, stretch=0.5), levels=4)
        self.chop = tuple(Tile(slopes(fractal(rng, 1024, first=first, octaves=5, gain=0.54)), levels=7) for first in (10, 14))
        self.froth = Tile(fractal(rng, 1024, first=20, octaves=4, gain=0.6), levels=6)
        self.clouds = Tile(smoothstep(-0.1, 1.8, fractal(rng, 512, first=3, octaves=7, gain=0.55, stretch=0.6)), levels=1)
        self.coast = fractal(rng, 512, first=3, octaves=7, gain=0.55)[0]
        self.boat = boat(rng)

    def lift(self, u: Plane, v: Plane, t: float, level: int) -> Plane:
        """The height of the water, two swells running through each other."""
        one = self.swell.at(u * 0.9 + np.float32(0.05 * t), v * 0.9 + np.float32(0.085 * t), level=level)
        two = self.swell.at(v * 1.7 - np.float32(0.07 * t), u * 1.7 + np.float32(0.10 * t), level=level)
        return SWELL * (0.75 * one + 0.35 * two)

    def frame(self, t: float, width: int, height: int) -> Picture:
        bob = 0.006 * np.sin(1.5 * t) + 0.002 * np.sin(3.1 * t)
        camera = Camera(x=0.3 + 0.012 * t, y=0.1 + 0.016 * t, z=0.062 + bob, heading=0.25 + 0.022 * t, focal=1.25,
                        horizon=0.36 + 0.022 * np.sin(1.1 * t), near=0.02, far=4)  # fmt: skip
        view = look(lambda u, v: self.lift(u, v, t, 1), camera, width, height)
        picture = mix(self.sky(camera, t, width, height), self.water(view, camera, t, width, height), view.land)
        self.sail(picture, view, camera, t)
        flock(
            picture,
            t,
            seed=5,
            count=7,
            colour=rgb("#f5f7f8"),
            span=0.035,
            drift=(0.09, -0.012),
            region=(-0.7, 0.5, -0.42, -0.18),
        )
        roll = cv2.getRotationMatrix2D((width / 2, height / 2), 1.2 * float(np.sin(1.0 * t)), 1.04)
        return cv2.warpAffine(picture, roll, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)

    def water(self, view: View, camera: Camera, t: float, width: int, height: int) -> Picture:
        scale = 1.4 * 1024 / (camera.focal * height)  # a little soft: far water would glitter from frame to frame
        one = self.chop[0].seen(moved(view, 1.6, 0.05 * t, 0.09 * t), scale * 1.6)
        two = self.chop[1].seen(moved(view, 2.3, -0.08 * t, 0.07 * t), scale * 2.3)
        lean = (one + two) * 0.055  # slopes of the surface across and along, (height, width, 2)
        step = np.float32(0.004)
        here = self.lift(view.u, view.v, t, 0)
        calm = np.exp(-view.depth * 0.5)
        lean[..., 0] += (self.lift(view.u + step, view.v, t, 0) - here) / step * calm * 0.8
        lean[..., 1] += (self.lift(view.u, view.v + step, t, 0) - here) / step * calm * 0.8
        cos, sin = np.float32(np.cos(camera.heading)), np.float32(np.sin(camera.heading))
        across, along = cos * lean[..., 0] - sin * lean[..., 1], sin * lean[..., 0] + cos * lean[..., 1]
        row = ((np.arange(height, dtype=np.float32) + 0.5) / height - camera.horizon)[:, None] / np.float32(camera.focal)
        side = ((np.arange(width, dtype=np.float32) + 0.5 - width / 2) / height / camera.focal)[None, :]
        graze = np.clip(np.maximum(row, 0.015) + along, 0.015, 1)  # how steeply the eye meets the surface
        mirror = 0.03 + 0.97 * (1 - graze) ** 7
        up = np.maximum(row, 0) - 2 * along  # height in the sky that is reflected
        deep = ramp(here / SWELL + along * 2, (-2, rgb("#06283c")), (0, rgb("#0f4a5c")), (2, rgb("#2b8c8c")))
        water = mix(deep, ramp(np.abs(up) + 0.03, *SKY), mirror * 0.9)
        glint = np.exp(-(((side - SUN[0] - 2 * across) / 0.10) ** 2) - ((up - SUN[1]) / 0.12) ** 2)
        water = water + (1.5 * glint)[..., None] * rgb("#fff2d0")
        crest = self.froth.seen(moved(view, 1.4, 0.03 * t, 0.055 * t), scale * 1.4)
        foam = smoothstep(1.25, 1.95, here / SWELL + 0.5 * crest + 0.5 * along) * smoothstep(-0.7, 1.3, crest)
        water = mix(water, rgb("#eef4f4") * 0.95, foam * 0.85)
        return mix(np.broadcast_to(rgb("#c9dbe2"), water.shape), water, np.exp(-view.depth * 0.25))

    def sky(self, camera: Camera, t: float, width: int, height: int) -> Picture:
        rows = camera.horizon - (np.arange(height, dtype=np.float32) + 0.5) / height
        band = ramp(rows / camera.focal, *SKY)[:, None, :]
        side = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / height
        far = 0.10 / np.maximum(rows + 0.05, 0.02)[:, None]
        u = (side[None, :] * far + np.float32(camera.heading * 0.5 + 0.01 * t)).astype(np.float32)
        cloud = (
            self.clouds.at(u, np.broadcast_to(far * 1.3, u.shape).astype(np.float32)) * smoothstep(-0.02, 0.1, rows)[:, None]
        )
        picture = mix(np.broadcast_to(band, (height, width, 3)), rgb("#ffffff"), 0.9 * cloud)
        ridge = np.interp(side + camera.heading * 1.2, np.linspace(-1.5, 2.0, 512), self.coast)
        rise = 0.020 + 0.014 * ridge * smoothstep(1.3, 0.3, side + camera.heading * 1.2)
        return mix(picture, rgb("#7d95a6"), smoothstep(0.002, -0.002, rows[:, None] - rise[None, :].astype(np.float32)))

    def sail(self, picture: Picture, view: View, camera: Camera, t: float) -> None:
        """The boat rides the swell of its own place."""
        height, width = view.depth.shape
        ahead, aside = 0.36, 0.10 - 0.012 * t
        cos, sin = np.cos(camera.heading), np.sin(camera.heading)
        u, v = np.array([[[camera.x + ahead * sin + aside * cos]], [[camera.y + ahead * cos - aside * sin]]], np.float32)
        lift, beyond = float(self.lift(u, v, t, 1)[0, 0]), float(self.lift(u + np.float32(0.02), v, t, 1)[0, 0])
        scale = camera.focal * height / ahead
        sprite, alpha = self.boat
        turn = 0.05 * np.sin(1.7 * t) - 0.25 * np.clip((beyond - lift) / 0.02, -0.4, 0.4)
        draught = camera.horizon * height - (lift - camera.z + 0.017) * scale
        lay(picture, sprite, alpha, x=width / 2 + aside * scale, y=draught, scale=0.13 * scale / 512, turn=turn)


def moved(view: View, zoom: float, du: float, dv: float) -> View:
    return View(
        u=view.u * np.float32(zoom) + np.float32(du),
        v=view.v * np.float32(zoom) + np.float32(dv),
        depth=view.depth,
        land=view.land,
    )


def slopes(plane: Plane) -> np.ndarray:
    dy, dx = gradient(plane)
    return np.stack([dx / dx.std(), dy / dy.std()], axis=-1).astype(np.float32)


def boat(rng: np.random.Generator) -> tuple[Picture, Plane]:
    """A fishing boat from the side, painted the blue of the port; the foot of the sprite lies under water."""
    ink = np.zeros((384, 512, 3), np.uint8)
    cover = np.zeros((384, 512), np.uint8)

    def polygon(points: list[tuple[int, int]], colour: str) -> None:
        shape = np.array([(x * 16, y * 16) for x, y in points])
        cv2.fillPoly(ink, [shape], [int(colour[i : i + 2], 16) for i in (1, 3, 5)], cv2.LINE_AA, 4)
        cv2.fillPoly(cover, [shape], 255, cv2.LINE_AA, 4)

    polygon([(238, 60), (246, 60), (250, 250), (236, 250)], "#4a3524")
    polygon([(120, 190), (130, 186), (243, 96), (246, 104)], "#5a4632")
    for rope in ((60, 236), (440, 226)):
        polygon([(241, 66), (243, 66), (rope[0] + 2, rope[1]), (rope[0] - 1, rope[1])], "#3b342e")
    polygon([(290, 170), (372, 166), (380, 250), (286, 250)], "#e9e4d6")
    polygon([(282, 160), (382, 156), (382, 170), (282, 174)], "#c8552b")
    for x in (300, 328, 354):
        polygon([(x, 184), (x + 16, 183), (x + 16, 204), (x, 205)], "#20303c")
    polygon([(30, 212), (110, 244), (380, 246), (482, 206), (446, 300), (400, 330), (120, 330), (70, 290)], "#1f62a8")
    polygon([(30, 212), (110, 244), (380, 246), (482, 206), (479, 218), (382, 260), (108, 258), (34, 224)], "#e8e6da")
    polygon([(64, 282), (120, 296), (400, 296), (452, 284), (440, 308), (400, 330), (120, 330), (72, 296)], "#a8332a")
    polygon([(150, 200), (176, 196), (180, 246), (146, 246)], "#d9902e")
    polygon([(155, 178), (170, 178), (172, 198), (153, 198)], "#8a5a3c")
    wear = fractal(rng, 512, first=6, octaves=6, gain=0.7)[:384]
    surface = smoothstep(322, 296, np.arange(384, dtype=np.float32)[:, None] + 9 * wear)
    alpha = cover.astype(np.float32) / 255 * surface
    down = np.interp(np.arange(384), [0, 250, 330], [1.1, 1.0, 0.55]).astype(np.float32)[:, None]
    picture = (ink.astype(np.float32) / 255) ** 2 * (down * (1 + 0.14 * wear))[..., None]
    spray = smoothstep(0.2, 1.0, wear + 0.4) * np.exp(-(((np.arange(384)[:, None] - 305) / 12) ** 2)) * (cover > 0)
    picture = mix(picture, rgb("#e8f0f0"), spray.astype(np.float32))
    return (picture * alpha[..., None]).astype(np.float32), alpha
