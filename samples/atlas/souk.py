"""A run through the market: stalls left and right, slats above, people, all of it rushing past with the shutter open."""

import cv2
import numpy as np

from atlas.light import Picture, mix, ramp, rgb, smoothstep
from atlas.noise import Plane, fractal
from atlas.people import walker
from atlas.relief import Tile, extent
from atlas.stage import Lens, lay, see_plane

SPEED = 3.6  # alley heights a second
STALLS = 6
TILE = 1536  # texels a side; the tile of a wall shows STALLS stalls in STALLS * 0.9 heights
SHUTTER = 0.5 / 25  # seconds the shutter is open
FOG = rgb("#d9b37c") * 0.6
GOODS = tuple(
    rgb(c) for c in ("#c8371f", "#e0a526", "#1f6fa8", "#e9dcc0", "#2f8f6b", "#7c2a5e", "#d9682b", "#274472", "#b58b52")
)


class Souk:
    def __init__(self, rng: np.random.Generator) -> None:
        self.walls = (Tile(stalls(rng)), Tile(stalls(rng)))
        self.floor = Tile(paving(rng))
        self.roof = Tile(slats(rng))
        self.beams = Tile(smoothstep(0.9, 1.3, fractal(rng, 512, first=6, octaves=4, gain=0.6)), levels=1)
        cloths = [
            ("#8a7a62", "#4a3f30"),
            ("#e4ddcf", "#b9ab90"),
            ("#33507a", "#1f2f4a"),
            ("#6b3a2a", "#c8a46a"),
            ("#2e2b2c", "#5a4a40"),
        ]
        self.people = [walker(rng, rgb(a), rgb(b), hat=("cap", "scarf", "hood")[i % 3]) for i, (a, b) in enumerate(cloths)]
        self.crowd = [
            (float(rng.choice([-1, 1]) * rng.uniform(0.16, 0.36)), 1.6 + 0.95 * i + float(rng.uniform(0, 0.5)), i % 5)
            for i in range(16)
        ]
        self.lamps = [(float(rng.uniform(-0.35, 0.35)), 1.1 + 0.8 * i, int(rng.integers(len(GOODS)))) for i in range(18)]
        self.lamp = lantern()

    def frame(self, t: float, width: int, height: int) -> Picture:
        z = SPEED * t + 0.25 * float(np.sin(1.3 * t))
        lens = Lens(
            at=(0.10 * float(np.sin(2.1 * t)), 0.47 + 0.018 * abs(float(np.sin(9 * t))), z),
            yaw=0.16 * np.sin(1.9 * t + 0.4), pitch=0.02 * np.sin(6 * t), roll=0.035 * np.sin(4.5 * t), focal=0.85,
        )  # fmt: skip
        picture, depth = self.alley(lens, width, height)
        dusk = np.exp(-0.20 * depth)[..., None]
        picture = picture * dusk + FOG * (1 - dusk)
        self.passers(picture, lens, t)
        return rush(picture, depth, lens)

    def alley(self, lens: Lens, width: int, height: int) -> tuple[Picture, Plane]:
        """Walls, floor and roof, and how far they are."""
        scale = 1 / (lens.focal * height)
        surfaces = (
            (self.walls[0], (-0.62, 0, 0), (0, 0, 5.4), (0, -1.0, 0), TILE / 5.4),
            (self.walls[1], (0.62, 0, 0), (0, 0, 5.4), (0, -1.0, 0), TILE / 5.4),
            (self.floor, (0, 0, 0), (1.3, 0, 0), (0, 0, 1.3), 1024 / 1.3),
            (self.roof, (0, 1.0, 0), (2.0, 0, 0), (0, 0, 2.0), 512 / 2.0),
        )
        views = [see_plane(lens, corner, across, along, width, height) for _, corner, across, along, _ in surfaces]
        depths = np.stack([np.where(view.land > 0, view.depth, 50) for view in views])
        nearest = depths.argmin(axis=0)
        picture = np.zeros((height, width, 3), np.float32)
        for index, (tile, *_, density) in enumerate(surfaces):
            mine = nearest == index
            box = extent(mine)
            if box is not None:
                picture[box][mine[box]] = tile.seen(views[index].part(box), density * scale)[mine[box]]
        depth = depths.min(axis=0)
        floor = nearest == 2
        beams = self.beams.at(views[2].u * 0.4, views[2].v * 0.4)
        picture *= np.where(floor, 0.55 + 1.5 * beams, 1)[..., None]
        return picture, depth

    def passers(self, picture: Picture, lens: Lens, t: float) -> None:
        height, width = picture.shape[:2]
        people = [
            (x, 0.27, d - 0.35 * t * (1 if k % 2 else -0.4), k, self.people[k], 0.56 / 512, 0.02) for x, d, k in self.crowd
        ]
        lamps = [(x, 0.80, d, k, self.lamp, 0.16 / 128, 0.10) for x, d, k in self.lamps]
        for x, y, depth, kind, (sprite, alpha), size, sway in sorted(people + lamps, key=lambda thing: -thing[2]):
            px, py, ahead = lens.project((x, y, depth), width, height)
            if not 0.25 < ahead < 9:
                continue
            fog = np.float32(np.exp(-0.20 * ahead))
            tint = 1 if sprite is not self.lamp[0] else 0.4 + GOODS[kind]
            lit = sprite * tint * fog + alpha[..., None] * FOG * (1 - fog)
            turn = sway * float(np.sin(7 * t + 3 * depth))
            lay(picture, lit, alpha, x=px, y=py, scale=size * lens.focal * height / ahead, turn=turn)


