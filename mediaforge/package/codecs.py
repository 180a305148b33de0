"""What a manifest must call the codec of an init segment: RFC 6381 strings, from the decoder's own configuration."""

import struct

from mediaforge.package.boxes import children, find

# Not monochrome, 4:2:0, BT.709 in all three, limited range: what an AV1 name means that ends before its optional fields.
_AV1_DEFAULTS = ".0.110.01.01.01.0"
_DOLBY_CHANNELS = (2, 1, 2, 3, 3, 4, 4, 5)  # by acmod, without the LFE: ETSI TS 102 366, table 4.3
_DECODER_CONFIG, _SPECIFIC_INFO = 4, 5  # descriptor tags, ISO/IEC 14496-1, 7.2.2.1


def codec_string(data: bytes) -> str | None:
    """The codec of the track in the bytes of an init segment; None for one that is not known here. Raises ValueError."""
    stsd = find(data, "moov/trak/mdia/minf/stbl/stsd")
    entry = next(children(data, stsd), None) if stsd else None
    if entry is None:
        return None
    inner = {box.kind: data[box.body : box.end] for box in children(data, entry)}
    for kind, body in inner.items():
        if kind in _NAMES:
            return _NAMES[kind]
        if kind == "av1C":
            return _av1(body, inner.get("colr", b""))
        if kind in _CONFIGURED:
            return _CONFIGURED[kind](body)
    return _TEXTS.get(entry.kind)


def channel_count(data: bytes) -> int | None:
    """The channels of the sound in the bytes of an init segment; None where there is no sound that says. Raises ValueError.

    Dolby's boxes count, not the sample entry, which says 2 for all of them (ETSI TS 102 366, F.3, F.4 and F.6).
    """
    stsd = find(data, "moov/trak/mdia/minf/stbl/stsd")
    entry = next(children(data, stsd), None) if stsd else None
    if entry is None:
        return None
    inner = {box.kind: box for box in children(data, entry)}
    if "dac3" in inner:  # fscod 2 bits, bsid 5, bsmod 3, acmod 3, lfeon 1
        bits = int.from_bytes(data[inner["dac3"].body : inner["dac3"].body + 3], "big")
        return _DOLBY_CHANNELS[bits >> 11 & 7] + (bits >> 10 & 1)
    if "dec3" in inner:  # data_rate 13, num_ind_sub 3, fscod 2, bsid 5, 1, asvc 1, bsmod 3, acmod 3, lfeon 1, 3, num_dep_sub 4
        bits = int.from_bytes(data[inner["dec3"].body : inner["dec3"].body + 5], "big")
        return None if bits >> 1 & 15 else _DOLBY_CHANNELS[bits >> 9 & 7] + (bits >> 8 & 1)
    return int.from_bytes(data[entry.body + 16 : entry.body + 18], "big") if inner.keys() & {"esds", "dOps"} else None


def plain_codec(name: str) -> str:
    """A codec's name as a manifest gives it, in the form of `codec_string`: lower case, without what goes without saying."""
    lower = name.lower()
    return lower.removesuffix(_AV1_DEFAULTS) if lower.startswith("av01.") else lower


def _avc(body: bytes) -> str:
    """Profile, constraints, level: RFC 6381, 3.3."""
    return "avc1." + body[1:4].hex()


def _av1(body: bytes, colours: bytes) -> str:
    """AV1 in ISOBMFF, 5; its optional fields where a `colr` box (ISO/IEC 14496-12, 12.1.5) says the colours."""
    profile_level, flags = body[1], body[2]
    tier = "H" if flags & 0x80 else "M"
    depth = 8 if not flags & 0x40 else 12 if flags & 0x20 else 10
    name = f"av01.{profile_level >> 5}.{profile_level & 31:02}{tier}.{depth:02}"
    if colours[:4] != b"nclx" or len(colours) < 11:  # an ICC profile, or cut off
        return name
    primaries, transfer, matrix, full_range = struct.unpack(">HHHB", colours[4:11])
    sampling = f"{flags >> 3 & 1}{flags >> 2 & 1}{flags & 3}"
    return f"{name}.{flags >> 4 & 1}.{sampling}.{primaries:02}.{transfer:02}.{matrix:02}.{full_range >> 7}"


def _hevc(body: bytes) -> str:
    """Profile, its compatibility flags (from the last to the first), tier and level, constraints: ISO/IEC 14496-15, E.3."""
    space, tier, profile = body[1] >> 6, "H" if body[1] & 0x20 else "L", body[1] & 31
    compatible = int(f"{int.from_bytes(body[2:6], 'big'):032b}"[::-1], 2)
    constraints = [f"{byte:X}" for byte in body[6:12].rstrip(b"\0")]
    return ".".join(["hvc1", f"{' ABC'[space].strip()}{profile}", f"{compatible:X}", f"{tier}{body[12]}", *constraints])


def _aac(body: bytes) -> str:
    """The object type of the audio: RFC 6381, 3.3."""
    return f"mp4a.40.{_object_type(body[4:])}"


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


_CONFIGURED = {"avcC": _avc, "hvcC": _hevc, "esds": _aac}
_NAMES = {"dOps": "opus", "dac3": "ac-3", "dec3": "ec-3"}  # ETSI TS 102 366, F.2 and F.5
_TEXTS = {"wvtt": "wvtt", "stpp": "stpp.ttml.im1t"}  # W3C, TTML Profiles for Internet Media Subtitles and Captions, 10
