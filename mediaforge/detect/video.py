"""The fingerprint of moving pictures: 256-bit codes of several views of each sampled picture, and local features of some.

One decode serves both. A title is stored by three crops of its active picture (so that a cropped copy still meets one of
them); a query is seen with and without its black bars, as it is and in a mirror.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.area import Area, find_area, whole_area
from mediaforge.detect.codes import SIDE, WORDS, Luma, coefficients, encode, mirrored, quality
from mediaforge.detect.features import (
    LONG_QUERY,
    NO_FEATURES,
    SHORT_QUERY,
    TITLE,
    Features,
    Look,
    Looking,
    gather,
    look_at,
    within,
)
from mediaforge.detect.inset import find_inset
from mediaforge.frames import Frame

SAMPLE_FPS = 4.0  # of a title: 1.4 MB an hour
QUERY_FPS = (
    12.0  # of a short query: in fast pictures a quarter of a second is another picture, and some frame meets the title's
)
SHORT_QUERY_SECONDS = 600  # a longer query has frames enough at SAMPLE_FPS
MAX_SIDE = 512  # of the pictures to give to `fingerprint`

REFERENCE_CROPS = (1.0, 0.86, 0.72)
_LEAST_QUALITY = 50  # below: black, fades, cards, which look alike in every film
_LEAST_STD = 8.0
_HALVED_FROM = 4 * SIDE  # lines: half of them are still more than a code looks at
_STRETCH_SECONDS = 12  # pictures of this time share one active area
_STRETCH_FRAMES = 150  # the most that are held at a time: 22 MB


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fingerprint:
    """What was seen, when. Pictures that say nothing (black, cards) have no code, so the times have gaps."""

    seconds: Fraction  # the end of the last picture
    times: NDArray[np.int64]  # (frames,) milliseconds, rising
    reference_codes: NDArray[np.uint64]  # (frames, crops, WORDS)
    query_codes: NDArray[np.uint64]  # (frames, plain | mirrored, active | whole picture, WORDS)
    features: Features = NO_FEATURES
    turned: Features = NO_FEATURES  # the same points in a mirror


def fingerprint(frames: Iterable[Frame], looking: Looking = TITLE) -> Fingerprint:
    """The fingerprint of gray pictures (h, w) in the order of their times. Their size may change, as in a broadcast.

    Sample a title at SAMPLE_FPS and a query at `query_fps` and look as `query_looking` says, both shrunk to MAX_SIDE.
    """
    with _one_thread():
        return _fingerprint(frames, looking)


@contextmanager
def _one_thread() -> Iterator[None]:
    """For small pictures threads cost more than they save: twice the time of the points."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _fingerprint(frames: Iterable[Frame], looking: Looking) -> Fingerprint:
    times = [np.empty(0, np.int64)]
    reference_codes, query_codes = (
        [np.empty((0, len(REFERENCE_CROPS), WORDS), np.uint64)],
        [np.empty((0, 2, 2, WORDS), np.uint64)],
    )
    looks: list[tuple[int, Look]] = []
    shape = 1.0
    clock = _Clock()
    for stretch in _stretches(frames):
        clock.count(stretch)
        stack = np.stack([frame.image for frame in stretch])
        area = find_area(stack)
        inset = find_inset(stack, area) if looking.insets else None
        kept, references, queries = _codes(stretch, area, inset or area)
        moments = np.array([round(frame.seconds * 1000) for frame in stretch], np.int64)
        times.append(moments[kept])
        shape = stretch[0].image.shape[1] / stretch[0].image.shape[0]
        for moment, frame in zip(moments.tolist(), stretch, strict=True):
            if not looks or moment // looking.step_ms > looks[-1][0] // looking.step_ms:
                looks.append((moment, _look(frame.image, inset, looking)))
        reference_codes.append(references)
        query_codes.append(queries)
    return Fingerprint(
        seconds=clock.end,
        times=np.concatenate(times),
        reference_codes=np.concatenate(reference_codes),
        query_codes=np.concatenate(query_codes),
        features=gather(looks, shape),
        turned=gather(looks, shape, mirrored=True),
    )


