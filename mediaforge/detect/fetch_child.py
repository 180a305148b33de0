"""The child behind sources.py: fetch one video into the working folder. A request comes on stdin, one answer goes to stdout."""

import json
import os
import sys
import urllib.error
import urllib.request
from html.parser import HTMLParser
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urljoin, urlsplit

import yt_dlp
from yt_dlp import YoutubeDL
from yt_dlp.extractor.unsupported import KnownDRMIE, KnownPiracyIE
from yt_dlp.networking.exceptions import HTTPError, RequestError
from yt_dlp.utils import DownloadCancelled, DownloadError, UnsupportedError, YoutubeDLError

from mediaforge.detect.guard import CapReached, Guard

COPY = Path("copy")  # without an ending: what it is shows when it is decoded
VIDEO_ENDINGS = frozenset({".mp4", ".m4v", ".mov", ".webm", ".mkv", ".ts", ".mpg", ".mpeg", ".avi", ".flv"})
LINK_ENDINGS = VIDEO_ENDINGS | {".m3u8", ".mpd"}
TIMEOUT_SECONDS = 20
MAX_PAGE_BYTES = 4 << 20
# Only what yt-dlp fetches by itself: all else it would hand to ffmpeg or to other programs.
PROTOCOLS = "protocol~='^(https?|m3u8|m3u8_native|http_dash_segments)$'"


def main() -> None:
    request = json.load(sys.stdin)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints must not stand among the answer
    guard = Guard(tuple(request["allow_hosts"]), request["max_bytes"])
    guard.install()
    try:
        answer = {"outcome": "fetched", **_fetch(request, guard)}
    except _NotFetched as error:
        answer = {"outcome": error.outcome, "what": str(error)}
    json.dump(answer, answers)
    answers.flush()


class _NotFetched(DownloadCancelled):  # type: ignore[misc]
    """A sentence for the user. yt-dlp lets a DownloadCancelled pass through all its layers."""

    def __init__(self, what: str, *, outcome: str = "refused") -> None:
        super().__init__(what)
        self.outcome = outcome

    def __str__(self) -> str:
        return str(self.args[0])


def _fetch(request: dict[str, Any], guard: Guard) -> dict[str, Any]:
    _check_known(request["url"])
    try:
        found = _found(request)
        complete = True
    except CapReached:
        found = {"url": request["url"], "title": "", "extractor": "cut"}
        complete = False
        _keep_largest()
    except _NotFetched:
        if guard.refused:
            raise _refusal(guard) from None
        raise
    except OSError as error:
        raise _NotFetched(f"cannot be written ({error.strerror}); free space, then rerun", outcome="unwritable") from error
    if not COPY.is_file() or not COPY.stat().st_size:
        raise _NotFetched("gave no video before the limit of bytes was reached; check that it is a video page")
    return {**found, "file": str(COPY), "bytes": guard.received, "complete": complete}


def _check_known(url: str) -> None:
    if KnownPiracyIE.suitable(url):
        raise _NotFetched("is a site that yt-dlp refuses as known for piracy; download the copy in a browser and give the file")
    if KnownDRMIE.suitable(url):
        raise _NotFetched("is a site whose videos are all protected by DRM; there is no copy to fetch")


def _refusal(guard: Guard) -> _NotFetched:
    return _NotFetched(
        f"leads to {guard.refused[0]}, which is no public address; name its host in scan_allow_hosts if it is meant"
    )


def _found(request: dict[str, Any]) -> dict[str, Any]:
    url = request["url"]
    if _ending(url) in VIDEO_ENDINGS and (plain := _plainly(url)) is not None:
        return plain
    try:
        return _by_extractor(request, url)
    except _NoVideo:
        link = _first_link(url)
        if link is None:
            raise
        plain = _plainly(link) if _ending(link) in VIDEO_ENDINGS else None
        return {**(plain or _by_extractor(request, link)), "extractor": "link"}


class _NoVideo(_NotFetched):
    pass


def _plainly(url: str) -> dict[str, Any] | None:
    """Fetch a video file as it lies there; None where the address gives a page or a playlist instead."""
    with _opened(url) as response:
        if response.headers.get_content_maintype() == "text" or "mpegurl" in response.headers.get_content_type():
            return None
        with COPY.open("wb") as file:
            while block := _read(response, 1 << 16):
                file.write(block)
        return {"url": response.url, "title": PurePosixPath(urlsplit(url).path).name, "extractor": "plain"}


