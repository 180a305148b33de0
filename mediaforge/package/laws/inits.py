"""Every init segment is one that players take: one track, no samples of its own, and a codec that it configures whole."""

import struct
from collections.abc import Callable, Iterator

from mediaforge.checks import Check
from mediaforge.media import AUDIO_RATE, Variant
from mediaforge.package.boxes import Box, boxes, children, find, find_all, fullbox
from mediaforge.package.codecs import codec_string
from mediaforge.package.contents import Contents
from mediaforge.package.layout import INIT, TRICK_FOLDER, video_folder
from mediaforge.package.rules import Rule, finding
from mediaforge.package.stream import Stream

INIT_BRANDS = Rule(
    id="package.init.brands",
    clause="ISO/IEC 14496-12, 4.3; CMAF, 7",
    holds="an init segment is of the brands iso6 or later and cmfc",
)
INIT_BOXES = Rule(
    id="package.init.boxes", clause="ISO/IEC 14496-12, 4.3, 8.2.1", holds="an init segment is a ftyp and a moov, and no media"
)
INIT_TRACK = Rule(id="package.init.track", clause="CMAF, 7", holds="an init segment has one track, enabled, with an id")
INIT_EXTENDS = Rule(
    id="package.init.extends",
    clause="ISO/IEC 14496-12, 8.8.1, 8.8.3",
    holds="mvex holds the defaults of that track's fragments",
)
INIT_EMPTY = Rule(
    id="package.init.empty",
    clause="ISO/IEC 14496-12, 8.6.1, 8.7; CMAF, 7",
    holds="the tables of samples are empty: all are in fragments",
)
INIT_HANDLER = Rule(id="package.init.handler", clause="ISO/IEC 14496-12, 8.4.3", holds="a track is of the kind of its folder")
INIT_TKHD = Rule(
    id="package.init.tkhd", clause="ISO/IEC 14496-12, 8.3.2", holds="a picture's track is shown in the size that it is coded in"
)
INIT_EDIT = Rule(
    id="package.init.edit",
    clause="ISO/IEC 14496-12, 8.6.6; CMAF, 7",
    holds="at most one edit, at normal speed, cuts off what comes before 0",
)
INIT_SCALE = Rule(
    id="package.init.timescale", clause="CMAF, 7", holds="all rungs count time in the same ticks, and sound in its samples"
)
INIT_CODEC = Rule(
    id="package.init.codec", clause="ISO/IEC 14496-15, 5.3.3, 8.3.3; CMAF, 9", holds="the decoder's configuration is whole"
)
INIT_SOUND = Rule(
    id="package.init.sound",
    clause="ISO/IEC 14496-12, 12.2.3",
    holds="a sound has 48,000 samples a second and at least one channel",
)
INIT_SHARED = Rule(
    id="package.init.shared",
    clause="ours",
    holds="variant B has no init segment of its own",
    advice="remove it: both variants are decoded with that of A",
)

RULES = (
    INIT_BRANDS, INIT_BOXES, INIT_TRACK, INIT_EXTENDS, INIT_EMPTY, INIT_HANDLER, INIT_TKHD, INIT_EDIT, INIT_SCALE, INIT_CODEC,
    INIT_SOUND, INIT_SHARED,
)  # fmt: skip

_ISO_BRANDS = frozenset({"iso6", "iso7", "iso8", "iso9"})  # 4.3: those that know fragments with their own base
_KINDS = {"video": "vide", TRICK_FOLDER: "vide", "audio": "soun", "text": "text"}
_NORMAL_SPEED = 0x10000  # 16.16
_SPS, _PPS = 7, 8  # NAL unit types, ITU-T H.264, table 7-1
_HEVC_SETS = {32, 33, 34}  # VPS, SPS, PPS: NAL unit types, ITU-T H.265, table 7-1
_TABLES = {"stts": 4, "stsc": 4, "stsz": 8, "stco": 4}  # where each counts its entries, after version and flags


Fault = Callable[[bytes, Stream], Iterator[str]]


