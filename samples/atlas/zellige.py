"""A wall of zellige: stars of eight and crosses in glazed clay, each piece cut and set by hand; the camera glides along it."""

import numpy as np
from scipy import ndimage

from atlas.light import Picture, mix, rgb, smoothstep
from atlas.noise import Plane, fractal, octave
from atlas.relief import Tile
from atlas.stage import Lens, see_plane

SIZE = 2048
CELLS = 4  # stars a side of the tile
GLAZES = tuple(rgb(code) for code in ("#e9e2d0", "#17408c", "#1d8a86", "#d39a2e", "#1f5c33", "#201d22", "#8c2f22"))
RINGS = (0.055, 0.115, 0.165, 0.235, 0.30, 0.3536)  # borders of the star's rings, in cells


class Zellige:
    """Albedo and the tilt of every glazed piece are baked; the window's reflection and the leaves' shade move."""

    def __init__(self, rng: np.random.Generator) -> None:
        pieces, kind = cut_pieces()
        labels, count = ndimage.label(pieces)
        glaze = np.array([1, *rng.normal(1, 0.13, count)], np.float32)[labels]
        tilt = rng.normal(0, 0.055, (2, count + 1)).astype(np.float32)[:, labels]
        wear = fractal(rng, SIZE, first=48, octaves=5, gain=0.8)
        crazed = smoothstep(1.6, 2.6, np.abs(octave(rng, SIZE, 300)))
        body = np.array(GLAZES, np.float32)[kind] * (glaze * (1 + 0.05 * wear) * (1 - 0.15 * crazed))[..., None]
        grout = rgb("#a89a84") * (0.8 + 0.12 * wear)[..., None]
        self.albedo = Tile(mix(grout, body, pieces.astype(np.float32)).astype(np.float32))
        bump = 0.006 * octave(rng, SIZE, 24)
        inside = np.where(pieces, 1, 0).astype(np.float32)
        self.gloss = Tile(np.stack([tilt[0] + bump, tilt[1] + np.roll(bump, 700, 0), inside], axis=-1), levels=5)
        self.leaves = Tile(smoothstep(-0.2, 0.5, fractal(rng, 512, first=5, octaves=4, gain=0.6)), levels=1)

    def frame(self, t: float, width: int, height: int) -> Picture:
        lens = Lens(
            at=(-0.55 + 0.30 * t, 0.18 - 0.05 * t, 0.0), yaw=0.62 - 0.11 * t, pitch=-0.08 + 0.03 * t, roll=0.03, focal=1.25
        )
        view = see_plane(lens, (0, 0, 0.88), (1.7, 0, 0), (0, -1.7, 0), width, height)
        texels = SIZE / 1.7 / (1.25 * height)
        albedo = self.albedo.seen(view, texels)
        gloss = self.gloss.seen(view, texels)
        sway = np.float32(0.012 * np.sin(1.7 * t))
        shade = 0.5 * self.leaves.at(view.u * 0.7 + sway, view.v * 0.9 + np.float32(0.02 * t)) + 0.5 * self.leaves.at(
            view.u * 1.3 - 2 * sway, view.v * 1.2 + sway
        )
        sun = smoothstep(0.25, 0.75, shade)
        mirror_x = view.u - np.float32(0.35 + 0.23 * t) + gloss[..., 0] * 3
        mirror_y = view.v + 0.02 + gloss[..., 1] * 3
        window = smoothstep(0.26, 0.17, np.abs(mirror_x)) * smoothstep(0.34, 0.24, np.abs(mirror_y))
        light = 0.34 * rgb("#a8c4e6") + sun[..., None] * rgb("#ffdfae") * 1.15
        return albedo * light + (0.42 * window * gloss[..., 2])[..., None] * rgb("#e4f0ff")


def cut_pieces() -> tuple[np.ndarray, np.ndarray]:
    """Where glazed clay is (the rest is grout), and the index of its glaze: two (SIZE, SIZE) planes."""
    place = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE * CELLS
    x, y = np.meshgrid(np.mod(place, 1) - 0.5, np.mod(place, 1) - 0.5)
    odd = (np.floor(place)[:, None] + np.floor(place)[None, :]).astype(int) % 2
    star = star_distance(x, y)
    corner_x, corner_y = np.mod(x + 1, 1) - 0.5, np.mod(y + 1, 1) - 0.5
    cross = star_distance(corner_x, corner_y)
    grout = np.zeros_like(star)
    kind = np.zeros(star.shape, int)
    ring = np.digitize(star, RINGS)
    petals = seam(np.arctan2(y, x), 16) * star
    crossed = np.digitize(cross, (0.05, 0.10, 0.155, 0.22))
    arms = seam(np.arctan2(corner_y, corner_x), 8) * cross
    in_star = star < RINGS[-1]
    for border in RINGS:
        grout = np.maximum(grout, np.abs(star - border) < 0.0055)
    for border in (0.05, 0.10, 0.155, 0.22):
        grout = np.maximum(grout, ~in_star & (np.abs(cross - border) < 0.0055))
    grout = np.maximum(grout, in_star & (ring >= 1) & (ring != 2) & (petals < 0.0055))
    grout = np.maximum(grout, ~in_star & (crossed >= 2) & (arms < 0.0055))
    star_glazes = np.array([[3, 1, 0, 1, 0, 5, 0], [0, 2, 3, 4, 0, 5, 0]])
    cross_glazes = np.array([3, 0, 6, 0, 2, 2])
    kind = np.where(in_star, star_glazes[odd, ring], cross_glazes[crossed])
    alternate = np.floor((np.arctan2(y, x) / np.pi + 1) * 8 + 0.5).astype(int) % 2
    kind = np.where(in_star & (ring == 4) & (alternate == 1), np.where(odd == 1, 3, 2), kind)
    return grout < 0.5, kind


def star_distance(x: Plane, y: Plane) -> Plane:
    """Equal along outlines of stars of eight: half the side of the two squares (one on its tip) whose union reaches a place."""
    slanted_x, slanted_y = (x + y) * np.float32(0.7071), (x - y) * np.float32(0.7071)
    return np.minimum(np.maximum(np.abs(x), np.abs(y)), np.maximum(np.abs(slanted_x), np.abs(slanted_y)))


def seam(angle: Plane, sectors: int) -> Plane:
    """Distance, as an angle, to the nearest of the lines that part the circle into sectors."""
    step = 2 * np.pi / sectors
    return np.abs(np.mod(angle + step / 2, step) - step / 2)
