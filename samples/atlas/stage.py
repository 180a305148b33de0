"""Flat things in space - walls, floors, cloth, cards - seen through a camera that may stand and turn as it likes."""

from dataclasses import dataclass

import cv2
import numpy as np

from atlas.light import Picture, grid
from atlas.noise import Plane
from atlas.relief import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """A camera: x to the right, y up, z ahead. Yaw turns right, pitch looks up, roll tilts clockwise (radians)."""

    at: tuple[float, float, float]
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    focal: float = 1.2

    def axes(self) -> np.ndarray:
        """Right, up and ahead in world coordinates: (3, 3), one a row."""
        sy, cy, sp, cp, sr, cr = (f(a) for a in (self.yaw, self.pitch, self.roll) for f in (np.sin, np.cos))
        ahead = np.array([sy * cp, sp, cy * cp])
        right0, up0 = np.array([cy, 0, -sy]), np.array([-sy * sp, cp, -cy * sp])
        return np.array([cr * right0 - sr * up0, sr * right0 + cr * up0, ahead])

    def project(self, point: tuple[float, float, float], width: int, height: int) -> tuple[float, float, float]:
        """Pixel x, pixel y and distance ahead of a place in the world."""
        right, up, ahead = self.axes() @ (np.array(point) - np.array(self.at))
        scale = self.focal * height / max(ahead, 1e-3)
        return width / 2 + right * scale, height / 2 - up * scale, ahead


def see_plane(
    lens: Lens,
    corner: tuple[float, float, float],
    across: tuple[float, float, float],
    along: tuple[float, float, float],
    width: int,
    height: int,
) -> View:
    """A plane through `corner`, measured in the vectors `across` (u) and `along` (v); `land` is 1 where it lies ahead."""
    axes = lens.axes()
    x, y = grid(width, height)
    basis = np.column_stack([across, along, np.zeros(3)])
    # corner + u across + v along - at = s (x right - y up + focal ahead): solve for u, v and s, row by row of the inverse
    normal = np.cross(across, along)
    to_plane = np.array(corner) - np.array(lens.at)
    towards = [float(normal @ axis) for axis in axes]
    speed = x * towards[0] - y * towards[1] + np.float32(lens.focal * towards[2])
    reach = np.float32(normal @ to_plane) / np.where(np.abs(speed) < 1e-6, np.float32(1e-6), speed)
    inverse = np.linalg.pinv(basis[:, :2])
    turned = inverse @ axes.T  # (2, 3): how u and v grow along right, up, ahead
    start = inverse @ -to_plane
    u, v = (
        np.float32(start[k])
        + reach * (np.float32(turned[k, 0]) * x - np.float32(turned[k, 1]) * y + np.float32(turned[k, 2] * lens.focal))
        for k in (0, 1)
    )
    return View(u=u, v=v, depth=np.clip(reach, 1e-3, 1e3) * np.float32(lens.focal), land=(reach > 0).astype(np.float32))


def lay(picture: Picture, sprite: Picture, alpha: Plane, *, x: float, y: float, scale: float, turn: float = 0.0) -> None:
    """Lay a sprite into the picture, in place: its middle at pixel (x, y), `scale` picture pixels a texel, turned clockwise.

    The sprite is premultiplied by `alpha`. It is shrunk by areas first where it gets much smaller, so that it does not shimmer.
    """
    while scale < 0.6:
        sprite = cv2.resize(sprite, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(alpha, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        scale *= 2
    rows, columns = alpha.shape
    reach = int(np.hypot(rows, columns) * scale / 2) + 2
    x0, x1 = max(int(x) - reach, 0), min(int(x) + reach, picture.shape[1])
    y0, y1 = max(int(y) - reach, 0), min(int(y) + reach, picture.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    cos, sin = np.cos(turn) * scale, np.sin(turn) * scale
    move = np.array([
        [cos, -sin, x - x0 - cos * columns / 2 + sin * rows / 2],
        [sin, cos, y - y0 - sin * columns / 2 - cos * rows / 2],
    ])  # fmt: skip
    size = (x1 - x0, y1 - y0)
    over = cv2.warpAffine(sprite, move, size, flags=cv2.INTER_LINEAR)
    cover = cv2.warpAffine(alpha, move, size, flags=cv2.INTER_LINEAR)
    part = picture[y0:y1, x0:x1]
    part *= 1 - cover[..., None]
    part += over