def rush(picture: Picture, depth: Plane, lens: Lens) -> Picture:
    """The open shutter: every pixel is smeared along the way it moves, away from the point one runs to."""
    height, width = depth.shape
    to_x, to_y, _ = lens.project((lens.at[0], lens.at[1], lens.at[2] + 100), width, height)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    shift = np.minimum(SPEED * np.float32(SHUTTER) / np.maximum(depth, 0.3), 0.12)
    move_x, move_y = (x - np.float32(to_x)) * shift, (y - np.float32(to_y)) * shift
    taps = [
        cv2.remap(
            picture,
            x + move_x * np.float32(step),
            y + move_y * np.float32(step),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for step in np.linspace(-0.5, 0.5, 5)
    ]
    return sum(taps[1:], taps[0]) / len(taps)


def stalls(rng: np.random.Generator) -> Picture:
    """One side of the alley: openings full of goods between mud walls, with awnings over them."""
    plaster = fractal(rng, TILE, first=6, octaves=6, gain=0.55)
    picture = ramp(plaster, (-2, rgb("#6a4630")), (0, rgb("#a87450")), (2, rgb("#cf9f72")))
    step = TILE // STALLS
    for stall in range(STALLS):
        x0, x1 = stall * step + 26, (stall + 1) * step - 26
        top, bottom = TILE - int(TILE * 0.66), TILE - int(TILE * 0.04)
        picture[top:bottom, x0:x1] = rgb("#2a1c14") * (0.6 + 0.5 * rng.random())
        for shelf in range(7):
            y = top + 120 + shelf * (bottom - top - 130) // 7
            arrange(rng, picture, x0, x1, y, (bottom - top) // 8)
        awning(rng, picture, x0 - 22, x1 + 22, top)
    grain = 1 + 0.04 * fractal(rng, TILE, first=100, octaves=3, gain=0.8)
    down = np.interp(np.arange(TILE), [0, TILE * 0.3, TILE], [0.35, 1.0, 0.75]).astype(np.float32)
    return (picture * grain[..., None] * down[:, None, None] * 1.35).astype(np.float32)


def arrange(rng: np.random.Generator, picture: Picture, x0: int, x1: int, y: int, tall: int) -> None:
    """A shelf of one kind of goods: painted plates, jars, heaps of spice, or folded cloth."""
    kind = rng.integers(4)
    colour = GOODS[rng.integers(len(GOODS))]
    x = x0 + 8
    while x < x1 - 24:
        wide = int(rng.integers(26, 52))
        tone = GOODS[rng.integers(len(GOODS))] if rng.random() < 0.6 else colour
        tone = tuple(float(c) for c in tone * rng.uniform(0.6, 1.3))
        centre = (x + wide // 2, y - tall // 3)
        if kind == 0:
            for radius, ink in (
                (1.0, tone),
                (0.72, tuple(map(float, GOODS[3]))),
                (0.45, tone),
                (0.2, tuple(map(float, GOODS[1]))),
            ):
                axes = (int(wide * 0.5 * radius), int(tall * 0.42 * radius))
                cv2.ellipse(picture, centre, axes, 0, 0, 360, ink, -1)
        elif kind == 1:
            cv2.ellipse(picture, (centre[0], y - tall // 4), (wide * 2 // 5, tall // 3), 0, 0, 360, tone, -1)
            cv2.rectangle(picture, (centre[0] - wide // 7, y - tall * 3 // 4), (centre[0] + wide // 7, y - tall // 2), tone, -1)
        elif kind == 2:
            top = (x + wide // 2, y - tall * 3 // 4)
            cv2.fillPoly(picture, [np.array([(x, y), top, (x + wide, y)])], tone)
            cv2.fillPoly(picture, [np.array([(x + wide // 2, y), top, (x + wide, y)])], tuple(c * 0.6 for c in tone))
        else:
            for fold in range(5):
                ink = tuple(c * (0.6 + 0.12 * fold) for c in (tone if fold % 2 else tuple(map(float, colour))))
                cv2.rectangle(picture, (x, y - tall * (fold + 1) // 7), (x + wide - 4, y - tall * fold // 7), ink, -1)
        x += wide
    cv2.rectangle(picture, (x0, y), (x1, y + 9), (0.13, 0.07, 0.035), -1)


def awning(rng: np.random.Generator, picture: Picture, x0: int, x1: int, y: int) -> None:
    """A striped cloth over the opening, with a scalloped hem."""
    one, two = GOODS[rng.integers(len(GOODS))], GOODS[3] * 0.9
    for band, x in enumerate(range(x0, x1, 22)):
        ink = tuple(float(c) for c in (one if band % 2 else two))
        cv2.rectangle(picture, (x, y - 90), (min(x + 22, x1), y + 20), ink, -1)
        cv2.circle(picture, (x + 11, y + 20), 11, ink, -1)


def paving(rng: np.random.Generator) -> Picture:
    """Uneven stones, worn in the middle of the alley."""
    size = 1024
    place = np.mgrid[0:size, 0:size].astype(np.float32) / size
    warp = 0.02 * fractal(rng, size, first=6, octaves=4)
    row = np.floor((place[0] + warp) * 14)
    across = (place[1] + 0.5 * warp) * 9 + 0.5 * (row % 2)
    joint = np.minimum(np.abs(np.mod((place[0] + warp) * 14, 1) - 0.5), np.abs(np.mod(across, 1) - 0.5) * 1.3)
    tone = np.sin(row * 12.9 + np.floor(across) * 78.2) * 0.5 + 0.5
    stone = ramp(
        tone + 0.35 * fractal(rng, size, first=16, octaves=5, gain=0.6),
        (-0.5, rgb("#57493c")),
        (0.6, rgb("#9b8770")),
        (1.6, rgb("#cbb798")),
    )
    return mix(rgb("#2d241c"), stone, smoothstep(0.5, 0.43, joint)).astype(np.float32)


def slats(rng: np.random.Generator) -> Picture:
    """A roof of reeds that lets the sky through."""
    reeds = fractal(rng, 512, first=8, octaves=4, gain=0.5, stretch=0.1)
    gaps = smoothstep(1.3, 1.7, reeds)
    return mix(ramp(reeds, (-2, rgb("#2a1e14")), (1, rgb("#7a5c3c"))), rgb("#e8d0a4") * 0.8, gaps).astype(np.float32)


def lantern() -> tuple[Picture, Plane]:
    """A hanging glass lamp, white, to be tinted."""
    y, x = np.mgrid[0:128, 0:96].astype(np.float32)
    x = (x - 48) / 48
    half = np.interp(y, [0, 30, 31, 45, 70, 95, 110, 111, 127], [0.03, 0.03, 0.25, 0.4, 0.85, 0.4, 0.25, 0.06, 0.06]).astype(
        np.float32
    )
    alpha = smoothstep(0, 0.08, half - np.abs(x))
    glow = np.exp(-((x / 0.5) ** 2 + ((y - 70) / 22) ** 2)) * 1.6 + 0.25
    ribs = 0.6 + 0.4 * np.abs(np.sin(6 * np.arcsin(np.clip(x / np.maximum(half, 0.05), -1, 1))))
    return ((glow * ribs * alpha)[..., None] * rgb("#ffe9c0")).astype(np.float32), alpha