def check_inits(contents: Contents) -> Iterator[Check]:
    streams = [stream for folder, stream in contents.streams.items() if not folder.startswith(f"{Variant.B.value}/")]
    inits = [(stream, stream.init.read_bytes()) for stream in streams]
    laws: tuple[tuple[Rule, Fault], ...] = (
        (INIT_BRANDS, _brands),
        (INIT_BOXES, _boxes),
        (INIT_TRACK, _track),
        (INIT_EXTENDS, _extends),
        (INIT_EMPTY, _empty),
        (INIT_HANDLER, _handler),
        (INIT_TKHD, _shown_size),
        (INIT_EDIT, _edit),
        (INIT_CODEC, _configured),
        (INIT_SOUND, _sound),
    )
    for rule, law in laws:
        yield finding(rule, [fault for stream, data in inits for fault in _said(law, data, stream)])
    yield finding(INIT_SCALE, _scales(contents))
    yield finding(INIT_SHARED, _shared(contents))


def _said(law: Fault, data: bytes, stream: Stream) -> Iterator[str]:
    place = f"{stream.folder}/{INIT}"
    try:
        yield from [f"{place} {fault}" for fault in law(data, stream)]
    except (ValueError, IndexError, struct.error) as error:
        yield f"{place} is damaged ({error})"


def _brands(data: bytes, stream: Stream) -> Iterator[str]:
    if not _ISO_BRANDS & set(stream.track.brands):
        yield f"names none of the brands {', '.join(sorted(_ISO_BRANDS))}"
    if not {"cmfc", "cmf2"} & set(stream.track.brands):
        yield "does not name the brand cmfc"


def _boxes(data: bytes, stream: Stream) -> Iterator[str]:
    kinds = [box.kind for box in boxes(data)]
    if kinds[:1] != ["ftyp"]:
        yield f"begins with {kinds[0]}, not with ftyp"
    if kinds.count("moov") != 1:
        yield f"has {kinds.count('moov')} moov boxes, not one"
    if strange := sorted({"mdat", "moof", "sidx", "styp"} & set(kinds)):
        yield f"holds {', '.join(strange)}, which belongs into segments"


def _track(data: bytes, stream: Stream) -> Iterator[str]:
    tracks = list(find_all(data, "moov/trak"))
    if len(tracks) != 1:
        yield f"has {len(tracks)} tracks, not one"
    entries = int.from_bytes(_body(data, "moov/trak/mdia/minf/stbl/stsd")[:4], "big")
    allowed = (stream.track.entries[:1], (*stream.track.entries[:1], stream.track.codec))
    has_lead = stream.track.protection is not None and entries == 2
    if entries != 1 + has_lead or stream.track.entries != allowed[has_lead]:
        kinds = ", ".join(stream.track.entries)
        yield f"describes its samples in {entries} ways ({kinds}), not in one and that of a clear lead"
    flags = _flags(data, "moov/trak/tkhd")
    if not flags & 1:
        yield "has a track that is not enabled, which players leave out"
    if _track_id(data) == 0:
        yield "has a track with the id 0, which is none"


def _extends(data: bytes, stream: Stream) -> Iterator[str]:
    rows = [fullbox(data, box)[2] for box in find_all(data, "moov/mvex/trex")]
    if [int.from_bytes(row[:4], "big") for row in rows] != [_track_id(data)]:
        yield "has no trex for its track, or more than that"
    elif int.from_bytes(rows[0][4:8], "big") != 1:
        yield f"says that fragments use description {int.from_bytes(rows[0][4:8], 'big')}, and there is one"


def _empty(data: bytes, stream: Stream) -> Iterator[str]:
    for name, at in _TABLES.items():
        count = int.from_bytes(_body(data, f"moov/trak/mdia/minf/stbl/{name}")[at - 4 : at], "big")
        if count:
            yield f"has {count} entries in {name}, as if it held samples"


def _handler(data: bytes, stream: Stream) -> Iterator[str]:
    expected = "subt" if stream.track.codec == "stpp" else _KINDS[stream.folder.partition("/")[0]]
    if stream.track.handler != expected:
        yield f"is a track of kind {stream.track.handler!r}, not {expected!r}"


def _shown_size(data: bytes, stream: Stream) -> Iterator[str]:
    """tkhd has 16.16 numbers; square pixels are what every rung is encoded with."""
    if stream.track.handler != "vide":
        return
    width, height = (int.from_bytes(part, "big") / 65536 for part in (_body(data, _TKHD)[-8:-4], _body(data, _TKHD)[-4:]))
    if abs(width - stream.track.width) > 1 or abs(height - stream.track.height) > 1:
        yield f"is shown as {width:g}x{height:g}, coded as {stream.track.width}x{stream.track.height}"


