"""The DASH MPD (ISO/IEC 23009-1) as values: what verification needs of it."""

import base64
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from lxml import etree

from mediaforge.errors import MediaError
from mediaforge.package.pssh import Pssh, parse_pssh

MPD = "{urn:mpeg:dash:schema:mpd:2011}"
CENC = "{urn:mpeg:cenc:2013}"
DASHIF = "{https://dashif.org/CPS}"  # DASH-IF, "Content Protection and Security": Laurl
SYSTEM = "urn:uuid:"  # 5.8.5.2: begins the schemeIdUri of a DRM system
SET_SWITCHING = "urn:mpeg:dash:adaptation-set-switching:2016"  # 5.3.3.5
TRICK_MODE = "http://dashif.org/guidelines/trickmode"  # DASH-IF IOP 4.3, 3.2.9
PROTECTION = "urn:mpeg:dash:mp4protection:2011"  # 5.8.5.2: names the scheme and the default KID

_SECONDS = re.compile(r"PT(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Representation:
    """One Representation with what it has from its AdaptationSet. `segments`: (URI, begin, length in seconds) in order.

    `licences`: (system id, address) of every Laurl.
    """

    kind: str
    codecs: str
    language: str
    bandwidth: int
    width: int
    height: int
    starts_with_sap: bool
    init: str
    segments: tuple[tuple[str, Fraction, Fraction], ...]
    scheme: str | None
    default_kid: bytes | None
    pssh: tuple[Pssh, ...]
    licences: tuple[tuple[bytes, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    duration: Fraction
    representations: tuple[Representation, ...]


def read_mpd(path: Path) -> Presentation:
    """Read a static MPD with number-addressed segments. Raises MediaError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MediaError(path, f"cannot be read ({error.strerror}); package the title again") from error
    return parse_mpd(data, name=path)


def parse_mpd(data: bytes, *, name: Path) -> Presentation:
    """As `read_mpd`, for bytes at hand; `name` is for messages."""
    root = parse_mpd_tree(data, name=name)
    try:
        return Presentation(
            duration=_seconds(root.get("mediaPresentationDuration") or ""),
            representations=tuple(
                _representation(group, row)
                for group in root.iter(f"{MPD}AdaptationSet")
                for row in group.iterfind(f"{MPD}Representation")
            ),
        )
    except (ValueError, TypeError, KeyError, ZeroDivisionError) as error:
        raise MediaError(name, f"says something that makes no sense ({error}); package the title again") from error


def parse_mpd_tree(data: bytes, *, name: Path) -> etree._Element:
    """The XML of an MPD; no entity and no file outside is followed."""
    try:
        return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise MediaError(name, f"is no XML ({error}); package the title again") from error


def is_trick(group: etree._Element) -> bool:
    """Whether an AdaptationSet is of pictures for trick play: players that do not know the property must leave it alone."""
    return any(row.get("schemeIdUri") == TRICK_MODE for row in group.iterfind(f"{MPD}EssentialProperty"))


def _representation(group: etree._Element, row: etree._Element) -> Representation:
    template = row.find(f"{MPD}SegmentTemplate")
    if template is None:
        raise ValueError(f"representation {row.get('id')} has no SegmentTemplate")
    protection = [box for box in group.iterfind(f"{MPD}ContentProtection") if box.get("schemeIdUri") == PROTECTION]
    kid = protection[0].get(f"{CENC}default_KID") if protection else None
    return Representation(
        kind=group.get("contentType") or "",
        codecs=row.get("codecs") or "",
        language=group.get("lang") or "",
        bandwidth=int(row.get("bandwidth") or 0),
        width=int(row.get("width") or group.get("width") or 0),
        height=int(row.get("height") or group.get("height") or 0),
        starts_with_sap=(row.get("startWithSAP") or group.get("startWithSAP")) == "1",
        init=template.get("initialization") or "",
        segments=tuple(_segments(template)),
        scheme=protection[0].get("value") if protection else None,
        default_kid=bytes.fromhex(kid.replace("-", "")) if kid else None,
        pssh=tuple(parse_pssh(base64.b64decode(box.text or "")) for box in group.iter(f"{CENC}pssh")),
        licences=tuple(_licences(group)),
    )


def _licences(group: etree._Element) -> Iterator[tuple[bytes, str]]:
    for box in group.iterfind(f"{MPD}ContentProtection"):
        system = box.get("schemeIdUri") or ""
        for row in box.iterfind(f"{DASHIF}Laurl"):
            yield uuid.UUID(system.removeprefix(SYSTEM)).bytes, (row.text or "").strip()


def _segments(template: etree._Element) -> Iterator[tuple[str, Fraction, Fraction]]:
    """SegmentTimeline, 5.3.9.6: S@t is where a run begins, S@d how long each segment is, S@r how often it repeats."""
    scale, number = int(template.get("timescale") or 1), int(template.get("startNumber") or 1)
    media, at = template.get("media") or "", 0
    for run in template.iterfind(f"{MPD}SegmentTimeline/{MPD}S"):
        at = int(run.get("t") or at)
        length = int(run.attrib["d"])
        for _ in range(int(run.get("r") or 0) + 1):
            yield media.replace("$Number$", str(number)), Fraction(at, scale), Fraction(length, scale)
            at, number = at + length, number + 1


def _seconds(text: str) -> Fraction:
    match = _SECONDS.fullmatch(text)
    if match is None:
        raise ValueError(f"duration {text!r}")
    return Fraction(match["hours"] or 0) * 3600 + Fraction(match["minutes"] or 0) * 60 + Fraction(match["seconds"] or 0)
