"""Local features of a picture as 128-bit codes: they survive a crop, a turn and a smaller picture; whole-picture codes do not.

SIFT points (Lowe 2004) as RootSIFT (Arandjelovic and Zisserman 2012), turned by one fixed orthogonal matrix and kept as
signs: two points of one thing differ in some 20 bits, two of different things in 64. A point in a mirror needs no second
look: its descriptor's rows and directions change their order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaforge.media import Span

CODE_BITS = 128
CODE_WORDS = CODE_BITS // 64

# Most pictures have points enough above the first contrast, and weak ones take time for nothing; plain or soft ones do not.
_CONTRASTS = (0.06, 0.01)
_MEAN = 0.0699  # of a RootSIFT value over many films
_ROTATION_SEED = 7
_SCALES_AN_OCTAVE = 32.0  # the size of a point is kept as steps of 2 %
_SMALLEST = 0.5  # pixels
_MOST_ENLARGED = 2.0  # a small copy shows the same points as a large one, if they are looked at at one size


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """How often and how closely pictures are looked at."""

    step_ms: int
    points: int  # the most of a picture
    side: int  # pixels of the longer side: the time goes with its square
    insets: bool = True  # whether a sharp picture between blurred ones is looked at alone


TITLE = Looking(step_ms=2000, points=80, side=400, insets=False)  # 2.9 MB an hour
SHORT_QUERY = Looking(step_ms=333, points=160, side=480)  # a copy may be a small part of what is seen
LONG_QUERY = Looking(step_ms=2000, points=160, side=480)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Features:
    """The points of the pictures looked at. Picture k owns the points starts[k] to starts[k + 1].

    `places` are x and y in 1/255 of the width and height, the size in steps of 1/32 octave, the angle in 1/256 turn.
    """

    times: NDArray[np.int64]  # (pictures,) milliseconds, rising
    starts: NDArray[np.int64]  # (pictures + 1,)
    codes: NDArray[np.uint64]  # (points, CODE_WORDS)
    places: NDArray[np.uint8]  # (points, 4)
    shape: float  # width over height

    def pixels(self) -> NDArray[np.float32]:
        """Where the points lie, in units of the picture's height.  # (points, 2)"""
        return (self.places[:, :2] * np.array([self.shape / 255, 1 / 255], np.float32)).astype(np.float32)

    def owners(self) -> NDArray[np.intp]:
        """The picture of each point.  # (points,)"""
        return np.repeat(np.arange(len(self.times)), np.diff(self.starts))


