"""Who gets which variant of which segment: a biased binary code per title (Tardos 2003; facts-watermark 2).

Position i of a title has a secret bias t_i/256, and recipient j gets variant A there where a keyed pseudo-random byte lies
below t_i. To somebody who was not at the leak every position of his code is therefore an independent coin with exactly
known odds: that is all the proof of an accusation rests on (`trace.py`).
"""

from collections.abc import Iterator, Sequence

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

SECRET_BYTES = 32

# The arcsine density is cut at `cut` and 1 - cut. 0.08 is the best all-round choice against colluders (facts-watermark
# 2.1). Two colluders cannot be told in fewer than 300 segments under any cut; so few positions had better say as much as
# they can about a single pirate: at 0.2 they say a sixth more, and 27 positions read of 31 still accuse.
SHORT_SEGMENTS = 300
_CUT_SHORT = 0.20
_CUT_LONG = 0.08

_BLOCK = 16  # bytes of an AES block: one byte a position
_ROWS = 256  # recipients at a time: what is computed for them stays in a core's cache


def biases(secret: bytes, segments: int) -> NDArray[np.uint8]:
    """The bias t of every position, variant A having probability t/256: uint8 (segments,)."""
    draws = _random_bytes(_key(secret, b"biases"), np.zeros(1, np.uint64), 4 * segments).view(">u4")[0]  # (segments,)
    cut = _CUT_SHORT if segments < SHORT_SEGMENTS else _CUT_LONG
    edge = np.arcsin(np.sqrt(cut))
    angle = edge + (np.pi / 2 - 2 * edge) * (draws + 0.5) / 2**32
    return np.asarray(np.rint(256 * np.sin(angle) ** 2), np.uint8)


def code(secret: bytes, number: int, segments: int) -> NDArray[np.uint8]:
    """The code of recipient `number`: uint8 (segments,), 1 where the recipient gets variant A."""
    return np.asarray(codes(secret, [number], segments)[0])


def codes(secret: bytes, numbers: Sequence[int] | NDArray[np.uint64], segments: int) -> NDArray[np.uint8]:
    """The codes of many recipients: uint8 (recipients, segments), 1 for variant A."""
    draws = _random_bytes(_key(secret, b"codes"), np.asarray(numbers, np.uint64), segments)
    return (draws < biases(secret, segments)).astype(np.uint8)


def code_blocks(
    secret: bytes, numbers: NDArray[np.uint64], read: Sequence[int], *, segments: int
) -> Iterator[NDArray[np.bool_]]:
    """The codes of any number of recipients at the positions `read`, a block of recipients at a time: (rows, columns).

    Only the cipher blocks that hold those positions are computed. `columns` says where the positions lie; the other columns are
    always False. The array is used again for the next block.
    """
    places = np.unique(np.asarray(read) // _BLOCK)
    below = np.zeros(len(places) * _BLOCK, np.uint8)  # a draw is never below 0
    below[columns(read)] = biases(secret, segments)[read]
    counters = np.empty((_ROWS, len(places), 2), ">u8")
    counters[:, :, 1] = places
    draws = np.empty(_ROWS * below.size + _BLOCK, np.uint8)  # the cipher asks for room to spare
    bits = np.empty((_ROWS, below.size), np.bool_)
    encrypt = _encryptor(_key(secret, b"codes"))
    for first in range(0, len(numbers), _ROWS):
        rows = len(numbers[first : first + _ROWS])
        counters[:rows, :, 0] = numbers[first : first + rows, None]
        encrypt.update_into(counters[:rows].view(np.uint8).reshape(-1).data, draws.data)
        np.less(draws[: rows * below.size].reshape(rows, -1), below, out=bits[:rows])
        yield bits[:rows]


def columns(read: Sequence[int]) -> NDArray[np.int64]:
    """In which columns of `code_blocks` the positions `read` lie."""
    place, within = np.divmod(np.asarray(read, np.int64), _BLOCK)
    return np.searchsorted(np.unique(place), place) * _BLOCK + within


def as_text(sequence: NDArray[np.uint8]) -> str:
    """`ABBA...`, a letter a segment."""
    return "".join("A" if bit else "B" for bit in sequence)


def _key(secret: bytes, purpose: bytes) -> bytes:
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a title's watermark secret has {SECRET_BYTES} bytes, not {len(secret)}")
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"mediaforge watermark " + purpose).derive(secret)


def _random_bytes(key: bytes, rows: NDArray[np.uint64], count: int) -> NDArray[np.uint8]:
    """`count` pseudo-random bytes for each row number: AES over the blocks (row, 0), (row, 1)... (SP 800-38A, counter mode)."""
    blocks = -(-count // _BLOCK)
    counters = np.empty((len(rows), blocks, 2), ">u8")
    counters[:, :, 0] = rows[:, None]
    counters[:, :, 1] = np.arange(blocks)
    stream = _encryptor(key).update(counters.tobytes())
    return np.frombuffer(stream, np.uint8).reshape(len(rows), blocks * _BLOCK)[:, :count].copy()


def _encryptor(key: bytes) -> CipherContext:
    """ECB over counters that never repeat is the keystream of counter mode, for many rows in one call."""
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305
