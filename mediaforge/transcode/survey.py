"""A first look at a whole title in one cheap decode: how the picture changes, and how many bits each GOP asks for.

A scout encode (x264 ultrafast at a constant CRF, small) says what a thumbnail cannot: how hard each GOP is to code. Its bits
are no prediction of a rung's, but their ratios between GOPs of a title are (Ringis et al., arXiv 2204.08966, use 144p proxies
likewise).
"""

import itertools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from mediaforge.confinement import Limits
from mediaforge.errors import MediaError
from mediaforge.media import Grid, Master
from mediaforge.tools import FFMPEG_QUIET, Tools, open_stream
from mediaforge.transcode.source import grid_picture

_THUMB = (32, 18)
_SCOUT_SIDE = 180  # the scout's shorter side
_SCOUT_CRF = 30
_LIMITS = Limits(memory_bytes=8 << 30)
_BLOCK = 256  # thumbnails read at a time


@dataclass(frozen=True, slots=True)
class Survey:
    """What was seen, one value a frame of the grid, each (frames,)."""

    change: NDArray[np.float32]  # mean absolute luma difference to the frame before, 0 to 255; 0 for the first
    bits: NDArray[np.float64]  # of the scout encode


def survey(master: Master, grid: Grid, *, tools: Tools, on_progress: Callable[[float], None]) -> Survey:
    """Look at every frame once. Raises MediaError where the master gives fewer than its grid has, ToolError."""
    with tempfile.TemporaryDirectory(prefix="mediaforge-survey-") as folder:
        sizes = Path(folder) / "scout.framecrc"
        with open_stream(survey_argv(master, grid, sizes, tools=tools), name="ffmpeg", limits=_LIMITS) as stream:
            change = _differences(stream, frames=grid.frames, on_progress=on_progress)
        bits = packet_bits(sizes)
    if len(change) < grid.frames or len(bits) < grid.frames:
        raise MediaError(master.path, f"gave {len(change)} of {grid.frames} frames; get an undamaged copy")
    return Survey(change=change, bits=bits)


def survey_argv(master: Master, grid: Grid, sizes: Path, *, tools: Tools) -> list[str]:
    """The command line: thumbnails on stdout, the scout's packet sizes into a file. Pure."""
    assert master.video is not None
    width, height = _scout_size(*master.video.display_size)
    picture = grid_picture(master, grid, first_frame=0, frames=grid.frames).filter("scale", width, height, flags="bilinear")
    small = picture.filter("format", "yuv420p").filter_multi_output("split", 2)
    thumbs = small.stream(0).filter("scale", *_THUMB, flags="area").filter("format", "gray")
    seen = ffmpeg.output(thumbs, "pipe:1", f="rawvideo", fps_mode="passthrough")
    gop = f"keyint={grid.gop_frames}:min-keyint={grid.gop_frames}:scenecut=0"
    # Without B pictures the packets stand in the order of the frames.
    scout = {"c:v": "libx264", "preset": "ultrafast", "crf": _SCOUT_CRF, "bf": 0, "threads": 1, "x264-params": gop}
    coded = ffmpeg.output(small.stream(1), str(sizes), f="framecrc", fps_mode="passthrough", **scout)
    graph = ffmpeg.merge_outputs(seen, coded).global_args(*FFMPEG_QUIET, "-filter_complex_threads", "1").overwrite_output()
    return [str(part) for part in ffmpeg.compile(graph, cmd=str(tools.ffmpeg))]


def _scout_size(width: int, height: int) -> tuple[int, int]:
    scale = min(1.0, _SCOUT_SIDE / min(width, height))
    return max(16, 2 * round(width * scale / 2)), max(16, 2 * round(height * scale / 2))


def _differences(stream: BinaryIO, *, frames: int, on_progress: Callable[[float], None]) -> NDArray[np.float32]:
    change: list[NDArray[np.float32]] = []
    last: NDArray[np.float32] | None = None
    for block in _blocks(stream):
        before = np.concatenate((block[:1] if last is None else last, block[:-1]))
        change.append(np.abs(block - before).mean(axis=1))
        last = block[-1:]
        on_progress(min(1.0, sum(map(len, change)) / frames))
    return np.concatenate(change or [np.empty(0, np.float32)])


def _blocks(stream: BinaryIO) -> Iterator[NDArray[np.float32]]:
    """Thumbnails in blocks of (n, pixels)."""
    pixels = _THUMB[0] * _THUMB[1]
    for data in itertools.takewhile(len, iter(lambda: stream.read(pixels * _BLOCK), None)):
        whole = np.frombuffer(data[: len(data) // pixels * pixels], np.uint8)
        yield whole.reshape(-1, pixels).astype(np.float32)


def packet_bits(listing: Path) -> NDArray[np.float64]:
    """Bits of every picture of a framecrc listing (stream, dts, pts, duration, size, checksum a line), as they are shown."""
    rows = [line.split(",") for line in listing.read_text().splitlines() if not line.startswith("#")]
    return 8.0 * np.array([int(row[4]) for row in sorted(rows, key=lambda row: int(row[2]))], dtype=np.float64)
