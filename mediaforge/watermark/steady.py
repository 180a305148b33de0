"""What trembles: each picture of a filmed or shaken copy is laid over the title's anew (facts-watermark 5, step 5).

Phase correlation finds how far the hand moved, a few steps of Gauss-Newton the rest of the affine map (the inverse
compositional form of Lucas-Kanade: Baker and Matthews, IJCV 2004), on pictures of half the size: what is left of a pixel the
channel filter takes up. Pixels that fit badly, logos and titles, weigh little.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaforge.watermark.geometry import Matrix, Pixels, correlation, lay_over

_STEPS = 3
_GAIN = 0.0005  # correlation that moving a picture must earn, or it stays where the piece's map has it
_LOUD = 3.0
_MOST = 0.06  # of the half picture: a hand moves less between two pictures, and more is a mistake


@dataclass(frozen=True, slots=True, kw_only=True)
class Steadied:
    """How the copy's picture lies over the title's, and how like they then are (a correlation of detail, half size)."""

    matrix: Matrix
    likeness: float


def steady(image: NDArray[Any], matrix: Matrix, wanted: Pixels) -> Steadied:
    """Lay `image` over `wanted` (the title's picture, h, w) starting from the piece's map."""
    height, width = wanted.shape
    template = _fine(wanted)
    look = _fine(lay_over(image, matrix, (width, height)))
    best = Steadied(matrix=matrix, likeness=correlation(look, template))
    moved = _shift(template, look)
    small = (template.shape[1], template.shape[0])
    for _ in range(_STEPS):
        look = _fine(lay_over(image, matrix @ moved, (width, height)))
        step = _step(look, template)
        if step is None:
            break
        moved = moved @ step
    if np.abs(moved - np.eye(3)).max() > _MOST * 2 or max(small) < 8:
        return best
    likeness = correlation(_fine(lay_over(image, matrix @ moved, (width, height))), template)
    return Steadied(matrix=matrix @ moved, likeness=likeness) if likeness > best.likeness + _GAIN else best


def _fine(picture: Pixels) -> Pixels:
    height, width = picture.shape
    small = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    fine = cv2.GaussianBlur(small, (0, 0), 1.0) - cv2.blur(small, (13, 13))
    most = _LOUD * float(np.abs(fine).mean())  # a logo's edges shall not outvote the film
    return np.asarray(np.clip(fine, -most, most), np.float32)


def _shift(template: Pixels, look: Pixels) -> Matrix:
    """Whole and half pixels that the picture moved, as a map in -1..1."""
    height, width = template.shape
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    # Copies, for OpenCV 5.0 multiplies the pictures it is given by the window.
    (across, down), answer = cv2.phaseCorrelate(template.copy(), look.copy(), window)
    if answer < 0.05 or abs(across) > _MOST * width or abs(down) > _MOST * height:
        return np.eye(3)
    return np.array([[1, 0, 2 * across / width], [0, 1, 2 * down / height], [0, 0, 1]])


def _step(look: Pixels, template: Pixels) -> Matrix | None:
    """The small affine map under which the template becomes what is seen."""
    height, width = template.shape
    gain = float((look * template).sum()) / max(float((template * template).sum()), 1e-9)
    if gain <= 0:
        return None
    rest = look / gain - template
    across = cv2.Sobel(template, cv2.CV_32F, 1, 0, scale=1 / 8) * (width / 2)  # a unit is half the picture
    down = cv2.Sobel(template, cv2.CV_32F, 0, 1, scale=1 / 8) * (height / 2)
    x, y = np.meshgrid(
        np.linspace(-1 + 1 / width, 1 - 1 / width, width, dtype=np.float32),
        np.linspace(-1 + 1 / height, 1 - 1 / height, height, dtype=np.float32),
    )
    slopes = np.stack([across * x, across * y, across, down * x, down * y, down]).reshape(6, -1)  # (6, pixels)
    off = rest.ravel()
    spread = 2 * float(np.median(np.abs(off))) + 1e-6
    weighted = slopes / (1 + (off / spread) ** 2)
    normal = np.einsum("ip,jp->ij", weighted, slopes).astype(np.float64)
    change = np.linalg.solve(normal + 1e-6 * np.trace(normal) * np.eye(6), np.einsum("ip,p->i", weighted, off))
    # The picture seen is the template a little further along, look(x) = template(x + change): the copy is taken at x - change.
    step = np.eye(3)
    step[:2] -= change.reshape(2, 3)
    return step
