"""Common Encryption undone by the standard's own words, with nothing of the packager or of libav in it.

ISO/IEC 23001-7: cenc (10.1), cbcs (10.4), senc (7.2). Slow and short: what it opens is held against renditions.
"""

from collections.abc import Iterator
from pathlib import Path

import av
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, CTR

from mediaforge.package.boxes import boxes, children, fullbox
from mediaforge.package.fragment import read_samples
from mediaforge.package.track import Protection, Track

_BLOCK = 16
_SUBSAMPLES = 0x2  # senc flag


def opened_samples(data: bytes, track: Track, key: bytes) -> list[bytes]:
    """The samples of a media segment in clear. `key`: 16 bytes."""
    protection = track.protection
    assert protection is not None
    top = {box.kind: box for box in boxes(data)}
    traf = next(box for box in children(data, top["moof"]) if box.kind == "traf")
    inner = {box.kind: box for box in children(data, traf)}
    samples = read_samples(data, inner, track)
    # Whole blocks of a sound in cbcs need no senc: constant IV, no subsamples.
    rows = list(_senc(data, inner["senc"], protection)) if "senc" in inner else [(protection.constant_iv, [])] * len(samples)
    at = top["mdat"].body
    opened = []
    for sample, (iv, ranges) in zip(samples, rows, strict=True):
        opened.append(_opened(data[at : at + sample.size], iv or protection.constant_iv, ranges, protection, key))
        at += sample.size
    return opened


def packets(rendition: Path) -> list[bytes]:
    """What a clear MP4 holds, packet by packet, in the order of decoding."""
    with av.open(str(rendition)) as container:
        return [bytes(packet) for packet in container.demux(container.streams[0]) if packet.size]


def _senc(data: bytes, senc: object, protection: Protection) -> Iterator[tuple[bytes, list[tuple[int, int]]]]:
    """The IV of each sample, and how many bytes are clear and protected in turn."""
    _, flags, body = fullbox(data, senc)  # type: ignore[arg-type]
    at = 4
    for _ in range(int.from_bytes(body[:4], "big")):
        iv, at = body[at : at + protection.iv_bytes], at + protection.iv_bytes
        ranges = []
        if flags & _SUBSAMPLES:
            count, at = int.from_bytes(body[at : at + 2], "big"), at + 2
            for _ in range(count):
                ranges.append((int.from_bytes(body[at : at + 2], "big"), int.from_bytes(body[at + 2 : at + 6], "big")))
                at += 6
        yield iv, ranges


def _opened(sample: bytes, iv: bytes, ranges: list[tuple[int, int]], protection: Protection, key: bytes) -> bytes:
    ranges = ranges or [(0, len(sample))]
    if protection.scheme == "cenc":  # one key stream runs on through all protected ranges of a sample
        stream = Cipher(AES(key), CTR(iv.ljust(_BLOCK, b"\0"))).decryptor()
    out, at = [], 0
    for clear, protected in ranges:
        out.append(sample[at : at + clear])
        at += clear
        piece = sample[at : at + protected]
        out.append(stream.update(piece) if protection.scheme == "cenc" else _cbcs(piece, iv, protection, key))
        at += protected
    return b"".join(out)


def _cbcs(piece: bytes, iv: bytes, protection: Protection, key: bytes) -> bytes:
    """Each protected range begins at the constant IV; in a pattern the skipped blocks take no part; the rest is clear."""
    crypt, skip = protection.crypt_blocks, protection.skip_blocks
    chain = Cipher(AES(key), CBC(iv)).decryptor()
    whole = len(piece) // _BLOCK * _BLOCK
    if not crypt:
        return chain.update(piece[:whole]) + piece[whole:]
    out = []
    step, encrypted = (crypt + skip) * _BLOCK, crypt * _BLOCK
    for at in range(0, len(piece), step):
        end = min(at + encrypted, whole)
        out += [chain.update(piece[at:end]), piece[end : at + step]] if end > at else [piece[at : at + step]]
    return b"".join(out)
