"""One decode of a master's picture and first sound track, small and in one thread, that everything is measured in."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mediaforge.confinement import Limits
from mediaforge.errors import MediaError
from mediaforge.media import AudioTrack, Master, VideoTrack
from mediaforge.tools import FFMPEG_QUIET, Tools, media_input, run
from mediaforge.transcode.qc.finding import QcLimits
from mediaforge.transcode.qc.flashes import FlashCounter
from mediaforge.transcode.qc.reading import read_bars, read_fields, read_frames, read_sound, read_stretches
from mediaforge.transcode.qc.seen import Seen

_LIMITS = Limits(memory_bytes=8 << 30)
_SIDE = 360  # lines looked at: bounded work, however large the master
_THUMB = (64, 36)  # in which flashes are counted: a quarter of the screen is 576 pixels
_BAR_EVERY = 12  # frames between two looks at the bars
_SAID, _FIELDS, _BARS, _SOUND = "picture.txt", "fields.txt", "bars.txt", "sound.txt"


def look(master: Master, limits: QcLimits, *, tools: Tools, on_progress: Callable[[float], None]) -> Seen:
    """Measure a master. Raises MediaError where it has no picture, ToolError."""
    video = master.video
    if video is None:
        raise MediaError(master.path, "has no picture; give a master with video")
    sound = master.audio[0] if master.audio else None
    counter, rest = FlashCounter(), b""
    pixels, expected = _THUMB[0] * _THUMB[1], max(1.0, float((video.duration or master.duration) * video.fps))

    def watch(block: bytes) -> None:
        nonlocal rest
        rest += block
        whole = len(rest) // pixels * pixels
        for thumb in np.frombuffer(rest[:whole], np.uint8).reshape(-1, pixels):
            counter.watch(thumb)
        rest = rest[whole:]
        on_progress(min(0.99, counter.frames / expected))

    with tempfile.TemporaryDirectory(prefix="mediaforge-qc-") as name:
        folder = Path(name)
        argv = look_argv(master, video, sound, limits, tools=tools)
        run(argv, name="ffmpeg", limits=_LIMITS, cwd=folder, on_block=watch, watchdog_seconds=300)
        if counter.frames == 0:
            raise MediaError(master.path, "gave no picture that can be decoded; get an undamaged copy")
        end, size = float(counter.frames / video.fps), _small(video)
        said = list(read_frames(folder / _SAID))
        seen = Seen(
            fps=float(video.fps),
            frames=counter.frames,
            black=read_stretches(said, "lavfi.black_start", "lavfi.black_end", end=end),
            frozen=read_stretches(said, "lavfi.freezedetect.freeze_start", "lavfi.freezedetect.freeze_end", end=end),
            fields=read_fields(read_frames(folder / _FIELDS)),
            bars=read_bars(read_frames(folder / _BARS), *size),
            turns=None if video.is_hdr else tuple(counter.turns),  # its luma is another curve's
            sound=read_sound(read_frames(folder / _SOUND), start=float(sound.start - video.start)) if sound else None,
        )
    on_progress(1.0)
    return seen


def look_argv(master: Master, video: VideoTrack, sound: AudioTrack | None, limits: QcLimits, *, tools: Tools) -> list[str]:
    """The command line: thumbnails on stdout, measurements in files of the working directory. Pure."""
    graph = picture_graph(video, limits) + (";" + sound_graph(sound) if sound else "")
    argv: list[str | Path] = [tools.ffmpeg, *FFMPEG_QUIET, "-threads", "1", *media_input(master.path)]
    argv += ["-filter_complex_threads", "1", "-filter_complex", graph]
    argv += ["-map", "[thumbs]", "-threads", "1", "-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1"]
    argv += ["-map", "[heard]", "-f", "null", "/dev/null"] if sound else []
    return [str(part) for part in argv]


def picture_graph(video: VideoTrack, limits: QcLimits) -> str:
    """The picture's chains. Pure."""
    width, height = _small(video)
    # Combs stand between neighbouring lines, so they are looked for before the picture is made smaller, in its middle.
    fields = (
        f"[strip]crop=iw/4:ih,format=yuv420p,extractplanes=y,idet,"
        f"metadata=print:key=lavfi.idet.single.current_frame:file={_FIELDS},nullsink"
    )
    small = f"[whole]scale={width}:{height}:flags=fast_bilinear:out_range=tv,format=yuv420p,extractplanes=y,split[still][thumb]"
    # 0.04 of the range is 25, just above black with noise; the usual 0.1 takes night scenes for black.
    stills = (
        f"[still]blackdetect=d={limits.black}:pic_th=0.98:pix_th=0.04,freezedetect=n=-60dB:d={limits.freeze},"
        f"metadata=print:file={_SAID},select=not(mod(n\\,{_BAR_EVERY})),cropdetect=limit=24/255:round=2:reset=1:skip=0,"
        f"metadata=print:file={_BARS},nullsink"
    )
    thumbs = f"[thumb]scale={_THUMB[0]}:{_THUMB[1]}:flags=area,format=gray[thumbs]"
    fps = f"{video.fps.numerator}/{video.fps.denominator}"
    return ";".join((f"[0:{video.index}]setpts=PTS-STARTPTS,fps={fps},split[whole][strip]", fields, small, stills, thumbs))


def sound_graph(sound: AudioTrack) -> str:
    """The sound's chain. Pure."""
    phase = "aphasemeter=video=0," if sound.channels == 2 else ""
    # 16 bits, so that what goes beyond full scale after a lossy codec is cut off where a player cuts it off.
    measured = "measure_perchannel=RMS_level+Peak_level+Flat_factor:measure_overall=none"
    return (
        f"[0:{sound.index}]asetpts=PTS-STARTPTS,ebur128=metadata=1:peak=true:framelog=quiet,{phase}"
        f"aformat=sample_fmts=s16,astats=metadata=1:reset=1:{measured},ametadata=print:file={_SOUND}[heard]"
    )


def _small(video: VideoTrack) -> tuple[int, int]:
    """At most 360 lines, never larger than it is; even, as 4:2:0 wants it."""
    scale = min(1.0, _SIDE / min(video.width, video.height))
    return max(16, 2 * round(video.width * scale / 2)), max(16, 2 * round(video.height * scale / 2))
