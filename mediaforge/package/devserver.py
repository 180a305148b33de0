"""A licence server for development: hands out keys in clear, to programs and pages of this machine only.

Bound to 127.0.0.1 and to an address that cannot be guessed. A page from elsewhere in the same browser gets nothing: its
Origin is another, and a foreign name that was made to point here (DNS rebinding) shows in the Host header.
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from mediaforge.errors import SettingsError
from mediaforge.package.clearkey import read_request, write_licence
from mediaforge.package.keys import ContentKey

ADDRESS = "127.0.0.1"
MOST_REQUEST_BYTES = 16_384
SECONDS_A_REQUEST = 5

_HERE = re.compile(r"(localhost|127\.0\.0\.1)(:\d{1,5})?")


@contextmanager
def licence_server(keys: Mapping[bytes, ContentKey], *, port: int = 0) -> Iterator[ThreadingHTTPServer]:
    """A server for these keys by KID, on a free port where none is named; `serve_forever` runs it. Raises SettingsError."""
    path = f"/{secrets.token_urlsafe(12)}/license"
    try:
        server = _Server((ADDRESS, port), path, keys)
    except OSError as error:
        raise SettingsError(f"port {port} of {ADDRESS} cannot be taken ({error.strerror}); name another --port") from error
    with server:
        yield server


def licence_url(server: ThreadingHTTPServer) -> str:
    assert isinstance(server, _Server)
    return f"http://{ADDRESS}:{server.server_port}{server.path}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], path: str, keys: Mapping[bytes, ContentKey]) -> None:
        super().__init__(address, _Handler)
        self.path = path
        self.keys = keys

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no reason for a traceback; the default would print one."""


class _Handler(BaseHTTPRequestHandler):
    timeout = SECONDS_A_REQUEST
    server: _Server

    def do_OPTIONS(self) -> None:
        """What browsers ask before a request across origins (Fetch, 4.9)."""
        if self._is_from_here():
            self._answer(204, b"")

    def do_POST(self) -> None:
        if not self._is_from_here():
            return
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > MOST_REQUEST_BYTES:
            self._answer(413, b"a licence request is short and says its length")
            return
        try:
            kids = read_request(self.rfile.read(int(length)))
        except ValueError as error:
            self._answer(400, str(error).encode())
            return
        found = [self.server.keys[kid] for kid in kids if kid in self.server.keys]
        if found:
            self._answer(200, write_licence(found))
        else:
            self._answer(404, b"none of these KIDs belongs to a title that is served")

    def _is_from_here(self) -> bool:
        origin = self.headers.get("Origin", "http://localhost")
        here = _HERE.fullmatch(self.headers.get("Host", "")) and _HERE.fullmatch(re.sub("^https?://", "", origin))
        if here and secrets.compare_digest(self.path.encode(), self.server.path.encode()):
            return True
        self.send_error(403)
        return False

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if status == 200 else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Development-Only", "keys in clear; never for viewers")
        if "Origin" in self.headers:
            self.send_header("Access-Control-Allow-Origin", self.headers["Origin"])
            self.send_header("Access-Control-Allow-Headers", "Content-Type")
            self.send_header("Vary", "Origin")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Quiet: the address holds the secret path."""
