"""The door to pictures and samples: PyAV works in a limited child without network, and only raw numbers come back.

The child is `frames_child.py`; it and what it alone uses (`frames_opening`, `frames_mux`) import PyAV, nothing else does. What
it sends is fixed-size headers and pixels, so a hostile file can at worst kill its own child.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from mediaforge.confinement import Limits
from mediaforge.errors import MediaError, ToolError
from mediaforge.frames_wire import FRAME, FRAME_HEADER, REPORT, REPORT_HEADER, SOUND, SOUND_HEADER
from mediaforge.tools import open_stream, python_module

_LIMITS = Limits(cpu_seconds=36_000, memory_bytes=8 << 30)

Source = Path | Sequence[Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One decoded picture: seconds since the first picture of its file; (h, w) gray or (h, w, 3) RGB, uint8."""

    seconds: Fraction
    image: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What decoding a whole stream gave: counts, first and last time, complaints of the decoder, a digest of all of it."""

    frames: int
    samples: int
    first: Fraction
    last: Fraction
    error_lines: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some frames of one rendition, from a GOP's first frame on."""

    path: Path
    first_frame: int
    frames: int


def read_frames(
    source: Source,
    *,
    size: tuple[int, int] | None = None,
    max_side: int | None = None,
    rgb: bool = False,
    fps: float | None = None,
    start: float = 0.0,
    end: float | None = None,
    spans: Sequence[tuple[float, float]] = (),
    quick: bool = False,
    rough: bool = False,
    heads: int | None = None,
    key: bytes | None = None,
    cpu_seconds: int | None = None,
) -> Iterator[Frame]:
    """Decode the pictures of a file, or of several files read as one (an init segment and its media segments).

    `size` scales to exactly (width, height); `max_side` shrinks and keeps the shape; `fps` samples the first picture at
    or after each tick; `spans` are several starts and ends, read one after the other in one child; `quick` leaves out B
    pictures and the loop filter, which thumbnails do not need; `heads` decodes of each closed GOP only so many pictures, the
    first in the order of decoding; `rough` passes over broken packets and joins times that jump, as players do; `key` is a
    content key (16 bytes); `cpu_seconds` is the most that decoding may take.
    Raises MediaError where the file cannot be decoded.
    """
    request = {
        "work": "frames",
        "size": size,
        "max_side": max_side,
        "rgb": rgb,
        "fps": fps,
        "spans": [[max(0.0, low), high] for low, high in spans] if spans else [[start, end]],
        "quick": quick,
        "rough": rough,
        "heads": heads,
    }
    with _child(source, request, key, cpu_seconds) as stream:
        while (kind := _exactly(stream, 1, source)) == FRAME:
            _, num, den, height, width, channels = FRAME_HEADER.unpack(kind + _exactly(stream, FRAME_HEADER.size - 1, source))
            pixels = np.frombuffer(_exactly(stream, height * width * channels, source), np.uint8)
            shape = (height, width) if channels == 1 else (height, width, channels)
            yield Frame(seconds=Fraction(num, den), image=pixels.reshape(shape))
        _report(stream, kind, source)


def read_audio(
    source: Source, *, rate: int, track: int = 0, key: bytes | None = None, cpu_seconds: int | None = None
) -> Iterator[NDArray[np.int16]]:
    """Decode a sound track of a file (0 is the first), mixed down to one channel, `rate` samples a second, block by block.

    The first sample lies at the file's first picture: what comes before is left out, and silence stands for what is
    missing. Raises MediaError where the file cannot be decoded or has no such track.
    """
    with _child(source, {"work": "sound", "rate": rate, "track": track}, key, cpu_seconds) as stream:
        while (kind := _exactly(stream, 1, source)) == SOUND:
            _, count = SOUND_HEADER.unpack(kind + _exactly(stream, SOUND_HEADER.size - 1, source))
            yield np.frombuffer(_exactly(stream, 2 * count, source), "<i2").astype(np.int16)
        _report(stream, kind, source)


