"""One sound track, one ffmpeg: decoded once, stereo at 48 kHz, exactly as long as the picture, in every audio rung."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from mediaforge.confinement import Limits
from mediaforge.ladder import AudioRung
from mediaforge.media import AUDIO_RATE, AudioTrack
from mediaforge.tools import FFMPEG_PROGRESS, FFMPEG_QUIET, Tools, media_input, run

_CODECS = {"aac": ("aac", ()), "opus": ("libopus", ("-application", "audio", "-frame_duration", "20"))}
_LIMITS = Limits(memory_bytes=4 << 30)

# ITU-R BS.775-3, table 2: centre and surrounds at -3 dB, no LFE; scaled so that full scale on all channels cannot clip.
_DOWNMIX = "pan=stereo|FL<FL+.707*FC+.707*{left}|FR<FR+.707*FC+.707*{right}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundRequest:
    """A track of a file. `offset` is where the picture's first frame lies on that file's timeline, in seconds."""

    path: Path
    track: AudioTrack
    offset: Fraction
    duration: Fraction
    rungs: tuple[AudioRung, ...]


def encode_sound(request: SoundRequest, to: Path, *, tools: Tools, on_progress: Callable[[float], None]) -> None:
    """Encode a track into `to`, one MP4 an audio rung, named after it. Raises ToolError."""

    def read(line: str) -> None:
        key, _, value = line.partition("=")
        if key == "out_time_us" and value.isdigit():
            on_progress(min(1.0, int(value) / 1e6 / float(request.duration)))

    run(sound_argv(request, to, tools=tools), name="ffmpeg", limits=_LIMITS, on_line=read, watchdog_seconds=120)


def sound_argv(request: SoundRequest, to: Path, *, tools: Tools) -> list[str]:
    """The command line. Pure."""
    names = [f"r{number}" for number in range(len(request.rungs))]
    chain = [*_stereo(request.track), f"aresample={AUDIO_RATE}:async=1:first_pts=0"]
    if request.offset > 0:
        chain.append(f"atrim=start={float(request.offset):.6f},asetpts=PTS-STARTPTS")
    # Exactly the picture's length: players stall at the end of a title whose tracks differ.
    samples = round(request.duration * AUDIO_RATE)
    chain += [f"apad=whole_len={samples}", f"atrim=end_sample={samples}", f"asplit={len(names)}"]
    graph = f"[0:{request.track.index}]{','.join(chain)}{''.join(f'[{name}]' for name in names)}"
    argv = [tools.ffmpeg, *FFMPEG_QUIET, *FFMPEG_PROGRESS, *media_input(request.path), "-filter_complex", graph]
    for name, rung in zip(names, request.rungs, strict=True):
        codec, options = _CODECS[rung.codec]
        argv += ["-map", f"[{name}]", "-c:a", codec, "-b:a", str(rung.bitrate_bps), *options]
        argv += ["-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact"]
        argv += ["-y", str(to / f"{rung.name}.mp4")]
    return [str(part) for part in argv]


def _stereo(track: AudioTrack) -> tuple[str, ...]:
    if track.channels >= 6:
        back = track.layout.startswith("5.1") and "side" not in track.layout
        left, right = ("BL", "BR") if back else ("SL", "SR")
        return (_DOWNMIX.format(left=left, right=right),)
    return ("aformat=channel_layouts=stereo",)
