"""IMSC documents in the segments of a subtitle stream (ISO/IEC 14496-30, 5: one XML document a sample)."""

import struct
from pathlib import Path

from mediaforge.errors import MediaError
from mediaforge.media import Span
from mediaforge.package.boxes import Box, boxes, children, fullbox
from mediaforge.package.fragment import parse_fragment, span
from mediaforge.package.imsc import imsc_document, parse_cues
from mediaforge.package.layout import INIT, segment_name, segment_numbers
from mediaforge.package.track import read_track

# tfhd and trun flags, 14496-12, 8.8.7.1 and 8.8.8.1
_BASE_OFFSET, _DESCRIPTION, _DEFAULT_DURATION, _DEFAULT_SIZE = 0x1, 0x2, 0x8, 0x10
_DATA_OFFSET, _FIRST_FLAGS, _DURATION, _SIZE = 0x1, 0x4, 0x100, 0x200


def write_imsc(package: Path, folder: str, webvtt: str, *, language: str) -> None:
    """Put our documents in the place of the packager's, in every segment of a folder. Raises MediaError."""
    track = read_track(package / folder / INIT)
    cues = parse_cues(webvtt, name=package / folder)
    for number in segment_numbers(package / folder):
        path = package / folder / segment_name(number)
        data = path.read_bytes()
        try:
            begin, end = span(parse_fragment(data, track), track)
            document = imsc_document(cues, language=language, span=Span(start=begin, end=end))
            path.write_bytes(with_sample(data, document))
        except (ValueError, struct.error) as error:
            raise MediaError(path, f"is no segment of subtitles ({error}); package the title again") from error


def read_sample(data: bytes) -> bytes:
    """The one sample of a segment. Raises ValueError."""
    mdat = next((box for box in boxes(data) if box.kind == "mdat"), None)
    if mdat is None:
        raise ValueError("it has no mdat")
    return data[mdat.body : mdat.end]


def with_sample(data: bytes, sample: bytes) -> bytes:
    """A segment of one sample with another one in its place. Raises ValueError."""
    moof = next(box for box in boxes(data) if box.kind == "moof")
    mdat = next(box for box in boxes(data) if box.kind == "mdat")
    traf = next(box for box in children(data, moof) if box.kind == "traf")
    inner = {box.kind: box for box in children(data, traf)}
    out = bytearray(data[: mdat.start])
    at = _size_field(data, inner)
    out[at : at + 4] = len(sample).to_bytes(4, "big")
    return bytes(out) + struct.pack(">I4s", 8 + len(sample), b"mdat") + sample + data[mdat.end :]


def _size_field(data: bytes, inner: dict[str, Box]) -> int:
    """Where the segment says how large its sample is."""
    _, present, body = fullbox(data, inner["trun"])
    if int.from_bytes(body[:4], "big") != 1:
        raise ValueError("it has not one sample")
    if present & _SIZE:
        return inner["trun"].body + 8 + 4 * sum(bool(present & flag) for flag in (_DATA_OFFSET, _FIRST_FLAGS, _DURATION))
    _, present, _ = fullbox(data, inner["tfhd"])
    if not present & _DEFAULT_SIZE:
        raise ValueError("it does not say how large its sample is")
    before = (_BASE_OFFSET, _BASE_OFFSET, _DESCRIPTION, _DEFAULT_DURATION)  # the base offset has 8 bytes
    return inner["tfhd"].body + 8 + 4 * sum(bool(present & flag) for flag in before)
