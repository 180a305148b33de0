"""Night in the desert: the stars turn about the pole, the Milky Way, a tent, people around a fire that lights them."""

import cv2
import numpy as np

from atlas.light import Picture, grid, mix, ramp, rgb, smoothstep
from atlas.noise import Plane, fractal
from atlas.people import walker
from atlas.relief import Tile
from atlas.stage import lay

STARS = 5200
POLE = (0.22, -0.34)  # in picture heights from the middle
TURN = 0.016  # radians a second: time runs some hundred times faster in the sky
FIRE = (-0.12, 0.262)
SPARKS = 46
COMPANY = (
    ("#6a5a48", "#c8b48c", "cap"),
    ("#8a2f24", "#d8b05a", "scarf"),
    ("#34507c", "#20304c", "hood"),
    ("#b8a888", "#6a4a30", "hood"),
)
ZOOM = np.float32(0.80)


class Night:
    def __init__(self, rng: np.random.Generator) -> None:
        radius = np.sqrt(rng.uniform(0, 1.9**2, STARS))
        self.stars = np.column_stack([radius, rng.uniform(0, 2 * np.pi, STARS)]).astype(np.float32)
        self.bright = (0.08 + 1.6 * rng.power(0.12, STARS) ** 6).astype(np.float32)
        tint = rng.uniform(-1, 1, STARS).astype(np.float32)[:, None]
        self.tint = 1 + np.maximum(tint, 0) * [[0.1, -0.1, -0.3]] - np.minimum(tint, 0) * [[-0.25, -0.08, 0.2]]
        self.phases = rng.uniform(0, 6.3, STARS).astype(np.float32)
        self.dust = Tile(fractal(rng, 512, first=3, octaves=7, gain=0.65), levels=1)
        self.sand = Tile(fractal(rng, 1024, first=5, octaves=8, gain=0.7, stretch=2.0), levels=4)
        self.flames = Tile(fractal(rng, 256, first=3, octaves=5, gain=0.6), levels=1)
        self.crests = fractal(rng, 512, first=2, octaves=4, gain=0.35)[:3]
        self.people = [seated(*walker(rng, rgb(cloth), rgb(trim), hat=hat)) for cloth, trim, hat in COMPANY]
        self.sparks = rng.uniform(0, 1, (SPARKS, 4)).astype(np.float32)

    def frame(self, t: float, width: int, height: int) -> Picture:
        x, y = grid(width, height)
        x = x * ZOOM + 0.028 * t - 0.06
        y = y * ZOOM - 0.014 * t + 0.02
        flicker = 1 + 0.16 * np.sin(11 * t) * np.sin(7.3 * t + 1) + 0.10 * np.sin(23 * t)
        picture = self.sky(x, y, t)
        self.shine(picture, t)
        picture = self.desert(picture, x, y, flicker)
        picture = self.tent(picture, x, y, flicker)
        self.company(picture, t, flicker)
        return self.fire(picture, x, y, t, flicker)

    def place(self, x: float, y: float, t: float, width: int, height: int) -> tuple[float, float]:
        """Pixel of a place given in the slowly moving coordinates of the scene."""
        return (x - 0.028 * t + 0.06) / ZOOM * height + width / 2, (y + 0.014 * t - 0.02) / ZOOM * height + height / 2

    def sky(self, x: Plane, y: Plane, t: float) -> Picture:
        glow = ramp(y, (-0.6, rgb("#0d1730")), (-0.1, rgb("#16294a")), (0.15, rgb("#3a4a66")), (0.24, rgb("#5c5a68")))
        cos, sin = np.cos(TURN * t), np.sin(TURN * t)
        dx, dy = x - np.float32(POLE[0]), y - np.float32(POLE[1])
        u, v = cos * dx + sin * dy, cos * dy - sin * dx
        along, across = 0.8 * u + 0.6 * v, 0.8 * v - 0.6 * u
        dust = self.dust.at(along * 0.55, across * 0.55 + np.float32(0.3))
        fine = self.dust.at(along * 1.7 + np.float32(0.4), across * 1.7)
        band = np.exp(-((across - 0.12 - 0.04 * dust) ** 2) / 0.022)
        lane = smoothstep(-0.1, 1.2, dust + 0.6 * fine) * np.exp(-((across - 0.10) ** 2) / 0.006)
        milk = band * (0.55 + 0.18 * fine + 0.2 * dust) * (1 - 0.75 * lane)
        return glow + np.maximum(milk, 0)[..., None] * rgb("#9a9cc4") * 0.42

    def shine(self, picture: Picture, t: float) -> None:
        """Draw the stars as spots of one and a half pixels at 720 lines, twinkling low over the ground, and a meteor."""
        height, width = picture.shape[:2]
        angle = self.stars[:, 1] + TURN * t
        px, py = self.place(
            POLE[0] + self.stars[:, 0] * np.cos(angle), POLE[1] + self.stars[:, 0] * np.sin(angle), t, width, height
        )
        inside = (px > 2) & (px < width - 3) & (py > 2) & (py < height - 3)
        px, py = px[inside], py[inside]
        twinkle = 1 + 0.35 * np.sin(9 * t + self.phases[inside]) * np.sin(5.1 * t + 2 * self.phases[inside])
        power = (self.bright[inside] * twinkle)[:, None] * self.tint[inside] * max(1.0, height / 720) * 1.5
        column, row = np.floor(px).astype(int), np.floor(py).astype(int)
        for dy in (-1, 0, 1, 2):
            for dx in (-1, 0, 1, 2):
                spot = np.exp(-((column + dx - px) ** 2 + (row + dy - py) ** 2) / 0.9)
                np.add.at(picture, (row + dy, column + dx), power * spot[:, None])
        fall = np.clip((t - 2.1) / 0.6, 0, 1)
        if 0 < fall < 1:
            trail = np.zeros((height, width), np.uint8)
            ends = [self.place(-0.62 + 0.5 * s, -0.36 + 0.22 * s, t, width, height) for s in (max(0, fall - 0.35), fall)]
            points = [tuple(int(c * 16) for c in end) for end in ends]
            cv2.line(trail, points[0], points[1], 255, max(1, round(height / 700)), cv2.LINE_AA, 4)
            picture += (
                (cv2.GaussianBlur(trail, (0, 0), height / 900).astype(np.float32) / 255)[..., None]
                * float(np.sin(np.pi * fall))
                * 1.4
            )

    def desert(self, picture: Picture, x: Plane, y: Plane, flicker: float) -> Picture:
        across = np.linspace(-1.3, 1.3, 512)
        for index, (level, rise, tone) in enumerate(((0.17, 0.05, "#26304a"), (0.215, 0.035, "#1a2236"))):
            line = np.interp(x[0], across, self.crests[index]).astype(np.float32) * rise
            ridge = np.abs(line) * 0.9
            picture = mix(picture, rgb(tone) * 0.9, smoothstep(-0.0015, 0.0015, y - level + ridge[None, :]))
        line = np.interp(x[0], across, self.crests[2]).astype(np.float32) * 0.012
        ground = smoothstep(-0.0015, 0.0015, y - 0.235 - line[None, :])
        depth = np.maximum(y - 0.20, 0.012)
        grain = self.sand.at(x / depth * np.float32(0.03), np.float32(0.02) / depth)
        reach = np.hypot((x - FIRE[0]) * 0.75, (y - FIRE[1] - 0.02) * 2.6)
        warm = np.exp(-reach * 4.2) * flicker
        bright = (1 + 0.22 * grain)[..., None]
        sand = bright * (rgb("#2a3552") * 0.55 + warm[..., None] * rgb("#ffb060") * 0.9)
        return mix(picture, sand, ground)

    def tent(self, picture: Picture, x: Plane, y: Plane, flicker: float) -> Picture:
        """A low black tent of goat hair, right of the fire, lit on the side that faces it."""
        across = (x - 0.42) / 0.30
        roof = (
            0.085
            + 0.12 * np.exp(-((across + 0.25) ** 2) * 9)
            + 0.10 * np.exp(-((across - 0.45) ** 2) * 9)
            - 0.08 * np.abs(across) ** 3
        )
        cover = smoothstep(0, 0.004, roof - (0.295 - y)) * smoothstep(1.0, 0.985, np.abs(across)) * smoothstep(0.297, 0.292, y)
        stripes = 0.75 + 0.25 * np.sin(across * 46 + 4 * roof) + 0.12 * self.sand.at(x * 3, y * 9)
        lit = np.exp(-np.hypot(x - FIRE[0], 1.5 * (y - FIRE[1])) * 2.6) * flicker
        cloth = stripes[..., None] * (rgb("#1d1a20") * 0.5 + lit[..., None] * rgb("#c8783c") * 0.9)
        opening = smoothstep(0.012, 0.0, np.abs(across + 0.42) * 0.3 - (y - 0.225) * 0.5) * smoothstep(0.215, 0.225, y)
        inside = rgb("#ffae58") * 0.55 * np.exp(-np.abs(across[..., None] + 0.40) * 4)
        return mix(picture, mix(cloth, inside.astype(np.float32), opening), cover)

    def company(self, picture: Picture, t: float, flicker: float) -> None:
        """People sit around the fire: the upper halves of standing figures, warm on the side of the flames."""
        height, width = picture.shape[:2]
        for index, (x, y, size) in enumerate(
            ((-0.33, 0.245, 0.26), (-0.235, 0.225, 0.22), (0.02, 0.228, 0.23), (0.115, 0.25, 0.27))
        ):
            sprite, alpha = self.people[index]
            side = np.linspace(0, 1, 332, dtype=np.float32)[None, :]
            warm = (side if x < FIRE[0] else 1 - side) * 2.2 * flicker
            lit = sprite * (warm[..., None] * rgb("#ffb870") + rgb("#33456e") * 0.5)
            px, py = self.place(x, y, t, width, height)
            sway = 0.03 * np.sin(1.4 * t + 1.7 * index)
            lay(picture, lit.astype(np.float32), alpha, x=px, y=py, scale=size * height / 512, turn=float(sway))

    def fire(self, picture: Picture, x: Plane, y: Plane, t: float, flicker: float) -> Picture:
        height, width = picture.shape[:2]
        u, v = (x - FIRE[0]) / 0.055, (FIRE[1] + 0.03 - y) / 0.13  # v: 0 at the wood, 1 at the tips
        curl = self.flames.at(u * 0.13 + 0.1 * t, v * 0.16 - 0.62 * t) + 0.35 * self.flames.at(u * 0.35, v * 0.42 - 1.2 * t)
        body = (
            1.25 - np.abs(u + 0.35 * curl * np.clip(v, 0, 1)) * (0.95 + 1.1 * v) - v * 1.0 + 0.30 * curl * smoothstep(0, 0.5, v)
        )
        heat = np.clip(body, 0, 1.2) * smoothstep(-0.06, 0.08, v)
        flame = ramp(
            heat,
            (0, rgb("#000000")),
            (0.25, rgb("#b02808")),
            (0.5, rgb("#ff7a18")),
            (0.8, rgb("#ffc850")),
            (1.1, rgb("#fff4c8")),
        )
        halo = np.exp(-np.hypot(x - FIRE[0], (y - FIRE[1] + 0.03) * 0.9) * 9) * 0.40 * flicker
        picture = picture * (1 - 0.8 * smoothstep(0.2, 0.7, heat))[..., None] + flame * 1.4 + halo[..., None] * rgb("#ff9a48")
        life = np.mod(self.sparks[:, 0] + t * (0.30 + 0.25 * self.sparks[:, 1]), 1)
        sx = (
            FIRE[0]
            + 0.05 * (self.sparks[:, 2] - 0.5)
            + 0.06 * life * np.sin(5 * life + 6.3 * self.sparks[:, 3])
            + 0.07 * life**2
        )
        px, py = self.place(sx, FIRE[1] - 0.02 - 0.42 * life * (0.4 + 0.8 * self.sparks[:, 3]), t, width, height)
        inside = (px > 1) & (px < width - 2) & (py > 1) & (py < height - 2)
        column, row = px[inside].astype(int), py[inside].astype(int)
        glow = ((1 - life[inside]) ** 1.5)[:, None] * rgb("#ff9a3c") * 1.6
        for dy, dx, share in ((0, 0, 1), (1, 0, 0.5), (0, 1, 0.5), (1, 1, 0.25)):
            np.add.at(picture, (row + dy, column + dx), glow * share)
        return picture


def seated(sprite: Picture, alpha: Plane) -> tuple[Picture, Plane]:
    """The upper half of a standing figure whose robe spreads over crossed legs: (290, 332, 3) and its alpha, premultiplied."""
    y, x = np.mgrid[0:290, 0:332].astype(np.float32)
    spread = 1.25 + 0.75 * smoothstep(175, 265, y)
    sprite, alpha = (cv2.remap(part, (x - 166) / spread + 128, y, cv2.INTER_LINEAR) for part in (sprite, alpha))
    ground = smoothstep(0, 10, 268 + 16 * np.sqrt(np.maximum(1 - ((x - 166) / 150) ** 2, 0)) - y)
    dusk = ground * (1 - 0.75 * smoothstep(215, 280, y))
    return (sprite * dusk[..., None]).astype(np.float32), (alpha * ground).astype(np.float32)
