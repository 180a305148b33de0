"""A face: a man in an indigo turban and veil looks into the desert light, blinks, glances aside, and turns to us."""

import cv2
import numpy as np

from atlas.eyes import EYE, open_eyes
from atlas.light import Picture, grid, mix, ramp, rgb, smoothstep
from atlas.noise import Plane, fractal, gradient
from atlas.relief import Tile

UNIT = 400  # texels of the face's half height
HALF = (1.6, 1.25)  # the canvas reaches so far from the middle of the face, in face units
SUN = np.array([-0.62, -0.50, 0.60], np.float32)
SKY = np.array([0.75, -0.45, 0.35], np.float32)


class Portrait:
    def __init__(self, rng: np.random.Generator) -> None:
        y, x = np.mgrid[-HALF[1] : HALF[1] : 1 / UNIT, -HALF[0] : HALF[0] : 1 / UNIT].astype(np.float32)
        self.x, self.y = x, y
        pores, patches = self.field(rng, 1024, 150, 3, 0.8), self.field(rng, 1024, 5, 6, 0.6)
        turban = smoothstep(0.008, -0.008, y - turban_edge(x))
        bare = soft_least(soft_least(y - turban_edge(x), veil_edge(x) + 0.006 * patches - y), 0.61 - 0.08 * y * y - np.abs(x))
        cloth = smoothstep(0.008, -0.008, bare)
        wrinkled, creases = self.field(rng, 1024, 3, 3, 0.45), self.field(rng, 1024, 12, 5, 0.55)
        flesh = face(x, y) + 0.0009 * pores - crows_feet(x, y)
        self.depth = flesh * (1 - cloth) + drapery(x, y, turban, wrinkled, creases) * cloth
        self.cloth, self.smooth = cloth, cv2.GaussianBlur(self.depth, (0, 0), 14)
        dy, dx = np.gradient(cv2.GaussianBlur(self.depth, (0, 0), 1.2) * UNIT)
        self.slope = np.stack([dx, dy], axis=-1).astype(np.float32)
        over = cv2.GaussianBlur(cloth, (0, 0), 26)
        shadow = np.roll(over, (16, 10), (0, 1)) * (1 - cloth)
        crease = np.clip(1 + (self.depth - cv2.GaussianBlur(self.depth, (0, 0), 9)) * 16, 0.35, 1.15)
        self.open_sky = ((1 - 0.75 * smoothstep(0.15, 0.75, shadow)) * crease).astype(np.float32)
        self.albedo = self.paint(x, y, pores, patches, wrinkled)
        self.flutter = Tile(np.stack(gradient(fractal(rng, 512, first=3, octaves=4, gain=0.5)), axis=-1) * 24, levels=1)
        self.far = Tile(fractal(rng, 256, first=2, octaves=3), levels=1)
        self.iris = rng.uniform(0.7, 1.3, 96).astype(np.float32)

    def field(self, rng: np.random.Generator, size: int, first: float, octaves: int, gain: float) -> Plane:
        """Noise over the whole canvas, not wrapped."""
        plane = fractal(rng, size, first=first, octaves=octaves, gain=gain)
        return np.tile(plane, (1, 2))[: self.x.shape[0], : self.x.shape[1]]

    def paint(self, x: Plane, y: Plane, pores: Plane, patches: Plane, wrinkled: Plane) -> Picture:
        skin = ramp(patches * 0.5 + 0.25 * pores, (-1.5, rgb("#784c36")), (0, rgb("#96664a")), (1.5, rgb("#ae7e60")))
        flush = np.exp(-((x / 0.10) ** 2) - ((y - 0.10) / 0.18) ** 2) + np.exp(
            -(((np.abs(x) - 0.42) / 0.16) ** 2) - ((y - 0.14) / 0.10) ** 2
        )
        skin = mix(skin, rgb("#a4503a"), 0.35 * flush)
        socket = np.exp(-(((np.abs(x) - EYE[0]) / 0.19) ** 2) - ((y - EYE[1] + 0.005) / 0.095) ** 2)
        skin = mix(skin, rgb("#4a2a20"), 0.55 * socket)
        hairs = np.sin(x * 330 + np.sign(x) * y * 420 + 3 * wrinkled) * 0.5 + 0.5
        arch = y - (EYE[1] - 0.168 + 0.6 * (np.abs(x) - 0.29) ** 2 - 0.022 * smoothstep(0.10, 0.3, np.abs(x)))
        brow = (
            smoothstep(0.034, 0.016, np.abs(arch) + 0.012 * (1 - hairs))
            * smoothstep(0.09, 0.14, np.abs(x))
            * smoothstep(0.52, 0.42, np.abs(x))
        )
        skin = mix(skin, rgb("#1c120e"), brow * (0.55 + 0.4 * hairs))
        weave = 1 + 0.10 * np.sin(x * UNIT * 1.5) * np.sin(y * UNIT * 1.5) + 0.07 * pores
        faded = ramp(wrinkled + 0.5 * patches, (-2, rgb("#172250")), (0, rgb("#263a7a")), (2, rgb("#4660a4")))
        return mix(skin, faded * weave[..., None], self.cloth).astype(np.float32)

    def frame(self, t: float, width: int, height: int) -> Picture:
        yaw = 0.26 - 0.34 * smoothstep(0.6, 3.4, t) + 0.02 * np.sin(1.9 * t)
        nod = 0.03 * np.sin(0.9 * t + 1) - 0.03 * smoothstep(3.0, 4.0, t)
        canvas = self.shade(t, yaw)
        x, y = grid(width, height)
        zoom = 1.52 - 0.045 * t
        sx, sy = x * zoom + 0.10 - 0.02 * t, y * zoom - 0.06
        depth = self.sample(self.smooth, sx, sy)
        fx = sx + (depth - 0.45) * yaw
        fy = sy + (depth - 0.45) * nod
        picture = self.sample(canvas, fx, fy)
        body = self.silhouette(fx, fy, t)
        return mix(self.backdrop(sx, sy, t), picture, body)

    def sample(self, plane: np.ndarray, x: Plane, y: Plane) -> np.ndarray:
        place_x, place_y = (x + HALF[0]) * UNIT, (y + HALF[1]) * UNIT
        return cv2.remap(
            plane, place_x.astype(np.float32), place_y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )

    def shade(self, t: float, yaw: float) -> Picture:
        """The canvas in the light of this moment: the sun keeps its place while the head turns."""
        wave = self.flutter.at(self.x * 0.30 - np.float32(0.10) * t, self.y * 0.45 + np.float32(0.03) * t)
        slope = self.slope + 0.35 * wave * self.cloth[..., None]
        length = 1 / np.sqrt(1 + slope[..., 0] ** 2 + slope[..., 1] ** 2)
        cos, sin = np.cos(yaw), np.sin(yaw)

        def facing(light: np.ndarray) -> Plane:
            across, up, ahead = cos * light[0] + sin * light[2], light[1], cos * light[2] - sin * light[0]
            return (ahead - slope[..., 0] * across - slope[..., 1] * up) * length

        sun, sky = facing(SUN), np.maximum(facing(SKY), 0)
        soft = 1 - self.cloth
        wrapped = np.clip(
            (sun[..., None] + np.float32([0.32, 0.18, 0.12]) * soft[..., None]) / (1 + 0.2 * soft[..., None]), 0, 1
        )
        shine = np.clip(facing(np.float32([-0.33, -0.27, 0.90])), 0, 1)
        gloss = shine**26 * (0.10 + 0.05 * soft) * self.open_sky
        cloud = 1 + 0.06 * np.sin(0.8 * t)
        light = wrapped * rgb("#ffeed4") * (2.0 * cloud) * (0.35 + 0.65 * self.open_sky[..., None])
        light += self.open_sky[..., None] * (0.30 * rgb("#a8c0ec") + sky[..., None] * rgb("#9cc0f0") * 0.55)
        canvas = self.albedo * light + gloss[..., None] * rgb("#ffeccc")
        open_eyes(canvas, t, self.iris, HALF, UNIT)
        return canvas

    def silhouette(self, x: Plane, y: Plane, t: float) -> Plane:
        """1 inside turban, head and shoulders."""
        crown = smoothstep(1.03, 1.015, np.hypot(x / 0.90, (y + 0.38) / (0.92 + 0.03 * np.sin(7 * x))))
        neck = smoothstep(
            0.01, -0.01, np.abs(x) - 0.80 - 0.55 * smoothstep(0.45, 1.1, y) - 0.02 * np.sin(3 * t + 6 * y)
        ) * smoothstep(0.0, 0.05, y)
        return np.maximum(crown, neck)

    def backdrop(self, x: Plane, y: Plane, t: float) -> Picture:
        """Dunes and sky, far out of focus."""
        haze = self.far.at(x * 0.16 + 0.012 * t, y * 0.28)
        sand = ramp(
            y + 0.20 * haze,
            (-0.9, rgb("#8fb4d6")),
            (-0.25, rgb("#e2d2b8")),
            (-0.1, rgb("#e0a868")),
            (0.5, rgb("#c88848")),
            (1.2, rgb("#a86c38")),
        )
        return sand * (0.9 + 0.12 * self.far.at(x * 0.5 + 0.03 * t, y * 0.9))[..., None]


