"""Trick play in the manifests, told apart from the rungs: the packager leaves that half done in the MPD, and undone in HLS."""

from pathlib import PurePosixPath

from lxml import etree

from mediaforge.package.dash import MPD, SET_SWITCHING, TRICK_MODE
from mediaforge.package.hls import attributes
from mediaforge.package.layout import PLAYLIST, TRICK_FOLDER
from mediaforge.package.stream import Rate

TRICK_PLAYLIST = f"{TRICK_FOLDER}/{PLAYLIST}"


def finish_trick(root: etree._Element, gop_frames: int) -> None:
    """Trick play belongs to all sets of pictures, and may be shown as fast as those.

    The packager names the one set that has its key, and where there is none it takes trick play for one more rung.
    """
    groups = [group for group in root.iter(f"{MPD}AdaptationSet") if group.get("contentType") == "video"]
    tricks = [group for group in groups if _first_folder(group) == TRICK_FOLDER]
    rungs = " ".join(group.get("id") or "" for group in groups if group not in tricks)
    for trick in tricks:
        for group in groups:
            _not_switched_to(group, trick)
        for name in ("EssentialProperty", "SupplementalProperty", "Role"):
            for row in trick.findall(f"{MPD}{name}"):
                trick.remove(row)
        (representation,) = trick.iterfind(f"{MPD}Representation")
        representation.set("maxPlayoutRate", str(gop_frames))
        representation.set("codingDependency", "false")
        representation.addprevious(etree.Element(f"{MPD}EssentialProperty", schemeIdUri=TRICK_MODE, value=rungs))


def _not_switched_to(group: etree._Element, trick: etree._Element) -> None:
    for row in group.findall(f"{MPD}SupplementalProperty[@schemeIdUri='{SET_SWITCHING}']"):
        left = [name for name in (row.get("value") or "").split(",") if name != trick.get("id")]
        row.set("value", ",".join(left))
        if not left:
            group.remove(row)


def _first_folder(group: etree._Element) -> str:
    template = group.find(f"{MPD}Representation/{MPD}SegmentTemplate")
    return PurePosixPath(template.get("initialization") or "").parent.as_posix() if template is not None else ""


def iframes_only(playlist: str) -> str:
    """RFC 8216bis, 4.4.3.6: every segment is one picture that needs no other."""
    return playlist.replace("#EXT-X-PLAYLIST-TYPE:VOD\n", "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-I-FRAMES-ONLY\n", 1)


def iframe_line(line: str, rate: Rate) -> str:
    """RFC 8216bis, 4.4.6.3: what EXT-X-STREAM-INF says but for frame rate and groups; the picture's codec comes first there."""
    fields = attributes(line)
    codec = fields["CODECS"].partition(",")[0]
    return (
        f'#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH={rate.peak_bps},AVERAGE-BANDWIDTH={rate.average_bps},CODECS="{codec}",'
        f'RESOLUTION={fields["RESOLUTION"]},VIDEO-RANGE=SDR,URI="{TRICK_PLAYLIST}"'
    )
