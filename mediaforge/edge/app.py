"""The reference edge, an ASGI application: GET /TOKEN/PATH, and each session gets its own variant of every segment.

ETSI TS 104 002 V1.1.1, 5.7.3: the token stands in the path, so manifests need no change and no player needs to know of it.
Whatever is refused gets the same answer, and one line in the log that names neither token nor path nor viewer.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Mapping
from email.utils import formatdate

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mediaforge.edge.site import Site, find_file
from mediaforge.edge.token import EdgeKey, Refusal, Session, TokenRefused, session_name, verify_token
from mediaforge.errors import StoreError

COOKIE = "mediaforge-edge"

_TYPES = {
    ".mpd": "application/dash+xml",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mp4": "video/mp4",
    ".m4s": "video/iso.segment",
    ".vtt": "text/vtt",
}
_PLAYLISTS = (".mpd", ".m3u8")
_PLAYLIST_SECONDS = 60  # a title that is released again is seen soon
_LONGEST_SECONDS = 86_400


class _File(FileResponse):
    chunk_size = 512 * 1024  # most segments at once: each piece costs a change of threads


def edge_app(
    site: Site,
    keys: Mapping[bytes, EdgeKey],
    *,
    now: Callable[[], float],
    tell: Callable[[str], None],
    origin: str = "",
    fetch: Callable[[str], None] | None = None,
) -> ASGIApp:
    """`now`: Unix seconds. `tell` gets a line for each refusal. `origin`: the web page that may play it, `*` for any.

    `fetch` brings a file of the package to the site's folder, where that is only a cache; it may raise StoreError.
    """
    root = os.path.realpath(site.folder)
    common = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", **_cross_origin(origin)}
    # One date for the whole package: that of a file would say which variant it is of.
    dated = formatdate(os.stat(root).st_mtime, usegmt=True)  # noqa: PTH116 (beside the other calls of os)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope)
        try:
            response = await answer(request)
        except StoreError as error:
            tell(f"not served: {error.message}")
            response = PlainTextResponse("not now\n", 503, {**common, "Cache-Control": "no-store", "Retry-After": "5"})
        except TokenRefused as refused:
            tell(f"refused: {refused.refusal}" + (f" (session {refused.session})" if refused.session else ""))
            response = PlainTextResponse("forbidden\n", 403, {**common, "Cache-Control": "no-store"})
        await response(scope, receive, send)

    async def answer(request: Request) -> Response:
        text, wanted = _parts(request)
        address = request.client.host if request.client else ""
        time = now()
        cookie = request.cookies.get(COOKIE, "")
        session = verify_token(text, keys, title=site.title, now=time, address=address, cookie=cookie)
        if request.method not in ("GET", "HEAD"):
            raise TokenRefused(Refusal.METHOD, session_name(session))
        file = find_file(site, wanted, session.variants)
        if file is None:
            raise TokenRefused(Refusal.PATH, session_name(session))
        if fetch is not None:
            await run_in_threadpool(fetch, file)
        try:
            path = os.path.realpath(f"{root}/{file}", strict=True)
            found = os.stat(path)  # noqa: PTH116
        except OSError:
            return PlainTextResponse("not here\n", 404, {**common, "Cache-Control": "no-store"})
        if not path.startswith(root + os.sep) or not stat.S_ISREG(found.st_mode):
            raise TokenRefused(Refusal.PATH, session_name(session))
        suffix = os.path.splitext(wanted)[1]  # noqa: PTH122
        headers = {
            **common,
            "Cache-Control": _caching(suffix, left=int(session.expires - time)),
            "ETag": _etag(session, wanted, found),
            "Last-Modified": dated,
        }
        return _File(path, headers=headers, media_type=_TYPES[suffix], stat_result=found)

    return app


def _parts(request: Request) -> tuple[str, str]:
    """The token and the path, as they were sent: nothing of ours needs an escape, so whatever has one is refused."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    try:
        path = raw.decode("ascii")
    except UnicodeDecodeError:
        raise TokenRefused(Refusal.MALFORMED) from None
    empty, _, rest = path.partition("/")
    token, _, wanted = rest.partition("/")
    if empty:  # an absolute address instead of a path
        raise TokenRefused(Refusal.MALFORMED)
    return token, wanted


def _caching(suffix: str, *, left: int) -> str:
    """Only the viewer's own cache, and not for longer than the token: a shared one would answer without asking us."""
    if suffix in _PLAYLISTS:
        return f"private, max-age={min(left, _PLAYLIST_SECONDS)}"
    return f"private, max-age={min(left, _LONGEST_SECONDS)}, immutable"


def _etag(session: Session, wanted: str, found: os.stat_result) -> str:
    """Another one for each session, so that two viewers cannot compare them instead of the segments."""
    words = f"{wanted} {found.st_mtime_ns} {found.st_size}".encode()
    return f'"{hashlib.blake2b(words, key=session.session_id, digest_size=12).hexdigest()}"'


def _cross_origin(origin: str) -> dict[str, str]:
    """What lets a player in a web page of `origin` read what it fetched (Fetch, 3.2); with a cookie only where it is named."""
    if not origin:
        return {}
    headers = {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "Content-Length, Content-Range"}
    return headers if origin == "*" else {**headers, "Access-Control-Allow-Credentials": "true"}
