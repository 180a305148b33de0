"""How a copy's picture lies over the title's: an affine map, found once for the whole copy (facts-watermark 5, steps 2-4).

Scaling, black bars, crops and mirroring are affine and stay the same throughout a transcode. The moments used to find
the map also tell the time to the frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]
Matrix = NDArray[np.float64]

IDENTITY: Matrix = np.eye(2, 3)
_SIFT_FEATURES = 600
_LEAST_INLIERS = 12
_RATIO = 0.8  # Lowe's ratio test
_ECC_STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-5)
_STILL = 1e-3  # a matrix this near to identity is identity: half of this is a sixth of a pixel at the edge


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One picture of the copy and the title's pictures around the time it is taken from, all gray (h, w).

    `seconds` is the copy's time, `frames` the title's frame numbers.
    """

    seconds: float
    copy: Pixels
    title: tuple[Pixels, ...]
    frames: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """The map from the title's picture to the copy's, both -1 to 1 across and down; for each moment the best title frame
    and how like it is (a correlation)."""

    matrix: Matrix
    frames: tuple[int, ...]
    likeness: tuple[float, ...]


def register(moments: Sequence[Moment], guesses: Sequence[Matrix]) -> Registered:
    """The best map over all moments: from the guesses and from features, then refined on intensities.

    ECC: Evangelidis and Psarakis, PAMI 2008.
    """
    candidates = [*guesses]
    best = max((_judge(moments, matrix) for matrix in candidates), key=_merit)
    featured = [_from_features(moment, frame) for moment, frame in zip(moments, best.frames, strict=True)]
    best = max([best, *(_judge(moments, matrix) for matrix in featured if matrix is not None)], key=_merit)
    refined = [_refined(moment, frame, best.matrix) for moment, frame in zip(moments, best.frames, strict=True)]
    kept = [matrix for matrix in refined if matrix is not None]
    if kept:
        best = max(best, _judge(moments, _snapped(np.median(kept, axis=0))), key=_merit)
    return best


def lay_over(image: NDArray[Any], matrix: Matrix, size: tuple[int, int]) -> Pixels:
    """The copy's picture brought into the title's frame of `size` (width, height), as float32."""
    height, width = image.shape
    if (width, height) == size and np.array_equal(matrix, IDENTITY):
        return image.astype(np.float32)
    to_pixels = _to_unit(size) @ np.eye(3)
    pixel_map = _from_unit((width, height)) @ _square(matrix) @ to_pixels
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(image.astype(np.float32), pixel_map[:2], size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.float32)


def decode_size(matrix: Matrix, size: tuple[int, int]) -> tuple[int, int]:
    """The size to decode the copy at, so that laying it over the title's `size` neither shrinks nor grows it much."""
    across, down = np.hypot(*matrix[:, 0]), np.hypot(*matrix[:, 1])
    return round(size[0] / min(max(across, 0.25), 2.0)), round(size[1] / min(max(down, 0.25), 2.0))


def box_map(title: tuple[float, float, float, float], copy: tuple[float, float, float, float]) -> Matrix:
    """The map that lays the copy's active box over the title's; boxes are shares (left, top, right, bottom)."""
    (tx, tw), (ty, th) = _interval(title, 0), _interval(title, 1)
    (cx, cw), (cy, ch) = _interval(copy, 0), _interval(copy, 1)
    return np.array([[cw / tw, 0, cx - tx * cw / tw], [0, ch / th, cy - ty * ch / th]])


def mirrored(matrix: Matrix) -> Matrix:
    """The same map for a copy that was flipped left to right."""
    result: Matrix = np.diag([-1.0, 1.0]) @ matrix
    return result


def _judge(moments: Sequence[Moment], matrix: Matrix) -> Registered:
    frames, likeness = [], []
    for moment in moments:
        height, width = moment.title[0].shape
        laid = _detail(lay_over(moment.copy, matrix, (width, height)))
        scores = [_correlation(laid, _detail(picture)) for picture in moment.title]
        frames.append(moment.frames[int(np.argmax(scores))])
        likeness.append(max(scores))
    return Registered(matrix=matrix, frames=tuple(frames), likeness=tuple(likeness))


def _merit(registered: Registered) -> float:
    return float(np.median(registered.likeness))


