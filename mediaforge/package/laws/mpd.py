"""The MPD has the form that players and other people's tools rely on; what it says of the segments is in `manifests.py`."""

import base64
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import PurePosixPath

from lxml import etree

from mediaforge.checks import Check, Level
from mediaforge.errors import MediaError
from mediaforge.package.codecs import channel_count, codec_string, plain_codec
from mediaforge.package.contents import Contents
from mediaforge.package.dash import CENC, MPD, PROTECTION, SET_SWITCHING, SYSTEM, is_trick, parse_mpd_tree
from mediaforge.package.layout import DASH_MANIFEST, audio_folder, video_folder
from mediaforge.package.pssh import PLAYREADY, parse_pssh
from mediaforge.package.record import RungRecord, Scheme
from mediaforge.package.rules import Rule, finding

STATIC = Rule(
    id="package.dash.static", clause="ISO/IEC 23009-1, 5.3.1.2", holds="the MPD is static and says how long the title is"
)
PROFILE = Rule(id="package.dash.profile", clause="ISO/IEC 23009-1, 8.4", holds="the MPD is of the profile isoff-live")
BUFFER = Rule(
    id="package.dash.buffer", clause="ISO/IEC 23009-1, 5.3.1.2", holds="minBufferTime is there and no longer than the title"
)
PERIOD = Rule(id="package.dash.period", clause="ISO/IEC 23009-1, 5.3.2", holds="the title is one Period that begins at 0")
IDS = Rule(id="package.dash.ids", clause="ISO/IEC 23009-1, 5.3.3.2, 5.3.5.2", holds="no id stands twice")
ALIGNED = Rule(
    id="package.dash.aligned", clause="ISO/IEC 23009-1, 5.3.3.2; DASH-IF IOP 4.3", holds="every set has aligned segments"
)
MIME = Rule(id="package.dash.mime", clause="ISO/IEC 23009-1, 5.3.7.2", holds="MIME types are those of the content types")
CODECS = Rule(
    id="package.dash.codecs", clause="RFC 6381; ISO/IEC 23009-1, 5.3.7.2", holds="the MPD names the codecs of the init segments"
)
LANGUAGE = Rule(
    id="package.dash.language", clause="ISO/IEC 23009-1, 5.3.3.2", holds="every sound and subtitle of a known language has it"
)
ROLE = Rule(
    id="package.dash.role", clause="ISO/IEC 23009-1, 5.8.4.2; DASH-IF IOP 4.3", holds="no set has the role of another kind"
)
SWITCHING = Rule(
    id="package.dash.switching",
    clause="DASH-IF IOP 4.3",
    holds="players may switch between all sets of pictures, and those are there",
)
FRAME_RATE = Rule(
    id="package.dash.framerate", clause="ISO/IEC 23009-1, 5.3.7.2", holds="the MPD says the frame rate of the title"
)
CHANNELS = Rule(
    id="package.dash.channels",
    clause="ISO/IEC 23009-1, 5.8.4.7; DASH-IF IOP 4.3",
    holds="every sound says its channels and sampling rate",
)
TEMPLATE = Rule(
    id="package.dash.template",
    clause="ISO/IEC 23009-1, 5.3.9.4.4",
    holds="segments are addressed by number, from 1, in the ticks of their track",
)
URLS = Rule(
    id="package.dash.urls",
    clause="ISO/IEC 23009-1, 5.6",
    holds="every address is relative and stays inside the package",
    advice="package the title again; a package must play from wherever it is put",
)
PROTECTED = Rule(
    id="package.dash.protection",
    clause="ISO/IEC 23009-1, 5.8.5.2; DASH-IF IOP 4.3",
    holds="the scheme and KID come before the systems, each named once, and clear sets have none",
)
PRO = Rule(
    id="package.dash.pro",
    clause="PlayReady header specification; DASH-IF IOP 4.3",
    holds="mspr:pro is the object in PlayReady's pssh",
)
ORDER = Rule(
    id="package.dash.rungs",
    clause="ours",
    holds="the MPD has every rung once, a higher rate for a higher rung of a codec",
    level=Level.WARNING,
)

