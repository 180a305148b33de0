"""The folder holds what its record and its manifests name, and nothing else."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from mediaforge.checks import Check
from mediaforge.media import Variant
from mediaforge.package.contents import Contents
from mediaforge.package.layout import (
    DASH_MANIFEST,
    HLS_MANIFEST,
    INIT,
    PLAYLIST,
    RECORD,
    TRICK_FOLDER,
    audio_folder,
    video_folder,
)
from mediaforge.package.rules import Rule, finding
from mediaforge.package.webvtt_segments import DIGEST, segments_digest
from mediaforge.steps import digest_file

_MANIFESTS = (".mpd", ".m3u8")

DIGESTS = Rule(id="package.digests", clause="ours", holds="every segment is the one that was packaged")
UNTOUCHED = Rule(
    id="package.digests.manifests",
    clause="ours",
    holds="every manifest is the one that was packaged",
    advice="put it back, or package the title again; an edge that changes manifests does so after they were verified",
)
PRESENT = Rule(
    id="package.files.present", clause="ISO/IEC 23009-1, 5.3.9.4; RFC 8216, 4.3.2", holds="every URI of the manifests is there"
)
REFERENCED = Rule(
    id="package.files.referenced",
    clause="ours",
    holds="every file is named by a manifest, and every stream by both",
    advice="remove what does not belong there, or package the title again",
)
LANGUAGES = Rule(
    id="package.languages",
    clause="ISO/IEC 23009-1, 5.3.3.2; RFC 8216, 4.3.4.1",
    holds="every sound and subtitle is offered in its language",
)
SIZE = Rule(id="package.size", clause="ISO/IEC 14496-12, 12.1.3", holds="every rung has the size it was planned with")

RULES = (DIGESTS, UNTOUCHED, PRESENT, REFERENCED, LANGUAGES, SIZE)


def check_files(contents: Contents) -> Iterator[Check]:
    yield finding(DIGESTS, _digests(contents))
    yield finding(UNTOUCHED, _changed(contents))
    yield finding(PRESENT, _missing(contents))
    yield finding(REFERENCED, _strays(contents))
    yield finding(LANGUAGES, _languages(contents))
    yield finding(SIZE, _sizes(contents))


def _digests(contents: Contents) -> Iterator[str]:
    for folder, stream in contents.streams.items():
        if stream.digest != contents.record.digests.get(folder):
            yield f"{folder} does not hold what was packaged: a segment was changed, or comes from another run"
        said = contents.record.digests.get(f"{folder}/{DIGEST}")
        if said is not None and said != segments_digest(contents.folder / folder):
            yield f"the WebVTT of {folder} is not what was packaged"


def _changed(contents: Contents) -> Iterator[str]:
    """Records of before knew no digests of manifests: those are taken as they are."""
    for name, digest in sorted(contents.record.digests.items()):
        if name.endswith(_MANIFESTS):
            path = contents.folder / name
            if not path.is_file():
                yield f"{name} is not there"
            elif digest_file(path) != digest:
                yield f"{name} is not what was packaged"


def _missing(contents: Contents) -> Iterator[str]:
    for uri in sorted(_referenced(contents)):
        if not (contents.folder / uri).is_file():
            yield f"{uri} is named by a manifest and is not there"


def _strays(contents: Contents) -> Iterator[str]:
    known = _referenced(contents) | {DASH_MANIFEST, HLS_MANIFEST, RECORD}
    if Variant.B in contents.record.variants:
        for rung in contents.record.rungs:
            a, b = video_folder(rung.name), video_folder(rung.name, Variant.B)
            known |= {b + uri.removeprefix(a) for uri in known if uri.startswith(f"{a}/") and uri.endswith(".m4s")}
    for path in sorted(contents.folder.rglob("*")):
        name = path.relative_to(contents.folder).as_posix()
        if path.is_file() and name not in known:
            yield f"{name} is named by no manifest"
    dash = {row.init for row in contents.presentation.representations} if contents.presentation else set()
    for folder in contents.streams:
        if not folder.startswith(f"{Variant.B.value}/"):
            if contents.presentation is not None and f"{folder}/{INIT}" not in dash:
                yield f"{folder} is missing from the MPD"
            if contents.master is not None and f"{folder}/{PLAYLIST}" not in contents.playlists:
                yield f"{folder} is missing from the master playlist"


def _referenced(contents: Contents) -> set[str]:
    found: set[str] = set()
    for row in contents.presentation.representations if contents.presentation else ():
        found |= {row.init, *(uri for uri, _, _ in row.segments)}
    for uri, playlist in contents.playlists.items():
        folder = PurePosixPath(uri).parent
        inside = playlist.uris if playlist.init is None else (playlist.init, *playlist.uris)
        found |= {uri, *((folder / name).as_posix() for name in inside)}
    return found


def _languages(contents: Contents) -> Iterator[str]:
    planned = {audio_folder(row.language, row.name): row.language for row in contents.record.audio}
    planned |= {row.folder: row.language for row in contents.record.text}
    said = [
        (row.init, row.language, "the MPD") for row in (contents.presentation.representations if contents.presentation else ())
    ]
    said += [(row.uri, row.language, "the master playlist") for row in (contents.master.renditions if contents.master else ())]
    for uri, language, place in said:
        expected = planned.get(str(PurePosixPath(uri).parent), language)
        # The packager turns fra into fr; a tag of another length cannot be compared without a table.
        if len(language) == len(expected) and language != expected:
            yield f"{place} offers {uri} as {language!r}, not {expected!r}"


def _sizes(contents: Contents) -> Iterator[str]:
    declared = {
        row.init: (row.width, row.height) for row in (contents.presentation.representations if contents.presentation else ())
    }
    for rung, variant, stream in contents.rungs():
        planned, found = (rung.width, rung.height), (stream.track.width, stream.track.height)
        if found != planned:
            yield f"{stream.folder} is {found[0]}x{found[1]}, not {planned[0]}x{planned[1]}"
        said = declared.get(f"{stream.folder}/{INIT}", planned)
        if variant is Variant.A and said != planned:
            yield f"the MPD says {said[0]}x{said[1]} for {stream.folder}, not {planned[0]}x{planned[1]}"
    if contents.record.trick is not None and contents.trick is not None:
        row, track = contents.record.trick, contents.trick.track
        if not (row.width, row.height) == (track.width, track.height) == declared.get(f"{TRICK_FOLDER}/{INIT}", (0, 0)):
            yield f"{TRICK_FOLDER} or what the MPD says of it is not {row.width}x{row.height}"