def _from_features(moment: Moment, frame: int) -> Matrix | None:
    """The affine map between SIFT features (Lowe 2004), by RANSAC."""
    picture = moment.title[moment.frames.index(frame)]
    sift = cv2.SIFT_create(_SIFT_FEATURES)  # type: ignore[attr-defined]  # missing in OpenCV's own stubs
    points_title, about_title = sift.detectAndCompute(_bytes(picture), None)
    points_copy, about_copy = sift.detectAndCompute(_bytes(moment.copy), None)
    if about_title is None or about_copy is None or min(len(about_title), len(about_copy)) < _LEAST_INLIERS:
        return None
    pairs = cv2.BFMatcher().knnMatch(about_title, about_copy, k=2)
    good = [near for near, far in pairs if near.distance < _RATIO * far.distance]
    if len(good) < _LEAST_INLIERS:
        return None
    source = np.array([points_title[match.queryIdx].pt for match in good], np.float32)
    target = np.array([points_copy[match.trainIdx].pt for match in good], np.float32)
    found, inliers = cv2.estimateAffine2D(source, target, ransacReprojThreshold=1.5)
    if found is None or int(inliers.sum()) < _LEAST_INLIERS:
        return None
    return _in_units(np.asarray(found, np.float64), picture.shape, moment.copy.shape)


def _refined(moment: Moment, frame: int, matrix: Matrix) -> Matrix | None:
    picture = moment.title[moment.frames.index(frame)]
    start = _in_pixels(matrix, picture.shape, moment.copy.shape).astype(np.float32)
    try:
        _, found = cv2.findTransformECC(picture, moment.copy, start, cv2.MOTION_AFFINE, _ECC_STEPS)
    except cv2.error:  # it did not converge: this moment has nothing to say
        return None
    return _in_units(np.asarray(found, np.float64), picture.shape, moment.copy.shape)


def _snapped(matrix: Matrix) -> Matrix:
    return IDENTITY if np.abs(matrix - IDENTITY).max() < _STILL else matrix


def _detail(picture: Pixels) -> Pixels:
    """The picture without its broad light, blurred a little against the copy's noise: what tells one frame from the next."""
    fine = cv2.GaussianBlur(picture, (0, 0), 1.2) - cv2.GaussianBlur(picture, (0, 0), 6.0)
    return np.asarray(fine, np.float32)


def _correlation(one: Pixels, other: Pixels) -> float:
    norm = float(np.sqrt((one * one).sum(dtype=np.float64) * (other * other).sum(dtype=np.float64)))
    return float((one * other).sum(dtype=np.float64)) / norm if norm > 0 else 0.0


def _in_pixels(matrix: Matrix, title: tuple[int, ...], copy: tuple[int, ...]) -> Matrix:
    whole: Matrix = _from_unit((copy[1], copy[0])) @ _square(matrix) @ _to_unit((title[1], title[0]))
    return whole[:2]


def _in_units(matrix: Matrix, title: tuple[int, ...], copy: tuple[int, ...]) -> Matrix:
    whole: Matrix = _to_unit((copy[1], copy[0])) @ _square(matrix) @ _from_unit((title[1], title[0]))
    return whole[:2]


def _to_unit(size: tuple[int, int]) -> Matrix:
    """Pixel centres to -1..1, the edges of the picture being -1 and 1."""
    width, height = size
    return np.array([[2 / width, 0, 1 / width - 1], [0, 2 / height, 1 / height - 1], [0, 0, 1]])


def _from_unit(size: tuple[int, int]) -> Matrix:
    return np.asarray(np.linalg.inv(_to_unit(size)), np.float64)


def _square(matrix: Matrix) -> Matrix:
    return np.vstack([matrix, np.array([0.0, 0.0, 1.0])])


def _interval(box: tuple[float, float, float, float], axis: int) -> tuple[float, float]:
    """Centre and half width of a box along an axis, in -1..1."""
    low, high = 2 * box[axis] - 1, 2 * box[axis + 2] - 1
    return (low + high) / 2, (high - low) / 2


def _bytes(picture: Pixels) -> NDArray[np.uint8]:
    return np.clip(picture, 0, 255).astype(np.uint8)