def _edit(data: bytes, stream: Stream) -> Iterator[str]:
    box = find(data, "moov/trak/edts/elst")
    if box is None:
        return
    version, _, body = fullbox(data, box)
    count, row = int.from_bytes(body[:4], "big"), struct.Struct(">QqI" if version else ">IiI")
    if count != 1:
        yield f"has {count} edits, not one"
    for at in range(count):
        _, begin, speed = row.unpack_from(body, 4 + at * row.size)
        if begin < 0 or speed != _NORMAL_SPEED:
            yield "has an edit that waits, or changes the speed"


def _configured(data: bytes, stream: Stream) -> Iterator[str]:
    if stream.track.handler in ("text", "subt"):
        return
    if codec_string(data) is None:
        yield f"has no configuration for its codec ({stream.track.codec})"
    config = find(data, "moov/trak/mdia/minf/stbl/stsd/*/avcC")
    if config is not None:
        body = data[config.body : config.end]
        length = int.from_bytes(body[6:8], "big")
        if not body[5] & 31 or body[8] & 31 != _SPS or not body[8 + length] or body[9 + length + 2] & 31 != _PPS:
            yield "has no parameter sets, which avc1 keeps there and nowhere else"
    config = find(data, "moov/trak/mdia/minf/stbl/stsd/*/hvcC")
    if config is not None:
        if stream.track.codec != "hvc1":
            yield f"is {stream.track.codec}, whose parameter sets may lie in the pictures; make it hvc1 (ffmpeg: -tag:v hvc1)"
        if not set(_hevc_arrays(data[config.body : config.end])) >= _HEVC_SETS:
            yield "has no parameter sets, which hvc1 keeps there and nowhere else"


def _hevc_arrays(body: bytes) -> Iterator[int]:
    """The types of the parameter sets that an hvcC has (ISO/IEC 14496-15, 8.3.3.1.2)."""
    at = 23
    for _ in range(body[22]):
        kind, count = body[at] & 63, int.from_bytes(body[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            at += 2 + int.from_bytes(body[at : at + 2], "big")
        if count and at <= len(body):
            yield kind


def _sound(data: bytes, stream: Stream) -> Iterator[str]:
    if stream.track.handler != "soun":
        return
    stsd = find(data, "moov/trak/mdia/minf/stbl/stsd")
    assert stsd is not None
    entry = next(children(data, stsd))
    channels = int.from_bytes(data[entry.body + 16 : entry.body + 18], "big")
    rate = int.from_bytes(data[entry.body + 24 : entry.body + 26], "big")
    if not channels or rate != AUDIO_RATE:
        yield f"has {channels} channels at {rate} Hz, not one or more at {AUDIO_RATE}"


def _scales(contents: Contents) -> Iterator[str]:
    scales = {stream.track.timescale for _, stream in contents.pictures()}
    if len(scales) > 1:
        yield f"the rungs count time in {' and '.join(map(str, sorted(scales)))} ticks a second"
    for stream in contents.sounds():
        if stream.track.timescale != AUDIO_RATE:
            yield f"{stream.folder} counts time in {stream.track.timescale} ticks a second, not in its samples"


def _shared(contents: Contents) -> Iterator[str]:
    for rung in contents.record.rungs:
        path = contents.folder / video_folder(rung.name, Variant.B) / INIT
        if path.exists():
            yield f"{path.relative_to(contents.folder)} stands beside that of variant A"


_TKHD = "moov/trak/tkhd"


def _track_id(data: bytes) -> int:
    version, _, body = fullbox(data, _need(data, _TKHD))
    at = 16 if version else 8
    return int.from_bytes(body[at : at + 4], "big")


def _body(data: bytes, path: str) -> bytes:
    return fullbox(data, _need(data, path))[2]


def _flags(data: bytes, path: str) -> int:
    return fullbox(data, _need(data, path))[1]


def _need(data: bytes, path: str) -> Box:
    box = find(data, path)
    if box is None:
        raise ValueError(f"no {path}")
    return box
