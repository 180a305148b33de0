"""The first subtitle of a text stream in MP4: what a player must show, and when (IMSC and WebVTT: ISO/IEC 14496-30, 5 to 7)."""

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from lxml import etree

from mediaforge.package.boxes import boxes, children
from mediaforge.package.fragment import read_samples
from mediaforge.package.imsc import cues_of
from mediaforge.package.layout import INIT, segment_name, segment_numbers
from mediaforge.package.stpp import read_sample
from mediaforge.package.track import Track, read_track

_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """`at`: its middle, in seconds; `text` without markup, its words one space apart."""

    at: Fraction
    text: str


def first_cue(package: Path, folder: str) -> Cue | None:
    """None where nothing is ever said, or in a form that is not read here. Raises MediaError where there is no init segment."""
    track = read_track(package / folder / INIT)
    readers = {"wvtt": _in_segment, "stpp": _in_document}
    for number in segment_numbers(package / folder) if track.codec in readers else ():
        found = readers[track.codec]((package / folder / segment_name(number)).read_bytes(), track)
        if found is not None:
            return found
    return None


def _in_segment(data: bytes, track: Track) -> Cue | None:
    try:
        top = {box.kind: box for box in boxes(data)}
        inner = {
            box.kind: box for box in children(data, next(box for box in children(data, top["moof"]) if box.kind == "traf"))
        }
        time = int.from_bytes(data[inner["tfdt"].body + 4 : inner["tfdt"].end], "big")
        at = top["mdat"].body
        for sample in read_samples(data, inner, track):
            text = _payload(data, at, at + sample.size)
            if text:
                return Cue(at=Fraction(2 * time + sample.duration, 2 * track.timescale), text=text)
            time, at = time + sample.duration, at + sample.size
    except (KeyError, ValueError, StopIteration):  # a damaged segment: `verify` says so
        return None
    return None


def _in_document(data: bytes, track: Track) -> Cue | None:
    """The first cue of a segment's document, in the segment where it begins or in one before."""
    try:
        for begin, end, words in cues_of(etree.fromstring(read_sample(data), etree.XMLParser(resolve_entities=False))):
            return Cue(at=(begin + end) / 2, text=" ".join(words.split()))
    except (ValueError, etree.XMLSyntaxError):  # `verify` says so
        return None
    return None


def _payload(data: bytes, start: int, end: int) -> str:
    """The lines of the first cue in a sample; an empty sample has none."""
    for cue in boxes(data, start, end):
        if cue.kind == "vttc":
            payload = next((box for box in boxes(data, cue.body, cue.end) if box.kind == "payl"), None)
            if payload is not None:
                return " ".join(_TAG.sub("", data[payload.body : payload.end].decode("utf-8", "replace")).split())
    return ""
