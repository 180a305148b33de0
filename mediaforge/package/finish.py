"""What the packager leaves open in its manifests, put right: rates that hold for any mix of A and B, codecs, versions, trick
play told apart from the rungs, no line that hands players the KID in the place of the key, and the addresses of licences."""

import re
import uuid
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path, PurePosixPath

from lxml import etree

from mediaforge.package.dash import DASHIF, MPD, SYSTEM, parse_mpd_tree
from mediaforge.package.hls import attributes, parse_master
from mediaforge.package.imsc import IMSC_CODEC
from mediaforge.package.layout import DASH_MANIFEST, HLS_MANIFEST, TEXT_GROUPS, TRICK_FOLDER
from mediaforge.package.stream import Rate
from mediaforge.package.trickplay import TRICK_PLAYLIST, finish_trick, iframe_line, iframes_only

HLS_VERSION = 6  # what EXT-X-MAP in a playlist of segments needs (RFC 8216bis, 8)
_TEXT_CODECS = {TEXT_GROUPS["wvtt"]: "wvtt", TEXT_GROUPS["imsc"]: IMSC_CODEC}  # the packager names the second only
_ORDER = tuple(
    f"{MPD}{name}"
    for name in ("FramePacking", "AudioChannelConfiguration", "ContentProtection", "EssentialProperty", "SupplementalProperty")
)


def finish_manifests(
    package: Path, *, rates: Mapping[str, Rate], replaced: Mapping[str, str], licences: Mapping[bytes, str], gop_frames: int
) -> None:
    """Finish all manifests of a package in place.

    `rates` by folder of variant A; `replaced` maps texts (of pssh boxes, of FairPlay's addresses) to those that take their
    place; `licences` by system id; `gop_frames`: of the grid.
    """
    mpd = package / DASH_MANIFEST
    text = _replaced(mpd.read_text(encoding="utf-8"), replaced)
    mpd.write_bytes(finished_mpd(text, rates, licences, gop_frames=gop_frames))
    master = package / HLS_MANIFEST
    text = master.read_text(encoding="utf-8")
    for uri in parse_master(text, name=master).uris:
        path = package / uri
        playlist = finished_playlist(path.read_text(encoding="utf-8"), replaced)
        path.write_text(iframes_only(playlist) if uri == TRICK_PLAYLIST else playlist, encoding="utf-8")
    master.write_text(finished_master(finished_playlist(text, replaced), rates), encoding="utf-8")


def finished_mpd(text: str, rates: Mapping[str, Rate], licences: Mapping[bytes, str], *, gop_frames: int) -> bytes:
    """The MPD with measured rates, plain frame rates, licence addresses, and startWithSAP on every set: each segment begins
    with a sync sample that nothing before it is needed for (ISO/IEC 23009-1, 5.3.3.2); `verify` holds that."""
    root = parse_mpd_tree(text.encode(), name=Path(DASH_MANIFEST))
    for group in root.iter(f"{MPD}AdaptationSet"):
        group.set("startWithSAP", "1")
        if frame_rate := group.get("frameRate"):
            group.set("frameRate", str(Fraction(frame_rate)))
    finish_trick(root, gop_frames)
    for group in root.iter(f"{MPD}AdaptationSet"):
        group[:] = sorted(group, key=_place)
    for representation in root.iter(f"{MPD}Representation"):
        if representation.get("codecs") == "stpp":  # W3C's registry: which profile, for players that know only some
            representation.set("codecs", IMSC_CODEC)
        template = representation.find(f"{MPD}SegmentTemplate")
        if template is not None:
            representation.set("bandwidth", str(rates[_folder(template.get("initialization") or "")].peak_bps))
    for system, url in licences.items():
        for box in list(root.iter(f"{MPD}ContentProtection")):
            if box.get("schemeIdUri") == f"{SYSTEM}{uuid.UUID(bytes=system)}":
                etree.SubElement(box, f"{DASHIF}Laurl", nsmap={"dashif": DASHIF[1:-1]}).text = url
    return etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8") + b"\n"


def _place(child: etree._Element) -> int:
    """Where the schema wants a child of a set (ISO/IEC 23009-1, annex B): the packager tells the transfer characteristics of a
    picture before its protection."""
    return _ORDER.index(child.tag) if child.tag in _ORDER else len(_ORDER)


