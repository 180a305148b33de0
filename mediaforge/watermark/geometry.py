"""How a copy's picture lies over the title's: a plane seen through a lens (facts-watermark 5, steps 2-4).

Scaling, black bars, crops and mirroring are affine and stay the same throughout a transcode; a filmed screen is seen in
perspective. One map is found for a whole piece, and what trembles around it is for `steady.py`. The moments used to find the
map also tell the time to the frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]
Matrix = NDArray[np.float64]

IDENTITY: Matrix = np.eye(3)
_SIFT_FEATURES = 600
_LEAST_INLIERS = 20  # of all moments together; chance gives a homography half as many
_NEAR_PIXELS = 1.5  # a hand that trembles moves the moments against each other by as much
_STRAIGHT = 0.01  # correlation that perspective must add to be believed: four points of an affine map are safer
_MOST_LEAN = 0.4  # of the perspective: the near edge of a screen is at most (1.4 / 0.6) times the far one
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

    SIFT: Lowe 2004; MAGSAC: Barath et al., CVPR 2019; ECC: Evangelidis and Psarakis, PAMI 2008.
    """
    looks = [np.stack([detail(picture).ravel() for picture in moment.title]) for moment in moments]
    best = max((_judge(moments, looks, matrix) for matrix in guesses), key=_merit)
    features = [_features(moment.copy) for moment in moments]
    for _ in range(2):  # a better map tells better which frames to compare
        before = best.frames
        for matrix in _from_features(moments, features, best.frames):
            found = _judge(moments, looks, matrix)
            best = max(best, found, key=lambda one: _merit(one) - _STRAIGHT * _leans(one.matrix))
        if best.frames == before:
            break
    refined = [_refined(moment, frame, best.matrix) for moment, frame in zip(moments, best.frames, strict=True)]
    kept = [matrix for matrix in refined if matrix is not None]
    if kept:
        best = max(best, _judge(moments, looks, _snapped(np.median(kept, axis=0))), key=_merit)
    return best


