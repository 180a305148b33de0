"""Videos inside the pages and players of the web, found by yt-dlp as a library: the lowest rendition and nothing else.

No cookies, no configuration, no plugins, no other programs: it runs inside the guarded child only.
"""

import os
from pathlib import Path
from typing import Any

import yt_dlp
from yt_dlp import YoutubeDL
from yt_dlp.extractor.unsupported import KnownDRMIE, KnownPiracyIE
from yt_dlp.networking.exceptions import HTTPError, RequestError
from yt_dlp.utils import DownloadError, UnsupportedError, YoutubeDLError

from mediaforge.detect.guard import NotFetched, NoVideo, status_refusal, unreachable

# Only what yt-dlp fetches by itself: all else it would hand to ffmpeg or to other programs.
_PROTOCOLS = "protocol~='^(https?|m3u8|m3u8_native|http_dash_segments)$'"
_BLOCK_BYTES = 1 << 16


def fetch_lowest(url: str, to: Path, *, max_seconds: int, timeout_seconds: int) -> dict[str, Any]:
    """Fetch what a page shows into the file `to`; of several videos the first. Returns url, title and extractor.

    Raises NotFetched, as NoVideo where the page shows none.
    """
    _check_known(url)
    yt_dlp.globals.plugin_dirs.value = []
    try:
        with YoutubeDL(_options(to, max_seconds=max_seconds, timeout_seconds=timeout_seconds)) as downloader:
            info = downloader.extract_info(url) or {}
    except DownloadError as error:
        raise _told(error) from error
    except YoutubeDLError as error:
        raise NotFetched(f"gives no video ({error.msg or type(error).__name__})") from error
    entries = [entry for entry in info.get("entries", [info]) if entry]
    if not entries:
        raise NoVideo
    return {
        "url": str(entries[0].get("url") or url),
        "title": str(entries[0].get("title") or "").removesuffix(" (1)"),  # yt-dlp numbers the videos of a page
        "extractor": str(entries[0].get("extractor_key") or "Generic"),
    }


def _check_known(url: str) -> None:
    if KnownPiracyIE.suitable(url):
        raise NotFetched("is a site that yt-dlp refuses as known for piracy; download the copy in a browser and give the file")
    if KnownDRMIE.suitable(url):
        raise NotFetched("is a site whose videos are all protected by DRM; there is no copy to fetch")


def _options(to: Path, *, max_seconds: int, timeout_seconds: int) -> dict[str, Any]:
    def check(info: dict[str, Any], *, incomplete: bool) -> None:
        if (info.get("duration") or 0) > max_seconds:
            raise NotFetched(
                f"runs {info['duration']:.0f} s, longer than the limit of {max_seconds} s; raise it if this is meant"
            )
        if info.get("is_live"):
            raise NotFetched("is a live stream; watch it with `mediaforge identify URL --live`")

    return {
        "format": f"wv*[{_PROTOCOLS}]/w[{_PROTOCOLS}]",  # the lowest that has a picture; sound is not needed
        "playlist_items": "1",
        "outtmpl": {"default": str(to).replace("%", "%%")},
        "nopart": True,
        "continuedl": False,
        "buffersize": _BLOCK_BYTES,
        "noresizebuffer": True,  # written as it comes, so that a cut leaves all that was received
        "overwrites": True,
        "hls_prefer_native": True,
        "external_downloader": {"default": "native"},
        "ffmpeg_location": os.devnull,
        "postprocessors": [],
        "fixup": "never",
        "js_runtimes": {},
        "proxy": "",  # a proxy would resolve names for us, out of the guard's sight
        "cachedir": False,
        "match_filter": check,
        "socket_timeout": timeout_seconds,
        "retries": 2,
        "fragment_retries": 2,
        "extractor_retries": 1,
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "logger": _Silence(),
    }


class _Silence:
    """Takes what yt-dlp wants to say; the answer says it in our words."""

    def debug(self, message: str) -> None: ...

    def warning(self, message: str) -> None: ...

    def error(self, message: str) -> None: ...


def _told(error: Any) -> NotFetched:
    """What stopped yt-dlp, from the exception at the root of it."""
    root = error.exc_info[1] if error.exc_info else None
    cause = getattr(root, "cause", None) or root
    if isinstance(root, UnsupportedError):
        return NoVideo()
    if isinstance(cause, HTTPError):
        return status_refusal(cause.status)
    if isinstance(cause, RequestError):
        return unreachable()
    said = getattr(root, "orig_msg", None) or getattr(root, "msg", None) or str(root or error)
    return NotFetched(f"gives no video ({said.splitlines()[0]})")
