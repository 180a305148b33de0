"""Whoever needs a licence finds where to ask for it: the addresses of the record stand wherever its system looks."""

import uuid
from collections.abc import Iterator

from mediaforge.checks import Check
from mediaforge.package.contents import Contents
from mediaforge.package.hls import FAIRPLAY_FORMAT, PLAYREADY_FORMAT, HlsKey
from mediaforge.package.layout import HLS_MANIFEST, PLAYLIST
from mediaforge.package.licences import fairplay_uri
from mediaforge.package.pssh import PLAYREADY, Pssh, parse_playready
from mediaforge.package.record import Scheme, System
from mediaforge.package.rules import Rule, finding
from mediaforge.package.signalling import dash_addresses

FAIRPLAY = Rule(
    id="package.hls.fairplay",
    clause="RFC 8216, 4.3.2.4, 4.3.4.5; FairPlay Streaming",
    holds="each label has its own FairPlay address, in its playlists and as a session key, under cbcs alone",
)
LA_URL = Rule(
    id="package.playready.address",
    clause="PlayReady header specification",
    holds="PlayReady's header names the licence server of the record, in init segments and both manifests",
)
LAURL = Rule(
    id="package.dash.laurl",
    clause="DASH-IF, Content Protection and Security",
    holds="the MPD tells the licence addresses of the record, each to its own system",
)

RULES = (FAIRPLAY, LA_URL, LAURL)


def check_licences(contents: Contents) -> Iterator[Check]:
    if contents.record.scheme is Scheme.NONE:
        return
    yield finding(FAIRPLAY, _fairplay(contents))
    yield finding(LA_URL, _la_url(contents))
    yield finding(LAURL, _laurl(contents))


def _fairplay(contents: Contents) -> Iterator[str]:
    is_signalled = System.FAIRPLAY in contents.record.systems
    if is_signalled and contents.record.scheme is not Scheme.CBCS:
        yield f"FairPlay is signalled for {contents.record.scheme}, which Apple's devices do not play"
    everyone = set()
    for label, stream in contents.encrypted():
        if stream.track.protection is None:
            continue
        uri = fairplay_uri(
            contents.record.licences.fairplay,
            kid=stream.track.protection.default_kid,
            label=label,
            title=contents.record.title,
        )
        everyone.add(uri)
        playlist = contents.playlists.get(f"{stream.folder}/{PLAYLIST}")
        if playlist is not None:
            yield from _lines(f"{stream.folder}/{PLAYLIST}", playlist.keys, {uri} if is_signalled else set())
    if contents.master is not None:
        yield from _lines(HLS_MANIFEST, contents.master.session_keys, everyone if is_signalled else set())


def _lines(place: str, found: tuple[HlsKey, ...], expected: set[str]) -> Iterator[str]:
    said = [key.address for key in found if key.key_format == FAIRPLAY_FORMAT]
    if sorted(said) != sorted(expected):
        yield f"{place} has the FairPlay addresses {_names(said)}, not {_names(sorted(expected))}"


def _la_url(contents: Contents) -> Iterator[str]:
    expected = contents.record.licences.playready
    boxes: list[tuple[str, Pssh]] = [
        (f"the init segment of {stream.folder}", box) for _, stream in contents.encrypted() for box in stream.track.pssh
    ]
    for row in contents.presentation.representations if contents.presentation else ():
        boxes += [(f"the MPD, at {row.init},", box) for box in row.pssh]
    for place, box in boxes:
        said = _address(box)
        if said not in (None, expected):
            yield f"{place} sends PlayReady to {said or 'nobody'}, not to {expected or 'nobody'}"
    lines = [(uri, key) for uri, playlist in contents.playlists.items() for key in playlist.keys]
    lines += [(HLS_MANIFEST, key) for key in contents.master.session_keys] if contents.master else []
    for place, key in lines:
        if key.key_format == PLAYREADY_FORMAT and key.address != expected:
            yield f"{place} sends PlayReady to {key.address or 'nobody'}, not to {expected or 'nobody'}"


def _address(box: Pssh) -> str | None:
    """None where it is no box of PlayReady, or none that can be read, which `package.kid.init` says."""
    try:
        return parse_playready(box.data).la_url if box.system == PLAYREADY else None
    except ValueError:
        return None


def _laurl(contents: Contents) -> Iterator[str]:
    expected = sorted(dash_addresses(contents.record.systems, contents.record.licences).items())
    encrypted = {stream.folder for _, stream in contents.encrypted()}
    for row in contents.presentation.representations if contents.presentation else ():
        wanted = expected if row.init.rpartition("/")[0] in encrypted else []
        if sorted(row.licences) != wanted:
            yield f"the MPD tells {_systems(row.licences)} at {row.init}, not {_systems(wanted)}"


def _systems(rows: "list[tuple[bytes, str]] | tuple[tuple[bytes, str], ...]") -> str:
    return ", ".join(f"{uuid.UUID(bytes=system)} {url or 'nothing'}" for system, url in rows) or "no licence address"


def _names(addresses: list[str]) -> str:
    return ", ".join(addresses) or "of nothing"
