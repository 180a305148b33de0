"""Subtitle files (SRT, WebVTT, ASS) as clean WebVTT, the form the packager takes."""

import re
from fractions import Fraction
from pathlib import Path

from mediaforge.confinement import Limits
from mediaforge.errors import MediaError, ToolError
from mediaforge.tools import FFMPEG_QUIET, Tools, media_input, run

RIGHT_TO_LEFT_MARK = "\u200f"
# Hebrew to Arabic Extended-A, and the Arabic presentation forms: scripts written from right to left.
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
_TIMING = re.compile(r"^(?:\d+:)?\d\d:\d\d\.\d{3} --> ")
_MOST_BYTES = 16 << 20
_LIMITS = Limits(cpu_seconds=60, memory_bytes=2 << 30, file_bytes=64 << 20)


def convert_subtitles(path: Path, to: Path, *, duration: Fraction, tools: Tools) -> None:
    """Write `path` to `to` as WebVTT. Raises MediaError where it is no subtitle file, not UTF-8, or has no cue in the title."""
    _check_text(path)
    argv = [tools.ffmpeg, *FFMPEG_QUIET, *media_input(path), "-map", "0:s:0", "-f", "webvtt", "-"]
    try:
        text = run(argv, name="ffmpeg", limits=_LIMITS, timeout_seconds=60).stdout.decode("utf-8")
    except ToolError as error:
        raise MediaError(path, "cannot be read as subtitles; give an SRT or WebVTT file") from error
    lines = text.splitlines()
    starts = [_seconds(line.split(" --> ")[0]) for line in lines if _TIMING.match(line)]
    if not any(start < duration for start in starts):
        raise MediaError(path, f"has no cue within the {float(duration):.0f} s of the title; check that it belongs to it")
    to.write_text("\n".join(map(_mark_direction, lines)) + "\n", encoding="utf-8")


def _check_text(path: Path) -> None:
    """ffmpeg drops a cue that is not UTF-8 and says nothing that stops it; so look first."""
    if not path.is_file():
        raise MediaError(path, "is not there; check the path given with --subtitle")
    if path.stat().st_size > _MOST_BYTES:
        raise MediaError(path, "is larger than any subtitle file; give an SRT or WebVTT file")
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise MediaError(path, "is not UTF-8 text; save it again as UTF-8") from error


def _mark_direction(line: str) -> str:
    """WebVTT has no direction attribute: the first strong character decides, so Arabic lines begin with a mark (UAX 9)."""
    if _RIGHT_TO_LEFT.search(line) and not line.startswith(RIGHT_TO_LEFT_MARK):
        return RIGHT_TO_LEFT_MARK + line
    return line


def _seconds(clock: str) -> Fraction:
    parts = [Fraction(part) for part in clock.strip().split(":")]
    return sum((part * 60**power for power, part in enumerate(reversed(parts))), start=Fraction(0))
