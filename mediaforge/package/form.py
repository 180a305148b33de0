"""How a media segment is built: its boxes, what points where, and which bytes of each sample are encrypted.

`fragment.py` reads what a segment says of the title; this is what players rely on without looking, and what a packager, an edge
or a proxy that rewrites segments gets wrong.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mediaforge.package.boxes import Box, boxes, children, fullbox
from mediaforge.package.fragment import Sample, as_described, description, read_samples
from mediaforge.package.track import Track, read_brands

_BLOCK = 16  # AES: what cbcs encrypts, and what cenc's protected ranges are made of
_SUBSAMPLES = 0x2  # senc flag, 23001-7, 7.2.2
# tfhd flags, 14496-12, 8.8.7.1
_BASE_OFFSET, _BASE_IS_MOOF = 0x1, 0x20000
_DATA_OFFSET = 0x1  # trun, 8.8.8.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """`kinds`: top-level boxes in order. `description`: which sample entry is used, from 1.

    `is_anchored`: offsets count from the moof. `points_at_media`: the trun's offset is where the mdat's body begins.
    `is_smooth`: samples are shown one after the other without gap or overlap. `has_groups`: samples may have keys of their own.
    `aux_agrees`: saiz and saio say of senc what it is. `uncovered`: samples whose subsamples do not add up to them; `ragged`:
    protected ranges that are no whole blocks; `open`: samples without a protected byte.
    """

    kinds: tuple[str, ...]
    brands: tuple[str, ...]
    sequence: int
    track_id: int
    description: int
    is_anchored: bool
    points_at_media: bool
    sync_samples: int
    empty_samples: int
    is_smooth: bool
    has_groups: bool
    aux_agrees: bool
    uncovered: int
    ragged: int
    open: int


def parse_form(data: bytes, track: Track) -> Form:
    """Read a whole media segment that `parse_fragment` has read. Raises ValueError."""
    top = list(boxes(data))
    moof, mdat = (next(box for box in top if box.kind == kind) for kind in ("moof", "mdat"))
    mfhd = next((box for box in children(data, moof) if box.kind == "mfhd"), None)
    traf = next(box for box in children(data, moof) if box.kind == "traf")
    inner = {box.kind: box for box in children(data, traf)}
    samples = read_samples(data, inner, track)
    _, present, tfhd = fullbox(data, inner["tfhd"])
    number = description(data, inner["tfhd"])
    track = as_described(track, number)
    uncovered, ragged, unprotected = _subsamples(data, inner.get("senc"), track, samples)
    styp = next((box for box in top if box.kind == "styp"), None)
    return Form(
        kinds=tuple(box.kind for box in top),
        brands=read_brands(data, styp) if styp else (),
        sequence=int.from_bytes(fullbox(data, mfhd)[2][:4], "big") if mfhd else 0,
        track_id=int.from_bytes(tfhd[:4], "big"),
        description=number,
        is_anchored=bool(present & _BASE_IS_MOOF) and not present & _BASE_OFFSET,
        points_at_media=_data_offset(data, inner["trun"]) == mdat.body - moof.start,
        sync_samples=sum(sample.is_sync for sample in samples),
        empty_samples=sum(sample.size == 0 or sample.duration == 0 for sample in samples),
        is_smooth=_is_smooth(samples),
        has_groups="sgpd" in inner,
        aux_agrees=_aux_agrees(data, moof, inner, track, len(samples)),
        uncovered=uncovered,
        ragged=ragged,
        open=unprotected,
    )


def _data_offset(data: bytes, trun: Box) -> int | None:
    _, present, body = fullbox(data, trun)
    return int(struct.unpack_from(">i", body, 4)[0]) if present & _DATA_OFFSET else None


def _is_smooth(samples: Sequence[Sample]) -> bool:
    at, shown = 0, []
    for sample in samples:
        shown.append((at + sample.offset, sample.duration))
        at += sample.duration
    shown.sort()
    return all(begin + length == following for (begin, length), (following, _) in pairwise(shown))


def _aux_agrees(data: bytes, moof: Box, inner: Mapping[str, Box], track: Track, samples: int) -> bool:
    """saiz and saio, 14496-12, 8.7.8 and 8.7.9: where players find the IVs and ranges that senc holds.

    Whole samples under a constant IV have none of the three.
    """
    senc, saiz, saio = (inner.get(kind) for kind in ("senc", "saiz", "saio"))
    if track.protection is None:
        return senc is None and saiz is None and saio is None
    if senc is None or saiz is None or saio is None:
        return senc is None or len(fullbox(data, senc)[2]) == 4  # a senc that only counts
    entries = [len(entry) for entry in _entries(data, senc, track)]
    _, has_type, sizes = fullbox(data, saiz)
    sizes = sizes[8:] if has_type & 1 else sizes
    default, count = sizes[0], int.from_bytes(sizes[1:5], "big")
    said = [default] * count if default else list(sizes[5 : 5 + count])
    version, has_type, places = fullbox(data, saio)
    places = places[8:] if has_type & 1 else places
    place = int.from_bytes(places[4 : 12 if version else 8], "big")
    # The entries follow size, type, flags and count of senc.
    return said == entries and count == samples and moof.start + place == senc.body + 8


def _entries(data: bytes, senc: Box, track: Track) -> Iterator[bytes]:
    """What senc holds of each sample: its IV, if it has one, and its ranges, if it has any."""
    _, flags, body = fullbox(data, senc)
    length = track.protection.iv_bytes if track.protection else 0
    at = 4
    for _ in range(int.from_bytes(body[:4], "big")):
        end = at + length
        if flags & _SUBSAMPLES:
            end += 2 + 6 * int.from_bytes(body[end : end + 2], "big")
        if end > len(body):
            raise ValueError("its senc does not hold what it announces")
        yield body[at:end]
        at = end


def _subsamples(data: bytes, senc: Box | None, track: Track, samples: Sequence[Sample]) -> tuple[int, int, int]:
    """How many samples are not covered, ragged, and without a protected byte (23001-7, 9.5)."""
    if track.protection is None or senc is None or not fullbox(data, senc)[1] & _SUBSAMPLES:
        return 0, 0, 0
    uncovered = ragged = unprotected = 0
    whole_blocks = track.protection.scheme == "cenc"  # 10.1: in cbcs a partial block at the end stays in clear by itself
    for entry, sample in zip(_entries(data, senc, track), samples, strict=False):
        ranges = entry[track.protection.iv_bytes + 2 :]
        rows = [struct.unpack_from(">HI", ranges, at) for at in range(0, len(ranges), 6)]
        secret = [protected for _, protected in rows]
        uncovered += sum(clear + protected for clear, protected in rows) != sample.size
        ragged += whole_blocks and any(protected % _BLOCK for protected in secret)
        unprotected += sum(secret) == 0 and sample.size >= _LEAST_PROTECTED
    return uncovered, ragged, unprotected


_LEAST_PROTECTED = 256  # bytes: a smaller picture may be headers and a part of a block
