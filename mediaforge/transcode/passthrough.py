"""Dolby sound passed through: the frames of an AC-3 or E-AC-3 track as they are, from the picture's beginning to its end.

ETSI TS 102 366: a frame holds 1536 samples, 32 ms at 48 kHz, and needs no other. So a track can be cut between frames, but not
within, and nothing can be put in where it has a hole: what does not fit is refused, never mended.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from mediaforge.confinement import Limits
from mediaforge.errors import MediaError
from mediaforge.media import AUDIO_RATE, AudioTrack
from mediaforge.tools import FFMPEG_QUIET, Tools, media_input, run

FRAME = Fraction(1536, AUDIO_RATE)

# What a ladder and the manifests call a codec (ETSI TS 102 366, F.2), by what ffprobe calls it.
PASSED_CODECS = {"ac3": "ac-3", "eac3": "ec-3"}

_LIMITS = Limits(cpu_seconds=3_600, memory_bytes=4 << 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRequest:
    """A track of a file. `offset` is where the picture's first frame lies on that file's timeline, in seconds."""

    path: Path
    track: AudioTrack
    offset: Fraction
    duration: Fraction

    @property
    def codec(self) -> str:
        return PASSED_CODECS[self.track.codec]


def pass_sound(request: PassRequest, to: Path, *, tools: Tools, on_progress: Callable[[float], None]) -> None:
    """Copy the frames of a track that belong to the picture into `to`, an MP4 that begins at 0.

    Raises MediaError where the track is not as long as the picture or has a hole, ToolError where ffmpeg fails.
    """
    if request.track.sample_rate != AUDIO_RATE:
        what = f"has {request.codec} at {request.track.sample_rate} Hz; give it at {AUDIO_RATE}, or leave it out of passthrough"
        raise MediaError(request.path, what, stream=request.track.index)
    times = read_times(request, tools=tools)
    on_progress(0.5)
    first, count = choose_frames(request, times)
    run(pass_argv(request, to, first=first, count=count, tools=tools), name="ffmpeg", limits=_LIMITS, timeout_seconds=3_600)
    on_progress(1.0)


def read_times(request: PassRequest, *, tools: Tools) -> tuple[Fraction, ...]:
    """When each frame of the track begins, on its file's timeline."""
    argv: list[str | Path] = [tools.ffprobe, "-v", "error", "-select_streams", str(request.track.index), "-of", "csv=p=0"]
    argv += ["-show_entries", "packet=pts_time", *media_input(request.path)]
    lines = run(argv, name="ffprobe", limits=_LIMITS, timeout_seconds=3_600).stdout.decode().split()
    try:
        times = [Fraction(line.partition(",")[0]) for line in lines]
    except ValueError as error:
        what = f"has {request.codec} frames without a time; put the track into MP4 or Matroska"
        raise MediaError(request.path, what, stream=request.track.index) from error
    return tuple(request.track.start + time - times[0] for time in times)


def choose_frames(request: PassRequest, times: Sequence[Fraction]) -> tuple[int, int]:
    """Which frames belong to the picture: the first, and how many; less than a frame off at either end. Pure.

    Raises MediaError.
    """
    first = min(range(len(times)), key=lambda index: abs(times[index] - request.offset), default=0)
    late = times[first] - request.offset if times else request.duration
    if late > FRAME / 2:
        raise _unfit(request, f"begins {float(late):.2f} s after the picture")
    count = round(request.duration / FRAME)
    held = len(times) - first
    if held * FRAME < request.duration - FRAME:
        raise _unfit(request, f"ends {float(request.duration - held * FRAME):.2f} s before the picture")
    count = max(1, min(count, held))
    for number, time in enumerate(times[first : first + count]):
        if abs(time - times[first] - number * FRAME) > FRAME / 2:  # containers round to milliseconds
            raise _unfit(request, f"has a hole or a jump at {float(time - request.offset):.2f} s")
    return first, count


def pass_argv(request: PassRequest, to: Path, *, first: int, count: int, tools: Tools) -> list[str]:
    """The command line that copies frames. Pure."""
    step = f"{FRAME.numerator}/{FRAME.denominator}/TB"
    # Frames are dropped by their number: a seek would be by time, which containers round.
    chosen = rf"noise=amount=0:drop=lt(n\,{first})+gte(n\,{first + count})"
    timed = f"setts=pts=N*{step}:dts=N*{step}:duration={step}"
    argv = [tools.ffmpeg, *FFMPEG_QUIET, *media_input(request.path), "-map", f"0:{request.track.index}"]
    argv += ["-c", "copy", "-bsf:a", f"{chosen},{timed}"]
    argv += ["-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-y", to]
    return [str(part) for part in argv]


def _unfit(request: PassRequest, what: str) -> MediaError:
    advice = "give one that fits the picture with --audio, or leave it out of the ladder's passthrough"
    return MediaError(request.path, f"has a track of {request.codec} that {what}; {advice}", stream=request.track.index)
