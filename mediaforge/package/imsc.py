"""Subtitles as IMSC (W3C, TTML Profiles for Internet Media Subtitles and Captions 1.0.1, Text Profile), one document a segment.

The packager's own conversion escapes italics into the text, lays regions out where the profile has none, and leaves a cue
without settings at the top of the picture. So its segments only say when; what they show is written here, from the same WebVTT.
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from lxml import etree

from mediaforge.media import Span
from mediaforge.package.webvtt import read_cues

IMSC_CODEC = "stpp.ttml.im1t"
IMSC_PROFILE = "http://www.w3.org/ns/ttml/profile/imsc1/text"
TT = "{http://www.w3.org/ns/ttml}"
TTP = "{http://www.w3.org/ns/ttml#parameter}"
TTS = "{http://www.w3.org/ns/ttml#styling}"
XML = "{http://www.w3.org/XML/1998/namespace}"

_NAMES: Any = {None: TT[1:-1], "ttp": TTP[1:-1], "tts": TTS[1:-1]}  # lxml-stubs knows no namespace without a prefix
_REGIONS = {"bottom": "after", "top": "before"}  # by displayAlign
_STYLES = {"i": ("fontStyle", "italic"), "b": ("fontWeight", "bold"), "u": ("textDecoration", "underline")}
_ALIGNED = {"start": "start", "left": "left", "end": "end", "right": "right"}
_TOKEN = re.compile(r"<(?P<close>/?)(?P<name>[a-z]*)[^>]*>|\n|[^<\n]+|<")
_MIDDLE = 50.0  # per cent of the height


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """Seconds on the title's timeline; `settings` and `text` as WebVTT has them."""

    start: Fraction
    end: Fraction
    settings: str
    text: str


def parse_cues(webvtt: str, *, name: Path) -> tuple[Cue, ...]:
    """The cues of a WebVTT text that show something. Raises MediaError, with `name` in it."""
    found = read_cues(webvtt, name=name)
    rows = (Cue(start=start, end=end, settings=settings, text=text) for start, end, settings, text in found)
    return tuple(cue for cue in rows if cue.text.strip())


def imsc_document(cues: tuple[Cue, ...], *, language: str, span: Span) -> bytes:
    """The document of one segment: every cue that is shown in it, with its whole times, so that players see one cue go on."""
    root = etree.Element(f"{TT}tt", {f"{XML}lang": language, f"{TTP}profile": IMSC_PROFILE}, nsmap=_NAMES)
    _head(root)
    division = etree.SubElement(etree.SubElement(root, f"{TT}body", style="shown"), f"{TT}div")
    for cue in cues:
        if cue.start < span.end and cue.end > span.start:
            _paragraph(division, cue)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _head(root: etree._Element) -> None:
    head = etree.SubElement(root, f"{TT}head")
    styling, layout = (etree.SubElement(head, f"{TT}{name}") for name in ("styling", "layout"))
    shown = {"fontFamily": "proportionalSansSerif", "fontSize": "100%", "color": "white"}
    etree.SubElement(styling, f"{TT}style", {f"{XML}id": "shown", **_styled(shown)})
    etree.SubElement(styling, f"{TT}style", {f"{XML}id": "boxed", **_styled({"backgroundColor": "#000000c0"})})
    for name, align in _REGIONS.items():
        place = {"origin": "10% 10%", "extent": "80% 80%", "displayAlign": align, "textAlign": "center"}
        etree.SubElement(layout, f"{TT}region", {f"{XML}id": name, **_styled(place)})


def _paragraph(division: etree._Element, cue: Cue) -> None:
    settings = dict(word.split(":", 1) for word in cue.settings.split() if ":" in word)
    style = {"direction": "rtl", "unicodeBidi": "embed"} if _is_right_to_left(cue.text) else {}
    if settings.get("align") in _ALIGNED:
        style["textAlign"] = _ALIGNED[settings["align"]]
    times = {"begin": _clock(cue.start), "end": _clock(cue.end), "region": _region(settings.get("line", ""))}
    paragraph = etree.SubElement(division, f"{TT}p", {**times, f"{XML}space": "preserve", **_styled(style)})
    _fill(etree.SubElement(paragraph, f"{TT}span", style="boxed"), cue.text)


def _fill(boxed: etree._Element, text: str) -> None:
    """Lines, italics, bold and underlines; what else WebVTT marks up (voices, classes) loses its marks and keeps its words."""
    here = [("", boxed)]
    for token in _TOKEN.finditer(text):
        name, (outer, element) = token["name"], here[-1]
        if token[0] == "\n":
            etree.SubElement(element, f"{TT}br")
        elif name in _STYLES and not token["close"]:
            here.append((name, etree.SubElement(element, f"{TT}span", _styled(dict([_STYLES[name]])))))
        elif name in _STYLES and name == outer:
            here.pop()
        elif name is None:
            _append(element, html.unescape(token[0]))


def _append(element: etree._Element, text: str) -> None:
    text = "".join(letter for letter in text if letter.isprintable() or letter == "\t" or unicodedata.category(letter) == "Cf")
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text


def _is_right_to_left(text: str) -> bool:
    """By the first letter that has a direction (UAX 9, P2 and P3); the marks before Arabic lines count as one."""
    words = re.sub(r"<[^>]*>", "", html.unescape(text))
    strong = (unicodedata.bidirectional(letter) for letter in words)
    return next((kind in ("R", "AL") for kind in strong if kind in ("L", "R", "AL")), False)


def _region(line: str) -> str:
    """`line:10%` is near the top, and so is `line:0`; negative numbers and most cues are at the bottom."""
    place = line.partition(",")[0]
    try:
        value = float(place.removesuffix("%"))
    except ValueError:
        return "bottom"
    return "top" if 0 <= value < (_MIDDLE if place.endswith("%") else 7) else "bottom"


def _styled(style: dict[str, str]) -> dict[str, str]:
    return {f"{TTS}{name}": value for name, value in style.items()}


def _clock(seconds: Fraction) -> str:
    milliseconds = round(seconds * 1000)
    whole, rest = divmod(milliseconds, 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{rest:03}"


def cues_of(document: etree._Element) -> Iterator[tuple[Fraction, Fraction, str]]:
    """The times and words of a document's paragraphs. Raises ValueError."""
    for paragraph in document.iter(f"{TT}p"):
        begin, end = (_seconds(paragraph.get(name) or "") for name in ("begin", "end"))
        yield begin, end, "".join(str(text) for text in paragraph.itertext())


def _seconds(clock: str) -> Fraction:
    hours, minutes, seconds = clock.split(":")
    return (Fraction(hours) * 60 + Fraction(minutes)) * 60 + Fraction(seconds)
