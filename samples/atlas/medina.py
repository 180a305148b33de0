"""Over the roofs of an old town towards its minaret: clay walls, courtyards, alleys, washing, with the Atlas behind."""

import cv2
import numpy as np

from atlas.birds import flock
from atlas.light import Picture, mix, ramp, rgb, smoothstep
from atlas.noise import Plane, fractal
from atlas.relief import Camera, Tile, View, look, sunlit

SIZE = 1024
STOREY = 5.6 / SIZE  # tiles
CLAYS = tuple(rgb(code) for code in ("#c58a66", "#b9775a", "#d19f78", "#c99072", "#b4826a", "#dcb48e"))
SKY = ((-0.2, rgb("#e6d9cc")), (0.05, rgb("#cfd8df")), (0.25, rgb("#8fb6d6")), (0.6, rgb("#4f8ac4")))
HAZE = rgb("#d9cfc6")
MINARET = (540, 700)  # texel column and row


class Medina:
    def __init__(self, rng: np.random.Generator) -> None:
        height, kind, tone = build(rng)
        self.height = Tile(height, levels=1)
        sun = sunlit(height / height.max(), azimuth=-0.55, elevation=0.62, steepness=float(height.max()))
        rough = fractal(rng, SIZE, first=24, octaves=5, gain=0.85)
        clay = np.array(CLAYS, np.float32)[kind] * (tone * (1 + 0.10 * rough))[..., None]
        street = rgb("#9a8268") * (0.8 + 0.10 * rough)[..., None]
        self.roof = Tile(mix(street, clay * 1.08, smoothstep(0.2, 0.8, height / STOREY)).astype(np.float32))
        self.wall = Tile(cv2.dilate(clay.astype(np.float32), np.ones((3, 3))), levels=6)
        away_y, away_x = -cv2.Sobel(height, cv2.CV_32F, 0, 1), -cv2.Sobel(height, cv2.CV_32F, 1, 0)
        norm = np.sqrt(away_x**2 + away_y**2) + 1e-6
        self.faces = Tile(np.stack([away_x / norm, away_y / norm], axis=-1), levels=2)
        self.sun = Tile(sun)
        self.stain = Tile(fractal(rng, 512, first=6, octaves=6, gain=0.75, stretch=0.5), levels=4)
        self.ridge = np.abs(fractal(rng, 512, first=2, octaves=7, gain=0.5)[7])
        self.clouds = Tile(smoothstep(0.3, 2.0, fractal(rng, 512, first=3, octaves=6, gain=0.55, stretch=0.5)), levels=1)

    def frame(self, t: float, width: int, height: int) -> Picture:
        camera = Camera(x=0.372 + 0.010 * t, y=0.225 + 0.026 * t, z=0.062 - 0.0016 * t, heading=0.37 + 0.012 * t, focal=1.30,
                        horizon=0.30, near=0.03, far=1.9)  # fmt: skip
        view = look(self.height.at, camera, width, height, slices=560, halvings=3)
        texels = SIZE / (camera.focal * height)
        row = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height - camera.horizon
        altitude = camera.z - row / camera.focal * view.depth
        top = self.height.at(view.u, view.v)
        walls = smoothstep(0.0012, 0.0028, top - altitude)
        shade = self.sun.seen(view, texels)
        roofs = self.roof.seen(view, texels) * self.light(0.30 + 1.0 * shade)
        picture = mix(roofs, self.facades(view, altitude, top, texels), walls)
        haze = np.exp(-np.maximum(view.depth - 0.05, 0) * 1.25)
        picture = mix(np.broadcast_to(HAZE * 0.95, picture.shape), picture, haze)
        picture = mix(self.sky(camera, t, width, height, row), picture, view.land)
        flock(
            picture,
            t,
            seed=8,
            count=16,
            colour=rgb("#3a3a40"),
            span=0.016,
            drift=(0.10, -0.035),
            region=(-0.75, -0.1, -0.16, 0.10),
        )
        return picture

    def light(self, sun: Plane) -> Picture:
        return np.maximum(sun - 0.30, 0)[..., None] * rgb("#ffe2b4") * 1.35 + rgb("#9db4dc") * 0.42

    def facades(self, view: View, altitude: Plane, top: Plane, texels: float) -> Picture:
        """Walls: stained clay, rows of small windows with pale frames, a painted band under the roof; lit by how they face."""
        face = self.faces.at(view.u, view.v)
        flank = np.abs(face[..., 0]) > np.abs(face[..., 1])
        along = np.where(flank, view.v, view.u) * SIZE
        up = (altitude / STOREY).astype(np.float32)
        stain = self.stain.seen(View(u=along / 160, v=up / 9, depth=view.depth, land=view.land), texels * 2)
        wall = self.wall.seen(view, texels) * (1 + 0.13 * stain)[..., None]
        left, low = np.abs(np.mod(along / 6.5, 1) - 0.5), np.abs(np.mod(up, 1) - 0.48)
        chance = np.sin(np.floor(along / 6.5) * 12.99 + np.floor(up) * 78.2 + np.floor(top / STOREY) * 3.1) * 43758.5
        open_here = np.mod(chance, 1) > 0.45
        soft = 0.02 + view.depth * texels / 14
        frame = smoothstep(0.155 + soft, 0.155 - soft, left) * smoothstep(0.27 + soft, 0.27 - soft, low) * open_here
        pane = smoothstep(0.10 + soft, 0.10 - soft, left) * smoothstep(0.20 + soft, 0.20 - soft, low) * open_here
        wall = mix(mix(wall, rgb("#e9dfcc"), 0.8 * frame), rgb("#2c2a30"), 0.9 * pane)
        band = smoothstep(0.55, 0.45, top / STOREY - up) * smoothstep(0.12, 0.2, top / STOREY - up)
        wall = wall * (1 - 0.22 * band)[..., None]
        facing = np.clip(-0.78 * face[..., 0] + 0.45 * face[..., 1], 0, 1)
        depth_in_street = smoothstep(-1.5, 2.2, up)
        return wall * self.light(0.30 + 0.85 * facing * depth_in_street) * (0.55 + 0.45 * depth_in_street)[..., None]

    def sky(self, camera: Camera, t: float, width: int, height: int, row: Plane) -> Picture:
        side = ((np.arange(width, dtype=np.float32) + 0.5 - width / 2) / height)[None, :]
        picture = np.broadcast_to(ramp(-row, *SKY), (height, width, 3))
        far = 0.12 / np.maximum(0.06 - row, 0.02)
        u = side * far + np.float32(0.02) * t
        picture = mix(
            picture, rgb("#fbf4ea"), 0.8 * self.clouds.at(u, np.broadcast_to(far * 1.2, u.shape)) * smoothstep(0, 0.1, -row)
        )
        turn = side / camera.focal + camera.heading
        for rise, shift, tone in ((0.085, 0.0, "#b4bfcc"), (0.05, 0.9, "#a3adba")):
            line = rise * np.interp(turn + shift, np.linspace(-1.5, 3, 512), self.ridge).astype(np.float32)
            snow = smoothstep(0.06, 0.09, -row + 0.25 * line)
            hill = mix(np.broadcast_to(rgb(tone), picture.shape), rgb("#eef0f2"), snow * (rise > 0.06))
            picture = mix(picture, hill, smoothstep(-0.002, 0.002, line + row + 0.012))
        return picture


