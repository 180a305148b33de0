"""uvicorn around the reference edge: one process, HTTP/1.1, nothing of a request in any log."""

import socket

import uvicorn
from starlette.types import ASGIApp

from mediaforge.errors import SettingsError


def open_port(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises SettingsError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SettingsError(f"port {port} of {host} cannot be taken ({error.strerror}); name another --port") from error


def serve_app(app: ASGIApp, listening: socket.socket, *, proxy: str = "") -> None:
    """Until SIGINT or SIGTERM. `proxy`: the one address whose X-Forwarded-For is believed."""
    config = uvicorn.Config(
        app,
        access_log=False,  # it would hold the tokens
        log_level="error",
        lifespan="off",
        ws="none",
        http="h11",
        server_header=False,
        proxy_headers=bool(proxy),
        forwarded_allow_ips=proxy or [],  # None would read the environment
    )
    uvicorn.Server(config).run(sockets=[listening])
