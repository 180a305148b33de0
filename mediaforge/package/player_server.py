"""A package on 127.0.0.1 for as long as it is played: the page, the package's own files, and a licence for who has the token.

What is served is a list made beforehand, so no trick in an address reaches another file. Browsers take 127.0.0.1 for a secure
place (W3C Secure Contexts, 3.1), which EME asks for. Every cell has an address of its own, so that it is known which files it
was given.
"""

import base64
import contextlib
import hmac
import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

from mediaforge.media import Variant
from mediaforge.package.layout import segment_name, video_folder
from mediaforge.package.player_hook import with_clear_key
from mediaforge.package.record import PackageRecord

PAGE = Path(__file__).parent / "player_page"

_MIME = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mpd": "application/dash+xml",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mp4": "video/mp4",
    ".m4s": "video/iso.segment",
    ".vtt": "text/vtt; charset=utf-8",
}
# Only our own scripts run and only our own files are fetched; players hand their pictures over as blobs, and shaka-player
# gives EME a key through a data address.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self' data:; media-src 'self' blob:; "
    "img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_LARGEST_REQUEST = 65_536  # a licence request names a few KIDs
_IDLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What one cell is served: files by address, the keys its licences hold, and the token that opens them.

    `hooked`: the playlists that get ClearKey lines, each with the KID of its track. `served` grows: (address, status) of
    every request below the cell's address.
    """

    files: Mapping[str, Path]
    keys: Mapping[bytes, bytes] = field(repr=False)
    token: str = field(repr=False)
    hooked: Mapping[str, bytes] = field(default_factory=dict)
    served: list[tuple[str, int]] = field(default_factory=list)


def package_files(folder: Path, record: PackageRecord, choice: tuple[Variant, ...] = ()) -> dict[str, Path]:
    """The package's files by address. `choice` names the variant of each segment, in order; what it leaves out stays A."""
    root = folder.resolve()
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.suffix in _MIME}
    files = {name: path for name, path in found.items() if path.is_file() and path.resolve().is_relative_to(root)}
    for rung in record.rungs:
        for number, variant in enumerate(choice, start=1):
            name = segment_name(number)
            other = files.get(f"{video_folder(rung.name, variant)}/{name}")
            if other is not None:
                files[f"{video_folder(rung.name)}/{name}"] = other
    return files


class PackageServer:
    """Answers as long as the `with` block of `open_server` runs."""

    def __init__(self, server: "_Server") -> None:
        self._server = server

    @property
    def origin(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def add(self, name: str, site: Site) -> str:
        """Serve a cell under `name`; the address that its manifests lie below."""
        self._server.sites[name] = site
        return f"{self.origin}/{name}"


@contextlib.contextmanager
def open_server() -> Iterator[PackageServer]:
    """A server on a port that the system chooses."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield PackageServer(server)
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a browser keeps its connections open; they end with it

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.sites: dict[str, Site] = {}
        self.page = {f"page/{path.relative_to(PAGE).as_posix()}": path for path in PAGE.rglob("*") if path.suffix in _MIME}

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that goes away in the middle of an answer is nothing to talk about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "mediaforge"
    sys_version = ""
    timeout = _IDLE_SECONDS

    def do_GET(self) -> None:
        site, path = self._found()
        if path is None or not self._is_ours():
            self._answer(HTTPStatus.NOT_FOUND, b"", "text/plain", site)
            return
        content = path.read_bytes()
        if site is not None and (kid := site.hooked.get(self._inside())):
            content = with_clear_key(content.decode("utf-8"), kid).encode()
        self._answer_part(content, _MIME[path.suffix], site)

    do_HEAD = do_GET  # noqa: N815 - named by http.server

    def do_POST(self) -> None:
        site = self._server.sites.get(self.path.strip("/").removesuffix("/licence")) if self.path.endswith("/licence") else None
        length = int(self.headers.get("Content-Length") or 0)
        if site is None or not self._is_ours() or not 0 < length <= _LARGEST_REQUEST:
            self.close_connection = True
            self._answer(HTTPStatus.NOT_FOUND, b"", "text/plain", None)
            return
        body = self.rfile.read(length)
        if not hmac.compare_digest(self.headers.get("Authorization", ""), f"Bearer {site.token}"):
            self._answer(HTTPStatus.FORBIDDEN, b"", "text/plain", site)
            return
        try:
            self._answer(HTTPStatus.OK, _licence(body, site.keys), "application/json", site)
        except (ValueError, TypeError, KeyError):
            self._answer(HTTPStatus.BAD_REQUEST, b"", "text/plain", site)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged; what a cell was served is in its site."""

    @property
    def _server(self) -> _Server:
        return cast(_Server, self.server)

    def _found(self) -> tuple[Site | None, Path | None]:
        """The address as it stands, undecoded: no file of ours has a name that needs decoding."""
        address = self.path.partition("?")[0].removeprefix("/")
        if address in self._server.page:
            return None, self._server.page[address]
        site = self._server.sites.get(address.partition("/")[0])
        return site, site.files.get(self._inside()) if site else None

    def _inside(self) -> str:
        """The address below that of the cell."""
        return self.path.partition("?")[0].removeprefix("/").partition("/")[2]

    def _is_ours(self) -> bool:
        """A page from elsewhere that points its own name at us has that name as Host."""
        host, port = self._server.server_address[:2]
        return self.headers.get("Host") == f"{host!s}:{port}"

    def _answer_part(self, content: bytes, mime: str, site: Site | None) -> None:
        """The whole, or the one range that was asked for (RFC 9110, 14.2)."""
        match = _RANGE.fullmatch(self.headers.get("Range", ""))
        if match is None or not any(match.groups()):
            self._answer(HTTPStatus.OK, content, mime, site)
            return
        first, last = match[1], match[2]
        begin = int(first) if first else max(0, len(content) - int(last))
        end = min(len(content), int(last) + 1) if first and last else len(content)
        if begin >= end:
            self._answer(
                HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, b"", mime, site, {"Content-Range": f"bytes */{len(content)}"}
            )
            return
        span = f"bytes {begin}-{end - 1}/{len(content)}"
        self._answer(HTTPStatus.PARTIAL_CONTENT, content[begin:end], mime, site, {"Content-Range": span})

    def _answer(
        self, status: HTTPStatus, content: bytes, mime: str, site: Site | None, more: Mapping[str, str] | None = None
    ) -> None:
        if site is not None:
            site.served.append((self._inside(), int(status)))
        self.send_response(status)
        headers = {"Content-Type": mime, "Content-Length": str(len(content)), "Accept-Ranges": "bytes"}
        headers |= {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": _POLICY}
        for name, value in (headers | dict(more or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _licence(body: bytes, keys: Mapping[bytes, bytes]) -> bytes:
    """A JWK set for the KIDs that a request names (EME, 9.1.3 and 9.1.4). Raises ValueError where it is no request."""
    wanted = [base64.urlsafe_b64decode(kid + "=" * (-len(kid) % 4)) for kid in json.loads(body)["kids"]]
    rows = [{"kty": "oct", "kid": _base64url(kid), "k": _base64url(keys[kid])} for kid in wanted if kid in keys]
    return json.dumps({"keys": rows, "type": "temporary"}).encode()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
