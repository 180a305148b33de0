"""What a master is: ffprobe's answers, read into values in a limited child without network."""

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from mediaforge.confinement import Limits
from mediaforge.errors import MediaError, ToolError
from mediaforge.media import AudioTrack, Master, SubtitleTrack, VideoTrack
from mediaforge.tools import Tools, media_input, run

_LIMITS = Limits(cpu_seconds=3_600, memory_bytes=4 << 30)
# A header may promise a little more than the last packet holds (edit lists, rounding); a second is a cut.
_CUT_SECONDS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The picture's packets counted one by one: the first and last time, and how many there are."""

    packets: int
    first: Fraction
    last: Fraction


def probe(path: Path, *, tools: Tools) -> Master:
    """Read a master's tracks. Raises MediaError where the file is missing, empty or no media."""
    _check_file(path)
    argv = [tools.ffprobe, "-v", "error", "-of", "json", "-show_format", "-show_streams", *media_input(path)]
    try:
        answer = json.loads(run(argv, name="ffprobe", limits=_LIMITS, timeout_seconds=300).stdout or b"{}")
    except ToolError as error:
        raise MediaError(path, f"cannot be read as media ({_reason(error)}); check that it is a whole film file") from error
    streams: list[dict[str, Any]] = answer.get("streams", [])
    container = answer.get("format", {})
    start = Fraction(container.get("start_time", 0))
    pictures = [row for row in streams if row.get("codec_type") == "video" and not _is_cover_art(row)]
    master = Master(
        path=path.absolute(),
        size_bytes=path.stat().st_size,
        container=str(container.get("format_name", "unknown")),
        duration=Fraction(container.get("duration", 0)),
        video=_video(path, pictures[0], start) if pictures else None,
        audio=tuple(_audio(row, start) for row in streams if row.get("codec_type") == "audio"),
        subtitles=tuple(_subtitle(row) for row in streams if row.get("codec_type") == "subtitle"),
    )
    if master.video is None and not master.audio:
        raise MediaError(path, "holds neither picture nor sound; give a film file")
    return master


def read_timeline(master: Master, *, tools: Tools) -> Timeline:
    """Walk over the picture's packets. Raises MediaError where there are none, or the file ends before its header says."""
    if master.video is None:
        raise MediaError(master.path, "has no picture; give a master with video (sound beside it goes with --audio)")
    ends: dict[int, Fraction] = {}  # by stream: a film's packets are counted, not kept
    first: Fraction | None = None
    count = 0

    def note(line: str) -> None:
        nonlocal count, first
        index, time, flags = line.strip().split(",")[:3]
        try:
            stream, moment = int(index), Fraction(time)
        except ValueError:  # "N/A": a packet without a time of its own
            return
        if "C" in flags:  # the demuxer got fewer bytes than the index promises
            raise MediaError(master.path, f"breaks off at {float(moment):.1f} s; get a whole copy", stream=stream)
        if "D" in flags:  # decoded for the sake of others, never shown: an edit list begins behind it
            return
        ends[stream] = max(ends.get(stream, moment), moment)
        if stream == picture:
            count += 1
            first = moment if first is None else min(first, moment)

    picture = master.video.index
    argv: list[str | Path] = [tools.ffprobe, "-v", "error", "-of", "csv=p=0"]
    argv += ["-show_entries", "packet=stream_index,pts_time,flags"]
    run([*argv, *media_input(master.path)], name="ffprobe", limits=_LIMITS, on_line=note, watchdog_seconds=300)
    if first is None:
        raise MediaError(master.path, "has a picture track without pictures; export it again")
    frame = 1 / master.video.fps
    _check_whole(master, held=ends[picture] - first + frame, promised=master.video.duration)
    _check_whole(master, held=max(ends.values()) - min(first, Fraction(0)) + frame, promised=master.duration)
    return Timeline(packets=count, first=first, last=ends[picture])


def _check_whole(master: Master, *, held: Fraction, promised: Fraction | None) -> None:
    if promised is not None and promised - held > _CUT_SECONDS:
        what = f"ends after {float(held):.1f} s of the {float(promised):.1f} s its header promises; get a whole copy"
        raise MediaError(master.path, what)


def _check_file(path: Path) -> None:
    if not path.exists():
        raise MediaError(path, "is not there; check the path")
    if path.is_dir():
        raise MediaError(path, "is a folder; give the film file itself")
    if not path.is_file():
        raise MediaError(path, "is no ordinary file; give a film file")
    if path.stat().st_size == 0:
        raise MediaError(path, "is empty; copy it again")


def _reason(error: ToolError) -> str:
    """ffprobe's own last words without the pointer and the path it puts around them."""
    words = [line for line in error.tail.splitlines() if line.strip()]
    last = words[0] if words else f"ffprobe exit code {error.code}"
    return last.split("] ")[-1].removeprefix("file:").split(": ")[-1].strip()


def _video(path: Path, row: dict[str, Any], start: Fraction) -> VideoTrack:
    fps = _fps(row)
    if not fps or not row.get("width") or not row.get("height"):
        raise MediaError(path, "has a picture track without size or frame rate; export it again", stream=row["index"])
    return VideoTrack(
        index=row["index"],
        codec=row.get("codec_name", "unknown"),
        width=row["width"],
        height=row["height"],
        sar=_ratio(row.get("sample_aspect_ratio")) or Fraction(1),
        fps=fps,
        field_order=row.get("field_order", "unknown"),
        pixel_format=row.get("pix_fmt", "unknown"),
        color_space=row.get("color_space", "unknown"),
        color_transfer=row.get("color_transfer", "unknown"),
        color_primaries=row.get("color_primaries", "unknown"),
        color_range=row.get("color_range", "unknown"),
        start=Fraction(row.get("start_time", 0)) - start,
        duration=Fraction(row["duration"]) if "duration" in row else None,
    )


def _is_cover_art(row: dict[str, Any]) -> bool:
    return bool(row.get("disposition", {}).get("attached_pic"))


def _audio(row: dict[str, Any], start: Fraction) -> AudioTrack:
    return AudioTrack(
        index=row["index"],
        codec=row.get("codec_name", "unknown"),
        sample_rate=int(row.get("sample_rate", 0)),
        channels=int(row.get("channels", 0)),
        layout=row.get("channel_layout", "unknown"),
        language=row.get("tags", {}).get("language", "und"),
        start=Fraction(row.get("start_time", 0)) - start,
        duration=Fraction(row["duration"]) if "duration" in row else None,
    )


def _subtitle(row: dict[str, Any]) -> SubtitleTrack:
    language = row.get("tags", {}).get("language", "und")
    return SubtitleTrack(index=row["index"], codec=row.get("codec_name", "unknown"), language=language)


def _fps(row: dict[str, Any]) -> Fraction | None:
    """The average rate, or the base rate where the two are a hair apart (a rounded container clock, not a variable rate)."""
    average, base = _ratio(row.get("avg_frame_rate")), _ratio(row.get("r_frame_rate"))
    if average and base and abs(average - base) < base / 1000:
        return base
    return average or base


def _ratio(text: str | None) -> Fraction | None:
    numerator, _, denominator = (text or "").replace(":", "/").partition("/")
    if not numerator.isdigit() or not denominator.isdigit() or int(denominator) == 0 or int(numerator) == 0:
        return None
    return Fraction(int(numerator), int(denominator))
