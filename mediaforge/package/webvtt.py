"""A WebVTT file (W3C, WebVTT: The Web Video Text Tracks Format) cut and filled to the length of its title.

The packager ends a text track with its last cue, so the track would miss segments that players then ask for: an empty
cue in the last millisecond keeps it going to the end. Cues behind the end would make it longer than the picture.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from mediaforge.errors import MediaError

_TIMING = re.compile(r"(?P<start>(?:\d+:)?\d\d:\d\d\.\d{3})[ \t]+-->[ \t]+(?P<end>(?:\d+:)?\d\d:\d\d\.\d{3})(?P<settings>.*)")


def fitted_webvtt(path: Path, duration: Fraction) -> str:
    """The text of `path`, ended at `duration` seconds. Raises MediaError where it is no WebVTT."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise MediaError(path, f"cannot be read ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise MediaError(path, "is not UTF-8; save the subtitles as UTF-8") from error
    return fit_webvtt(text, duration, name=path)


def fit_webvtt(text: str, duration: Fraction, *, name: Path) -> str:
    """As `fitted_webvtt`, for a text at hand; `name` is for messages."""
    header, *blocks = webvtt_blocks(text, name=name)
    end = int(duration * 1000)
    kept = [cut for block in blocks if (cut := _cut(block, end, name)) is not None]
    kept.append(f"{_clock(end - 1)} --> {_clock(end)}\n")
    return "\n\n".join([header, *kept]) + "\n"


def webvtt_blocks(text: str, *, name: Path) -> list[str]:
    """The header, then each block. Raises MediaError where it is no WebVTT."""
    blocks = re.split(r"\n(?:[ \t]*\n)+", text.replace("\r\n", "\n").replace("\r", "\n").strip())
    if not re.match(r"WEBVTT(?:[ \t\n]|$)", blocks[0]):
        raise MediaError(name, "is no WebVTT (it does not begin with WEBVTT); convert the subtitles to WebVTT")
    return blocks


def cue_times(block: str, name: Path) -> tuple[Fraction, Fraction] | None:
    """When a cue begins and ends, in seconds; None where the block is no cue. Raises MediaError."""
    found = _timing(block.split("\n"), name)
    if found is None:
        return None
    _, timing = found
    return Fraction(_milliseconds(timing["start"]), 1000), Fraction(_milliseconds(timing["end"]), 1000)


def read_cues(text: str, *, name: Path) -> Iterator[tuple[Fraction, Fraction, str, str]]:
    """Begin and end in seconds, settings and words of every cue. Raises MediaError."""
    for block in webvtt_blocks(text, name=name):
        lines = block.split("\n")
        found = _timing(lines, name)
        if found is not None:
            at, timing = found
            begin, stop = (Fraction(_milliseconds(timing[name]), 1000) for name in ("start", "end"))
            yield begin, stop, timing["settings"].strip(), "\n".join(lines[at + 1 :])


def _cut(block: str, end: int, name: Path) -> str | None:
    """A cue cut at `end`, None where it begins behind it; a block that is no cue stays as it is."""
    lines = block.split("\n")
    found = _timing(lines, name)
    if found is None:
        return block
    at, timing = found
    begin, stop = _milliseconds(timing["start"]), _milliseconds(timing["end"])
    if begin >= end or stop <= begin:  # 4.1: a cue must end behind its beginning; players drop those that do not
        return None
    lines[at] = f"{_clock(begin)} --> {_clock(min(stop, end))}{timing['settings']}"
    return "\n".join(lines)


def _timing(lines: list[str], name: Path) -> tuple[int, re.Match[str]] | None:
    # The timings stand in the first line of a cue, or in the second below its identifier.
    at = next((index for index, line in enumerate(lines[:2]) if "-->" in line), None)
    if at is None:
        return None
    timing = _TIMING.fullmatch(lines[at].strip())
    if timing is None:
        raise MediaError(name, f"has a cue with no valid times ({lines[at].strip()[:60]!r}); mend the subtitles")
    return at, timing


def _milliseconds(clock: str) -> int:
    *hours, minutes, seconds = clock.split(":")
    return (int(hours[0] if hours else 0) * 60 + int(minutes)) * 60_000 + int(seconds.replace(".", ""))


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
