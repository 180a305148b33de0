"""A potter's wheel: a vase turns, a brush lays blue on it band by band; a workshop out of focus behind, dust in the light."""

import cv2
import numpy as np
from scipy import interpolate

from atlas.light import Picture, grid, mix, ramp, rgb, smoothstep
from atlas.noise import Plane, fractal, octave
from atlas.relief import Tile, View
from atlas.zellige import seam, star_distance

SIZE = 1024
TURNS = 0.36  # revolutions a second
PROFILE_Y = (-0.52, -0.475, -0.43, -0.37, -0.27, -0.12, 0.05, 0.20, 0.29, 0.335)
PROFILE_R = (0.135, 0.118, 0.098, 0.105, 0.205, 0.305, 0.325, 0.255, 0.175, 0.165)
GLAZE, COBALT, WARM = rgb("#e6ded0"), rgb("#1b3f94"), rgb("#ffdca8")
DUST = 130
LINES = (  # around the vase: how far down, and half the width of the stroke
    (0.06, 0.004),
    (0.085, 0.0025),
    (0.165, 0.003),
    (0.255, 0.005),
    (0.275, 0.002),
    (0.545, 0.002),
    (0.565, 0.005),
    (0.665, 0.003),
    (0.72, 0.005),
    (0.86, 0.006),
)