def _opened(url: str) -> Any:
    opener = urllib.request.OpenerDirector()  # only these: no file:, no ftp:, no data:, no proxy
    for handler in (
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    request = urllib.request.Request(url, headers={"User-Agent": "mediaforge"})  # noqa: S310 (fetch() and the opener see to it)
    try:
        return opener.open(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        raise _status(error.code) from error
    except (OSError, HTTPException) as error:
        raise _unreachable() from error


def _read(response: Any, count: int) -> bytes:
    try:
        return bytes(response.read(count))
    except (OSError, HTTPException) as error:
        raise _unreachable() from error


def _by_extractor(request: dict[str, Any], url: str) -> dict[str, Any]:
    """The lowest rendition of what yt-dlp finds at an address."""
    yt_dlp.globals.plugin_dirs.value = []
    try:
        with YoutubeDL(_options(request)) as downloader:
            info = downloader.extract_info(url)
    except DownloadError as error:
        raise _told(error) from error
    except YoutubeDLError as error:
        if isinstance(error, _NotFetched):
            raise
        raise _NotFetched(f"gives no video ({error.msg or type(error).__name__})") from error
    entries = [entry for entry in (info or {}).get("entries", [info]) if entry]
    if not entries:
        raise _NoVideo("shows no video that can be found; give the address of the video itself")
    first = entries[0]
    return {
        "url": str(first.get("url") or url),
        "title": str(first.get("title") or ""),
        "extractor": str(first.get("extractor_key") or "Generic"),
    }


def _options(request: dict[str, Any]) -> dict[str, Any]:
    def check(info: dict[str, Any], *, incomplete: bool) -> None:
        limit = request["max_video_seconds"]
        if (info.get("duration") or 0) > limit:
            raise _NotFetched(f"runs {info['duration']:.0f} s, longer than the limit of {limit} s; raise it if this is meant")
        if info.get("is_live"):
            raise _NotFetched("is a live stream; only recorded videos can be scanned")

    return {
        "format": f"wv*[{PROTOCOLS}]/w[{PROTOCOLS}]",  # the lowest that has a picture; sound is not needed
        "playlist_items": "1",
        "outtmpl": {"default": str(COPY)},
        "nopart": True,
        "continuedl": False,
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
        "socket_timeout": TIMEOUT_SECONDS,
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


def _told(error: Any) -> _NotFetched:
    """What stopped yt-dlp, from the exception at the root of it."""
    root = error.exc_info[1] if error.exc_info else None
    cause = getattr(root, "cause", None) or root
    if isinstance(root, UnsupportedError):
        return _NoVideo("shows no video that can be found; give the address of the video itself")
    if isinstance(cause, HTTPError):
        return _status(cause.status)
    if isinstance(cause, RequestError):
        return _unreachable()
    said = getattr(root, "orig_msg", None) or getattr(root, "msg", None) or str(root or error)
    return _NotFetched(f"gives no video ({said.splitlines()[0]})")


def _status(code: int) -> _NotFetched:
    if code >= 500 or code == 429:
        return _NotFetched(f"answers with HTTP status {code}; try again later", outcome="unreachable")
    return _NotFetched(f"answers with HTTP status {code}; check the address")


def _unreachable() -> _NotFetched:
    return _NotFetched("cannot be reached; check the address and the network, then try again", outcome="unreachable")


def _first_link(url: str) -> str | None:
    """The first address on a page that ends like a video or a playlist."""
    with _opened(url) as response:
        page = _read(response, MAX_PAGE_BYTES).decode("utf-8", "replace")
        parser = _Links()
        parser.feed(page)
        links = (urljoin(response.url, link) for link in parser.found)
        return next((link for link in links if link.startswith("http") and _ending(link) in LINK_ENDINGS), None)


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("href", "src", "content", "data-src") and value]


def _ending(url: str) -> str:
    return PurePosixPath(urlsplit(url).path).suffix.lower()


def _keep_largest() -> None:
    """After a cut, the file that holds most: the video so far, or the one segment that had no end."""
    pieces = sorted(Path().glob(f"{COPY}*"), key=lambda path: path.stat().st_size)
    if pieces:
        pieces[-1].replace(COPY)
    for piece in pieces[:-1]:
        piece.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