RULES = (
    STATIC, PROFILE, BUFFER, PERIOD, IDS, ALIGNED, MIME, CODECS, LANGUAGE, ROLE, SWITCHING, FRAME_RATE, CHANNELS, TEMPLATE,
    URLS, PROTECTED, PRO, ORDER,
)  # fmt: skip

_LIVE = "urn:mpeg:dash:profile:isoff-live:2011"
_PRO = "{urn:microsoft:playready}pro"
# A set's children whose order the schema fixes (annex B), by a letter each.
_KINDS_IN_ORDER = {f"{MPD}ContentProtection": "C", f"{MPD}EssentialProperty": "P", f"{MPD}SupplementalProperty": "P"}
_MIMES = {"video": "video/mp4", "audio": "audio/mp4", "text": "application/mp4"}
_ROLES = {"video": {"main"}, "audio": {"main", "alternate", "dub", "description"}, "text": {"subtitle", "caption"}}
_UNKNOWN = "und"  # BCP 47: then the manifests name none


def check_mpd(contents: Contents) -> Iterator[Check]:
    if contents.presentation is None:
        return
    try:
        root = parse_mpd_tree((contents.folder / DASH_MANIFEST).read_bytes(), name=contents.folder / DASH_MANIFEST)
    except (OSError, MediaError):  # it was there when the presentation was read
        return
    for rule, law in _LAWS:
        yield finding(rule, [f"the MPD {fault}" for fault in _said(law, root, contents)])


def _said(law: "Law", root: etree._Element, contents: Contents) -> Iterator[str]:
    try:
        yield from list(law(root, contents))
    except (ValueError, ZeroDivisionError, IndexError) as error:
        yield f"says something that makes no sense ({error})"


Law = Callable[[etree._Element, Contents], Iterator[str]]


def _static(root: etree._Element, contents: Contents) -> Iterator[str]:
    if root.get("type") != "static":
        yield f"is {root.get('type')}, not static: players wait for more of it"
    if not root.get("mediaPresentationDuration"):
        yield "does not say how long the title is"


def _profile(root: etree._Element, contents: Contents) -> Iterator[str]:
    if _LIVE not in (root.get("profiles") or "").split(","):
        yield f"is not of the profile {_LIVE}"


def _buffer(root: etree._Element, contents: Contents) -> Iterator[str]:
    text = root.get("minBufferTime") or ""
    if not text.startswith("PT") or not text.endswith("S"):
        yield "has no minBufferTime in seconds"
    elif not 0 < Fraction(text[2:-1]) <= max(contents.record.grid.duration, contents.record.grid.segment_seconds * 2):
        yield f"asks for a buffer of {text[2:-1]} s"


def _period(root: etree._Element, contents: Contents) -> Iterator[str]:
    periods = root.findall(f"{MPD}Period")
    if len(periods) != 1:
        yield f"has {len(periods)} Periods, not one"
    yield from (f"begins its Period at {row.get('start')}" for row in periods if row.get("start") not in (None, "PT0S"))


def _ids(root: etree._Element, contents: Contents) -> Iterator[str]:
    for kind in ("AdaptationSet", "Representation"):
        ids = [row.get("id") for row in root.iter(f"{MPD}{kind}")]
        if None in ids or len(set(ids)) != len(ids):
            yield f"has two {kind}s of one id, or one without"


def _aligned(root: etree._Element, contents: Contents) -> Iterator[str]:
    for row in _sets(root):
        if row.get("segmentAlignment") != "true":
            yield f"does not say that the segments of {_name(row)} are aligned"


def _mime(root: etree._Element, contents: Contents) -> Iterator[str]:
    for row, one in _representations(root):
        expected = _MIMES.get(row.get("contentType") or "")
        if expected is None:
            yield f"has a set of content type {row.get('contentType')}"
        elif (one.get("mimeType") or row.get("mimeType")) != expected:
            yield f"gives {_address(one)} the type {one.get('mimeType') or row.get('mimeType')}, not {expected}"


def _codecs(root: etree._Element, contents: Contents) -> Iterator[str]:
    for row, one in _representations(root):
        stream = contents.streams.get(str(PurePosixPath(_address(one)).parent))
        expected = codec_string(stream.init.read_bytes()) if stream else None
        named = one.get("codecs") or row.get("codecs") or ""
        if expected is not None and plain_codec(named) != plain_codec(expected):
            yield f"says {named or 'no codec'} for {_address(one)}, which is {expected}"


