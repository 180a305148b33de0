"""What a pirate does to a copy before it goes online: smaller, coarser, encoded again. For the demo, tests and benchmarks."""

from pathlib import Path

from mediaforge.confinement import Limits
from mediaforge.tools import FFMPEG_QUIET, Tools, media_input, run

_LIMITS = Limits(memory_bytes=8 << 30)


def reencode(source: Path, to: Path, *, height: int, crf: int, tools: Tools) -> None:
    """Encode a film again with x264 at this height and CRF, sound included. Raises ToolError."""
    argv = [tools.ffmpeg, *FFMPEG_QUIET, *media_input(source), "-vf", f"scale=-2:{height}", "-c:v", "libx264"]
    argv += ["-preset", "veryfast", "-crf", str(crf), "-threads", "2", "-c:a", "aac", "-b:a", "48k", "-y", str(to)]
    run(argv, name="ffmpeg", limits=_LIMITS, timeout_seconds=3600)
