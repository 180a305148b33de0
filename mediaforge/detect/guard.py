"""What a process that fetches from the web may do: talk to public addresses, receive so many bytes, start no program.

Set up once in a child made for one fetch; it holds until the child ends. Each connection is checked at the moment it is
made and by the address it goes to, so names that resolve differently the second time, redirects and the segments of a
playlist are all covered, whichever library asks.
"""

import ipaddress
import socket
import sys
import time
from typing import Any
from urllib.parse import urlsplit

# Public by its number, but a cloud machine's own metadata service (Azure).
_METADATA = frozenset({"168.63.129.16"})
_PROGRAMS = frozenset({"subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "os.fork", "os.forkpty", "pty.spawn"})
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class CapReached(Exception):
    """More bytes came than may be received."""


class NotFetched(Exception):
    """There is no video to be had: a sentence for the user, and whose doing it is (refused, unreachable, unwritable)."""

    def __init__(self, what: str, *, outcome: str = "refused") -> None:
        super().__init__(what)
        self.outcome = outcome


class NoVideo(NotFetched):
    """The page is there, but shows no video."""

    def __init__(self) -> None:
        super().__init__("shows no video that can be found; give the address of the video itself")


def status_refusal(code: int) -> NotFetched:
    """The sentence for an HTTP status."""
    if code >= 500 or code == 429:
        return NotFetched(f"answers with HTTP status {code}; try again later", outcome="unreachable")
    return NotFetched(f"answers with HTTP status {code}; check the address")


def unreachable() -> NotFetched:
    return NotFetched("cannot be reached; check the address and the network, then try again", outcome="unreachable")


def not_public(address: str) -> NotFetched:
    return NotFetched(f"leads to {address}, which is no public address; name its host in scan_allow_hosts if it is meant")


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open internet, also when it wraps an IPv4 address in an IPv6 one."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        wrapped = ip.ipv4_mapped or ip.sixtofour or (ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None)
        if wrapped is not None:
            return is_public(str(wrapped))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and str(ip) not in _METADATA


class Guard:
    """`allow_hosts` (host or host:port) may be private; `refused` names the addresses that were turned down."""

    def __init__(self, allow_hosts: tuple[str, ...], max_bytes: int) -> None:
        self.allow_hosts = [urlsplit(f"//{entry.lower()}") for entry in allow_hosts]
        self.max_bytes = max_bytes
        self.deadline: float | None = None  # of time.monotonic
        self.received = 0
        self.refused: list[str] = []
        self.allowed: set[tuple[Any, Any]] = set()  # what the allowed hosts resolved to

    def allow(self, *, max_bytes: int, seconds: float) -> None:
        """From now on so many more bytes, and so long: a server that sends a byte now and then holds nobody for ever."""
        self.max_bytes = self.received + max_bytes
        self.deadline = time.monotonic() + seconds

    def install(self) -> None:
        """From now on, until this process ends."""
        resolve, read = socket.getaddrinfo, socket.SocketIO.readinto

        def noting_allowed(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
            found = resolve(host, port, *args, **kwargs)
            if self._is_allowed(host, port):
                self.allowed.update((each[4][0], each[4][1]) for each in found)
            return found

        def counting(stream: socket.SocketIO, buffer: Any) -> int | None:
            count = read(stream, buffer)
            self.received += count or 0
            if self.received > self.max_bytes:
                raise CapReached
            if self.deadline is not None and time.monotonic() > self.deadline:
                raise TimeoutError
            return count

        socket.getaddrinfo = noting_allowed
        socket.SocketIO.readinto = counting  # type: ignore[method-assign, assignment]
        sys.addaudithook(self._check)

    def _check(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            self._check_address(arguments[1])
        elif event in _PROGRAMS:
            raise PermissionError("a fetch starts no programs")

    def _check_address(self, address: Any) -> None:
        host, port = address[:2] if isinstance(address, tuple) else (str(address), 0)
        if (host, port) not in self.allowed and not is_public(str(host)):
            self.refused.append(str(host))
            raise PermissionError(f"{host} is no public address")

    def _is_allowed(self, host: Any, port: Any) -> bool:
        name = host.decode() if isinstance(host, bytes) else str(host)
        return any(entry.hostname == name.lower() and entry.port in (None, port) for entry in self.allow_hosts)
