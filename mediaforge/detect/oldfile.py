"""Fingerprint files of the first version, one `.mfp` a title: read where they still lie, and taken over by the next change.

A file is a header, the title's id, times, codes and a SHA-256 of all that (little-endian).
"""

import hashlib
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np

from mediaforge.detect.codes import WORDS
from mediaforge.detect.segments import Reference
from mediaforge.detect.video import REFERENCE_CROPS
from mediaforge.errors import StoreError

SUFFIX = ".mfp"
_MAGIC = b"MFFP"
_VERSION = 1
_HEADER = struct.Struct("<4sHHHIQQ")  # magic, version, crops, bytes of the title's id, frames, seconds as a fraction
_DIGEST_BYTES = 32


def read_old(path: Path) -> Reference:
    """The title in a file of version 1. Raises FileNotFoundError where it is gone, StoreError where it is damaged."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(path, f"cannot be read ({error.strerror}); mend permissions") from error
    body, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
    if len(body) < _HEADER.size or body[:4] != _MAGIC:
        raise _damaged(path, "is no fingerprint")
    _, version, crops, name_bytes, frames, numerator, denominator = _HEADER.unpack_from(body)
    if version != _VERSION or crops != len(REFERENCE_CROPS):
        raise _damaged(path, f"was written by another mediaforge (version {version})")
    if hashlib.sha256(body).digest() != digest:
        raise _damaged(path, "is damaged (its checksum disagrees)")
    times_at = _HEADER.size + name_bytes
    title = body[_HEADER.size : times_at].decode("ascii")
    if title != path.stem:
        raise _damaged(path, f"holds the title {title!r}")
    times = np.frombuffer(body, "<i8", count=frames, offset=times_at).astype(np.int64)
    codes = np.frombuffer(body, "<u8", offset=times_at + times.nbytes).astype(np.uint64)
    return Reference(
        title=title, seconds=Fraction(numerator, denominator), times=times, codes=codes.reshape(frames, crops, WORDS)
    )


def _damaged(path: Path, what: str) -> StoreError:
    return StoreError(path, f"{what}; remove it with `fingerprint remove {path.stem}` and add the title again")
