"""Local key servers over TLS that answer as they are told to: rightly, wrongly, slowly, endlessly or not at all."""

import contextlib
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from mediaforge.package.keysources.https import Patience, Server
from tests.package.keypairs import certificate_file, secret_file

QUICK = Patience(seconds=0.7, attempts=2, pause_seconds=0.01)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True, kw_only=True)
class Told:
    """What a request gets: a status and body, or something done to the connection instead."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    instead: Callable[[BaseHTTPRequestHandler], None] | None = None


@dataclass(slots=True, kw_only=True)
class Local:
    server: Server
    asked: list[Asked]


Answerer = Callable[[Asked], Told]


@contextlib.contextmanager
def serving(folder: Path, answer: Answerer, *, headers: dict[str, str] | None = None, name: str = "server") -> Iterator[Local]:
    """A key server on this machine for as long as the context lasts."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(Asked(headers={key.lower(): value for key, value in self.headers.items()}, body=body))
            told = answer(asked[-1])
            if told.instead is not None:
                told.instead(self)
                return
            self.send_response(told.status)
            for key, value in {"Content-Length": str(len(told.body)), **told.headers}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, *words: object) -> None:
            """Quiet."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *what: object) -> None:
            """A client that goes away is what some tests are about."""

    server = Quiet(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(secret_file(folder, name))
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        url = f"https://localhost:{server.server_port}/keys?token=hush"
        yield Local(
            server=Server(url=url, headers=headers or {}, ca=certificate_file(folder, name), patience=QUICK), asked=asked
        )
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


def stall(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(3)


def drip(handler: BaseHTTPRequestHandler) -> None:
    """A byte every tenth of a second: no single read ever times out."""
    for byte in b"HTTP/1.0 200 OK\r\nX-Long: " + b"x" * 1000:
        handler.wfile.write(bytes([byte]))
        time.sleep(0.1)


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def rubbish(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\x00\x01 this is no HTTP\r\n\r\n")


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
    while True:
        handler.wfile.write(b"<" * 65536)


def cut_short(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
