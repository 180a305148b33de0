"""The 256-bit code of one picture: the signs of its low DCT frequencies around their median.

The method and the bit order are those of PDQ (Meta, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing
Algorithm", 2019), so `str(as_imagehash(code))` is the hexadecimal that PDQ databases exchange. A code is four uint64, the
first holding the highest bits.
"""

import imagehash
import numpy as np
from numpy.typing import NDArray

SIDE = 64  # pixels of the shrunken picture
FREQUENCIES = 16  # kept in each direction
BITS = FREQUENCIES * FREQUENCIES
WORDS = BITS // 64

Luma = NDArray[np.float32]  # (n, SIDE, SIDE), 0..255
Coefficients = NDArray[np.float32]  # (n, FREQUENCIES, FREQUENCIES)
Codes = NDArray[np.uint64]  # (n, WORDS)


def coefficients(luma: Luma) -> Coefficients:
    """The DCT-II of each picture, frequencies 1 to 16 in both directions: the mean and its row and column are left out."""
    # Picture by picture: for one large product the library would wake threads, which costs more than the sums.
    return np.asarray(_DCT @ (luma @ _DCT.T), np.float32)


def encode(found: Coefficients) -> Codes:
    """One bit a coefficient: whether it lies above the median of its picture."""
    flat = found.reshape(-1, BITS)
    middle = np.partition(flat, BITS // 2 - 1, axis=1)[:, BITS // 2 - 1 : BITS // 2]  # PDQ takes the lower median
    packed = np.packbits(flat[:, ::-1] > middle, axis=1)  # (n, 32); PDQ writes its last coefficient first
    return packed.view(">u8").astype(np.uint64)


def mirrored(found: Coefficients) -> Coefficients:
    """The coefficients of the pictures seen in a mirror: the odd horizontal frequencies change their sign."""
    return found * _MIRROR


def quality(luma: Luma) -> NDArray[np.int64]:
    """How much there is to see, 0 to 100, as PDQ counts it: the steps between neighbouring pixels, summed.  # (n,)"""
    steps = sum(np.abs(np.trunc(np.diff(luma, axis=axis) * (100 / 255))).sum(axis=(1, 2)) for axis in (1, 2))
    return np.asarray(np.minimum(np.asarray(steps) // 90, 100), np.int64)


def distances(ours: Codes, theirs: Codes) -> NDArray[np.uint16]:
    """The Hamming distance of every code to every other.  # (len(ours), len(theirs))

    Meant for blocks of some dozen by some thousand codes; the buffers are made once, which is five times faster.
    """
    shape = (len(ours), len(theirs))
    differing = np.empty(shape, np.uint64)
    count, total = np.empty(shape, np.uint8), np.zeros(shape, np.uint16)
    columns = np.ascontiguousarray(theirs.T)  # (WORDS, len(theirs))
    for word in range(WORDS):
        np.bitwise_xor(ours[:, word, None], columns[word], out=differing)
        np.add(total, np.bitwise_count(differing, out=count), out=total)
    return total


def as_imagehash(code: NDArray[np.uint64]) -> imagehash.ImageHash:
    """One code (WORDS,) as the type in which single hashes are exchanged."""
    bits = np.unpackbits(code.astype(">u8").view(np.uint8))
    return imagehash.ImageHash(bits.reshape(FREQUENCIES, FREQUENCIES).astype(bool))


def from_imagehash(single: imagehash.ImageHash) -> NDArray[np.uint64]:
    """The code (WORDS,) of a 256-bit ImageHash."""
    return np.packbits(single.hash.reshape(-1)).view(">u8").astype(np.uint64)


def _dct_matrix() -> NDArray[np.float32]:
    frequency = np.arange(1, FREQUENCIES + 1)[:, None]
    place = np.arange(SIDE)[None, :]
    return np.asarray(np.sqrt(2 / SIDE) * np.cos(np.pi / (2 * SIDE) * frequency * (2 * place + 1)), np.float32)


_DCT = _dct_matrix()  # (FREQUENCIES, SIDE)
_MIRROR = np.where(np.arange(1, FREQUENCIES + 1) % 2, -1, 1).astype(np.float32)  # along the horizontal frequencies
