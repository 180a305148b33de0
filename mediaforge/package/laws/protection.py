"""One protection: scheme and pattern, one KID a label wherever it is named, and no IV twice under a key."""

from collections.abc import Iterator, Mapping
from itertools import groupby

import numpy as np

from mediaforge.checks import Check
from mediaforge.package.contents import Contents
from mediaforge.package.hls import PLAYREADY_FORMAT, WIDEVINE_FORMAT, HlsKey
from mediaforge.package.layout import INIT, PLAYLIST
from mediaforge.package.pssh import (
    COMMON,
    PLAYREADY,
    SYSTEM_NAMES,
    WIDEVINE,
    Pssh,
    key_ids,
    parse_playready,
    playready_checksum,
)
from mediaforge.package.record import Scheme, System
from mediaforge.package.rules import Rule, finding
from mediaforge.package.stream import Stream
from mediaforge.package.track import Protection

_SYSTEM_IDS = {System.WIDEVINE: WIDEVINE, System.PLAYREADY: PLAYREADY}
_KEY_FORMATS = {System.WIDEVINE: WIDEVINE_FORMAT, System.PLAYREADY: PLAYREADY_FORMAT}
_METHODS = {Scheme.CBCS: "SAMPLE-AES", Scheme.CENC: "SAMPLE-AES-CTR"}

SCHEME = Rule(
    id="package.scheme", clause="ISO/IEC 23001-7, 10.1, 10.4.1", holds="a stream is encrypted by the scheme, as that prescribes"
)
LABELS = Rule(id="package.kid.labels", clause="ours", holds="one key a label, and another for each")
INIT_KIDS = Rule(
    id="package.kid.init",
    clause="ISO/IEC 23001-7, 8.1, 8.2",
    holds="the init segment names its KID, and that of every licence, in all boxes",
)
DASH_KIDS = Rule(id="package.kid.dash", clause="ISO/IEC 23009-1, 5.8.5.2", holds="the MPD names the KIDs of the tracks")
HLS_KIDS = Rule(id="package.kid.hls", clause="RFC 8216, 4.3.2.4, 4.3.4.5", holds="HLS names the KIDs of the tracks")
IDENTITY = Rule(id="package.hls.identity", clause="RFC 8216, 4.3.2.4", holds="no playlist passes a KID off as a key")
IVS = Rule(
    id="package.iv",
    clause="ISO/IEC 23001-7, 9.2, 10.4; NIST SP 800-38A, B",
    holds="no IV stands twice under one key",
    advice="withdraw what was published of it, and package the title again under new keys",
)
CHECKSUM = Rule(
    id="package.key.checksum",
    clause="PlayReady header specification",
    holds="every check of a key agrees with the key",
    advice="give the keys of this title",
)

RULES = (SCHEME, LABELS, INIT_KIDS, DASH_KIDS, HLS_KIDS, IDENTITY, IVS, CHECKSUM)


def check_protection(contents: Contents, keys: Mapping[bytes, bytes] | None) -> Iterator[Check]:
    for _, stream in contents.encrypted():
        faults = _scheme(stream, contents.record.scheme)
        yield finding(SCHEME, faults, about=stream.folder, good=f"{contents.record.scheme} as it should be")
    if contents.record.scheme is Scheme.NONE:
        return
    kids = {label: stream.track.protection.default_kid for label, stream in contents.encrypted() if stream.track.protection}
    yield finding(LABELS, _labels(contents, kids))
    everyone = {stream.track.protection.default_kid for _, stream in contents.encrypted() if stream.track.protection}
    for label, stream in contents.encrypted():
        kid = stream.track.protection.default_kid if stream.track.protection else b""
        good = f"{label} is {kid.hex()} everywhere"
        yield finding(INIT_KIDS, _init(contents, stream, kid, everyone), about=stream.folder, good=good)
    yield finding(DASH_KIDS, _dash(contents, everyone))
    yield finding(HLS_KIDS, _hls(contents, everyone))
    yield finding(IDENTITY, _identity(contents))
    yield finding(IVS, _ivs(contents, kids))
    if keys is not None:
        yield finding(CHECKSUM, _checksums(contents, keys))


