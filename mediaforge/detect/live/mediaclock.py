"""When a media segment begins on its own clock, which the pictures and the sound of one HLS stream share (RFC 8216, 6.2.4).

Read from the first bytes of what came: `tfdt` in fragments (ISO/IEC 14496-12, 8.8.12), the first PTS of a transport stream
(ISO/IEC 13818-1, 2.4.3.7), or the ID3 frame before packed audio (RFC 8216, 3.4). Nothing is decoded.
"""

import struct
from collections.abc import Iterator

_PTS_HERTZ = 90_000
_PACKET = 188  # bytes of a transport stream
_MOST_PACKETS = 4_000  # in which a PTS must come
_ID3_OWNER = b"com.apple.streaming.transportStreamTimestamp\0"
_MOST_BOXES = 1_000


def begins_at(init: bytes, media: bytes) -> float | None:
    """Seconds; None where the segment does not say, or is damaged."""
    try:
        if media[:1] == b"\x47":
            return _first_pts(media)
        if media[:3] == b"ID3":
            return _id3_time(media)
        return _fragment_time(init, media)
    except (struct.error, IndexError, ZeroDivisionError):
        return None


def _first_pts(media: bytes) -> float | None:
    for place in range(0, min(len(media), _PACKET * _MOST_PACKETS), _PACKET):
        packet = media[place : place + _PACKET]
        if packet[0] != 0x47:
            return None
        begins, adaptation = packet[1] & 0x40, packet[3] >> 4 & 3
        if not begins or not adaptation & 1:
            continue
        pes = packet[5 + packet[4] :] if adaptation & 2 else packet[4:]
        if pes[:3] == b"\0\0\1" and (0xC0 <= pes[3] <= 0xEF or pes[3] == 0xBD) and pes[7] & 0x80:  # sound, pictures, AC-3
            return _pts(pes[9:14]) / _PTS_HERTZ
    return None


def _pts(field: bytes) -> int:
    first, middle, last = field[0], int.from_bytes(field[1:3], "big"), int.from_bytes(field[3:5], "big")
    return (first >> 1 & 7) << 30 | middle >> 1 << 15 | last >> 1


def _id3_time(media: bytes) -> float | None:
    place = media[:1024].find(_ID3_OWNER)
    if place < 0:
        return None
    (ticks,) = struct.unpack_from(">Q", media, place + len(_ID3_OWNER))
    return float(ticks & (1 << 33) - 1) / _PTS_HERTZ


def _fragment_time(init: bytes, media: bytes) -> float | None:
    """Of the first track fragment, by the clock of its track."""
    for moof in _boxes(media, b"moof"):
        for traf in _boxes(moof, b"traf"):
            track = next((struct.unpack_from(">I", each, 4)[0] for each in _boxes(traf, b"tfhd")), None)
            scale = _timescale(init, track)
            for tfdt in _boxes(traf, b"tfdt"):
                (ticks,) = struct.unpack_from(">Q" if tfdt[0] else ">I", tfdt, 4)
                return None if scale is None else ticks / scale
    return None


def _timescale(init: bytes, track: int | None) -> int | None:
    for moov in _boxes(init, b"moov"):
        for trak in _boxes(moov, b"trak"):
            ids = [struct.unpack_from(">I", each, 20 if each[0] else 12)[0] for each in _boxes(trak, b"tkhd")]
            if track not in ids:
                continue
            for mdia in _boxes(trak, b"mdia"):
                for mdhd in _boxes(mdia, b"mdhd"):
                    return int(struct.unpack_from(">I", mdhd, 20 if mdhd[0] else 12)[0])
    return None


def _boxes(data: bytes, kind: bytes) -> Iterator[bytes]:
    """The contents of the boxes of this kind on this level."""
    place = 0
    for _ in range(_MOST_BOXES):
        if place + 8 > len(data):
            return
        size, name = struct.unpack_from(">I4s", data, place)
        head = 8
        if size == 1:
            (size,), head = struct.unpack_from(">Q", data, place + 8), 16
        if size < head:  # 0: to the end of the file, which no segment does
            return
        if name == kind:
            yield data[place + head : place + size]
        place += size
