"""Where suspect copies come from: a web address is fetched in a limited child, and a file comes back.

The pages and players of the web are hostile input (facts-platform 5): the child `fetch_child.py` has no cookies, no
plugins and no other programs, talks to public addresses only, and receives so many bytes and no more.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mediaforge.confinement import Limits
from mediaforge.errors import MediaError, StoreError
from mediaforge.tools import python_module, run

_MEMORY_BYTES = 2 << 30  # yt-dlp knows 1,800 sites and keeps whole pages in memory
_SPARE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """What one fetch may cost. More bytes than `max_bytes` are not received: what came until then is kept."""

    max_bytes: int = 512 << 20  # two hours of a lowest rendition at 500 kbit/s
    max_video_seconds: int = 6 * 3600
    timeout_seconds: int = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A copy as it was found. `url` is where the video itself came from; `complete` is False where the cap cut it off."""

    path: Path
    url: str
    title: str
    bytes_fetched: int  # all that was received: pages, playlists and video
    extractor: str  # what found the video: "plain", "link", or the name yt-dlp has for the site
    complete: bool


def fetch(url: str, to: Path, *, allow_hosts: tuple[str, ...] = (), caps: Caps = Caps()) -> Fetched:
    """Fetch the video that `url` is or shows, in its lowest rendition, into the folder `to`.

    Private, loopback, link-local and metadata addresses are refused on every connection, unless `allow_hosts` names
    the host or host:port. Raises MediaError where there is no video to be had, StoreError where the network or the
    folder fails, ToolError where the child does.
    """
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise MediaError(url, "is no http or https address; give the address of a web page or of a video file")
    try:
        to.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(to, f"cannot be made ({error.strerror}); mend permissions or give another folder") from error
    request = {
        "url": url,
        "allow_hosts": allow_hosts,
        "max_bytes": caps.max_bytes,
        "max_video_seconds": caps.max_video_seconds,
    }
    outcome = run(
        python_module("mediaforge.detect.fetch_child"),
        name="fetcher",
        limits=Limits(
            cpu_seconds=caps.timeout_seconds,
            memory_bytes=_MEMORY_BYTES,
            file_bytes=caps.max_bytes + _SPARE_BYTES,
            network=True,
        ),
        stdin=json.dumps(request).encode(),
        cwd=to,
        timeout_seconds=caps.timeout_seconds,
    )
    return _fetched(url, to, json.loads(outcome.stdout))


def _fetched(url: str, to: Path, answer: dict[str, Any]) -> Fetched:
    match answer["outcome"]:
        case "fetched":
            return Fetched(
                path=to / answer["file"],
                url=answer["url"],
                title=answer["title"],
                bytes_fetched=answer["bytes"],
                extractor=answer["extractor"],
                complete=answer["complete"],
            )
        case "unreachable":
            raise StoreError(url, answer["what"], transient=True)
        case "unwritable":
            raise StoreError(to, answer["what"])
        case _:
            raise MediaError(url, answer["what"])
