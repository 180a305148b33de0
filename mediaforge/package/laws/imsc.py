"""Subtitles in IMSC: every segment a document of the Text Profile, with what is shown in it and nothing else."""

from collections.abc import Iterator
from fractions import Fraction

from lxml import etree

from mediaforge.checks import Check
from mediaforge.package.contents import Contents
from mediaforge.package.imsc import IMSC_PROFILE, TT, TTP, TTS, XML, cues_of
from mediaforge.package.record import TextForm
from mediaforge.package.rules import Rule, finding
from mediaforge.package.stpp import read_sample
from mediaforge.package.stream import Segment, Stream

DOCUMENT = Rule(
    id="package.imsc.document",
    clause="W3C IMSC 1.0.1, 6 and 7; ISO/IEC 14496-30, 5",
    holds="a segment of IMSC is one document of the Text Profile in the track's language, its regions inside the picture",
)
CUES = Rule(
    id="package.imsc.cues",
    clause="ISO/IEC 14496-30, 5",
    holds="a segment of IMSC has the cues that are shown in it, each in a region",
)

RULES = (DOCUMENT, CUES)

_WHOLE = 100.0  # per cent of the picture
_ELEMENTS = frozenset(
    f"{TT}{name}" for name in ("tt", "head", "styling", "style", "layout", "region", "body", "div", "p", "span", "br")
)


def check_imsc(contents: Contents) -> Iterator[Check]:
    texts = [(row.language, contents.streams.get(row.folder)) for row in contents.record.text if row.form is TextForm.IMSC]
    streams = [(language, stream) for language, stream in texts if stream is not None]
    if texts:
        yield finding(DOCUMENT, [fault for language, stream in streams for fault in _documents(stream, language)])
        yield finding(CUES, [fault for _, stream in streams for fault in _cues(stream)])


def _documents(stream: Stream, language: str) -> Iterator[str]:
    if stream.track.codec != "stpp":
        yield f"{stream.folder} is {stream.track.codec}, not stpp"
    for segment in stream.segments:
        place = f"{segment.path.name} of {stream.folder}"
        try:
            root = _parsed(segment)
        except (etree.XMLSyntaxError, ValueError) as error:
            yield f"{place} holds no XML ({error})"
            continue
        yield from (f"{place} {fault}" for fault in _document(root, language))


def _document(root: etree._Element, language: str) -> Iterator[str]:
    if root.tag != f"{TT}tt" or root.get(f"{TTP}profile") != IMSC_PROFILE:
        yield f"is no document of {IMSC_PROFILE}"
    if root.get(f"{XML}lang") != language:
        yield f"is in {root.get(f'{XML}lang')!r}, not {language!r}"
    strange = {element.tag for element in root.iter() if element.tag not in _ELEMENTS}
    if strange:
        yield f"has elements that the profile has not ({', '.join(sorted(map(str, strange)))})"
    for region in root.iter(f"{TT}region"):
        try:
            origin, extent = (_pair(region.get(f"{TTS}{name}") or "") for name in ("origin", "extent"))
        except ValueError:
            yield "has a region without origin and extent in per cent"
            continue
        if any(begin < 0 or begin + length > _WHOLE for begin, length in zip(origin, extent, strict=True)):
            yield "has a region that leaves the picture"


def _cues(stream: Stream) -> Iterator[str]:
    for segment in stream.segments:
        place = f"{segment.path.name} of {stream.folder}"
        begin = Fraction(segment.fragment.decode_time, stream.track.timescale)
        end = begin + stream.seconds(segment)
        try:
            root = _parsed(segment)
            regions = {region.get(f"{XML}id") for region in root.iter(f"{TT}region")}
            if any(paragraph.get("region") not in regions for paragraph in root.iter(f"{TT}p")):
                yield f"{place} has a cue in no region"
            for start, stop, words in cues_of(root):
                if not words.strip() or not (start < stop and start < end and stop > begin):
                    yield f"{place} has a cue from {float(start):.3f} to {float(stop):.3f} s, or one without words"
        except (etree.XMLSyntaxError, ValueError):  # the other rule says so
            continue


def _parsed(segment: Segment) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    return etree.fromstring(read_sample(segment.path.read_bytes()), parser)


def _pair(text: str) -> tuple[float, ...]:
    x, y = text.split()
    if not (x.endswith("%") and y.endswith("%")):
        raise ValueError(text)
    return float(x[:-1]), float(y[:-1])
