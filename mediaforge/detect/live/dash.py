"""DASH manifests of live streams (ISO/IEC 23009-1): the newest segments of the smallest rendition, by template and timeline."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urljoin

from lxml import etree

from mediaforge.detect.live.listing import MOST_PIECES, Listing, NoListing, Part, Piece, held_seconds

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?")
_FIELD = re.compile(r"\$(RepresentationID|Number|Time|Bandwidth)(%0(\d{1,2})d)?\$")
_LEAST_LINES = 240  # as for HLS
_MOST_PERIODS = 100
_MOST_ROWS = 100_000  # of a timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """What of a Period is there: its start on the manifest's clock, and from when to when there are whole segments."""

    start: float
    oldest: float
    newest: float


def read_manifest(text: bytes, url: str, *, now: float, sound: bool = False) -> Listing:
    """`now`: unix seconds by the server's clock; `sound`: of the sound beside the pictures, if any. Raises NoListing."""
    try:
        root = etree.fromstring(text, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False))
        return _listing(root, url, now, sound=sound)
    except (etree.XMLSyntaxError, ValueError, OverflowError, ZeroDivisionError, TypeError) as error:
        raise NoListing(f"is a DASH manifest that cannot be read ({type(error).__name__})") from error


def _listing(root: etree._Element, url: str, now: float, *, sound: bool) -> Listing:
    for each in root.iter(etree.Element):  # by local names: manifests differ in their namespaces
        each.tag = etree.QName(each).localname
    if root.tag != "MPD":
        raise NoListing("is no DASH manifest")
    dynamic = root.get("type") == "dynamic"
    elapsed = now - _moment(root.get("availabilityStartTime")) if dynamic else _seconds(root.get("mediaPresentationDuration"))
    update = _seconds(root.get("minimumUpdatePeriod"))
    pieces: list[Piece] = []
    periods = root.findall("Period")[-_MOST_PERIODS:]
    for number, period in enumerate(periods):
        start = _seconds(period.get("start"))
        end = _seconds(periods[number + 1].get("start")) if number + 1 < len(periods) else None
        if period.get("duration"):
            end = start + _seconds(period.get("duration"))
        newest = min(elapsed, end) if end is not None else elapsed
        span = _Window(start=start, oldest=max(start, elapsed - 120), newest=newest)
        if span.newest > span.oldest:
            pieces += _pieces(root, period, urljoin(url, _base(root)), span, sound=sound)
    pieces.sort(key=lambda piece: piece.number)
    longest = max((piece.seconds for piece in pieces), default=2.0)
    return Listing(pieces=tuple(pieces[-MOST_PIECES:]), ended=not dynamic, reload_seconds=held_seconds(update or longest))


def _pieces(root: etree._Element, period: etree._Element, url: str, span: _Window, *, sound: bool) -> Iterator[Piece]:
    url = urljoin(url, _base(period))
    chosen = _smallest(period, sound=sound)
    if chosen is None:
        return
    adaptation, representation = chosen
    url = urljoin(urljoin(url, _base(adaptation)), _base(representation))
    for each in (adaptation, representation):
        if each.find("ContentProtection") is not None:
            raise NoListing("is encrypted; give a stream that plays without a licence")
    levels = [each.find("SegmentTemplate") for each in (period, adaptation, representation)]
    templates = [each for each in levels if each is not None]
    said = {str(name): str(value) for each in templates for name, value in each.attrib.items()}
    if "media" not in said:
        raise NoListing("is a DASH manifest without segment templates, which are all that is followed here")
    fields = {"RepresentationID": representation.get("id", ""), "Bandwidth": representation.get("bandwidth", "0")}
    scale = float(said.get("timescale", "1"))
    origin = _moment(root.get("availabilityStartTime")) if root.get("type") == "dynamic" else None
    timeline = next((found for each in reversed(templates) if (found := each.find("SegmentTimeline")) is not None), None)
    init = Part(url=urljoin(url, _filled(said["initialization"], fields))) if "initialization" in said else None
    for number, time, seconds in _numbered(timeline, said, span):
        start = span.start + (time - float(said.get("presentationTimeOffset", "0"))) / scale
        if span.oldest <= start + seconds <= span.newest + 0.5:
            address = _filled(said["media"], fields | {"Number": number, "Time": time})
            yield Piece(
                number=round(start * 1000),
                media=Part(url=urljoin(url, address)),
                seconds=held_seconds(seconds),
                init=init,
                broadcast=None if origin is None else origin + start,
                clock=start,
            )


