"""The child behind sources.py: fetch one video into the working folder. A request comes on stdin, one answer goes to stdout."""

import json
import os
import sys
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urljoin, urlsplit

from mediaforge.detect.guard import CapReached, Guard, NotFetched, NoVideo, not_public
from mediaforge.detect.plain_http import TIMEOUT_SECONDS, opened, read

COPY = Path("copy")  # without an ending: what it is shows when it is decoded
VIDEO_ENDINGS = frozenset({".mp4", ".m4v", ".mov", ".webm", ".mkv", ".ts", ".mpg", ".mpeg", ".avi", ".flv"})
LINK_ENDINGS = VIDEO_ENDINGS | {".m3u8", ".mpd"}
MAX_PAGE_BYTES = 4 << 20


def main() -> None:
    request = json.load(sys.stdin)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints must not stand among the answer
    guard = Guard(tuple(request["allow_hosts"]), request["max_bytes"])
    guard.install()
    try:
        answer = {"outcome": "fetched", **_fetch(request, guard)}
    except NotFetched as error:
        answer = {"outcome": error.outcome, "what": str(error)}
    json.dump(answer, answers)
    answers.flush()


def _fetch(request: dict[str, Any], guard: Guard) -> dict[str, Any]:
    try:
        found = {**_found(request), "complete": True}
    except CapReached:
        found = {"url": request["url"], "title": "", "extractor": "cut", "complete": False}
        _keep_largest()
    except NotFetched:
        if guard.refused:
            raise not_public(guard.refused[0]) from None
        raise
    except OSError as error:
        raise NotFetched(f"cannot be written ({error.strerror}); free space, then rerun", outcome="unwritable") from error
    if not COPY.is_file() or not COPY.stat().st_size:
        raise NotFetched("gave no video before the limit of bytes was reached; check that it is a video page")
    return {**found, "file": str(COPY), "bytes": guard.received}


def _found(request: dict[str, Any]) -> dict[str, Any]:
    url = request["url"]
    if _ending(url) in VIDEO_ENDINGS and (plain := _plainly(url)) is not None:
        return plain
    # Only here: knowing 1,800 sites takes yt-dlp two seconds, and a plain file needs none of them.
    from mediaforge.detect.players import fetch_lowest  # noqa: PLC0415

    try:
        return fetch_lowest(url, COPY, max_seconds=request["max_video_seconds"], timeout_seconds=TIMEOUT_SECONDS)
    except NoVideo:
        link = _first_link(url)
        if link is None:
            raise
        plain = _plainly(link) if _ending(link) in VIDEO_ENDINGS else None
        found = plain or fetch_lowest(link, COPY, max_seconds=request["max_video_seconds"], timeout_seconds=TIMEOUT_SECONDS)
        return {**found, "extractor": "link"}


def _plainly(url: str) -> dict[str, Any] | None:
    """Fetch a video file as it lies there; None where the address gives a page or a playlist instead."""
    with opened(url) as response:
        if response.headers.get_content_maintype() == "text" or "mpegurl" in response.headers.get_content_type():
            return None
        with COPY.open("wb") as file:
            while block := read(response, 1 << 16):
                file.write(block)
        return {"url": response.url, "title": PurePosixPath(urlsplit(url).path).name, "extractor": "plain"}


def _first_link(url: str) -> str | None:
    """The first address on a page that ends like a video or a playlist."""
    with opened(url) as response:
        page = read(response, MAX_PAGE_BYTES).decode("utf-8", "replace")
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
    *rest, largest = sorted([COPY, *Path().glob(f"{COPY}-*")], key=lambda path: path.stat().st_size if path.exists() else 0)
    for piece in [*rest, *Path().glob(f"{COPY}.*")]:
        piece.unlink(missing_ok=True)
    if largest.exists():
        largest.replace(COPY)


if __name__ == "__main__":
    main()
