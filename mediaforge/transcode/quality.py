"""How good a rendition looks: VMAF v1, phone model, sampled in time (never by shrinking the display: facts-transcode 5c)."""

import json
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mediaforge.errors import ToolError
from mediaforge.media import Master
from mediaforge.tools import FFMPEG_PROGRESS, FFMPEG_QUIET, Limits, Tools, media_input, run
from mediaforge.transcode.clean import cleaning_filters, input_matrix

MODEL = "vmaf_v1.0.16_5d0h"  # seen from five picture heights: a phone in the hand (Netflix/vmaf, models_v1.md)
SAMPLE = 5  # every fifth frame: within 0.2 of the full mean (facts-transcode 5b)
_LEAST_SIDE = 360
_LIMITS = Limits(memory_bytes=8 << 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """VMAF of a rendition against its master: mean and the 5th percentile of the sampled frames, 0 to 100."""

    mean: float
    p5: float
    frames: int


def measure(rendition: Path, master: Master, *, fps: str, tools: Tools) -> Quality:
    """Score a rendition shown at the master's size. `fps` is the grid's rate as a ratio. Raises ToolError."""
    video = master.video
    assert video is not None
    width, height = shown_size(*video.display_size)
    clean = "".join(
        f"{name}={':'.join(f'{key}={value}' for key, value in options.items())}," for name, options in cleaning_filters(video)
    )
    # Times count frames. Not setpts=N/FPS/TB: that is computed in floating point and cut off, so that some frames get the time
    # of the one before and are held against the wrong picture (frame 29 at 25 fps, and one in twelve after it).
    tick = f"settb=1/({fps}),setpts=N"
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "vmaf.json"
        graph = (
            f"[0:v:0]scale={width}:{height}:flags=bicubic,format=yuv420p10le,{tick}[distorted];"
            f"[1:{video.index}]{clean}fps={fps}:start_time=0:round=near,"
            f"scale={width}:{height}:in_color_matrix={input_matrix(video)}:out_color_matrix=bt709:out_range=tv,"
            f"setsar=1,format=yuv420p10le,{tick}[reference];"
            f"[distorted][reference]libvmaf=model=version={MODEL}:n_subsample={SAMPLE}:log_fmt=json:log_path={log.name}:shortest=1"
        )
        # A quarter of a frame early, as the encoder does: a rounded time must not lose the first frame.
        start = video.start - Fraction(1, 4) / Fraction(fps)
        seek = ["-ss", f"{float(start):.6f}"] if start > 0 else []
        argv = [tools.ffmpeg, *FFMPEG_QUIET, *FFMPEG_PROGRESS, *media_input(rendition), *seek, *media_input(master.path)]
        argv += ["-filter_complex", graph, "-f", "null", "-"]
        run(argv, name="ffmpeg", limits=_LIMITS, cwd=Path(folder), watchdog_seconds=180)
        scores = np.sort(read_scores(log))
    return Quality(mean=float(scores.mean()), p5=float(scores[len(scores) // 20]), frames=len(scores))


def shown_size(width: int, height: int) -> tuple[int, int]:
    """The size to compare at: the master's, a small one's a whole number of times (libvmaf cannot look at smaller pictures)."""
    times = -(-_LEAST_SIDE // min(width, height))
    return width * times, height * times


def read_scores(log: Path) -> NDArray[np.float64]:
    """Score by frame (frames,) of a log that libvmaf wrote with log_fmt=json. Raises ToolError where it holds none."""
    try:
        frames = json.loads(log.read_bytes())["frames"]
    except (OSError, ValueError, KeyError) as error:
        raise ToolError("libvmaf", f"left no scores in {log.name}; run it again", transient=True) from error
    if not frames:
        raise ToolError("libvmaf", "was shown no frame; check that rendition and master are of one film")
    return np.array([frame["metrics"][_metric(frame["metrics"])] for frame in frames], dtype=np.float64)


def _metric(metrics: dict[str, float]) -> str:
    """The name under which libvmaf reports the model's score; other entries are its features."""
    return next(name for name in metrics if name.startswith("vmaf"))