def finished_playlist(text: str, replaced: Mapping[str, str]) -> str:
    """A playlist without identity keys: the packager writes the KID as their URI, and players take it for the key.

    Nor has it a break behind the clear lead: tracks and times go on as they were (RFC 8216, 4.3.2.3), and a break would have to
    stand in the subtitles as well.
    """
    lines = [line for line in text.splitlines() if 'KEYFORMAT="identity"' not in line and line != "#EXT-X-DISCONTINUITY"]
    return _replaced("\n".join(lines) + "\n", replaced)


def finished_master(text: str, rates: Mapping[str, Rate]) -> str:
    """The master playlist with its version, the rates of any A/B mix with its sound and text, and all codecs."""
    lines = _with_defaults([line for line in text.splitlines() if not line.startswith("#EXT-X-VERSION")])
    groups = _group_rates(lines, rates)
    rows = list(zip(lines, [*lines[1:], ""], strict=True))
    trick = [line for line, following in rows if following == TRICK_PLAYLIST]
    out = []
    for line, following in rows:
        if TRICK_PLAYLIST in (line, following):  # for every group of sounds; a rung to the packager, none to players
            continue
        if line.startswith("#EXT-X-STREAM-INF:"):
            out.append(_finished_variant(line, rates[_folder(following)], groups))
        else:
            out.append(line)
            if line == "#EXTM3U":
                out.append(f"#EXT-X-VERSION:{HLS_VERSION}")
    out += [iframe_line(line, rates[TRICK_FOLDER]) for line in trick[:1]]
    return "\n".join(out) + "\n"


def _replaced(text: str, replaced: Mapping[str, str]) -> str:
    for old, new in replaced.items():
        text = text.replace(old, new)
    return text


def _with_defaults(lines: list[str]) -> list[str]:
    """One default sound in every group. Where no language is known, the packager marks none: the first one is it."""
    sounds = {line: attributes(line)["GROUP-ID"] for line in lines if line.startswith("#EXT-X-MEDIA:TYPE=AUDIO")}
    served = {group for line, group in sounds.items() if "DEFAULT=YES" in line}
    out = []
    for line in lines:
        if line in sounds and sounds[line] not in served:
            served.add(sounds[line])
            line = line.replace("DEFAULT=NO", "DEFAULT=YES")  # noqa: PLW2901 (the line, finished)
        out.append(line)
    return out


def _group_rates(lines: list[str], rates: Mapping[str, Rate]) -> dict[tuple[str, str], Rate]:
    """The costliest member of each group: any of them may be chosen."""
    groups: dict[tuple[str, str], Rate] = {}
    for line in lines:
        if line.startswith("#EXT-X-MEDIA:"):
            fields = attributes(line)
            group = fields["TYPE"], fields["GROUP-ID"]
            rate, other = rates[_folder(fields["URI"])], groups.get(group, Rate(peak_bps=0, average_bps=0))
            groups[group] = Rate(
                peak_bps=max(rate.peak_bps, other.peak_bps), average_bps=max(rate.average_bps, other.average_bps)
            )
    return groups


def _finished_variant(line: str, video: Rate, groups: Mapping[tuple[str, str], Rate]) -> str:
    fields = attributes(line)
    beside = [groups[kind, fields[kind]] for kind in ("AUDIO", "SUBTITLES") if kind in fields]
    peak = video.peak_bps + sum(rate.peak_bps for rate in beside)
    average = video.average_bps + sum(rate.average_bps for rate in beside)
    line = re.sub(r"([:,])BANDWIDTH=\d+", rf"\g<1>BANDWIDTH={peak}", line)
    line = re.sub(r"AVERAGE-BANDWIDTH=\d+", f"AVERAGE-BANDWIDTH={average}", line)
    text = _TEXT_CODECS.get(fields.get("SUBTITLES", ""))
    if text is not None and text not in fields["CODECS"].split(","):
        line = re.sub(r'CODECS="([^"]*)"', rf'CODECS="\1,{text}"', line)
    return line if "VIDEO-RANGE" in fields else f"{line},VIDEO-RANGE=SDR"


def _folder(uri: str) -> str:
    return PurePosixPath(uri).parent.as_posix()
