"""What a media segment says of its samples: when they play, which may begin, how they are encrypted.

ISO/IEC 14496-12, 8.8 (moof, tfhd, tfdt, trun) and 23001-7, 7.2 (senc). The packager writes one fragment a segment with
one track, and its samples lie in the mdat right behind: anything else is refused as damage.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from mediaforge.package.boxes import Box, boxes, children, fullbox
from mediaforge.package.track import Track

# tfhd and trun flags, 8.8.7.1 and 8.8.8.1
_BASE_OFFSET, _DESCRIPTION, _DURATION, _SIZE, _FLAGS = 0x1, 0x2, 0x8, 0x10, 0x20
_DATA_OFFSET, _FIRST_FLAGS = 0x1, 0x4
_SAMPLE_FIELDS = (0x100, 0x200, 0x400, 0x800)  # duration, size, flags, composition offset
_NON_SYNC = 0x10000  # sample_is_non_sync_sample, 8.8.3.1
_SUBSAMPLES = 0x2  # senc flag, 23001-7, 7.2.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """Times are ticks of the track; `media_bytes` are the samples without the boxes around them.

    `ivs` holds the IVs of all samples one after the other, empty with a constant IV.
    """

    decode_time: int
    duration: int
    samples: int
    media_bytes: int
    first_shown: int
    begins_with_sync: bool
    ivs: bytes


def parse_fragment(data: bytes, track: Track) -> Fragment:
    """Read a whole media segment. Raises ValueError where it is cut, or not what the packager writes."""
    kinds = [box.kind for box in boxes(data)]
    if kinds.count("moof") != 1 or kinds.count("mdat") != 1:
        raise ValueError(f"it holds {' '.join(kinds) or 'nothing'}, not one moof and one mdat")
    moof, mdat = (next(box for box in boxes(data) if box.kind == kind) for kind in ("moof", "mdat"))
    trafs = [box for box in children(data, moof) if box.kind == "traf"]
    if len(trafs) != 1:
        raise ValueError(f"it holds {len(trafs)} tracks, not one")
    inner = {box.kind: box for box in children(data, trafs[0])}
    if not {"tfhd", "tfdt", "trun"} <= set(inner):
        raise ValueError("it says no times (tfhd, tfdt or trun is missing)")
    decode_time = _decode_time(data, inner["tfdt"])
    samples = read_samples(data, inner, track)
    track = as_described(track, description(data, inner["tfhd"]))
    if sum(sample.size for sample in samples) != mdat.end - mdat.body:
        raise ValueError("its samples are not as long as the mdat that holds them")
    return Fragment(
        decode_time=decode_time,
        duration=sum(sample.duration for sample in samples),
        samples=len(samples),
        media_bytes=mdat.end - mdat.body,
        first_shown=_first_shown(decode_time, samples),
        begins_with_sync=bool(samples) and samples[0].is_sync,
        ivs=_ivs(data, inner.get("senc"), track, len(samples)),
    )


def description(data: bytes, tfhd: Box) -> int:
    """Which sample entry the fragment uses, from 1; where it says nothing it is that of trex, which `verify` holds to be 1."""
    _, present, body = fullbox(data, tfhd)
    at = 4 + (8 if present & _BASE_OFFSET else 0)
    return int.from_bytes(body[at : at + 4], "big") if present & _DESCRIPTION else 1


def as_described(track: Track, number: int) -> Track:
    """The track as a fragment that uses entry `number` has it: in the clear lead nothing is encrypted."""
    return replace(track, protection=None) if number > 1 and len(track.entries) > 1 else track


def span(fragment: Fragment, track: Track) -> tuple[Fraction, Fraction]:
    """When the fragment begins and ends on the decoding timeline, in seconds."""
    begin = Fraction(fragment.decode_time, track.timescale)
    return begin, begin + Fraction(fragment.duration, track.timescale)


@dataclass(frozen=True, slots=True)
class Sample:
    """Duration and composition offset in ticks, size in bytes."""

    duration: int
    size: int
    flags: int
    offset: int

    @property
    def is_sync(self) -> bool:
        return not self.flags & _NON_SYNC


def read_samples(data: bytes, inner: Mapping[str, Box], track: Track) -> tuple[Sample, ...]:
    """The samples that a traf announces; `inner` are its boxes by kind. Raises ValueError."""
    duration, size, flags = _defaults(data, inner["tfhd"], track)
    return tuple(_samples(data, inner["trun"], duration=duration, size=size, flags=flags))


def _defaults(data: bytes, tfhd: Box, track: Track) -> tuple[int, int, int]:
    _, present, body = fullbox(data, tfhd)
    at = 4 + (8 if present & _BASE_OFFSET else 0) + (4 if present & _DESCRIPTION else 0)
    values = []
    for flag, default in ((_DURATION, track.default_duration), (_SIZE, 0), (_FLAGS, track.default_flags)):
        if present & flag:
            values.append(struct.unpack_from(">I", body, at)[0])
            at += 4
        else:
            values.append(default)
    return values[0], values[1], values[2]


def _decode_time(data: bytes, tfdt: Box) -> int:
    version, _, body = fullbox(data, tfdt)
    return int.from_bytes(body[: 8 if version else 4], "big")


def _samples(data: bytes, trun: Box, *, duration: int, size: int, flags: int) -> Iterator[Sample]:
    version, present, body = fullbox(data, trun)
    count = int.from_bytes(body[:4], "big")
    at = 4 + (4 if present & _DATA_OFFSET else 0)
    first_flags = flags
    if present & _FIRST_FLAGS:
        first_flags = struct.unpack_from(">I", body, at)[0]
        at += 4
    fields = [flag for flag in _SAMPLE_FIELDS if present & flag]
    # Version 1 has signed composition offsets (8.8.8.3).
    row = struct.Struct(">" + "".join("i" if flag == _SAMPLE_FIELDS[3] and version else "I" for flag in fields))
    if at + row.size * count > len(body):
        raise ValueError("its trun does not hold what it announces")
    for index in range(count):
        values = dict(zip(fields, row.unpack_from(body, at + index * row.size), strict=True))
        default = first_flags if index == 0 else flags
        yield Sample(values.get(0x100, duration), values.get(0x200, size), values.get(0x400, default), values.get(0x800, 0))


def _first_shown(decode_time: int, samples: Sequence[Sample]) -> int:
    shown = []
    for sample in samples:
        shown.append(decode_time + sample.offset)
        decode_time += sample.duration
    return min(shown, default=decode_time)


def _ivs(data: bytes, senc: Box | None, track: Track, samples: int) -> bytes:
    if track.protection is None or track.protection.iv_bytes == 0:
        return b""
    if senc is None:
        raise ValueError("it says no IVs (senc is missing)")
    _, flags, body = fullbox(data, senc)
    if int.from_bytes(body[:4], "big") != samples:
        raise ValueError("it has not one IV a sample")
    length, at, ivs = track.protection.iv_bytes, 4, []
    for _ in range(samples):
        ivs.append(body[at : at + length])
        at += length
        if flags & _SUBSAMPLES:
            at += 2 + 6 * int.from_bytes(body[at : at + 2], "big")
    if at != len(body):
        raise ValueError("its senc does not hold what it announces")
    return b"".join(ivs)
