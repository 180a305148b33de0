"""What pirates do to a copy, each as one encode with a name and a seed: the rows of the attack table (watermark.py)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mediaforge.confinement import Limits
from mediaforge.frames import read_frames
from mediaforge.tools import FFMPEG_QUIET, Tools, media_input, run

_LIMITS = Limits(memory_bytes=8 << 30)
_X264 = "-c:v libx264 -preset veryfast -crf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """`filters` as in ffmpeg's -vf, {w} and {h} being the copy's size; `height` is the most that the leak is high; `errors` is
    the share of wrong segments that is allowed."""

    name: str
    encoder: str
    filters: str = "null"
    height: int = 10_000
    errors: float = 0.01
    camera: "Camera | None" = None
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """A screen filmed by hand: keystone and jitter in pixels of the copy, at 30 frames a second, each exposed over a blend."""

    keystone: float  # share of the width
    blur: float
    noise: float
    jitter: float


def _x264(
    name: str, crf: int, filters: str = "null", *, height: int = 10_000, errors: float = 0.01, output: str = ""
) -> Attack:
    return Attack(name=name, encoder=f"{_X264} {crf}", filters=filters, height=height, errors=errors, output=output)


_LOGO = (
    "drawbox=x=iw*0.80:y=ih*0.05:w=iw*0.15:h=ih*0.14:color=white@0.8:t=fill,split[film][strip];"
    "[strip]crop=iw:ih/10:0:0,hflip,negate,scroll=h=0.01[ticker];[film][ticker]overlay=0:main_h*0.88"
)

ATTACKS = (
    _x264("crf28", 28),
    _x264("crf33", 33),
    _x264("crf38", 38),
    _x264("240p-crf30", 30, height=240),
    _x264("180p-crf30", 30, height=180),
    _x264("144p-crf33", 33, height=144, errors=0.05),
    _x264("crop10", 28, "crop=iw*0.9:ih*0.9,scale={w}:{h}"),
    _x264("crop15-corner", 28, "crop=iw*0.85:ih*0.85:0:0,scale={w}:{h}"),
    _x264("rotate2", 28, "rotate=2*PI/180,crop=iw*0.93:ih*0.93,scale={w}:{h}"),
    _x264("mirror", 28, "hflip"),
    _x264("logo-ticker", 28, _LOGO),
    _x264("colour", 28, "eq=brightness=0.06:contrast=1.15:gamma=1.2:saturation=1.3,hue=h=20"),
    _x264("speed104", 28, "setpts=PTS/1.04,fps={fps}"),
    _x264("blend30", 28, "framerate=fps=30:interp_start=0:interp_end=255:scene=100"),
    _x264("drops10", 28, "select=gt(random(1)\\,0.1)", output="-fps_mode cfr"),
    _x264("drops10-retimed", 28, "select=gt(random(1)\\,0.1),setpts=N/({fps})/TB"),
    _x264("blur2", 33, "gblur=sigma=2"),
    _x264("denoise", 30, "hqdn3d=8:6:12:9"),
    _x264("noise20", 30, "noise=alls=20:allf=t:all_seed=7"),
    Attack(name="av1-crf40", encoder="-c:v libsvtav1 -preset 10 -crf 40 -svtav1-params lp=1"),
    Attack(name="hevc-crf32", encoder="-c:v libx265 -preset veryfast -crf 32 -x265-params pools=1:log-level=none"),
    Attack(name="camcorder-light", encoder=f"{_X264} 26", camera=Camera(keystone=0.06, blur=1.2, noise=4, jitter=1)),
    Attack(
        name="camcorder-strong", encoder=f"{_X264} 30", camera=Camera(keystone=0.09, blur=2.2, noise=8, jitter=3), errors=0.05
    ),
)


def attack(done: Attack, copy: Path, to: Path, *, size: tuple[int, int], fps: float, seed: int, tools: Tools) -> None:
    """Make the leak. `size` is the copy's. Raises ToolError."""
    width, height = size
    encode = [*done.encoder.split(), "-threads", "1", "-pix_fmt", "yuv420p", "-an", *done.output.split(), "-y", str(to)]
    if done.camera is not None:
        raw = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{width}x{height}", "-r", "30", "-i", "-"]
        filmed = b"".join(_filmed(copy, done.camera, size=size, seed=seed))
        run([tools.ffmpeg, *FFMPEG_QUIET, *raw, *encode], name="ffmpeg", limits=_LIMITS, stdin=filmed, timeout_seconds=600)
        return
    small = f",scale=-2:{done.height}" if done.height < height else ""
    filters = done.filters.format(w=width, h=height, fps=fps) + small
    argv = [tools.ffmpeg, *FFMPEG_QUIET, "-filter_threads", "1", *media_input(copy), "-filter_complex", filters]
    run([*argv, *encode], name="ffmpeg", limits=_LIMITS, timeout_seconds=600)


def _filmed(copy: Path, camera: Camera, *, size: tuple[int, int], seed: int) -> Iterator[bytes]:
    width, height = size
    rng = np.random.default_rng(seed)
    scale = width / 640  # blur and jitter are given for a copy of 640 pixels
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    lean = rng.uniform(0, camera.keystone, (4, 2)) * np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    seen = (corners + lean * width).astype(np.float32)
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    vignette = (1 - 0.25 * (x * x + y * y) / 2).astype(np.float32)
    for picture in _at_30(copy, size):
        moved = seen + rng.normal(0, camera.jitter * scale / 2, 2)
        view = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
        shown = cv2.warpPerspective(picture, view, (width, height), flags=cv2.INTER_CUBIC, borderValue=(20.0,))
        soft = cv2.GaussianBlur(shown, (0, 0), max(camera.blur * scale, 0.3)) * vignette
        bright = 255 * np.clip(soft / 255, 0, 1) ** 0.9
        yield np.clip(bright + rng.normal(0, camera.noise, bright.shape), 0, 255).astype(np.uint8).tobytes()


def _at_30(copy: Path, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """The copy at 30 frames a second, each between its two nearest pictures."""
    before, number = None, 0
    for frame in read_frames(copy, size=size):
        here = float(frame.seconds), frame.image.astype(np.float32)
        while before is not None and number / 30 <= here[0]:
            share = (number / 30 - before[0]) / (here[0] - before[0])
            yield before[1] * (1 - share) + here[1] * share
            number += 1
        before = here
