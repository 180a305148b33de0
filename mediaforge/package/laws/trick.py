"""Trick play: one picture a segment, the same for everybody, that no player takes for a rung."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from lxml import etree

from mediaforge.checks import Check
from mediaforge.errors import MediaError
from mediaforge.package.codecs import codec_string, plain_codec
from mediaforge.package.contents import Contents
from mediaforge.package.dash import MPD, TRICK_MODE, is_trick, parse_mpd_tree
from mediaforge.package.hls import MasterPlaylist
from mediaforge.package.layout import DASH_MANIFEST, PLAYLIST, TRICK_FOLDER
from mediaforge.package.rules import Rule, finding

TRICK_PICTURES = Rule(
    id="package.trick.pictures", clause="ours", holds="every segment of trick play is one picture, and it has them all"
)
TRICK_DASH = Rule(
    id="package.trick.dash",
    clause="DASH-IF IOP 4.3, 3.2.9",
    holds="the MPD says that trick play is for that only, of which sets, and how fast; and says so of nothing else",
)
TRICK_HLS = Rule(
    id="package.trick.hls",
    clause="RFC 8216, 4.3.3.6, 4.3.4.3",
    holds="trick play is the one I-frame playlist, described as it is: those of marked rungs fit one variant only",
)

RULES = (TRICK_PICTURES, TRICK_DASH, TRICK_HLS)

_URI = f"{TRICK_FOLDER}/{PLAYLIST}"


def check_trick(contents: Contents) -> Iterator[Check]:
    """Where a title has no trick play, nothing may claim to be it."""
    if contents.record.trick is not None:
        yield finding(TRICK_PICTURES, _pictures(contents))
    if contents.presentation is not None:
        yield finding(TRICK_DASH, _dash(contents))
    if contents.master is not None:
        yield finding(TRICK_HLS, _hls(contents, contents.master))


def _pictures(contents: Contents) -> Iterator[str]:
    if contents.trick is None:  # `package.readable` says why
        return
    found, expected = len(contents.trick.segments), contents.record.grid.segments
    if found != expected:
        yield f"{TRICK_FOLDER} has {found} segments, not the {expected} of the grid"
    for segment in contents.trick.segments:
        if segment.fragment.samples != 1:
            yield f"{segment.path.name} of {TRICK_FOLDER} has {segment.fragment.samples} pictures, not one"


def _dash(contents: Contents) -> Iterator[str]:
    try:
        root = parse_mpd_tree((contents.folder / DASH_MANIFEST).read_bytes(), name=contents.folder / DASH_MANIFEST)
    except (OSError, MediaError):  # it was there when the presentation was read
        return
    pictures = [row for row in root.iter(f"{MPD}AdaptationSet") if row.get("contentType") == "video"]
    rungs = {row.get("id") for row in pictures if not is_trick(row)}
    groups = {row: _folders(row) for row in root.iter(f"{MPD}AdaptationSet")}
    for row, folders in groups.items():
        if is_trick(row) != (folders == {TRICK_FOLDER}) or (TRICK_FOLDER in folders and len(folders) > 1):
            yield f"the MPD takes {', '.join(sorted(folders))} for trick play, or trick play for a rung"
        elif is_trick(row):
            yield from _property(row, rungs, contents)


def _property(row: etree._Element, rungs: set[str | None], contents: Contents) -> Iterator[str]:
    said = row.find(f"{MPD}EssentialProperty[@schemeIdUri='{TRICK_MODE}']")
    named = ((said.get("value") or "") if said is not None else "").split()
    if set(named) != rungs or len(set(named)) != len(named):
        yield f"the MPD names {' '.join(named) or 'nothing'} as the sets that trick play is of, and the rungs are in others"
    grid = contents.record.grid
    fps = str(grid.fps / grid.segment_frames(0))
    for one in row.iterfind(f"{MPD}Representation"):
        if one.get("maxPlayoutRate") != str(grid.gop_frames):
            yield f"the MPD lets trick play run at {one.get('maxPlayoutRate')} times the speed, not {grid.gop_frames}"
        if (one.get("frameRate") or row.get("frameRate")) != fps:
            yield f"the MPD says {one.get('frameRate') or row.get('frameRate')} trick play pictures a second, not {fps}"


def _folders(row: etree._Element) -> set[str]:
    templates = row.iterfind(f"{MPD}Representation/{MPD}SegmentTemplate")
    return {str(PurePosixPath(template.get("initialization") or "").parent) for template in templates}


def _hls(contents: Contents, master: MasterPlaylist) -> Iterator[str]:
    named = [row.uri for row in master.iframes]
    expected = [_URI] if contents.record.trick is not None else []
    if named != expected:
        yield f"the master playlist has {', '.join(named) or 'nothing'} for trick play, not {', '.join(expected) or 'nothing'}"
    if _URI in [row.uri for row in master.variants] + [row.uri for row in master.renditions]:
        yield f"the master playlist offers {_URI} as a rung"
    for uri, playlist in contents.playlists.items():
        if playlist.is_iframes != (uri == _URI):
            yield f"{uri} {'says' if playlist.is_iframes else 'does not say'} that it has I-frames only"
    if contents.trick is None:
        return
    track, codec = contents.trick.track, _codec(contents)
    for row in master.iframes:
        size = f"{track.width}x{track.height}"
        if row.fields.get("RESOLUTION") != size or row.fields.get("VIDEO-RANGE") != "SDR":
            yield f"the master playlist does not say that {row.uri} has {size} in SDR"
        if codec is not None and [plain_codec(name) for name in row.codecs] != [plain_codec(codec)]:
            yield f"the master playlist says {','.join(row.codecs)} for {row.uri}, which is {codec}"


def _codec(contents: Contents) -> str | None:
    try:
        return codec_string(contents.trick.init.read_bytes()) if contents.trick else None
    except (ValueError, IndexError):  # `package.init.codec` says so
        return None