def turban_edge(x: Plane) -> Plane:
    """How low the turban comes on the forehead (y grows downward)."""
    return -0.355 + 0.42 * x * x + 0.05 * x


def veil_edge(x: Plane) -> Plane:
    """How high the veil reaches: over the nose, under the eyes."""
    return 0.235 - 0.115 * np.exp(-((x / 0.16) ** 2)) - 0.16 * x * x


def soft_least(one: Plane, two: Plane) -> Plane:
    """The lesser of two distances, rounded where they are alike, so that the opening has no corners."""
    near = np.clip(0.5 + (two - one) / 0.16, 0, 1)
    return two + (one - two) * near - 0.08 * near * (1 - near)


def face(x: Plane, y: Plane) -> Plane:
    """The relief of the face towards us, in face units."""
    head = 0.78 * np.sqrt(np.clip(1 - (x / 0.80) ** 2 - (y / 1.02) ** 2, 0.02, 1))
    ridge = np.interp(y, [-0.26, -0.12, 0.02, 0.24, 0.36], [0.0, 0.055, 0.10, 0.20, 0.03]) * np.exp(
        -((x / np.interp(y, [-0.2, 0.25], [0.055, 0.10])) ** 2)
    )
    side = np.abs(x) - EYE[0]
    brow = 0.060 * np.exp(-((side / 0.22) ** 2) - ((y - EYE[1] + 0.16) / 0.062) ** 2)
    socket = -0.085 * np.exp(-((side / 0.15) ** 2) - ((y - EYE[1] + 0.01) / 0.10) ** 2)
    ball = 0.055 * np.exp(-((side / 0.11) ** 2) - ((y - EYE[1]) / 0.075) ** 2)
    bag = 0.018 * np.exp(-((side / 0.13) ** 2) - ((y - EYE[1] - 0.115) / 0.026) ** 2)
    cheek = 0.055 * np.exp(-(((np.abs(x) - 0.40) / 0.17) ** 2) - ((y - 0.16) / 0.12) ** 2)
    return (head + ridge + brow + socket + ball + bag + cheek).astype(np.float32)


