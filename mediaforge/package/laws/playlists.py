"""The playlists have the form that Apple's devices and other people's tools rely on; what they say is in `manifests.py`."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import PurePosixPath

from mediaforge.checks import Check, Level
from mediaforge.package.codecs import channel_count, codec_string, plain_codec
from mediaforge.package.contents import Contents
from mediaforge.package.hls import attributes
from mediaforge.package.layout import HLS_MANIFEST
from mediaforge.package.record import Scheme
from mediaforge.package.rules import Rule, finding

BYTES = Rule(
    id="package.hls.bytes", clause="RFC 8216, 4.1", holds="playlists are UTF-8 without a byte order mark, and say EXTM3U first"
)
ONCE = Rule(id="package.hls.once", clause="RFC 8216, 4.3.1.2, 4.3.3", holds="what may be said once is said once")
VERSION = Rule(
    id="package.hls.version", clause="RFC 8216, 7", holds="media playlists say a version that knows EXT-X-MAP, 6 or later"
)
KIND = Rule(id="package.hls.vod", clause="RFC 8216, 4.3.3.5", holds="media playlists are of the type VOD")
INDEPENDENT = Rule(
    id="package.hls.independent", clause="RFC 8216, 4.3.5.1", holds="the master playlist says that segments are independent"
)
PAIRED = Rule(
    id="package.hls.pairs",
    clause="RFC 8216, 4.3.2.1",
    holds="every segment has one length, every rung one description, and the other way round",
)
TARGET = Rule(
    id="package.hls.target",
    clause="RFC 8216, 4.3.3.1; HLS authoring",
    holds="the target duration is that of the longest segment, rounded",
    level=Level.WARNING,
)
NUMBERS = Rule(
    id="package.hls.numbers", clause="RFC 8216, 4.3.3.2, 4.3.2.3", holds="segments are counted from the first, without a break"
)
URLS = Rule(
    id="package.hls.urls",
    clause="RFC 8216, 4.1",
    holds="every address is relative and stays inside the package",
    advice="package the title again; a package must play from wherever it is put",
)
STREAMS = Rule(
    id="package.hls.streams",
    clause="RFC 8216, 4.3.4.2; HLS authoring",
    holds="every rung says its rates, codecs, resolution and frame rate",
)
AVERAGE = Rule(id="package.hls.average", clause="RFC 8216, 4.3.4.2", holds="an average rate is not above the peak")
RESOLUTION = Rule(
    id="package.hls.resolution", clause="RFC 8216, 4.3.4.2", holds="every rung says the size and frame rate that it has"
)
RANGE = Rule(id="package.hls.range", clause="HLS authoring", holds="every rung says its range (SDR)")
CODECS = Rule(
    id="package.hls.codecs",
    clause="RFC 8216, 4.3.4.2; RFC 6381",
    holds="CODECS names those of picture, sound and text, and no more",
)
GROUPS = Rule(
    id="package.hls.groups", clause="RFC 8216, 4.3.4.2.1", holds="every group that is named is there, and every group is named"
)
NAMES = Rule(
    id="package.hls.names", clause="RFC 8216, 4.3.4.1.1", holds="renditions of a group have names and languages of their own"
)
CHOICE = Rule(
    id="package.hls.choice", clause="RFC 8216, 4.3.4.1", holds="a default rendition may be chosen, and no subtitle is one"
)
CHANNELS = Rule(id="package.hls.channels", clause="RFC 8216bis, 4.4.6.1; HLS authoring", holds="every sound says its channels")
PLACE = Rule(
    id="package.hls.key.place",
    clause="RFC 8216, 4.3.2.4",
    holds="keys are named right before the first encrypted segment, and nothing says NONE",
)
VERSIONS = Rule(
    id="package.hls.key.versions", clause="RFC 8216, 4.3.2.4", holds="every key line says its format and the versions of that"
)
IV = Rule(id="package.hls.key.iv", clause="RFC 8216, 4.3.2.4, 5.2", holds="in cbcs, key lines say the IV of the track")
SECRET = Rule(
    id="package.hls.key.open",
    clause="ours",
    holds="no key line leads to a key in clear",
    advice="withdraw what was published of it, and package the title again under new keys",
)

RULES = (
    BYTES, ONCE, VERSION, KIND, INDEPENDENT, PAIRED, TARGET, NUMBERS, URLS, STREAMS, AVERAGE, RESOLUTION, RANGE, CODECS,
    GROUPS, NAMES, CHOICE, CHANNELS, PLACE, VERSIONS, IV, SECRET,
)  # fmt: skip

_ONCE = ("#EXTM3U", "#EXT-X-VERSION", "#EXT-X-TARGETDURATION", "#EXT-X-PLAYLIST-TYPE", "#EXT-X-ENDLIST", "#EXT-X-MAP",
         "#EXT-X-MEDIA-SEQUENCE", "#EXT-X-INDEPENDENT-SEGMENTS")  # fmt: skip
_LEAST_VERSION, _LATEST_VERSION = 6, 13  # RFC 8216bis, 8
_NEEDED = ("BANDWIDTH", "AVERAGE-BANDWIDTH", "CODECS", "RESOLUTION", "FRAME-RATE")
_ADDRESSED = ("#EXT-X-MEDIA", "#EXT-X-MAP", "#EXT-X-I-FRAME-STREAM-INF")
_KEYS = ("#EXT-X-KEY", "#EXT-X-SESSION-KEY")
_OPEN = ("http:", "https:", "file:")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tag:
    """One line that says something. `uri`: the line behind it."""

    place: str
    name: str
    fields: Mapping[str, str]
    value: str
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Texts:
    """All playlists: their bytes, their lines, and their tags, by address."""

    contents: Contents
    raw: Mapping[str, bytes]
    lines: Mapping[str, tuple[str, ...]]
    tags: tuple[_Tag, ...]

    def named(self, *names: str) -> Iterator[_Tag]:
        return (tag for tag in self.tags if tag.name in names)

    def media(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        return ((place, lines) for place, lines in self.lines.items() if place != HLS_MANIFEST)


def check_playlists(contents: Contents) -> Iterator[Check]:
    if contents.master is None:
        return
    paths = {name: contents.folder / name for name in (HLS_MANIFEST, *contents.playlists)}
    raw = {name: path.read_bytes() for name, path in paths.items() if path.is_file()}
    lines = {name: tuple(line.strip() for line in text.decode("utf-8", "replace").splitlines()) for name, text in raw.items()}
    texts = _Texts(
        contents=contents, raw=raw, lines=lines, tags=tuple(tag for name, rows in lines.items() for tag in _tags(name, rows))
    )
    for rule, law in _LAWS:
        yield finding(rule, list(law(texts)))


def _tags(place: str, lines: tuple[str, ...]) -> Iterator[_Tag]:
    for line, following in zip(lines, (*lines[1:], ""), strict=True):
        if line.startswith("#EXT"):
            name, _, value = line.partition(":")
            yield _Tag(place=place, name=name, fields=attributes(value), value=value, uri=following)


def _bytes(texts: _Texts) -> Iterator[str]:
    for place, raw in texts.raw.items():
        if not raw.startswith(b"#EXTM3U"):
            yield f"{place} does not begin with EXTM3U"
        if b"\x00" in raw or (b"\r\n" in raw and b"\n" in raw.replace(b"\r\n", b"")):
            yield f"{place} ends its lines in two ways, or holds zero bytes"


def _once(texts: _Texts) -> Iterator[str]:
    count = Counter((tag.place, tag.name) for tag in texts.named(*_ONCE))
    yield from (f"{place} says {name} {times} times" for (place, name), times in count.items() if times > 1)


def _version(texts: _Texts) -> Iterator[str]:
    said = {tag.place: tag.value for tag in texts.named("#EXT-X-VERSION")}
    for place, _ in texts.media():
        value = said.get(place, "1")
        if not value.isdecimal() or not _LEAST_VERSION <= int(value) <= _LATEST_VERSION:
            yield f"{place} says version {value}"


def _vod(texts: _Texts) -> Iterator[str]:
    for place, lines in texts.media():
        if "#EXT-X-PLAYLIST-TYPE:VOD" not in lines:
            yield f"{place} is not of the type VOD, so players load it again and again"


def _independent(texts: _Texts) -> Iterator[str]:
    if "#EXT-X-INDEPENDENT-SEGMENTS" not in texts.lines[HLS_MANIFEST]:
        yield f"{HLS_MANIFEST} does not say that segments are independent"


def _paired(texts: _Texts) -> Iterator[str]:
    for place, lines in texts.lines.items():
        tag = "#EXT-X-STREAM-INF:" if place == HLS_MANIFEST else "#EXTINF:"
        rows = [line for line in lines if line and (line.startswith(tag) or not line.startswith("#"))]
        lengths = [line.startswith(tag) for line in rows]
        if len(rows) % 2 or lengths != [True, False] * (len(rows) // 2):
            yield f"{place} has an address without its {tag[1:-1]}, or one without an address"


def _target(texts: _Texts) -> Iterator[str]:
    for uri, playlist in texts.contents.playlists.items():
        longest = max(playlist.seconds, default=Fraction(0))
        if playlist.target_seconds > longest + 1:
            yield f"{uri} has a target of {playlist.target_seconds} s for segments of {float(longest):.3f} s at most"


def _numbers(texts: _Texts) -> Iterator[str]:
    for tag in texts.named("#EXT-X-DISCONTINUITY", "#EXT-X-DISCONTINUITY-SEQUENCE", "#EXT-X-BYTERANGE", "#EXT-X-GAP"):
        yield f"{tag.place} says {tag.name}, and the title has no break"
    for tag in texts.named("#EXT-X-MEDIA-SEQUENCE"):
        if tag.value not in ("0", "1"):
            yield f"{tag.place} counts its segments from {tag.value}"


def _urls(texts: _Texts) -> Iterator[str]:
    named = [(place, line) for place, lines in texts.lines.items() for line in lines if line and not line.startswith("#")]
    named += [(tag.place, tag.fields["URI"]) for tag in texts.named(*_ADDRESSED) if "URI" in tag.fields]
    for place, uri in named:
        if "://" in uri or uri.startswith("/") or ".." in PurePosixPath(uri).parts:
            yield f"{place} names {uri}"


def _streams(texts: _Texts) -> Iterator[str]:
    for tag in texts.named("#EXT-X-STREAM-INF"):
        missing = [name for name in _NEEDED if name not in tag.fields]
        if missing:
            yield f"{tag.place} says no {', '.join(missing)} for {tag.uri}"


def _average(texts: _Texts) -> Iterator[str]:
    for row in texts.contents.master.variants if texts.contents.master else ():
        if row.average_bandwidth > row.bandwidth:
            yield f"{HLS_MANIFEST} says {row.average_bandwidth} bit/s on average and {row.bandwidth} at most for {row.uri}"


def _resolution(texts: _Texts) -> Iterator[str]:
    for tag in texts.named("#EXT-X-STREAM-INF"):
        stream = texts.contents.streams.get(str(PurePosixPath(tag.uri).parent))
        if stream is None:
            continue
        size = f"{stream.track.width}x{stream.track.height}"
        if tag.fields.get("RESOLUTION", size) != size:
            yield f"{tag.place} says {tag.fields['RESOLUTION']} for {tag.uri}, which is {size}"
        fps = texts.contents.record.grid_of(stream.folder).fps
        said = tag.fields.get("FRAME-RATE", f"{float(fps):.3f}")
        if said != f"{float(fps):.3f}":
            yield f"{tag.place} says {said} frames a second for {tag.uri}, not {float(fps):.3f}"


def _range(texts: _Texts) -> Iterator[str]:
    for tag in texts.named("#EXT-X-STREAM-INF"):
        if tag.fields.get("VIDEO-RANGE") != "SDR":
            yield f"{tag.place} says VIDEO-RANGE {tag.fields.get('VIDEO-RANGE', 'nothing')} for {tag.uri}"


def _codecs(texts: _Texts) -> Iterator[str]:
    master = texts.contents.master
    for row in master.variants if master else ():
        groups = {("AUDIO", row.audio), ("SUBTITLES", row.subtitles)}
        uris = [row.uri, *(one.uri for one in master.renditions if (one.kind, one.group) in groups)] if master else []
        known = [_codec(texts.contents, uri) for uri in uris]
        expected = {plain_codec(name) for name in known if name}
        if None not in known and {plain_codec(name) for name in row.codecs} != expected:
            yield f"{HLS_MANIFEST} says {','.join(row.codecs)} for {row.uri}, which needs {','.join(sorted(expected))}"


def _codec(contents: Contents, uri: str) -> str | None:
    stream = contents.streams.get(str(PurePosixPath(uri).parent))
    try:
        return codec_string(stream.init.read_bytes()) if stream else None
    except (ValueError, IndexError):  # `package.init.codec` says so
        return None


def _groups(texts: _Texts) -> Iterator[str]:
    there = {(tag.fields.get("TYPE"), tag.fields.get("GROUP-ID")) for tag in texts.named("#EXT-X-MEDIA")}
    named = set()
    for tag in texts.named("#EXT-X-STREAM-INF"):
        named |= {(kind, tag.fields[kind]) for kind in ("AUDIO", "SUBTITLES") if kind in tag.fields}
    yield from (
        f"{HLS_MANIFEST} names the group {group} of {kind}, which is not there" for kind, group in sorted(named - there)
    )
    yield from (f"no rung of {HLS_MANIFEST} names the group {group} of {kind}" for kind, group in there - named)


def _names(texts: _Texts) -> Iterator[str]:
    for field in ("NAME", "LANGUAGE"):
        rows = Counter((tag.fields.get("GROUP-ID"), tag.fields.get(field, "")) for tag in texts.named("#EXT-X-MEDIA"))
        for (group, name), times in rows.items():
            if (times > 1 and name) or (field == "NAME" and not name):
                yield f"group {group} of {HLS_MANIFEST} has {times} renditions of {field} {name!r}"


def _choice(texts: _Texts) -> Iterator[str]:
    for tag in texts.named("#EXT-X-MEDIA"):
        is_default = tag.fields.get("DEFAULT") == "YES"
        if is_default and tag.fields.get("AUTOSELECT", "YES") != "YES":
            yield f"{tag.fields.get('NAME')} is the default of its group, and AUTOSELECT says NO"
        if is_default and tag.fields.get("TYPE") == "SUBTITLES":
            yield f"the subtitles {tag.fields.get('NAME')} are on unless a viewer turns them off"


def _channels(texts: _Texts) -> Iterator[str]:
    for tag in texts.named("#EXT-X-MEDIA"):
        if tag.fields.get("TYPE") != "AUDIO":
            continue
        stream = texts.contents.streams.get(str(PurePosixPath(tag.fields.get("URI", "")).parent))
        count = channel_count(stream.init.read_bytes()) if stream else None
        said = tag.fields.get("CHANNELS", "").partition("/")[0]
        if not said.isdecimal() or (count is not None and int(said) != count):
            yield f"{HLS_MANIFEST} does not say how many channels {tag.fields.get('URI')} has ({count or 'some'})"


def _place(texts: _Texts) -> Iterator[str]:
    for place, lines in texts.media():
        lengths = [at for at, line in enumerate(lines) if line.startswith("#EXTINF")]
        lead = texts.contents.record.clear_segments
        if lead >= len(lengths):
            continue
        after = lengths[lead - 1] + 1 if lead else -1
        keys = [at for at, line in enumerate(lines) if line.startswith("#EXT-X-KEY")]
        if any(at <= after or at > lengths[lead] for at in keys):
            yield f"{place} does not name its keys right before segment {lead + 1}, where they begin to be needed"
    if texts.contents.record.scheme is not Scheme.NONE:
        yield from (f"{tag.place} says METHOD=NONE" for tag in texts.named(*_KEYS) if tag.fields.get("METHOD") == "NONE")


def _versions(texts: _Texts) -> Iterator[str]:
    for tag in texts.named(*_KEYS):
        if not tag.fields.get("KEYFORMAT") or not tag.fields.get("KEYFORMATVERSIONS"):
            yield f"{tag.place} has a key line without KEYFORMAT or KEYFORMATVERSIONS"


def _iv(texts: _Texts) -> Iterator[str]:
    if texts.contents.record.scheme is not Scheme.CBCS:
        return
    for tag in texts.named("#EXT-X-KEY"):
        stream = texts.contents.streams.get(str(PurePosixPath(tag.place).parent))
        constant = stream.track.protection.constant_iv.hex() if stream and stream.track.protection else ""
        said = tag.fields.get("IV", "").lower().removeprefix("0x")
        if constant and said and said != constant:
            yield f"{tag.place} says the IV {said}, its track {constant}"


def _secret(texts: _Texts) -> Iterator[str]:
    for tag in texts.named(*_KEYS):
        if tag.fields.get("METHOD") == "AES-128" or tag.fields.get("URI", "").lower().startswith(_OPEN):
            yield f"{tag.place} has a key line that leads to {tag.fields.get('URI', 'a key')}"


_LAWS: tuple[tuple[Rule, Callable[[_Texts], Iterator[str]]], ...] = (
    (BYTES, _bytes),
    (ONCE, _once),
    (VERSION, _version),
    (KIND, _vod),
    (INDEPENDENT, _independent),
    (PAIRED, _paired),
    (TARGET, _target),
    (NUMBERS, _numbers),
    (URLS, _urls),
    (STREAMS, _streams),
    (AVERAGE, _average),
    (RESOLUTION, _resolution),
    (RANGE, _range),
    (CODECS, _codecs),
    (GROUPS, _groups),
    (NAMES, _names),
    (CHOICE, _choice),
    (CHANNELS, _channels),
    (PLACE, _place),
    (VERSIONS, _versions),
    (IV, _iv),
    (SECRET, _secret),
)
