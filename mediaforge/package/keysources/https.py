"""POST to a key server: TLS verified, no redirects, no proxies, a deadline for the whole answer, a bound on its size."""

import http.client
import math
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from mediaforge.errors import KeyServerError, SettingsError
from mediaforge.package.keysources.hostile import MOST_XML_BYTES

MOST_ANSWER_BYTES = MOST_XML_BYTES
_AGAIN = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT})  # beside all of 500 and above


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """`seconds` for one attempt from the connection to the last byte; the pause before another doubles each time."""

    seconds: float = 20.0
    attempts: int = 3
    pause_seconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where to ask. `headers` may hold credentials; `ca` names the PEM file of a private authority (None: the system's)."""

    url: str = field(repr=False)  # a query may hold a token
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca: Path | None = None
    patience: Patience = Patience()

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme != "https" or not parts.hostname:
            raise SettingsError("a key server's address begins with https://; keys never travel in clear")
        if parts.username is not None or parts.password is not None:
            raise SettingsError("a key server's address holds no user or password; put them into [headers]")

    @property
    def name(self) -> str:
        """For sentences: without path and query, which may hold a token."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`headers` by lower-case name."""

    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def post(server: Server, body: bytes, headers: Mapping[str, str]) -> Answer:
    """The answer to a POST, which the server may see several times. Raises KeyServerError, SettingsError."""
    context = _context(server.ca)
    for attempt in range(server.patience.attempts):
        try:
            return _attempt(server, body, {**server.headers, **headers}, context)
        except KeyServerError as error:
            if not error.transient or attempt + 1 == server.patience.attempts:
                raise
            time.sleep(server.patience.pause_seconds * 2**attempt)
    raise AssertionError("at least one attempt is made")


def _context(ca: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"{ca} holds no certificates of an authority in PEM; correct `ca`") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _attempt(server: Server, body: bytes, headers: Mapping[str, str], context: ssl.SSLContext) -> Answer:
    parts = urlsplit(server.url)
    host, port = parts.hostname or "", parts.port or 443
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    deadline = time.monotonic() + server.patience.seconds
    try:
        with _connected(host, port, server.patience.seconds, context) as tls:
            # Timeouts of sockets count from byte to byte; whoever sends one a second would hold us for ever.
            watchdog = threading.Timer(max(deadline - time.monotonic(), 0.001), _cut, (tls,))
            watchdog.daemon = True
            watchdog.start()
            try:
                tls.do_handshake()
                connection = http.client.HTTPSConnection(host, port, context=context)
                connection.sock = tls
                connection.request("POST", target, body, dict(headers))
                return _read(connection.getresponse(), server.name)
            finally:
                watchdog.cancel()
    except ssl.SSLCertVerificationError as error:
        what = f"its certificate is not to be trusted ({error.verify_message}); name its authority by `ca`"
        raise KeyServerError(server.name, what) from error
    except (OSError, http.client.HTTPException) as error:
        late = time.monotonic() >= deadline or isinstance(error, TimeoutError)
        seconds = math.ceil(server.patience.seconds)
        what = (
            f"gave no whole answer in {seconds} s" if late else f"could not be reached, or broke off ({type(error).__name__})"
        )
        raise KeyServerError(server.name, f"{what}; try again later", transient=True) from error


def _connected(host: str, port: int, seconds: float, context: ssl.SSLContext) -> ssl.SSLSocket:
    raw = socket.create_connection((host, port), timeout=seconds)
    try:
        return context.wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False)
    except BaseException:
        raw.close()
        raise


def _cut(tls: ssl.SSLSocket) -> None:
    try:
        socket.socket.shutdown(tls, socket.SHUT_RDWR)  # not TLS's own goodbye, which could wait
    except OSError:  # it has just ended
        return


def _read(response: http.client.HTTPResponse, name: str) -> Answer:
    status = response.status
    if status != HTTPStatus.OK:
        # Neither the reason nor the body is shown: both are the server's words, and may repeat what we sent.
        phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "unknown"
        advice = "try again later" if status >= 500 or status in _AGAIN else "check its address and your credentials"
        transient = status >= 500 or status in _AGAIN
        raise KeyServerError(name, f"answered {status} ({phrase}); {advice}", transient=transient)
    body = response.read(MOST_ANSWER_BYTES + 1)
    if len(body) > MOST_ANSWER_BYTES:
        raise KeyServerError(name, f"answered with more than {MOST_ANSWER_BYTES} bytes; that is no document of keys")
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    return Answer(headers={key.lower(): value for key, value in response.getheaders()}, body=body)