def decode_all(source: Source, *, kind: Literal["video", "audio"], key: bytes | None = None) -> Decoded:
    """Decode every frame of the first video or audio stream and count. Complaints are returned, not raised."""
    with _child(source, {"work": "decode", "kind": kind}, key) as stream:
        report = _report(stream, _exactly(stream, 1, source), source)
    return Decoded(
        frames=report["frames"],
        samples=report["samples"],
        first=Fraction(report["first"]),
        last=Fraction(report["last"]),
        error_lines=tuple(report["error_lines"]),
        digest=report["digest"],
    )


def join(pieces: Sequence[Piece], out: Path) -> None:
    """Put encoded pieces of one timeline behind one another without re-encoding. All share codec settings and timescale.

    Raises MediaError where a piece is not in its file, or its codec settings differ from the first one's.
    """
    join_each({out: pieces})


def join_each(pieces_of: Mapping[Path, Sequence[Piece]]) -> None:
    """`join` for every file to be made, in one child: to start one takes longer than to join a chunk's pieces."""
    paths = sorted({piece.path for pieces in pieces_of.values() for piece in pieces})
    rows = [
        [str(out), [[paths.index(piece.path), piece.first_frame, piece.frames] for piece in pieces]]
        for out, pieces in pieces_of.items()
    ]
    _mux(paths, {"work": "join", "joins": rows})


def stitch(pieces: Sequence[Piece], out: Path, *, audio: Path | None = None, title: str | None = None) -> None:
    """Choose, piece by piece, packets of files that share one timeline (variants A and B) into one clear MP4.

    The pieces follow each other from frame 0 without gap. Times are kept, so sound laid beside stays in step.
    """
    paths = sorted({piece.path for piece in pieces})
    choices = [[paths.index(piece.path), piece.first_frame, piece.frames] for piece in pieces]
    _mux(paths, {"work": "stitch", "out": str(out), "pieces": choices, "audio": str(audio) if audio else None, "title": title})


def _mux(paths: list[Path], request: dict[str, Any]) -> None:
    with _child(paths, request, None) as stream:
        _report(stream, _exactly(stream, 1, paths), paths)


@contextlib.contextmanager
def _child(source: Source, request: dict[str, Any], key: bytes | None, cpu_seconds: int | None = None) -> Iterator[BinaryIO]:
    paths = [source] if isinstance(source, Path) else list(source)
    for path in paths:
        _check_readable(path)
    request = {**request, "paths": [str(path.absolute()) for path in paths], "key": key.hex() if key else None}
    argv = python_module("mediaforge.frames_child")
    limits = _LIMITS if cpu_seconds is None else replace(_LIMITS, cpu_seconds=cpu_seconds)
    with open_stream(argv, name="decoder", limits=limits, stdin=json.dumps(request).encode()) as stream:
        yield stream


def _check_readable(path: Path) -> None:
    if not path.exists():
        raise MediaError(path, "is not there; check the path")
    if path.is_dir():
        raise MediaError(path, "is a folder; give a media file")


def _exactly(stream: BinaryIO, count: int, source: Source) -> bytes:
    data = stream.read(count)
    if len(data) != count:
        raise MediaError(_shown(source), "broke its decoder (ended early); the file is damaged or hostile")
    return data


def _report(stream: BinaryIO, kind: bytes, source: Source) -> dict[str, Any]:
    if kind != REPORT:
        raise ToolError("decoder", "sent something that is no report")
    _, length = REPORT_HEADER.unpack(kind + _exactly(stream, REPORT_HEADER.size - 1, source))
    report: dict[str, Any] = json.loads(_exactly(stream, length, source))
    if "error" in report:
        raise MediaError(_shown(source), report["error"])
    return report


def _shown(source: Source) -> Path:
    return source if isinstance(source, Path) else source[0]
