"""HLS playlists (RFC 8216bis) as values: what verification needs of them."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from mediaforge.errors import MediaError
from mediaforge.package.pssh import key_ids, parse_playready, parse_pssh

WIDEVINE_FORMAT = "urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"
PLAYREADY_FORMAT = "com.microsoft.playready"
FAIRPLAY_FORMAT = "com.apple.streamingkeydelivery"

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^",]*)')


@dataclass(frozen=True, slots=True, kw_only=True)
class HlsKey:
    """One EXT-X-KEY or EXT-X-SESSION-KEY: the KID it stands for, and all that its licence request names.

    `address` is where the licence is asked for, as far as the line says so: FairPlay's URI, PlayReady's LA_URL. What FairPlay's
    URI means is the operator's affair, so it names no KID here.
    """

    method: str
    key_format: str
    kid: bytes | None
    requested: tuple[bytes, ...]
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaPlaylist:
    """`uris` are those of the media segments, in order."""

    init: str | None
    uris: tuple[str, ...]
    seconds: tuple[Fraction, ...]
    keys: tuple[HlsKey, ...]
    target_seconds: int
    is_ended: bool
    is_iframes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantPlaylist:
    """One EXT-X-STREAM-INF."""

    uri: str
    bandwidth: int
    average_bandwidth: int
    codecs: tuple[str, ...]
    audio: str | None
    subtitles: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IframePlaylist:
    """One EXT-X-I-FRAME-STREAM-INF."""

    uri: str
    bandwidth: int
    codecs: tuple[str, ...]
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class HlsRendition:
    """One EXT-X-MEDIA."""

    kind: str
    uri: str
    group: str
    language: str
    name: str
    is_default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterPlaylist:
    version: int
    variants: tuple[VariantPlaylist, ...]
    renditions: tuple[HlsRendition, ...]
    session_keys: tuple[HlsKey, ...]
    iframes: tuple[IframePlaylist, ...] = ()

    @property
    def uris(self) -> tuple[str, ...]:
        """Every media playlist it names, once."""
        found = [row.uri for row in self.variants] + [row.uri for row in self.renditions] + [row.uri for row in self.iframes]
        return tuple(dict.fromkeys(found))


def read_master(path: Path) -> MasterPlaylist:
    """Read a master playlist. Raises MediaError."""
    return parse_master(_text(path), name=path)


def read_playlist(path: Path) -> MediaPlaylist:
    """Read a media playlist. Raises MediaError."""
    return parse_playlist(_text(path), name=path)


def parse_master(text: str, *, name: Path) -> MasterPlaylist:
    lines = _lines(text, name)
    variants, renditions, keys, iframes = [], [], [], []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        tag, _, value = line.partition(":")
        fields = attributes(value)
        if tag == "#EXT-X-STREAM-INF":
            variants.append(_variant(fields, following))
        elif tag == "#EXT-X-MEDIA":
            renditions.append(_rendition(fields))
        elif tag == "#EXT-X-SESSION-KEY":
            keys.append(_key(fields, name))
        elif tag == "#EXT-X-I-FRAME-STREAM-INF":
            iframes.append(_iframes(fields))
    return MasterPlaylist(
        version=_number(lines, "#EXT-X-VERSION"),
        variants=tuple(variants),
        renditions=tuple(renditions),
        session_keys=tuple(keys),
        iframes=tuple(iframes),
    )


def parse_playlist(text: str, *, name: Path) -> MediaPlaylist:
    lines = _lines(text, name)
    maps = [attributes(line.partition(":")[2]).get("URI") for line in lines if line.startswith("#EXT-X-MAP:")]
    lengths = [line.partition(":")[2].split(",")[0] for line in lines if line.startswith("#EXTINF:")]
    keys = [attributes(line.partition(":")[2]) for line in lines if line.startswith("#EXT-X-KEY:")]
    try:
        seconds = tuple(Fraction(length) for length in lengths)
    except (ValueError, ZeroDivisionError) as error:
        raise MediaError(name, f"has a segment of no valid length ({error}); package the title again") from error
    return MediaPlaylist(
        init=maps[0] if maps else None,
        uris=tuple(line for line in lines if not line.startswith("#")),
        seconds=seconds,
        keys=tuple(_key(fields, name) for fields in keys),
        target_seconds=_number(lines, "#EXT-X-TARGETDURATION"),
        is_ended="#EXT-X-ENDLIST" in lines,
        is_iframes="#EXT-X-I-FRAMES-ONLY" in lines,
    )


def attributes(text: str) -> dict[str, str]:
    """An attribute list (RFC 8216bis, 4.2), quotes taken off."""
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(text)}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise MediaError(path, f"cannot be read ({error.strerror}); package the title again") from error
    except UnicodeDecodeError as error:
        raise MediaError(path, "is not UTF-8; package the title again") from error


def _lines(text: str, name: Path) -> list[str]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or lines[0] != "#EXTM3U":
        raise MediaError(name, "is no playlist (it does not begin with #EXTM3U); package the title again")
    return lines


def _number(lines: list[str], tag: str) -> int:
    value = next((line.partition(":")[2] for line in lines if line.startswith(f"{tag}:")), "0")
    return _whole(value)


def _whole(text: str) -> int:
    """A decimal number; 0 where there is none, which no law lets pass."""
    return int(text) if text.isdecimal() else 0


def _variant(fields: Mapping[str, str], uri: str) -> VariantPlaylist:
    return VariantPlaylist(
        uri=uri,
        bandwidth=_whole(fields.get("BANDWIDTH", "")),
        average_bandwidth=_whole(fields.get("AVERAGE-BANDWIDTH", "")),
        codecs=tuple(fields.get("CODECS", "").split(",")),
        audio=fields.get("AUDIO"),
        subtitles=fields.get("SUBTITLES"),
    )


def _iframes(fields: Mapping[str, str]) -> IframePlaylist:
    return IframePlaylist(
        uri=fields.get("URI", ""),
        bandwidth=_whole(fields.get("BANDWIDTH", "")),
        codecs=tuple(fields.get("CODECS", "").split(",")),
        fields=fields,
    )


def _rendition(fields: Mapping[str, str]) -> HlsRendition:
    return HlsRendition(
        kind=fields.get("TYPE", ""),
        uri=fields.get("URI", ""),
        group=fields.get("GROUP-ID", ""),
        language=fields.get("LANGUAGE", ""),
        name=fields.get("NAME", ""),
        is_default=fields.get("DEFAULT") == "YES",
    )


def _key(fields: Mapping[str, str], name: Path) -> HlsKey:
    key_format = fields.get("KEYFORMAT", "identity")
    uri = fields.get("URI", "")
    requested: tuple[bytes, ...] = ()
    address = uri if key_format == FAIRPLAY_FORMAT else ""
    try:
        named = bytes.fromhex(fields.get("KEYID", "").removeprefix("0x"))
        if key_format == WIDEVINE_FORMAT:
            requested = key_ids(parse_pssh(_data(uri)))
        elif key_format == PLAYREADY_FORMAT:
            header = parse_playready(_data(uri))
            requested, address = header.kids, header.la_url
    except (ValueError, binascii.Error) as error:
        raise MediaError(name, f"has an unreadable key line ({error}); package the title again") from error
    kid = named or (requested[0] if len(requested) == 1 else None)
    return HlsKey(method=fields.get("METHOD", ""), key_format=key_format, kid=kid, requested=requested, address=address)


def _data(uri: str) -> bytes:
    """What stands in a `data:` address (RFC 2397)."""
    scheme, _, rest = uri.partition(":")
    if scheme != "data":
        raise ValueError(f"{uri[:20]!r} is no data")
    return base64.b64decode(rest.rpartition(",")[2])