def _language(root: etree._Element, contents: Contents) -> Iterator[str]:
    unknown = {audio_folder(row.language, row.name) for row in contents.record.audio if row.language == _UNKNOWN}
    unknown |= {row.folder for row in contents.record.text if row.language == _UNKNOWN}
    for row, one in _representations(root):
        is_silent = row.get("contentType") in ("audio", "text") and not row.get("lang")
        if is_silent and str(PurePosixPath(_address(one)).parent) not in unknown:
            yield f"gives {_name(row)} no language"


def _role(root: etree._Element, contents: Contents) -> Iterator[str]:
    for row in _sets(root):
        roles = {role.get("value") for role in row.iterfind(f"{MPD}Role")}
        # Pictures and sound need no role where there is nothing to choose from; subtitles without one pass for metadata.
        if roles - _ROLES.get(row.get("contentType") or "", set()) or (row.get("contentType") == "text" and not roles):
            yield f"gives {_name(row)} the role {', '.join(map(str, roles)) or 'of nothing'}"


def _family(row: etree._Element) -> str:
    """What a set's codec is called before the first dot."""
    named = (one.get("codecs") for one in (row, *row.iterfind(f"{MPD}Representation")))
    return next((name for name in named if name), "").partition(".")[0]


def _switching(root: etree._Element, contents: Contents) -> Iterator[str]:
    """Rungs with keys of their own lie in sets of their own, which players take for other pictures unless told.

    A player chooses one codec at the start: sets of two codecs are other pictures.
    """
    pictures = {row.get("id") or "": row for row in _sets(root) if row.get("contentType") == "video" and not is_trick(row)}
    for name, row in pictures.items():
        alike = {other for other, one in pictures.items() if _family(one) == _family(row)}
        said = [rule for rule in row.iterfind(f"{MPD}SupplementalProperty") if rule.get("schemeIdUri") == SET_SWITCHING]
        named = {one.strip() for rule in said for one in (rule.get("value") or "").split(",")}
        if named != alike - {name}:
            missing = ", ".join(sorted((alike - {name}) ^ named))
            yield f"does not let players switch from {_name(row)} to all others of its codec and no more (sets {missing})"


def _frame_rate(root: etree._Element, contents: Contents) -> Iterator[str]:
    for row, one in _representations(root):
        if row.get("contentType") == "video" and not is_trick(row):
            said = one.get("frameRate") or row.get("frameRate")
            fps = contents.record.grid_of(str(PurePosixPath(_address(one)).parent)).fps
            if said is None or Fraction(said) != fps:
                yield f"says {said} frames a second for {_address(one)}, not {fps}"


def _channels(root: etree._Element, contents: Contents) -> Iterator[str]:
    for row, one in _representations(root):
        if row.get("contentType") != "audio":
            continue
        said = [*row.iterfind(f"{MPD}AudioChannelConfiguration"), *one.iterfind(f"{MPD}AudioChannelConfiguration")]
        stream = contents.streams.get(str(PurePosixPath(_address(one)).parent))
        count = channel_count(stream.init.read_bytes()) if stream else None
        # CICP's numbers are those of channels as far as 5.1 (ISO/IEC 23091-3, table 4).
        if not said or not all(
            (channel.get("value") or "0") in ("123456" if count is None else str(count)) for channel in said
        ):
            yield f"does not say how many channels {_address(one)} has ({count or 'some'})"
        rate = one.get("audioSamplingRate") or row.get("audioSamplingRate")
        if stream is not None and rate != str(stream.track.timescale):
            yield f"says {rate} samples a second for {_address(one)}, not {stream.track.timescale}"


def _template(root: etree._Element, contents: Contents) -> Iterator[str]:
    for template in root.iter(f"{MPD}SegmentTemplate"):
        place = template.get("initialization") or ""
        if "$Number$" not in (template.get("media") or "") or template.get("startNumber") != "1":
            yield f"does not count the segments beside {place} from 1"
        stream = contents.streams.get(str(PurePosixPath(place).parent))
        if stream is not None and template.get("timescale") != str(stream.track.timescale):
            yield f"counts {place} in {template.get('timescale')} ticks a second, its track in {stream.track.timescale}"


