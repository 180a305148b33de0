"""What others would find in the same pictures: single hashes counted as a bag, without time, as the peers' own tools do it.

vPDQ (Meta, ThreatExchange): PDQ of a frame a second, quality at least 50, alike within 31 of 256 bits; here over our own
codes of the whole picture, which are PDQ's. pHash: imagehash's 64 bits, alike within 8.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mediaforge.detect.codes import SIDE, Codes, coefficients, distances, encode, quality
from mediaforge.frames import Frame

_VPDQ_RADIUS, _VPDQ_QUALITY = 31, 50
_PHASH_RADIUS = 8
_STEP_SECONDS = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bags:
    """The hashes of a video's pictures, one a second."""

    pdq: Codes  # (pictures of some quality, 4)
    phash: NDArray[np.uint64]  # (pictures,)


def bags(frames: Iterable[Frame]) -> Bags:
    """Hashes of gray pictures, of the first in each second."""
    small, hashes = [np.empty((0, SIDE, SIDE), np.float32)], []
    tick = 0
    for frame in frames:
        if frame.seconds < tick * _STEP_SECONDS:
            continue
        tick = int(frame.seconds // _STEP_SECONDS) + 1
        small.append(cv2.resize(frame.image, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)[None])
        hashes.append(int(str(imagehash.phash(Image.fromarray(frame.image))), 16))
    luma = np.concatenate(small)
    kept = luma[quality(luma) >= _VPDQ_QUALITY]
    return Bags(pdq=encode(coefficients(kept)), phash=np.array(hashes, np.uint64))


def vpdq_score(query: Bags, title: Bags) -> float:
    """The share of the query's hashes that are alike to one of the title's."""
    if not len(query.pdq) or not len(title.pdq):
        return 0.0
    return float(np.mean(distances(query.pdq, title.pdq).min(axis=1) <= _VPDQ_RADIUS))


def phash_score(query: Bags, title: Bags) -> float:
    """The share of the query's hashes that are alike to one of the title's."""
    if not len(query.phash) or not len(title.phash):
        return 0.0
    apart = np.bitwise_count(query.phash[:, None] ^ title.phash[None])
    return float(np.mean(apart.min(axis=1) <= _PHASH_RADIUS))
