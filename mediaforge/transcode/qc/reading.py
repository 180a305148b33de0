"""What ffmpeg's metadata filters print, read into measurements: a `frame:` line with its time, then key=value lines. Pure."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mediaforge.transcode.qc.seen import Sound, Stretch

_FIELD = {"tff": 1.0, "bff": -1.0, "progressive": 0.0}
_SILENT = -120.0  # dBFS; what is said to be -inf
_GATE = -70.0  # LUFS: ebur128 says so where nothing passed R 128's absolute gate


@dataclass(slots=True)
class Printed:
    """One frame as printed; `time` in seconds."""

    time: float
    values: dict[str, str] = field(default_factory=dict)


def read_frames(path: Path) -> Iterator[Printed]:
    """The frames of a file, one after the other; none where there is no file."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as lines:
        yield from parse_frames(lines)


def parse_frames(lines: Iterable[str]) -> Iterator[Printed]:
    now: Printed | None = None
    for line in lines:
        if line.startswith("frame:"):
            if now is not None:
                yield now
            now = Printed(_number(line.rpartition("pts_time:")[2]))
        elif now is not None:
            key, _, value = line.rstrip("\n").partition("=")
            now.values[key] = value
    if now is not None:
        yield now


def read_stretches(frames: Iterable[Printed], start_key: str, end_key: str, *, end: float) -> tuple[Stretch, ...]:
    """Pieces that a filter marks at their start and their end; one that is still open at the end goes up to `end`."""
    found: list[Stretch] = []
    start: float | None = None
    for frame in frames:
        if start_key in frame.values:
            start = _number(frame.values[start_key])
        if end_key in frame.values and start is not None:
            found.append(Stretch(start=start, end=_number(frame.values[end_key])))
            start = None
    if start is not None:
        found.append(Stretch(start=start, end=end))
    return tuple(found)


def read_fields(frames: Iterable[Printed]) -> NDArray[np.float64]:
    """idet's word on every frame as Seen.fields has it, (frames,)."""
    words = (frame.values.get("lavfi.idet.single.current_frame", "") for frame in frames)
    return np.array([_FIELD.get(word, math.nan) for word in words], dtype=np.float64)


def read_bars(frames: Iterable[Printed], width: int, height: int) -> NDArray[np.float64]:
    """cropdetect's looks at a picture of this size as Seen.bars has them, (looks, 4); looks at black pictures are left out."""
    rows = []
    for frame in frames:
        x1, x2, y1, y2 = (_number(frame.values.get(f"lavfi.cropdetect.{edge}", "")) for edge in ("x1", "x2", "y1", "y2"))
        if x2 > x1 and y2 > y1:
            rows.append((x1 / width, 1 - (x2 + 1) / width, y1 / height, 1 - (y2 + 1) / height))
    return np.array(rows, dtype=np.float64).reshape(-1, 4)


def read_sound(frames: Iterable[Printed], *, start: float) -> Sound | None:
    """ebur128's, aphasemeter's and astats' measurements; None where no sound came."""
    levels: dict[str, list[list[float]]] = {"RMS_level": [], "Peak_level": [], "Flat_factor": []}
    phases: list[float] = []
    last: dict[str, str] = {}  # loudness is of all that was heard so far; what is shorter than a step at the end has none
    for frame in frames:
        now = frame.values
        last = now if "lavfi.r128.I" in now else last
        channels = 0
        while f"lavfi.astats.{channels + 1}.RMS_level" in now:
            channels += 1
        for name, rows in levels.items():
            rows.append([max(_SILENT, _number(now[f"lavfi.astats.{number + 1}.{name}"])) for number in range(channels)])
        if "lavfi.aphasemeter.phase" in now:
            phases.append(_number(now["lavfi.aphasemeter.phase"]))
    if not levels["RMS_level"]:
        return None
    loudness, peak = _number(last.get("lavfi.r128.I", "-inf")), _number(last.get("lavfi.r128.true_peak", ""))
    rms, top, flat = (np.array(rows, dtype=np.float64) for rows in levels.values())
    return Sound(
        start=start,
        rms=rms,
        peak=top,
        flat=flat,
        phase=np.array(phases, dtype=np.float64) if len(phases) == len(rms) else None,
        loudness_lufs=loudness if loudness > _GATE else None,
        range_lu=_number(last.get("lavfi.r128.LRA", "")),
        true_peak_dbtp=20 * math.log10(peak) if peak > 0 else _SILENT,
    )


def _number(text: str) -> float:
    """A number as ffmpeg writes it; 0 where it wrote none, -inf where it could not count."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return -math.inf if math.isnan(value) else value