class Potter:
    def __init__(self, rng: np.random.Generator) -> None:
        painted, wash = ornament(rng)
        clay = fractal(rng, SIZE, first=5, octaves=7, gain=0.6, stretch=0.25)
        speck = smoothstep(2.2, 3.0, octave(rng, SIZE, 220))
        bare = ramp(clay, (-2, rgb("#cfc4b2")), (2, GLAZE)) * (1 - 0.4 * speck)[..., None]
        ink = COBALT * (1 + 0.35 * wash)[..., None]
        self.bare = Tile(bare.astype(np.float32), levels=4)
        self.done = Tile(mix(bare, ink, painted * (0.86 + 0.10 * np.clip(wash, -1, 1))).astype(np.float32), levels=4)
        self.bump = Tile(clay, levels=4)
        self.shelf = cv2.GaussianBlur(workshop(rng), (0, 0), 9)
        self.wood = Tile(fractal(rng, 512, first=4, octaves=6, gain=0.7, stretch=0.12), levels=3)
        self.dust = rng.uniform(0, 1, (DUST, 5)).astype(np.float32)

    def frame(self, t: float, width: int, height: int) -> Picture:
        x, y = grid(width, height)
        zoom = 1.06 - 0.035 * t
        x, y = x * zoom + 0.06 - 0.018 * t, y * zoom - 0.03
        picture = self.backdrop(x, y, t)
        picture = self.wheel(picture, x, y, t)
        picture = self.vase(picture, x, y, t, zoom / height)
        hand(picture, x, y, t)
        return self.motes(picture, t)

    def backdrop(self, x: Plane, y: Plane, t: float) -> Picture:
        rows, columns = self.shelf.shape[:2]
        place_x = ((x * 0.82 + 0.03 * t) / 1.9 + 0.5) * columns
        place_y = (y * 0.82 / 1.07 + 0.5) * rows
        return cv2.remap(
            self.shelf, place_x.astype(np.float32), place_y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )

    def wheel(self, picture: Picture, x: Plane, y: Plane, t: float) -> Picture:
        """The turning disc, wet, with rings in the clay that is left on it, and the bench in front."""
        dx, dy = x / 0.46, (y - 0.345) / 0.105
        radius = np.hypot(dx, dy)
        angle = np.arctan2(dy, dx) + np.float32(2 * np.pi * TURNS) * t
        streak = self.wood.at(radius * 0.6 + 0.02 * np.cos(angle), angle / (2 * np.pi) * 0.5)
        top = ramp(0.5 * streak + np.sin(radius * 60), (-2, rgb("#4a3a2c")), (0, rgb("#7a6550")), (2, rgb("#b09a80")))
        wet = np.exp(-(((dx + 0.55) / 0.30) ** 2) - ((dy + 0.1) / 0.5) ** 2)
        side = smoothstep(1.01, 0.99, np.hypot(dx, np.maximum(dy - np.clip(dy, 0, 0.35), 0) + np.minimum(dy, 0)))
        picture = mix(picture, rgb("#33271c") * (0.7 - 0.5 * dx)[..., None], side)
        shade = 1 - 0.75 * np.exp(-((dx / 0.5) ** 2) - (dy / 0.55) ** 2)
        return mix(
            picture,
            top * (shade * (0.75 - 0.35 * dx))[..., None] + wet[..., None] * rgb("#fff0d0") * 0.35,
            smoothstep(1.01, 0.985, radius),
        )

    def vase(self, picture: Picture, x: Plane, y: Plane, t: float, pixel: float) -> Picture:
        wobble = 0.003 * np.sin(2 * np.pi * TURNS * t)
        x = x - wobble
        profile = interpolate.PchipInterpolator(PROFILE_Y, PROFILE_R)
        rows = np.clip(y[:, :1], PROFILE_Y[0], PROFILE_Y[-1])
        radius, slant = profile(rows).astype(np.float32), profile.derivative()(rows).astype(np.float32)
        across = np.clip(x / radius, -1, 1)
        lip = np.hypot(x / PROFILE_R[0], (y - PROFILE_Y[0]) / 0.030)
        cover = smoothstep(1.004, 0.994, np.abs(x) / radius) * smoothstep(PROFILE_Y[0] - 0.001, PROFILE_Y[0] + 0.001, y)
        cover = cover * smoothstep(0.352, 0.346, y - 0.022 * np.sqrt(1 - across * across))
        turn = np.arcsin(across) / (2 * np.pi)
        u = turn - np.float32(TURNS) * t
        view = View(u=u, v=y + 0.55, depth=1 / np.maximum(np.sqrt(1 - across * across), 0.2), land=cover)
        texels = SIZE * pixel / (2 * np.pi * 0.3)
        done, bare = self.done.seen(view, texels), self.bare.seen(view, texels)
        front = np.mod(u - 0.10 + 0.62, 1)  # the brush has been round once less at the left of where it stands
        row = 0.10 - 0.075 * t + 0.035 * front
        colour = mix(bare, done, smoothstep(-0.004, 0.004, y - row) + smoothstep(-0.245, -0.25, y))
        normal_x, normal_z = across, np.sqrt(np.maximum(1 - across * across, 0))
        normal_y = -0.75 * slant
        ripple = 0.04 * self.bump.at(u * 2, view.v * 2)
        length = np.sqrt(1 + normal_y * normal_y)
        sun = np.clip((-0.72 * normal_x - 0.42 * (normal_y + ripple) + 0.50 * normal_z) / length, 0, 1)
        fill = np.clip((0.85 * normal_x + 0.3 * normal_z) / length, 0, 1)
        gleam = np.exp(-(((across + 0.46 + ripple) / 0.075) ** 2)) * smoothstep(0.9, 0.1, np.abs(normal_y + 0.2)) * 0.75
        gleam = gleam + 0.25 * np.exp(-(((across - 0.72) / 0.05) ** 2))
        lit = colour * (sun[..., None] * WARM * 1.75 + fill[..., None] * rgb("#6a86b0") * 0.40 + rgb("#6a5846") * 0.5)
        lit = lit + gleam[..., None] * rgb("#fff4e0") * 0.55
        picture = mix(picture, lit, cover)
        throat = smoothstep(1.0, 0.97, lip)
        inside = mix(rgb("#2a1d14") * np.ones_like(lit), GLAZE * 0.85, smoothstep(0.80, 0.86, lip))
        return mix(picture, inside * (0.9 - 0.4 * x / PROFILE_R[0])[..., None], throat)

    def motes(self, picture: Picture, t: float) -> Picture:
        """Dust that drifts through the beam from the window, and the beam."""
        height, width = picture.shape[:2]
        x, y = grid(width, height)
        beam = smoothstep(0.28, 0.0, np.abs(y - 0.55 * x - 0.02)) * smoothstep(0.9, -0.9, x) * 0.13
        picture = picture + beam[..., None] * WARM
        px = (
            np.mod(self.dust[:, 0] + 0.012 * t * (self.dust[:, 2] - 0.3) + 0.01 * np.sin(t * 0.8 + 6 * self.dust[:, 3]), 1)
            * (width - 6)
            + 2
        )
        py = np.mod(self.dust[:, 1] - 0.016 * t * (self.dust[:, 3] - 0.3), 1) * (height - 6) + 2
        column, row = px.astype(int), py.astype(int)
        glow = (
            self.dust[:, 4] ** 3 * (0.5 + 0.5 * np.sin(1.7 * t + 6.3 * self.dust[:, 2])) * (0.1 + 4 * beam[row, column]) * 0.9
        )
        for dy in (0, 1, 2):
            for dx in (0, 1, 2):
                share = (0.3, 1, 0.3)[dy] * (0.3, 1, 0.3)[dx]
                np.add.at(picture, (row + dy, column + dx), glow[:, None] * WARM * share)
        return picture


