"""Looking across a land of heights: a ray caster that works on whole depth slices, near to far, and a tile that never ends."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from atlas.noise import Plane

DEPTH_SLICES = 420


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """Where one stands and looks, in tiles. `horizon` is where in the picture's height the far distance lies (0 top)."""

    x: float
    y: float
    z: float
    heading: float
    focal: float = 1.2
    horizon: float = 0.4
    near: float = 0.01
    far: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What every pixel sees: the place on the tile, how far it is, and how much of the pixel is land (the rest is sky)."""

    u: Plane  # (height, width) in tiles
    v: Plane
    depth: Plane
    land: Plane

    def part(self, box: tuple[slice, slice]) -> "View":
        return View(u=self.u[box], v=self.v[box], depth=self.depth[box], land=self.land[box])


def look(
    height_at: Callable[[Plane, Plane], Plane],
    camera: Camera,
    width: int,
    height: int,
    *,
    slices: int = DEPTH_SLICES,
    halvings: int = 0,
) -> View:
    """Cast the picture. `height_at(u, v)` gives the height, in tiles, of any places.

    Every column keeps the highest line of sight so far; a pixel belongs to the first slice that rises above it. Where the
    ray meets the land between that slice and the one before is found by a straight line, or, for land with walls, by
    halving the stretch `halvings` times.
    """
    depth = np.geomspace(camera.near, camera.far, slices, dtype=np.float32)[:, None]
    side = ((np.arange(width, dtype=np.float32) + 0.5 - width / 2) / np.float32(camera.focal * height))[None, :]
    cos, sin = np.float32(np.cos(camera.heading)), np.float32(np.sin(camera.heading))
    x, y, z = np.float32(camera.x), np.float32(camera.y), np.float32(camera.z)
    u = x + depth * (sin + cos * side)
    v = y + depth * (cos - sin * side)
    scale = np.float32(camera.focal * height)
    rise = np.float32(camera.horizon * height) - (height_at(u, v) - z) / depth * scale  # (slices, width)
    skyline = np.minimum.accumulate(rise, axis=0)

    rows = np.clip(np.ceil(skyline), 0, height).astype(np.int32)
    columns = np.broadcast_to(np.arange(width, dtype=np.int32), rows.shape)
    entries = np.bincount((rows * width + columns).ravel(), minlength=(height + 1) * width).reshape(height + 1, width)
    hidden_below = np.cumsum(entries[::-1], axis=0)[::-1]  # slices whose skyline lies at or under each row
    first = np.minimum(hidden_below[1:], slices - 1)

    before = np.maximum(first - 1, 0)
    row = (np.arange(height, dtype=np.float32))[:, None]
    top, bottom = np.take_along_axis(rise, first, 0), np.take_along_axis(rise, before, 0)
    share = np.clip((bottom - row) / np.maximum(bottom - top, 1e-3), 0, 1)
    near, far = depth[:, 0][before], depth[:, 0][first]
    distance = near + share * (far - near)
    if halvings:
        fall = (row - np.float32(camera.horizon * height)) / scale
        for _ in range(halvings):
            middle = (near + far) / 2
            struck = height_at(x + middle * (sin + cos * side), y + middle * (cos - sin * side)) > z - fall * middle
            near, far = np.where(struck, near, middle), np.where(struck, middle, far)
        distance = far
    return View(
        u=x + distance * (sin + cos * side),
        v=y + distance * (cos - sin * side),
        depth=distance,
        land=np.clip(row - skyline[-1] + 0.5, 0, 1),
    )


class Tile:
    """A periodic texture with its smaller copies, sampled with the copy that fits the distance."""

    def __init__(self, texels: np.ndarray, *, levels: int = 6) -> None:
        copies = [np.ascontiguousarray(texels)]
        for _ in range(levels - 1):
            copies.append(cv2.resize(copies[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        self.copies = copies
        self.size = texels.shape[0]

    def at(self, u: Plane, v: Plane, *, level: int = 0) -> np.ndarray:
        """The texture at places given in tiles, from one copy."""
        copy = self.copies[level]
        size = copy.shape[0]
        scale, half = np.float32(size), np.float32(0.5)
        return cv2.remap(copy, u * scale - half, v * scale - half, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)

    def seen(self, view: View, texels_per_depth: float) -> np.ndarray:
        """The texture under every pixel; `texels_per_depth` texels fall into one pixel at depth 1. (height, width, channels)"""
        level = np.clip(np.log2(np.maximum(view.depth * np.float32(texels_per_depth), 1)), 0, len(self.copies) - 1.001)
        picture = np.zeros((*level.shape, *self.copies[0].shape[2:]), np.float32)
        for step in range(len(self.copies)):
            weight = np.maximum(0, 1 - np.abs(level - step))
            box = extent(weight)
            if box is not None:
                colour = self.at(view.u[box], view.v[box], level=step)
                picture[box] += weight[box][..., None] * colour if colour.ndim == 3 else weight[box] * colour
        return picture


def extent(plane: np.ndarray) -> tuple[slice, slice] | None:
    """The smallest box of rows and columns outside which a plane is 0; None where it is 0 all over."""
    rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    if rows.size == 0:
        return None
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def sunlit(height: Plane, *, azimuth: float, elevation: float, steepness: float) -> Plane:
    """How bright the sun makes every place of a tile, 0 in shade to 1: slope towards the sun, and shadows that hills cast.

    The tile is turned until the sun shines along +x, so that a running maximum along the rows is the edge of the shadow.
    """
    size = height.shape[0]
    lift = height * steepness * size
    dy = (np.roll(lift, -1, 0) - np.roll(lift, 1, 0)) / 2
    dx = (np.roll(lift, -1, 1) - np.roll(lift, 1, 1)) / 2
    east, north = np.cos(azimuth), np.sin(azimuth)
    facing = (np.sin(elevation) + np.cos(elevation) * (dx * east + dy * north)) / np.sqrt(1 + dx * dx + dy * dy)

    shear = round(size * np.tan(np.clip(azimuth, -0.75, 0.75)))
    rows = np.arange(size)
    return np.clip(facing, 0, 1) * cast_shadow(lift, shear, rows, np.tan(elevation) / np.cos(azimuth))


def cast_shadow(lift: Plane, shear: int, rows: np.ndarray, fall: float) -> Plane:
    """1 where the sun reaches, 0 behind hills, with a soft edge. The sun comes from -x, `shear` texels a tile from -y."""
    size = lift.shape[0]
    steps = np.arange(2 * size)
    path_y = (rows[:, None] + np.round(steps * shear / size).astype(int)[None, :]) % size
    along = lift[path_y, steps[None, :] % size] + steps[None, :] * np.float32(fall)
    edge = np.maximum.accumulate(along, axis=1)
    lit = np.empty_like(lift)
    lit[path_y[:, size:], steps[None, size:] % size] = np.clip(1 - (edge - along)[:, size:] / 3, 0, 1)
    return cv2.GaussianBlur(lit, (0, 0), 1.0)