def _scheme(stream: Stream, scheme: Scheme) -> Iterator[str]:
    found = stream.track.protection
    if scheme is Scheme.NONE:
        if found is not None:
            yield f"{stream.folder} is encrypted ({found.scheme}) though the package should be in clear"
        return
    if found is None:
        yield f"{stream.folder} is in clear though the package should be {scheme}"
        return
    expected = _pattern(scheme, stream.track.handler)
    if (found.scheme, *_shape(found)) != (scheme.value, *expected):
        shape = "(IV bytes, constant IV, pattern)"
        yield f"{stream.folder} is {found.scheme} with {shape} {_shape(found)}, not {scheme} with {expected}"


def _pattern(scheme: Scheme, handler: str) -> tuple[int, int, tuple[int, int]]:
    """23001-7, 10.4.1: cbcs has a constant 16-byte IV, 1:9 for pictures, whole blocks for sound. Else 8 bytes a sample."""
    if scheme is Scheme.CENC:
        return 8, 0, (0, 0)
    return 0, 16, (1, 9) if handler == "vide" else (0, 0)


def _shape(found: Protection) -> tuple[int, int, tuple[int, int]]:
    return found.iv_bytes, len(found.constant_iv), (found.crypt_blocks, found.skip_blocks)


def _labels(contents: Contents, kids: Mapping[str, bytes]) -> Iterator[str]:
    for label, stream in contents.encrypted():
        if stream.track.protection and stream.track.protection.default_kid != kids[label]:
            yield f"{stream.folder} has another KID ({stream.track.protection.default_kid.hex()}) than the rest of {label}"
    if len(set(kids.values())) != len(kids):
        yield f"{' and '.join(sorted(kids))} share a KID"


def _init(contents: Contents, stream: Stream, kid: bytes, everyone: set[bytes]) -> Iterator[str]:
    boxes = stream.track.pssh
    expected = {COMMON} | {_SYSTEM_IDS[system] for system in contents.record.systems if system in _SYSTEM_IDS}
    if {box.system for box in boxes} != expected:
        yield f"the init segment of {stream.folder} signals {_names(boxes)}, not {', '.join(map(_name, sorted(expected)))}"
    yield from (f"{fault} in {stream.init.parent.name}/{INIT}" for box in boxes for fault in _box(box, kid, everyone))


def _box(box: Pssh, kid: bytes, everyone: set[bytes]) -> Iterator[str]:
    """PlayReady asks for its own track's key; the others for all of the title, so that one licence opens it."""
    try:
        asked = key_ids(box)
    except ValueError as error:
        yield f"{error} (pssh of {_name(box.system)})"
        return
    wanted = {kid} if box.system == PLAYREADY else everyone
    if set(asked) != wanted or len(asked) != len(wanted):
        yield f"the {_name(box.system)} pssh names {_hex(asked)}, not {_hex(sorted(wanted))}"


def _dash(contents: Contents, everyone: set[bytes]) -> Iterator[str]:
    if contents.presentation is None:
        return
    inits = {f"{stream.folder}/{INIT}": stream for _, stream in contents.encrypted()}
    for row in contents.presentation.representations:
        stream = inits.get(row.init)
        if stream is None or stream.track.protection is None:
            continue
        kid = stream.track.protection.default_kid
        if row.scheme != contents.record.scheme.value or row.default_kid != kid:
            named = row.default_kid.hex() if row.default_kid else "no KID"
            yield f"the MPD says {row.scheme} with {named} for {stream.folder}, the track {kid.hex()}"
        if {box.system for box in row.pssh} != {box.system for box in stream.track.pssh}:
            yield f"the MPD signals {_names(row.pssh)} for {stream.folder}, its init segment {_names(stream.track.pssh)}"
        yield from (f"{fault} in the MPD, at {stream.folder}" for box in row.pssh for fault in _box(box, kid, everyone))


