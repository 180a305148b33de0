"""Small real renditions and packages, made once: two rungs in two variants, two sounds, subtitles; 150 frames, 4 segments."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from mediaforge.media import Grid
from mediaforge.package.assembly import Package, package
from mediaforge.package.keys import ContentKey, KeyStore
from mediaforge.package.plan import AudioInput, PackageRequest, TextInput, VideoInput
from mediaforge.package.record import Scheme, System
from mediaforge.tools import Tools

GRID = Grid(fps=Fraction(25), gop_frames=48, frames=150)
RUNGS = (("v060", "SD", 160, 90, 60), ("v120", "HD", 256, 144, 120))
SUBTITLES = "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nكان يا ما كان\n\n00:00:03.000 --> 00:00:04.000\nIl était une fois\n"

# Settings that change decisions but not the headers: what makes variant B another file of the same picture.
DEAD_ZONES = {"a": "deadzone-inter=21:deadzone-intra=11", "b": "deadzone-inter=10:deadzone-intra=6"}


@pytest.fixture(scope="session")
def make_video(ffmpeg: Callable[..., None]) -> Callable[..., Path]:
    def make(path: Path, *, size: str, kbps: int, variant: str, grid: Grid = GRID, extra: str = "") -> Path:
        options = f"keyint={grid.gop_frames}:min-keyint={grid.gop_frames}:scenecut=0:open-gop=0:threads=1"
        ffmpeg(
            *("-f", "lavfi", "-i", f"testsrc2=size={size}:rate={grid.fps},noise=alls=12:allf=t:all_seed=7"),
            *("-frames:v", str(grid.frames), "-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-pix_fmt", "yuv420p"),
            *("-b:v", f"{kbps}k", "-maxrate", f"{kbps}k", "-bufsize", f"{kbps}k"),
            *("-x264-params", f"{options}:{DEAD_ZONES[variant]}{extra}", "-flags", "+bitexact", "-fflags", "+bitexact"),
            path,
        )
        return path

    return make


@pytest.fixture(scope="session")
def request_(
    ffmpeg: Callable[..., None], make_video: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> PackageRequest:
    """A request for everything: cbcs, both variants, AAC and Opus in one language, Arabic and French in one subtitle file."""
    folder = tmp_path_factory.mktemp("renditions")
    video = []
    for name, label, width, height, kbps in RUNGS:
        a, b = (make_video(folder / f"{name}-{v}.mp4", size=f"{width}x{height}", kbps=kbps, variant=v) for v in "ab")
        bits = kbps * 1000
        row = VideoInput(
            rung=name, label=label, width=width, height=height, bitrate_bps=bits, max_bitrate_bps=4 * bits, a=a, b=b
        )
        video.append(row)
    audio = []
    for name, codec, encoder in (("opus24", "opus", "libopus"), ("aac64", "aac", "aac")):
        path = folder / f"{name}.mp4"
        ffmpeg(
            *("-f", "lavfi", "-i", f"sine=frequency=330:sample_rate=48000:duration={GRID.duration}", "-ac", "2"),
            *("-c:a", encoder, "-b:a", f"{name[-2:]}k", "-flags", "+bitexact", "-fflags", "+bitexact"),
            path,
        )
        audio.append(AudioInput(name=name, language="ary", codec=codec, path=path))
    text = folder / "subtitles.vtt"
    text.write_text(SUBTITLES, encoding="utf-8")
    return PackageRequest(
        title="film",
        grid=GRID,
        scheme=Scheme.CBCS,
        systems=(System.WIDEVINE, System.PLAYREADY),
        video=tuple(video),
        audio=tuple(audio),
        text=(TextInput(language="fr", path=text),),
    )


@pytest.fixture(scope="session")
def content_keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[ContentKey, ...]:
    return KeyStore(tmp_path_factory.mktemp("keys")).content_keys("film", ("AUDIO", "SD", "HD"))


@pytest.fixture(scope="session")
def key_map(content_keys: tuple[ContentKey, ...]) -> dict[bytes, bytes]:
    return {key.kid: key.key for key in content_keys}


@pytest.fixture(scope="session")
def make_package(
    tools: Tools, content_keys: tuple[ContentKey, ...], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Package]:
    def make(request: PackageRequest) -> Package:
        return package(request, content_keys, tmp_path_factory.mktemp("made") / "package", tools=tools)

    return make


@pytest.fixture(scope="session")
def packages(request_: PackageRequest, make_package: Callable[..., Package]) -> dict[Scheme, Package]:
    """One package a scheme. Tests read them; those that change something take a `copy_of`."""
    return {scheme: make_package(replace(request_, scheme=scheme)) for scheme in (Scheme.CBCS, Scheme.CENC)}


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Package], Path]:
    def copy(made: Package) -> Path:
        return Path(shutil.copytree(made.folder, tmp_path / "copy"))

    return copy