def build(rng: np.random.Generator) -> tuple[Plane, np.ndarray, Plane]:
    """The town on a tile: heights, the index of each house's clay and its tone. Blocks split into houses."""
    height = np.zeros((SIZE, SIZE), np.float32)
    kind = np.zeros((SIZE, SIZE), int)
    tone = np.ones((SIZE, SIZE), np.float32)
    lots = [(0, 0, SIZE, SIZE, 0)]
    while lots:
        x, y, wide, tall, depth = lots.pop()
        if min(wide, tall) > 42 or max(wide, tall) > 62 or (min(wide, tall) > 24 and rng.random() < 0.55):
            street = (3, 3, 2, 2, 1)[min(depth // 2, 4)] if depth > 1 else 5
            cut = rng.uniform(0.36, 0.64)
            if wide > tall:
                left = int(wide * cut)
                lots += [(x, y, left - street, tall, depth + 1), (x + left, y, wide - left, tall, depth + 1)]
            else:
                upper = int(tall * cut)
                lots += [(x, y, wide, upper - street, depth + 1), (x, y + upper, wide, tall - upper, depth + 1)]
        elif min(wide, tall) > 7:
            house(rng, height, kind, tone, x, y, wide - int(rng.random() < 0.7), tall - int(rng.random() < 0.7))
    minaret(height, kind, tone)
    return height, kind, tone


def house(rng: np.random.Generator, height: Plane, kind: np.ndarray, tone: Plane, x: int, y: int, wide: int, tall: int) -> None:
    """A flat roof behind a parapet, often with a court in the middle, a stair head, a tank or some washing."""
    roof = float(rng.choice([2, 2, 3, 3, 4])) * STOREY + rng.uniform(-0.2, 0.4) * STOREY
    lot = np.s_[y : y + tall, x : x + wide]
    height[lot], kind[lot], tone[lot] = roof, rng.integers(len(CLAYS)), rng.uniform(0.78, 1.12)
    inner = np.s_[y + 2 : y + tall - 2, x + 2 : x + wide - 2]
    height[inner] = roof - 0.30 * STOREY
    tone[inner] *= rng.uniform(0.95, 1.25)
    if min(wide, tall) > 22 and rng.random() < 0.75:
        court = np.s_[y + tall // 3 : y + tall - tall // 3, x + wide // 3 : x + wide - wide // 3]
        height[court] = 0.3 * STOREY
    if rng.random() < 0.7:
        high = np.s_[y + 1 : y + 1 + min(tall // 3, 9), x + 1 : x + 1 + min(wide // 3, 9)]
        height[high] = roof + rng.uniform(0.5, 1.0) * STOREY
    for _ in range(rng.integers(0, 4)):
        px, py = x + 2 + rng.integers(max(1, wide - 5)), y + 2 + rng.integers(max(1, tall - 5))
        height[py : py + 2, px : px + 2] = roof + 0.05 * STOREY
        tone[py : py + 2, px : px + 2] = rng.choice([0.45, 1.5])


def minaret(height: Plane, kind: np.ndarray, tone: Plane) -> None:
    """A square tower of sixteen storeys with a smaller lantern on it, and the mosque's long roof beside it."""
    x, y = MINARET
    for half, storeys, clay in (
        (34, 2.4, 5),
        (11, 13.0, 2),
        (12, 13.4, 2),
        (10, 13.0, 2),
        (5, 16.5, 5),
        (2, 18.5, 0),
        (1, 20.0, 0),
    ):
        part = np.s_[y - half : y + half, x - half : x + half]
        height[part], kind[part], tone[part] = storeys * STOREY, clay, 1.05