def crows_feet(x: Plane, y: Plane) -> Plane:
    """Fine lines that fan out from the outer corners of the eyes, and two between the brows."""
    out = np.abs(x) - EYE[0] - 0.125
    angle = np.arctan2(y - EYE[1] - 0.01, np.maximum(out, 1e-3) + 0.03)
    fan = (
        np.exp(-((np.mod(angle + 0.9, 0.30) - 0.15) ** 2) / 0.0035) * smoothstep(0.015, 0.05, out) * smoothstep(0.19, 0.09, out)
    )
    frown = np.exp(-(((np.abs(x) - 0.035) / 0.008) ** 2)) * smoothstep(-0.33, -0.28, y) * smoothstep(-0.17, -0.21, y)
    return (0.0055 * fan * smoothstep(0.9, 0.5, np.abs(angle)) + 0.007 * frown).astype(np.float32)


def drapery(x: Plane, y: Plane, turban: Plane, wrinkled: Plane, creases: Plane) -> Plane:
    """The relief of the cloth: bands wound around the head, crossing over the brow, and loops that hang below the eyes."""
    round_head = 0.98 * np.sqrt(np.clip(1 - (x / 0.98) ** 2 - ((y + 0.1) / 1.35) ** 2, 0.01, 1)) + 0.02
    tilt = np.where(y < -0.72 + 0.5 * x, 0.42, -0.34)
    wound = (y + tilt * x + 0.30 * x * x) * 6.4 + 0.20 * wrinkled
    loops = (y - 0.28 * x * x - 0.12 * np.abs(x)) * 5.2 + 0.30 * wrinkled
    fold = np.where(turban > 0.5, wound, loops)
    roll = 1 - np.abs(np.mod(fold, 1) - 0.5) * 2
    return (round_head + 0.075 * roll**0.6 + 0.010 * wrinkled + 0.0035 * creases).astype(np.float32)