NO_FEATURES = Features(
    times=np.empty(0, np.int64),
    starts=np.zeros(1, np.int64),
    codes=np.empty((0, CODE_WORDS), np.uint64),
    places=np.empty((0, 4), np.uint8),
    shape=1.0,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """The points of one picture, strongest first: codes as it is and in a mirror."""

    codes: NDArray[np.uint64]  # (points, CODE_WORDS)
    turned: NDArray[np.uint64]  # (points, CODE_WORDS)
    places: NDArray[np.uint8]  # (points, 4)


def look_at(picture: NDArray[np.uint8], looking: Looking) -> Look:
    """The strongest points of a gray picture (h, w)."""
    most, scale = looking.points, min(_MOST_ENLARGED, looking.side / max(picture.shape))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    image = picture if scale == 1 else cv2.resize(picture, None, fx=scale, fy=scale, interpolation=way)
    points, values = _strongest(np.asarray(image, np.uint8), most)
    if not len(points):
        return Look(
            codes=np.empty((0, CODE_WORDS), np.uint64),
            turned=np.empty((0, CODE_WORDS), np.uint64),
            places=np.empty((0, 4), np.uint8),
        )
    order = np.argsort([-point.response for point in points], kind="stable")[:most]
    root = np.sqrt(values[order] / np.maximum(values[order].sum(axis=1, keepdims=True), 1e-9)) - _MEAN  # (points, 128)
    height, width = image.shape
    x, y = np.array([points[i].pt for i in order]).T
    sizes = np.array([points[i].size for i in order])
    angles = np.array([points[i].angle for i in order])
    steps = np.log2(np.maximum(sizes / height * 360, _SMALLEST) / _SMALLEST) * _SCALES_AN_OCTAVE  # as in a picture of 360 lines
    columns = (x / width * 255, y / height * 255, steps, np.round(angles / 360 * 256) % 256)
    return Look(
        codes=_signs(root),
        turned=_signs(root[:, _MIRROR]),
        places=np.stack([np.clip(np.round(column), 0, 255) for column in columns], axis=1).astype(np.uint8),
    )


def within(look: Look, *, left: float, right: float, top: float, bottom: float) -> Look:
    """What was seen in a part of a picture, whose edges are shares of its width and height, as seen in the whole picture."""
    share = np.array([right - left, bottom - top, 1, 1])
    places = look.places * share + np.array([255 * left, 255 * top, _SCALES_AN_OCTAVE * np.log2(bottom - top), 0])
    return replace(look, places=np.clip(np.round(places), 0, 255).astype(np.uint8))


def turned_places(places: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same points seen in a mirror."""
    turned = places.copy()
    turned[:, 0] = 255 - places[:, 0]
    turned[:, 3] = (128 - places[:, 3].astype(np.int64)) % 256
    return turned


def gather(looks: list[tuple[int, Look]], shape: float, *, mirrored: bool = False) -> Features:
    """Looks at their moments (milliseconds) as one."""
    codes = [look.turned if mirrored else look.codes for _, look in looks]
    places = [turned_places(look.places) if mirrored else look.places for _, look in looks]
    return Features(
        times=np.array([moment for moment, _ in looks], np.int64),
        starts=np.cumsum([0, *(len(some) for some in codes)], dtype=np.int64),
        codes=np.concatenate([np.empty((0, CODE_WORDS), np.uint64), *codes]),
        places=np.concatenate([np.empty((0, 4), np.uint8), *places]),
        shape=shape,
    )


def without(features: Features, spans: Iterable[Span]) -> Features:
    """The features without the pictures of these spans."""
    kept = np.ones(len(features.times), bool)
    for span in spans:
        kept &= (features.times < float(span.start * 1000)) | (features.times >= float(span.end * 1000))
    points = kept[features.owners()]
    return replace(
        features,
        times=features.times[kept],
        starts=np.concatenate([[0], np.cumsum(np.diff(features.starts)[kept])]).astype(np.int64),
        codes=features.codes[points],
        places=features.places[points],
    )


def _signs(values: NDArray[np.float32]) -> NDArray[np.uint64]:
    # Point by point: for one large product the library would wake threads, which cost forty times the sums.
    turned = np.matvec(_rotation().T, values)
    packed = np.packbits(turned > 0, axis=1)  # (points, 16)
    return packed.view(">u8").astype(np.uint64)


def _strongest(image: NDArray[np.uint8], most: int) -> tuple[Sequence[cv2.KeyPoint], NDArray[np.float32]]:
    """At least `most` points where there are so many, and their descriptors.  # (points, 128)"""
    points: Sequence[cv2.KeyPoint] = ()
    values = None
    for contrast in _CONTRASTS:
        points, values = _detector(most, contrast).detectAndCompute(image, None)
        if len(points) >= most:
            break
    return points, np.empty((0, CODE_BITS), np.float32) if values is None else np.asarray(values, np.float32)


@cache
def _detector(most: int, contrast: float) -> cv2.SIFT:
    return cv2.SIFT.create(nfeatures=most, contrastThreshold=contrast)


@cache
def _rotation() -> NDArray[np.float32]:
    """An orthogonal matrix that is the same for ever; the signs of the diagonal make the decomposition unique."""
    square, upper = np.linalg.qr(np.random.default_rng(_ROTATION_SEED).standard_normal((CODE_BITS, CODE_BITS)))
    return np.asarray(square * np.sign(np.diagonal(upper)), np.float32)


def _mirror_order() -> NDArray[np.intp]:
    """Where each of the 4 x 4 x 8 values of a descriptor stands when the picture is mirrored."""
    rows, columns, directions = np.meshgrid(np.arange(4), np.arange(4), np.arange(8), indexing="ij")
    return np.asarray((3 - rows) * 32 + columns * 8 + (8 - directions) % 8).reshape(-1)


_MIRROR = _mirror_order()
