"""HLS playlists of live streams (RFC 8216), read by the library m3u8, which opens nothing here."""

from dataclasses import dataclass

import m3u8

from mediaforge.detect.live.listing import MOST_PIECES, Key, Listing, NoListing, Part, Piece, held_seconds

_LEAST_LINES = 240  # of smaller pictures little is left to look at; of larger ones nothing is gained
_BLOCK = 16  # bytes of AES


@dataclass(frozen=True, slots=True, kw_only=True)
class Renditions:
    """Addresses of media playlists: of the smallest pictures worth looking at, and of their sound where that is apart."""

    picture: str
    sound: str | None


def renditions(text: str, url: str) -> Renditions | None:
    """What a multivariant playlist offers; None where the text is itself a media playlist. Raises NoListing."""
    if "#EXT-X-STREAM-INF" not in text:
        return None
    playlist = _parsed(text, url)
    found: list[tuple[bool, bool, int, str, str]] = []
    for each in playlist.playlists:
        lines = (each.stream_info.resolution or (0, 0))[1]
        # One without a size may be sound alone: after those with pictures, as a radio's stream has nothing else.
        order = (lines == 0, lines < _LEAST_LINES, each.stream_info.bandwidth or 0)
        found.append((*order, each.absolute_uri, each.stream_info.audio or ""))
    if not found:
        raise NoListing("is an HLS playlist without renditions")
    *_, picture, group = min(found)
    sound = _sound_of(playlist, group)
    return Renditions(picture=picture, sound=None if sound == picture else sound)


def _sound_of(playlist: m3u8.M3U8, group: str) -> str | None:
    """The sound that plays unless someone chooses; None where it lies in the pictures' own segments (4.3.4.2.1)."""
    sounds = [each for each in playlist.media if each.type == "AUDIO" and each.group_id == group]
    sounds.sort(key=lambda each: (each.default != "YES", each.autoselect != "YES"))
    return str(sounds[0].absolute_uri) if sounds and sounds[0].uri else None


def read_media_playlist(text: str, url: str) -> Listing:
    """Raises NoListing."""
    playlist = _parsed(text, url)
    segments = playlist.segments[-MOST_PIECES:]
    if not segments and not playlist.is_endlist:
        raise NoListing("is an HLS playlist without segments")
    return Listing(
        pieces=tuple(_piece(each) for each in segments if each.uri and not each.gap_tag),
        ended=bool(playlist.is_endlist),
        reload_seconds=held_seconds(float(playlist.target_duration or 2)),
    )


def _piece(segment: m3u8.Segment) -> Piece:
    init, moment = segment.init_section, segment.current_program_date_time
    return Piece(
        number=int(segment.media_sequence),
        media=_part(segment.absolute_uri, segment.byterange),
        seconds=held_seconds(float(segment.duration or 0)),
        init=_part(init.absolute_uri, init.byterange) if init else None,
        key=_key(segment),
        broadcast=moment.timestamp() if moment else None,
        is_joined=not segment.discontinuity,
    )


def _part(url: str, byte_range: str | None) -> Part:
    if not byte_range:
        return Part(url=url)
    count, _, first = str(byte_range).partition("@")
    if not first:
        raise NoListing("gives byte ranges without their beginning, which are not read here")
    return Part(url=url, first=int(first), count=int(count))


def _key(segment: m3u8.Segment) -> Key | None:
    key = segment.key
    if key is None or key.method in (None, "NONE"):
        return None
    if key.method != "AES-128" or (key.keyformat or "identity") != "identity":
        raise NoListing(f"is encrypted ({key.method}); give a stream that plays without a licence")
    iv = int(key.iv, 16) if key.iv else int(segment.media_sequence)
    return Key(url=key.absolute_uri, iv=(iv % (1 << 8 * _BLOCK)).to_bytes(_BLOCK, "big"))


def _parsed(text: str, url: str) -> m3u8.M3U8:
    try:
        return m3u8.loads(text, uri=url)
    except Exception as error:  # whatever a hostile playlist makes of the library is the playlist's doing
        raise NoListing(f"is an HLS playlist that cannot be read ({type(error).__name__})") from error
