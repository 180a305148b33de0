"""The subtitles beside the film, read back: the voice speaks in their time and by their letters."""

import re
from dataclasses import dataclass
from pathlib import Path

TIMES = re.compile(r"(\d+):(\d+):(\d+\.\d+) --> (\d+):(\d+):(\d+\.\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """Seconds and lines of one subtitle."""

    start: float
    end: float
    lines: tuple[str, ...]


def read_cues(file: Path) -> tuple[Cue, ...]:
    """The cues of a WebVTT file as this folder writes them: number, times, one or two lines, an empty line."""
    cues = []
    for block in file.read_text(encoding="utf-8").split("\n\n")[1:]:
        _, times, *lines = block.strip().split("\n")
        found = TIMES.fullmatch(times)
        if found is None:
            raise ValueError(f"{file}: {times!r} is not a line of times; write 00:00:01.000 --> 00:00:02.000")
        h1, m1, s1, h2, m2, s2 = (float(part) for part in found.groups())
        cues.append(Cue(start=h1 * 3600 + m1 * 60 + s1, end=h2 * 3600 + m2 * 60 + s2, lines=tuple(lines)))
    return tuple(cues)
