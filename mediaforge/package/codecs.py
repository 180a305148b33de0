"""What a manifest must call the codec of an init segment: RFC 6381 strings, from the decoder's own configuration."""

import struct

from mediaforge.package.boxes import Box, children, find

# Not monochrome, 4:2:0, BT.709 in all three, limited range: what an AV1 name means that ends before its optional fields.
_AV1_DEFAULTS = ".0.110.01.01.01.0"
_DECODER_CONFIG, _SPECIFIC_INFO = 4, 5  # descriptor tags, ISO/IEC 14496-1, 7.2.2.1


def codec_string(data: bytes) -> str | None:
    """The codec of the track in the bytes of an init segment; None for one that is not known here. Raises ValueError.

    avc1: profile, constraints, level; mp4a: object type of the audio (RFC 6381, 3.3). av01: AV1 in ISOBMFF, 5.
    """
    stsd = find(data, "moov/trak/mdia/minf/stbl/stsd")
    entry = next(children(data, stsd), None) if stsd else None
    if entry is None:
        return None
    inner = {box.kind: box for box in children(data, entry)}
    if "avcC" in inner:
        return "avc1." + data[inner["avcC"].body + 1 : inner["avcC"].body + 4].hex()
    if "av1C" in inner:
        return _av1(data, inner["av1C"])
    if "esds" in inner:
        return f"mp4a.40.{_object_type(data[inner['esds'].body + 4 : inner['esds'].end])}"
    if "dOps" in inner:
        return "opus"
    return "wvtt" if entry.kind == "wvtt" else None


def plain_codec(name: str) -> str:
    """A codec's name as a manifest gives it, in the form of `codec_string`: lower case, without what goes without saying."""
    lower = name.lower()
    return lower.removesuffix(_AV1_DEFAULTS) if lower.startswith("av01.") else lower


def _av1(data: bytes, box: Box) -> str:
    profile_level, flags = data[box.body + 1], data[box.body + 2]
    tier = "H" if flags & 0x80 else "M"
    depth = 8 if not flags & 0x40 else 12 if flags & 0x20 else 10
    return f"av01.{profile_level >> 5}.{profile_level & 31:02}{tier}.{depth:02}"


def _object_type(data: bytes) -> int:
    """The first five bits of an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1)."""
    info = _descriptor(data, _SPECIFIC_INFO)
    if not info:
        raise ValueError("its esds says nothing of the codec")
    kind = info[0] >> 3
    return kind if kind != 31 else 32 + (struct.unpack(">H", info[:2])[0] >> 5 & 0x3F)


def _descriptor(data: bytes, wanted: int) -> bytes:
    """The content of a descriptor inside an ES descriptor, whose own fields come first."""
    at = 0
    while at + 2 <= len(data):
        tag, at = data[at], at + 1
        length = 0
        while True:
            byte, at = data[at], at + 1
            length = length << 7 | byte & 0x7F
            if not byte & 0x80:
                break
        if tag == wanted:
            return data[at : at + length]
        # Into the two that hold others: ES (3: 3 bytes of fields) and decoder configuration (13 bytes).
        at += {3: 3, _DECODER_CONFIG: 13}.get(tag, length)
    return b""