def ornament(rng: np.random.Generator) -> tuple[Plane, Plane]:
    """Where the finished vase is blue (0 to 1), and how thick the wash lies. u runs around, v down; one tile is one turn."""
    v, u = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE
    shaky = 0.0009 * fractal(rng, SIZE, first=10, octaves=3)
    u, v = u + shaky, v + np.roll(shaky, 300, 0)
    ink = np.zeros_like(u)

    def band(top: float, bottom: float, figure: Plane) -> None:
        inside = (v > top) & (v < bottom)
        ink[inside] = np.maximum(ink, figure)[inside]

    for line, thick in LINES:
        ink = np.maximum(ink, smoothstep(thick + 0.002, thick - 0.001, np.abs(v - line)))
    cell_u = np.mod(u * 10, 1) - 0.5
    star = star_distance(cell_u, (v - 0.41) * 3.4)
    rays = seam(np.arctan2((v - 0.41) * 3.4, cell_u), 16)
    flower = smoothstep(0.36, 0.35, star) * (1 - smoothstep(0.30, 0.29, star)) + smoothstep(0.24, 0.23, star) * smoothstep(
        0.10, 0.14, rays
    )
    flower = flower * smoothstep(0.05, 0.06, star) + smoothstep(0.035, 0.03, star)
    half = star_distance(np.mod(u * 10 + 0.5, 1) - 0.5, (np.abs(v - 0.41) - 0.13) * 3.4)
    band(0.278, 0.542, np.maximum(flower, smoothstep(0.13, 0.12, half) * (1 - smoothstep(0.07, 0.06, half))))
    band(0.09, 0.16, smoothstep(0.28, 0.18, np.abs(np.mod(u * 24, 1) - 0.5) + np.abs(v - 0.125) * 9 - 0.1))
    band(
        0.17,
        0.25,
        smoothstep(0.012, 0.006, np.abs(v - 0.21 - 0.024 * np.sin(u * 2 * np.pi * 18)))
        + smoothstep(0.3, 0.2, np.hypot(np.mod(u * 18 - 0.25, 1) - 0.5, (v - 0.225) * 26)),
    )
    band(0.57, 0.66, smoothstep(0.02, 0.0, np.abs(np.abs(np.mod(u * 20, 1) - 0.5) - (v - 0.57) * 5.2) - 0.05))
    beside = np.abs(np.mod(u * 16, 1) - 0.5)
    outer, inner = (beside - half * np.sqrt(np.clip((low - v) / 0.12, 0, 1)) for half, low in ((0.42, 0.85), (0.26, 0.83)))
    band(0.725, 0.855, smoothstep(0.02, -0.02, outer) * smoothstep(-0.02, 0.02, inner))
    return np.clip(ink, 0, 1).astype(np.float32), fractal(rng, SIZE, first=12, octaves=5, gain=0.7, stretch=0.2)


