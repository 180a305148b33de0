"""A small real title: two rungs in two variants, trick play, two sounds, subtitles; 150 frames, 4 segments."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from mediaforge.media import Grid
from mediaforge.package.licences import Licences
from mediaforge.package.plan import AudioInput, PackageRequest, TextInput, TrickInput, VideoInput
from mediaforge.package.record import Scheme, System

GRID = Grid(fps=Fraction(25), gop_frames=48, frames=150)
LICENCES = Licences(playready="https://pr.example.ma/rights?for=film&a=1", widevine="https://wv.example.ma/proxy?a=1&b=2")
RUNGS = (("v060", "SD", 160, 90, 60), ("v120", "HD", 256, 144, 120))
SUBTITLES = "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nكان يا ما كان\n\n00:00:03.000 --> 00:00:04.000\nIl était une fois\n"

# Settings that change decisions but not the headers: what makes variant B another file of the same picture.
DEAD_ZONES = {"a": "deadzone-inter=21:deadzone-intra=11", "b": "deadzone-inter=10:deadzone-intra=6"}


def make_video(
    ffmpeg: Callable[..., None], path: Path, *, size: str, kbps: int, variant: str, grid: Grid = GRID, extra: str = ""
) -> Path:
    """Shapes that move over noise, in closed GOPs on the grid."""
    options = f"keyint={grid.gop_frames}:min-keyint={grid.gop_frames}:scenecut=0:open-gop=0:threads=1"
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=size={size}:rate={grid.fps},noise=alls=12:allf=t:all_seed=7"),
        *("-frames:v", str(grid.frames), "-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-pix_fmt", "yuv420p"),
        *("-b:v", f"{kbps}k", "-maxrate", f"{kbps}k", "-bufsize", f"{kbps}k"),
        *("-x264-params", f"{options}:{DEAD_ZONES[variant]}{extra}", "-flags", "+bitexact", "-fflags", "+bitexact"),
        path,
    )
    return path


def make_trick(ffmpeg: Callable[..., None], path: Path, *, size: str, grid: Grid = GRID) -> Path:
    """The first picture of each segment, the last one as long as the title still is."""
    last = rf"setts=duration=if(eq(NEXT_PTS\,NOPTS)\,{float(grid.duration)}/TB-PTS\,NEXT_PTS-PTS)"
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=size={size}:rate={grid.fps}"),
        *("-vf", rf"trim=end_frame={grid.frames},select=not(mod(n\,{grid.gop_frames}))", "-fps_mode", "passthrough"),
        *("-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "30", "-bf", "0", "-x264-params", "threads=1"),
        *("-force_key_frames", "expr:1", "-forced-idr", "1"),
        *("-bsf:v", last, "-flags", "+bitexact", "-fflags", "+bitexact"),
        path,
    )
    return path


def make_request(ffmpeg: Callable[..., None], folder: Path, *, grid: Grid = GRID) -> PackageRequest:
    """A request for everything: cbcs, both variants, AAC and Opus in one language, Arabic and French in one subtitle file."""
    video = []
    for name, label, width, height, kbps in RUNGS:
        names = [folder / f"{name}-{variant}.mp4" for variant in "ab"]
        size = f"{width}x{height}"
        a, b = (make_video(ffmpeg, path, size=size, kbps=kbps, variant=path.stem[-1], grid=grid) for path in names)
        bits = kbps * 1000
        row = VideoInput(
            rung=name, label=label, width=width, height=height, bitrate_bps=bits, max_bitrate_bps=4 * bits, a=a, b=b
        )
        video.append(row)
    audio = []
    for name, codec, encoder in (("opus24", "opus", "libopus"), ("aac64", "aac", "aac")):
        path = folder / f"{name}.mp4"
        ffmpeg(
            *("-f", "lavfi", "-i", f"sine=frequency=330:sample_rate=48000:duration={float(grid.duration)}", "-ac", "2"),
            *("-c:a", encoder, "-b:a", f"{name[-2:]}k", "-flags", "+bitexact", "-fflags", "+bitexact"),
            path,
        )
        audio.append(AudioInput(name=name, language="ary", codec=codec, path=path))
    text = folder / "subtitles.vtt"
    text.write_text(SUBTITLES, encoding="utf-8")
    return PackageRequest(
        title="film",
        grid=grid,
        scheme=Scheme.CBCS,
        systems=(System.WIDEVINE, System.PLAYREADY),
        video=tuple(video),
        audio=tuple(audio),
        text=(TextInput(language="fr", path=text),),
        licences=LICENCES,
        trick=TrickInput(
            label="SD", width=128, height=72, path=make_trick(ffmpeg, folder / "trick.mp4", size="128x72", grid=grid)
        ),
    )