def _hls(contents: Contents, everyone: set[bytes]) -> Iterator[str]:
    if contents.master is None:
        return
    tracks = {f"{stream.folder}/{PLAYLIST}": stream for _, stream in contents.encrypted()}
    for uri, playlist in contents.playlists.items():
        stream = tracks.get(uri)
        if stream is not None and stream.track.protection is not None:
            yield from _key_lines(contents, uri, playlist.keys, {stream.track.protection.default_kid})
    yield from _key_lines(contents, "the master playlist", contents.master.session_keys, everyone)


def _key_lines(contents: Contents, place: str, found: tuple[HlsKey, ...], kids: set[bytes]) -> Iterator[str]:
    method = _METHODS[contents.record.scheme]
    for key in found:
        if key.method != method:
            yield f"{place} says {key.method} where the scheme needs {method}"
    for system in contents.record.systems:
        if system is System.FAIRPLAY:  # its lines name no KID: `package.hls.fairplay`
            continue
        named = {key.kid for key in found if key.key_format == _KEY_FORMATS[system]}
        if named != kids:
            yield f"{place} names {_hex(sorted(kid or b'' for kid in named))} to {system}, not {_hex(sorted(kids))}"


def _identity(contents: Contents) -> Iterator[str]:
    places = {uri: playlist.keys for uri, playlist in contents.playlists.items()}
    places["the master playlist"] = contents.master.session_keys if contents.master else ()
    for place, found in places.items():
        if any(key.key_format == "identity" for key in found):
            yield f"{place} has an identity key, which players take for the key itself"


def _ivs(contents: Contents, kids: Mapping[str, bytes]) -> Iterator[str]:
    if contents.record.scheme is Scheme.CBCS:
        constants = {
            (label, stream.track.protection.constant_iv) for label, stream in contents.encrypted() if stream.track.protection
        }
        if len(constants) != len(kids):
            yield "streams under one key have different constant IVs, so their segments need different init segments"
        return
    # cenc: a sample's counter block is its IV and 64 bits that count blocks, so two samples collide only by equal IVs.
    rows = sorted(contents.encrypted(), key=lambda row: row[0])
    for label, group in groupby(rows, key=lambda row: row[0]):
        used = np.frombuffer(b"".join(segment.fragment.ivs for _, stream in group for segment in stream.segments), ">u8")
        if repeats := used.size - np.unique(used).size:
            yield f"{repeats} samples under the key of {label} have the IV of another sample, which gives their content away"


def _checksums(contents: Contents, keys: Mapping[bytes, bytes]) -> Iterator[str]:
    """The header of PlayReady for cenc holds a check of the key itself: it proves the key without decoding anything."""
    for _, stream in contents.encrypted():
        for box in stream.track.pssh:
            if box.system == PLAYREADY:
                for kid, checksum in _playready_checksums(box):
                    if kid in keys and playready_checksum(kid, keys[kid]) != checksum:
                        yield f"the key given for {kid.hex()} is not the one {stream.folder} was encrypted with"


def _playready_checksums(box: Pssh) -> list[tuple[bytes, bytes]]:
    try:
        header = parse_playready(box.data)
    except ValueError:  # `_box` says so
        return []
    return list(zip(header.kids, header.checksums, strict=False))


def _names(boxes: tuple[Pssh, ...]) -> str:
    return ", ".join(_name(box.system) for box in boxes) or "nothing"


def _name(system: bytes) -> str:
    return SYSTEM_NAMES.get(system, system.hex())


def _hex(kids: tuple[bytes, ...] | list[bytes]) -> str:
    return ", ".join(kid.hex() for kid in kids) or "no KID"