def query_fps(seconds: Fraction) -> float:
    """How densely a query of this length is to be sampled. Decode all its pictures for that, not only the reference ones."""
    return QUERY_FPS if seconds <= SHORT_QUERY_SECONDS else SAMPLE_FPS


def query_looking(seconds: Fraction) -> Looking:
    """How a query of this length is looked at."""
    return SHORT_QUERY if seconds <= SHORT_QUERY_SECONDS else LONG_QUERY


class _Clock:
    """Follows the times of all pictures, kept or not, to say when the last one ends."""

    def __init__(self) -> None:
        self.end = Fraction(0)

    def count(self, stretch: list[Frame]) -> None:
        steps = [after.seconds - before.seconds for before, after in pairwise(stretch)]
        self.end = stretch[-1].seconds + (median(steps) if steps else Fraction(0))


def _stretches(frames: Iterable[Frame]) -> Iterator[list[Frame]]:
    stretch: list[Frame] = []
    for frame in frames:
        if stretch and (
            len(stretch) == _STRETCH_FRAMES
            or frame.seconds - stretch[0].seconds >= _STRETCH_SECONDS
            or frame.image.shape != stretch[0].image.shape
        ):
            yield stretch
            stretch = []
        stretch.append(frame)
    if stretch:
        yield stretch


def _look(image: NDArray[np.uint8], inset: Area | None, looking: Looking) -> Look:
    """The points of a picture, or of its inset, seen as large as a whole picture; places are those in the whole picture."""
    if inset is None:
        return look_at(image, looking)
    height, width = image.shape
    left, right, top, bottom = inset.left / width, inset.right / width, inset.top / height, inset.bottom / height
    return within(look_at(inset.cut(image), looking), left=left, right=right, top=top, bottom=bottom)


def _codes(stretch: list[Frame], area: Area, shown: Area) -> tuple[NDArray[np.bool_], NDArray[np.uint64], NDArray[np.uint64]]:
    """Which pictures say something, and for those the reference codes of `area`, and the query codes of what is `shown` there
    and of the whole."""
    pictures = [frame.image for frame in stretch]
    if min(pictures[0].shape) >= _HALVED_FROM:
        pictures = [_halved(image) for image in pictures]
        area, shown = _half(area), _half(shown)
    crops = [_shrunk(pictures, area.crop(share)) for share in REFERENCE_CROPS]
    active = crops[0] if shown == area else _shrunk(pictures, shown)
    kept = (quality(active) >= _LEAST_QUALITY) & (active.std(axis=(1, 2)) >= _LEAST_STD)
    found = [coefficients(crop[kept]) for crop in crops]
    whole = whole_area(*pictures[0].shape)
    plain = found[0] if shown == area else coefficients(active[kept])
    seen = [plain, plain if shown == whole else coefficients(_shrunk(pictures, whole)[kept])]
    references = np.stack([encode(each) for each in found], axis=1)
    straight = np.stack([encode(each) for each in seen], axis=1)
    turned = np.stack([encode(mirrored(each)) for each in seen], axis=1)
    return kept, references, np.stack([straight, turned], axis=1)


def _half(area: Area) -> Area:
    return Area(top=area.top // 2, bottom=area.bottom // 2, left=area.left // 2, right=area.right // 2)


def _shrunk(stretch: Sequence[NDArray[np.uint8]], area: Area) -> Luma:
    small = [cv2.resize(area.cut(image), (SIDE, SIDE), interpolation=cv2.INTER_AREA) for image in stretch]
    return np.stack(small).astype(np.float32)


def _halved(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Of even sides: means of two by two pixels, many times faster than any other share."""
    height, width = image.shape
    small = cv2.resize(image[: height // 2 * 2, : width // 2 * 2], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)