def _numbered(timeline: etree._Element | None, said: Mapping[str, str], span: _Window) -> Iterator[tuple[int, int, float]]:
    """Number, time (in the template's scale) and seconds of the segments that may lie in the window."""
    scale, first = float(said.get("timescale", "1")), int(said.get("startNumber", "1"))
    offset = int(said.get("presentationTimeOffset", "0"))
    if timeline is None:
        ticks = int(said["duration"])
        newest = int((span.newest - span.start) * scale / ticks)  # so many are whole
        for place in range(max(0, newest - MOST_PIECES), newest):
            yield first + place, offset + place * ticks, ticks / scale
        return
    rows = timeline.findall("S")
    if len(rows) > _MOST_ROWS:
        raise NoListing(f"is a DASH manifest whose timeline has more than {_MOST_ROWS:,} rows")
    number, time = first, 0
    for row in rows:
        time = int(row.get("t", time))
        ticks, again = int(row.get("d", "0")), int(row.get("r", "0"))
        if ticks <= 0:
            raise NoListing("is a DASH manifest with segments that last no time")
        if again < 0:  # to the end of what is there
            again = max(0, int(((span.newest - span.start) * scale + offset - time) / ticks) - 1)
        for place in range(max(0, again + 1 - MOST_PIECES), again + 1):
            yield number + place, time + place * ticks, ticks / scale
        number, time = number + again + 1, time + (again + 1) * ticks


def _smallest(period: etree._Element, *, sound: bool) -> tuple[etree._Element, etree._Element] | None:
    """Of the pictures, or where there are none of the sound; with `sound` of the sound that is beside pictures."""
    found: list[tuple[tuple[bool, bool, int, int], etree._Element, etree._Element]] = []
    for adaptation in period.findall("AdaptationSet"):
        if any("trickmode" in each.get("schemeIdUri", "") for each in adaptation.findall("EssentialProperty")):
            continue  # pictures for the seek bar
        common = adaptation.get("contentType") or adaptation.get("mimeType") or ""
        for each in adaptation.findall("Representation"):
            kind = common or each.get("mimeType") or ""
            lines = int(each.get("height") or adaptation.get("height") or _LEAST_LINES)
            if not kind.startswith(("text", "application", "image")):
                order = (not kind.startswith("video"), lines < _LEAST_LINES, int(each.get("bandwidth", "0")), len(found))
                found.append((order, adaptation, each))
    if sound:
        heard = [each for each in found if _is_sound(*each[1:])]
        found = heard if len(heard) < len(found) else []
    return min(found)[1:] if found else None


def _is_sound(adaptation: etree._Element, representation: etree._Element) -> bool:
    said = (adaptation.get("contentType"), adaptation.get("mimeType"), representation.get("mimeType"))
    return any(each is not None and each.startswith("audio") for each in said)


def _filled(template: str, fields: Mapping[str, object]) -> str:
    """ISO/IEC 23009-1, 5.3.9.4.4."""

    def one(match: re.Match[str]) -> str:
        value = fields[match[1]]
        return f"{int(str(value)):0{int(match[3])}d}" if match[2] else str(value)

    return _FIELD.sub(one, template).replace("$$", "$")


def _base(element: etree._Element) -> str:
    return (element.findtext("BaseURL") or "").strip()


def _seconds(duration: str | None) -> float:
    found = _DURATION.fullmatch(duration or "")
    if found is None:
        return 0.0
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return days * 86_400 + hours * 3600 + minutes * 60 + seconds


def _moment(text: str | None) -> float:
    if text is None:
        raise NoListing("is a live DASH manifest that does not say when it began")
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
