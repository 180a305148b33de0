"""Requests of every kind: one codec and two, in clear and under both schemes, bare and with all languages."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mediaforge.package.plan import PackageRequest, VideoInput
from mediaforge.package.record import Scheme, System

# A setting that changes decisions but not the headers, as in watermark/variants.py.
_MATRICES = {"a": "", "b": ":enable-qm=1:qm-min=8"}


def make_av1(ffmpeg: Callable[..., None], folder: Path, like: VideoInput, request: PackageRequest) -> VideoInput:
    """A rung of the size and label of `like`, in AV1, in both variants."""
    name = f"{like.rung}-av1"
    grid = request.grid
    for variant, settings in _MATRICES.items():
        ffmpeg(
            *("-f", "lavfi", "-i", f"testsrc2=size={like.width}x{like.height}:rate={grid.fps},noise=alls=12:allf=t:all_seed=7"),
            *("-frames:v", str(grid.frames), "-c:v", "libsvtav1", "-preset", "10", "-crf", "55", "-pix_fmt", "yuv420p"),
            *("-svtav1-params", f"keyint={grid.gop_frames}:scd=0:lp=1{settings}", "-fflags", "+bitexact"),
            folder / f"{name}-{variant}.mp4",
        )
    a, b = (folder / f"{name}-{variant}.mp4" for variant in _MATRICES)
    return replace(like, rung=name, bitrate_bps=like.bitrate_bps * 2, max_bitrate_bps=like.max_bitrate_bps * 2, a=a, b=b)


def in_two_codecs(ffmpeg: Callable[..., None], folder: Path, request: PackageRequest) -> PackageRequest:
    """The request with each rung in AV1 as well, and a name for each codec's."""
    return replace(request, video=(*request.video, *(make_av1(ffmpeg, folder, row, request) for row in request.video)))


def in_two_languages(request: PackageRequest) -> PackageRequest:
    """Two sounds of each codec and two subtitles."""
    (text,) = request.text
    sounds = [replace(row, language=language) for language in ("ary", "fr") for row in request.audio]
    texts = [replace(text, language=language) for language in ("fr", "ar")]
    return replace(request, audio=tuple(sounds), text=tuple(texts))


def bare(request: PackageRequest) -> PackageRequest:
    """Pictures of variant A alone."""
    return replace(request, video=tuple(replace(row, b=None) for row in request.video), audio=(), text=())


def under(request: PackageRequest, scheme: Scheme) -> PackageRequest:
    """With all the systems that the scheme allows."""
    fairplay = (System.FAIRPLAY,) if scheme is Scheme.CBCS else ()
    return replace(request, scheme=scheme, systems=(System.WIDEVINE, System.PLAYREADY, *fairplay))