def workshop(rng: np.random.Generator) -> Picture:
    """Shelves of pots on a wall, a bright window at the left; to be blurred. (540, 960, 3)"""
    wall = fractal(rng, 1024, first=4, octaves=6, gain=0.6)[:540, :960]
    picture = ramp(wall, (-2, rgb("#3a291d")), (2, rgb("#6a4d36"))).copy()
    for level in (150, 285, 420):
        x = 250
        while x < 940:
            wide, tall = int(rng.integers(34, 66)), int(rng.integers(46, 96))
            ink = tuple(
                float(c)
                for c in rgb(str(rng.choice(["#a8663e", "#c98e5c", "#2c5aa0", "#d9cdb4", "#6f8a52", "#8a3f2a"])))
                * rng.uniform(0.5, 0.9)
            )
            cv2.ellipse(picture, (x + wide // 2, level - tall * 2 // 5), (wide // 2, tall * 2 // 5), 0, 0, 360, ink, -1)
            cv2.rectangle(
                picture, (x + wide // 2 - wide // 6, level - tall), (x + wide // 2 + wide // 6, level - tall // 2), ink, -1
            )
            cv2.ellipse(
                picture,
                (x + wide // 3, level - tall // 2),
                (wide // 9, tall // 6),
                0,
                0,
                360,
                tuple(min(1.0, c * 2.2 + 0.1) for c in ink),
                -1,
            )
            x += wide + int(rng.integers(4, 30))
        cv2.rectangle(picture, (230, level), (960, level + 14), (0.10, 0.06, 0.03), -1)
    cv2.rectangle(picture, (40, 40), (190, 330), (1.5, 1.35, 1.05), -1)
    for bar in (88, 138):
        cv2.line(picture, (bar, 40), (bar, 330), (0.1, 0.07, 0.05), 8)
    cv2.line(picture, (40, 180), (190, 180), (0.1, 0.07, 0.05), 8)
    return picture.astype(np.float32)


def hand(picture: Picture, x: Plane, y: Plane, t: float) -> None:
    """A sleeve, a hand of rounded fingers, and the brush between them, in place; the tip stays on the turning vase."""
    at_x = x - (0.265 + 0.012 * np.sin(2.3 * t))
    at_y = y - (0.075 - 0.075 * t + 0.008 * np.sin(3.1 * t))
    skin, sleeve, nail = rgb("#96664a"), rgb("#5f6f55"), rgb("#c09a86")
    rod(picture, at_x, at_y, (0.004, 0.0), (0.045, 0.010), (0.0035, 0.010), rgb("#1a2a5c"))
    rod(picture, at_x, at_y, (0.045, 0.010), (0.36, 0.085), (0.0075, 0.010), rgb("#8a4a22"))
    rod(picture, at_x, at_y, (0.30, 0.145), (0.66, 0.33), (0.082, 0.080), skin)
    rod(picture, at_x, at_y, (0.56, 0.275), (1.3, 0.70), (0.118, 0.21), sleeve, folds=0.2)
    for root, joint, end, thick in (
        ((0.33, 0.20), (0.235, 0.225), (0.185, 0.165), 0.028),
        ((0.30, 0.17), (0.205, 0.175), (0.150, 0.110), 0.030),
        ((0.28, 0.11), (0.185, 0.095), (0.115, 0.050), 0.029),
        ((0.29, 0.08), (0.21, 0.020), (0.120, 0.010), 0.030),
    ):
        rod(picture, at_x, at_y, root, joint, (thick * 1.1, thick), skin)
        rod(picture, at_x, at_y, joint, end, (thick, thick * 0.82), skin)
        rod(picture, at_x, at_y, (end[0] + 0.004, end[1] - 0.013), (end[0] + 0.014, end[1] - 0.010), (0.009, 0.008), nail)


def rod(
    picture: Picture, x: Plane, y: Plane, start: tuple[float, float], end: tuple[float, float], thick: tuple[float, float],
    colour: Picture, *, folds: float = 0.0,
) -> None:  # fmt: skip
    """Paint a round limb from one place to another, in place, lit from the upper left; `thick` is its radius at both ends."""
    most = max(thick) + 0.006
    rows = np.flatnonzero((y[:, 0] > min(start[1], end[1]) - most) & (y[:, 0] < max(start[1], end[1]) + most))
    columns = np.flatnonzero((x[0] > min(start[0], end[0]) - most) & (x[0] < max(start[0], end[0]) + most))
    if rows.size == 0 or columns.size == 0:
        return
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    x, y = x[box], y[box]
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    share = np.clip(((x - start[0]) * along_x + (y - start[1]) * along_y) / (along_x**2 + along_y**2), 0, 1)
    radius = thick[0] + (thick[1] - thick[0]) * share
    off_x, off_y = (x - start[0] - share * along_x) / radius, (y - start[1] - share * along_y) / radius
    reach = np.hypot(off_x, off_y)
    soft = 0.003 / max(thick[0], 0.005)
    up = np.sqrt(np.maximum(1 - reach * reach, 0))
    light = np.clip(-0.55 * off_x - 0.60 * off_y + 0.55 * up, 0, 1) * (1 + folds * np.sin(share * 38 + 3 * off_y))
    light *= 1 - 0.25 * np.exp(-(((share - 0.94) / 0.03) ** 2)) * (reach < 0.9)  # the crease of a joint
    lit = colour * light[..., None] * WARM * 1.7 + colour * (0.16 + 0.12 * up)[..., None]
    picture[box] = mix(picture[box], lit.astype(np.float32), smoothstep(1 + soft, 1 - soft, reach))