def lay_over(image: NDArray[Any], matrix: Matrix, size: tuple[int, int]) -> Pixels:
    """The copy's picture brought into the title's frame of `size` (width, height), as float32."""
    height, width = image.shape
    if (width, height) == size and np.array_equal(matrix, IDENTITY):
        return image.astype(np.float32)
    pixel_map = _from_unit((width, height)) @ matrix @ _to_unit(size)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    picture = image.astype(np.float32)
    if _leans(matrix):
        warped = cv2.warpPerspective(picture, pixel_map, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    else:  # faster
        warped = cv2.warpAffine(picture, pixel_map[:2], size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.float32)


def decode_size(matrix: Matrix, size: tuple[int, int]) -> tuple[int, int]:
    """The size to decode the copy at, so that laying it over the title's `size` neither shrinks nor grows it much."""
    slope = (matrix[:2, :2] - np.outer(matrix[:2, 2], matrix[2, :2])) / matrix[2, 2]  # at the picture's centre
    across, down = np.hypot(*slope[:, 0]), np.hypot(*slope[:, 1])
    return round(size[0] / min(max(across, 0.25), 2.0)), round(size[1] / min(max(down, 0.25), 2.0))


def box_map(title: tuple[float, float, float, float], copy: tuple[float, float, float, float]) -> Matrix:
    """The map that lays the copy's active box over the title's; boxes are shares (left, top, right, bottom)."""
    (tx, tw), (ty, th) = _interval(title, 0), _interval(title, 1)
    (cx, cw), (cy, ch) = _interval(copy, 0), _interval(copy, 1)
    return np.array([[cw / tw, 0, cx - tx * cw / tw], [0, ch / th, cy - ty * ch / th], [0, 0, 1]])


def mirrored(matrix: Matrix) -> Matrix:
    """The same map for a copy that was flipped left to right."""
    result: Matrix = np.diag([-1.0, 1.0, 1.0]) @ matrix
    return result


def _judge(moments: Sequence[Moment], looks: Sequence[Pixels], matrix: Matrix) -> Registered:
    """`looks` holds the details of each moment's title pictures, (pictures, pixels)."""
    frames, likeness = [], []
    for moment, titles in zip(moments, looks, strict=True):
        height, width = moment.title[0].shape
        laid = detail(lay_over(moment.copy, matrix, (width, height))).ravel()
        scores = np.einsum("ij,j->i", titles, laid)
        frames.append(moment.frames[int(np.argmax(scores))])
        likeness.append(float(scores.max()))
    return Registered(matrix=matrix, frames=tuple(frames), likeness=tuple(likeness))


def _merit(registered: Registered) -> float:
    return float(np.median(registered.likeness))


_Features = tuple[Sequence[Any], NDArray[np.float32] | None]


def _features(picture: Pixels) -> _Features:
    points, about = cv2.SIFT_create(_SIFT_FEATURES).detectAndCompute(_bytes(picture), None)  # type: ignore[attr-defined]
    return points, about


def _from_features(moments: Sequence[Moment], copies: Sequence[_Features], frames: Sequence[int]) -> list[Matrix]:
    """The affine map and the perspective between the features of all moments together."""
    source: list[Any] = []
    target: list[Any] = []
    for moment, (points_copy, about_copy), frame in zip(moments, copies, frames, strict=True):
        points_title, about_title = _features(moment.title[moment.frames.index(frame)])
        if about_title is None or about_copy is None or min(len(points_title), len(points_copy)) < 2:
            continue
        for near, far in cv2.BFMatcher().knnMatch(about_title, about_copy, k=2):
            if near.distance < _RATIO * far.distance:
                source.append(points_title[near.queryIdx].pt)
                target.append(points_copy[near.trainIdx].pt)
    if len(source) < _LEAST_INLIERS:
        return []
    pairs = np.array(source, np.float32), np.array(target, np.float32)
    affine, inliers = cv2.estimateAffine2D(*pairs, ransacReprojThreshold=_NEAR_PIXELS)
    found = [] if affine is None or int(inliers.sum()) < _LEAST_INLIERS else [np.vstack([affine, [0.0, 0.0, 1.0]])]
    leaning, inliers = cv2.findHomography(*pairs, cv2.USAC_MAGSAC, _NEAR_PIXELS)
    if leaning is not None and int(inliers.sum()) >= _LEAST_INLIERS:
        found.append(np.asarray(leaning, np.float64))
    shapes = moments[0].title[0].shape, moments[0].copy.shape
    maps = [_snapped(_in_units(matrix, *shapes)) for matrix in found]
    return [matrix for matrix in maps if np.abs(matrix[2, :2]).sum() < _MOST_LEAN and np.isfinite(matrix).all()]


def _refined(moment: Moment, frame: int, matrix: Matrix) -> Matrix | None:
    picture = moment.title[moment.frames.index(frame)]
    start = _in_pixels(matrix, picture.shape, moment.copy.shape).astype(np.float32)
    leans = _leans(matrix)
    motion, start = (cv2.MOTION_HOMOGRAPHY, start) if leans else (cv2.MOTION_AFFINE, start[:2])
    try:
        _, found = cv2.findTransformECC(picture, moment.copy, start, motion, _ECC_STEPS)
    except cv2.error:  # it did not converge: this moment has nothing to say
        return None
    whole = np.asarray(found, np.float64) if leans else np.vstack([np.asarray(found, np.float64), [0.0, 0.0, 1.0]])
    return _in_units(whole, picture.shape, moment.copy.shape)


def _leans(matrix: Matrix) -> bool:
    return bool(np.abs(matrix[2, :2]).max() > 1e-9)


def _snapped(matrix: Matrix) -> Matrix:
    return IDENTITY if np.abs(matrix - IDENTITY).max() < _STILL else matrix


def detail(picture: Pixels) -> Pixels:
    """The picture at half its size without its broad light, of unit norm: what tells one frame from the next."""
    height, width = picture.shape
    small = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    fine = cv2.GaussianBlur(small, (0, 0), 0.6) - cv2.blur(small, (9, 9))
    return np.asarray(fine / max(float(np.sqrt((fine * fine).sum(dtype=np.float64))), 1e-9), np.float32)


def correlation(one: Pixels, other: Pixels) -> float:
    norm = float(np.sqrt((one * one).sum(dtype=np.float64) * (other * other).sum(dtype=np.float64)))
    return float((one * other).sum(dtype=np.float64)) / norm if norm > 0 else 0.0


def _in_pixels(matrix: Matrix, title: tuple[int, ...], copy: tuple[int, ...]) -> Matrix:
    whole: Matrix = _from_unit((copy[1], copy[0])) @ matrix @ _to_unit((title[1], title[0]))
    return np.asarray(whole / whole[2, 2], np.float64)


def _in_units(matrix: Matrix, title: tuple[int, ...], copy: tuple[int, ...]) -> Matrix:
    whole: Matrix = _to_unit((copy[1], copy[0])) @ matrix @ _from_unit((title[1], title[0]))
    return np.asarray(whole / whole[2, 2], np.float64)


def _to_unit(size: tuple[int, int]) -> Matrix:
    """Pixel centres to -1..1, the edges of the picture being -1 and 1."""
    width, height = size
    return np.array([[2 / width, 0, 1 / width - 1], [0, 2 / height, 1 / height - 1], [0, 0, 1]])


def _from_unit(size: tuple[int, int]) -> Matrix:
    return np.asarray(np.linalg.inv(_to_unit(size)), np.float64)


def _interval(box: tuple[float, float, float, float], axis: int) -> tuple[float, float]:
    """Centre and half width of a box along an axis, in -1..1."""
    low, high = 2 * box[axis] - 1, 2 * box[axis + 2] - 1
    return (low + high) / 2, (high - low) / 2


def _bytes(picture: Pixels) -> NDArray[np.uint8]:
    return np.clip(picture, 0, 255).astype(np.uint8)
