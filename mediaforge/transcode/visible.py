"""A name over the picture, for copies that are handed to a person: faint, and wandering slowly, so that no crop takes it away.

It is drawn by ffmpeg's drawtext, which shapes Arabic and sets it from right to left; the font comes along (fonts/), as no
machine can be relied on to have one for Arabic, Tifinagh and Latin. The picture has to be encoded again for it: finely, so
that the forensic mark underneath is hardly touched.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import ffmpeg

from mediaforge.confinement import Limits
from mediaforge.media import Grid
from mediaforge.tools import FFMPEG_PROGRESS, FFMPEG_QUIET, INPUT_FORMATS, Tools, run

FONT = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"

_STALL_SECONDS = 180.0
_LIMITS = Limits(memory_bytes=8 << 30)
_CRF = 16  # far finer than the re-encodes that the mark outlives (docs/watermark.md); not measured by itself
_SIZE = "max(12,h/26)"
# Seconds of a swing; prime to one another, so that the name comes by everywhere. About a picture's width a minute.
_ACROSS, _DOWN = 67, 41


def write_name(
    source: Path, to: Path, name: str, *, grid: Grid, tools: Tools, on_progress: Callable[[float], None] = lambda _: None
) -> None:
    """Encode the MP4 `source` again with `name` over its pictures, its sound as it is. Raises ToolError."""
    with tempfile.TemporaryDirectory(prefix="mediaforge-name-") as folder:
        text = Path(folder) / "name.txt"  # as a file: no character of a name is an instruction to the filter
        text.write_text(name, encoding="utf-8")

        def read(line: str) -> None:
            key, _, value = line.partition("=")
            if key == "frame":
                on_progress(min(1.0, int(value) / grid.frames))

        argv = name_argv(source, to, text, grid=grid, tools=tools)
        run(argv, name="ffmpeg", limits=_LIMITS, on_line=read, watchdog_seconds=_STALL_SECONDS)


def name_argv(source: Path, to: Path, text: Path, *, grid: Grid, tools: Tools) -> list[str]:
    """The command line. Pure."""
    read = ffmpeg.input(f"file:{source}", protocol_whitelist="file", format_whitelist=INPUT_FORMATS)
    named = read["v:0"].filter(
        "drawtext",
        fontfile=str(FONT),
        textfile=str(text),
        expansion="none",
        fontsize=_SIZE,
        fontcolor="white@0.35",
        shadowcolor="black@0.35",
        shadowx=1,
        shadowy=1,
        x=f"(w-tw)*(0.5+0.47*sin(2*PI*t/{_ACROSS}))",
        y=f"(h-th)*(0.5+0.45*cos(2*PI*t/{_DOWN}))",
    )
    options = {
        "c:v": "libx264",
        "preset": "medium",
        "profile:v": "high",
        "threads": 1,  # byte for byte repeatable, as all encodes of ours
        "crf": _CRF,
        "g": grid.gop_frames,
        "c:a": "copy",
        "movflags": "+faststart",
        "fflags": "+bitexact",
        "flags:v": "+bitexact",
    }
    made = ffmpeg.output(named, read["a?"], str(to), **options).global_args(*FFMPEG_QUIET, *FFMPEG_PROGRESS)
    return [str(part) for part in ffmpeg.compile(made.overwrite_output(), cmd=str(tools.ffmpeg))]
