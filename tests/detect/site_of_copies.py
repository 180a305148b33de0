"""A web server on this machine that shows what pages of suspect copies look like."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Site(ThreadingHTTPServer):
    """Answers from `pages` (path -> bytes), `redirects` (path -> address) and `folder`; /endless.ts never ends."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.folder = folder
        self.pages: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.asked: list[str] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def url(self, path: str) -> str:
        return f"http://{self.host}/{path}"


class _Answer(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        path = self.path.lstrip("/")
        self.server.asked.append(path)
        if path in self.server.redirects:
            self.send_response(302)
            self.send_header("Location", self.server.redirects[path])
            self.end_headers()
        elif path.startswith("endless"):
            self._endless()
        elif path in self.server.pages:
            self._send(self.server.pages[path], "text/html; charset=utf-8")
        elif (file := self.server.folder / path).is_file():
            kinds = {".mp4": "video/mp4", ".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t"}
            kinds |= {".mpd": "application/dash+xml", ".m4s": "video/iso.segment"}
            self._send(file.read_bytes(), kinds[file.suffix])
        else:
            self.send_error(404)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def _endless(self) -> None:
        self.send_response(200)
        is_page = self.path.endswith("html")
        self.send_header("Content-Type", "text/html" if is_page else "video/mp2t")
        self.end_headers()
        block = b"<!DOCTYPE html><html><p>and so on</p>" if is_page else b"\x47" + bytes(187)
        try:
            while self.command == "GET":
                self.wfile.write(block * 256)
        except OSError:  # the other side has hung up
            return

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""
