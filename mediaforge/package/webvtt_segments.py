"""Subtitles as HLS has them: WebVTT, a file a segment (RFC 8216, 3.5), beside the MP4 that DASH has.

hls.js 1.7 shows nothing of WebVTT in MP4, and Apple's authoring specification (5) has WebVTT or IMSC1 instead. The cues are
those that the MP4 was made of, the segments have its lengths.
"""

import hashlib
import re
import shutil
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from mediaforge.errors import MediaError
from mediaforge.package.layout import PLAYLIST, segment_numbers
from mediaforge.package.webvtt import cue_times, webvtt_blocks

SUFFIX = ".vtt"
DIGEST = "webvtt"  # of a folder's WebVTT segments, in a record's digests: text/fr/webvtt

# Cue time 0 is the title's 0 (RFC 8216, 3.5); without the line players must assume it, and validators ask for it.
_HEADER = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000"
_KEPT = ("STYLE", "REGION")  # what cues lean on; comments go


def write_segments(folder: Path, text: str, seconds: Sequence[Fraction]) -> None:
    """Write `text` in segments of these lengths, and let the playlist in `folder` name them in place of those in MP4."""
    for number, segment in enumerate(split_webvtt(text, seconds, name=folder), start=1):
        (folder / f"{number}{SUFFIX}").write_text(segment, encoding="utf-8")
    playlist = folder / PLAYLIST
    lines = playlist.read_text(encoding="utf-8").splitlines()
    playlist.write_text("\n".join(_of_webvtt(lines)) + "\n", encoding="utf-8")


def take_segments(source: Path, folder: Path) -> None:
    """Take the words of a package that was made before in the place of those just written. Raises MediaError."""
    for number in segment_numbers(folder):
        path = source / f"{number}{SUFFIX}"
        if not path.is_file():
            raise MediaError(path, "is not there, and subtitles in HLS are made of it; release the title again")
        shutil.copyfile(path, folder / path.name)


def split_webvtt(text: str, seconds: Sequence[Fraction], *, name: Path) -> Iterator[str]:
    """A text of WebVTT a segment; a cue stands, with its own times, in every segment that it reaches into."""
    _, *blocks = webvtt_blocks(text, name=name)
    common = [block for block in blocks if block.split("\n", 1)[0].strip() in _KEPT]
    cues = [(cue_times(block, name), block) for block in blocks if "-->" in block and _words(block)]
    begin = Fraction(0)
    for length in seconds:
        end = begin + length
        here = [block for times, block in cues if times and times[0] < end and times[1] > begin]
        yield "\n\n".join([_HEADER, *common, *here]) + "\n"
        begin = end


def segments_digest(folder: Path) -> str | None:
    """The SHA-256 of the WebVTT segments beside those in MP4, one after the other; None where there are none."""
    paths = [folder / f"{number}{SUFFIX}" for number in segment_numbers(folder)]
    if not any(path.is_file() for path in paths):
        return None
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def _of_webvtt(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith("#EXT-X-MAP:"):
            yield line if line.startswith("#") else re.sub(r"\.m4s$", SUFFIX, line)


def _words(block: str) -> str:
    """What a cue says: the empty one that fills a track to its end says nothing."""
    return block.partition("-->")[2].partition("\n")[2].strip()


def checked_segment(path: Path, span: tuple[Fraction, Fraction]) -> str | None:
    """What is wrong with a segment that covers `span`, in seconds; None where nothing is."""
    try:
        text = path.read_text(encoding="utf-8")
        header, *blocks = webvtt_blocks(text, name=path)
        times = [cue_times(block, path) for block in blocks if "-->" in block]
    except (MediaError, UnicodeDecodeError, OSError):
        return "is no WebVTT"
    if "X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000" not in header:
        return "does not say that its times are those of the title"
    if any(one is None or one[0] >= span[1] or one[1] <= span[0] for one in times):
        return "has a cue that does not fall into it"
    return None