def _urls(root: etree._Element, contents: Contents) -> Iterator[str]:
    for template in root.iter(f"{MPD}SegmentTemplate"):
        for address in (template.get("initialization") or "", template.get("media") or ""):
            if "://" in address or address.startswith("/") or ".." in PurePosixPath(address).parts:
                yield f"has the address {address}"
    yield from (f"has the base address {row.text}" for row in root.iter(f"{MPD}BaseURL"))


def _protected(root: etree._Element, contents: Contents) -> Iterator[str]:
    for row in _sets(root):
        schemes = [box.get("schemeIdUri") or "" for box in row.iterfind(f"{MPD}ContentProtection")]
        if row.get("contentType") == "text" or contents.record.scheme is Scheme.NONE:
            if schemes:
                yield f"says that {_name(row)} is encrypted"
        elif schemes[:1] != [PROTECTION]:
            yield f"does not begin the protection of {_name(row)} with its scheme and KID"
        elif len(set(schemes)) != len(schemes) or not all(name.startswith(SYSTEM) for name in schemes[1:]):
            yield f"names a system twice, or none, for {_name(row)}"
        elif any(name != name.lower() for name in schemes):
            yield f"names a system of {_name(row)} in capitals, which players compare letter by letter"
        if "PC" in "".join(_KINDS_IN_ORDER.get(child.tag, "") for child in row):
            yield f"tells a property of {_name(row)} before its protection, which the schema wants first"


def _pro(root: etree._Element, contents: Contents) -> Iterator[str]:
    for box in root.iter(f"{MPD}ContentProtection"):
        objects = [base64.b64decode(row.text or "") for row in box.iterfind(_PRO)]
        headers = [parse_pssh(base64.b64decode(row.text or "")) for row in box.iterfind(f"{CENC}pssh")]
        expected = [row.data for row in headers if row.system == PLAYREADY]
        if objects and objects != expected:
            yield "has a PlayReady object that is not the one in the pssh beside it"


def _order(root: etree._Element, contents: Contents) -> Iterator[str]:
    rates = {str(PurePosixPath(_address(one)).parent): int(one.get("bandwidth") or 0) for _, one in _representations(root)}
    by_codec: dict[str, list[RungRecord]] = {}  # each codec is a ladder of its own
    for rung in sorted(contents.record.rungs, key=lambda rung: rung.max_bitrate_bps):
        stream = contents.streams.get(video_folder(rung.name))
        by_codec.setdefault(stream.track.codec if stream else "", []).append(rung)
    for ladder in by_codec.values():
        found = [rates[folder] for rung in ladder if (folder := video_folder(rung.name)) in rates]
        if found != sorted(found) or len(found) != len(ladder):
            yield f"does not have every rung once, with more rate for more rung ({', '.join(map(str, found))})"


_LAWS: tuple[tuple[Rule, Law], ...] = (
    (STATIC, _static),
    (PROFILE, _profile),
    (BUFFER, _buffer),
    (PERIOD, _period),
    (IDS, _ids),
    (ALIGNED, _aligned),
    (MIME, _mime),
    (CODECS, _codecs),
    (LANGUAGE, _language),
    (ROLE, _role),
    (SWITCHING, _switching),
    (FRAME_RATE, _frame_rate),
    (CHANNELS, _channels),
    (TEMPLATE, _template),
    (URLS, _urls),
    (PROTECTED, _protected),
    (PRO, _pro),
    (ORDER, _order),
)


def _sets(root: etree._Element) -> Iterator[etree._Element]:
    return root.iter(f"{MPD}AdaptationSet")


def _representations(root: etree._Element) -> Iterator[tuple[etree._Element, etree._Element]]:
    return ((row, one) for row in _sets(root) for one in row.iterfind(f"{MPD}Representation"))


def _address(one: etree._Element) -> str:
    template = one.find(f"{MPD}SegmentTemplate")
    return (template.get("initialization") or "") if template is not None else ""


def _name(row: etree._Element) -> str:
    return f"set {row.get('id')} ({row.get('contentType')})"
