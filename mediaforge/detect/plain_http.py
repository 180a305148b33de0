"""HTTP as the guarded children speak it: http and https only, no proxy, no cookies, nothing else that urllib could open."""

import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any

from mediaforge.detect.guard import status_refusal, unreachable

TIMEOUT_SECONDS = 20


def opened(url: str, headers: dict[str, str] | None = None) -> Any:
    """The response to a GET, after its redirects. Raises NotFetched."""
    opener = urllib.request.OpenerDirector()  # only these: no file:, no ftp:, no data:, no proxy
    for handler in (
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    try:
        asked = urllib.request.Request(url, headers={"User-Agent": "mediaforge", **(headers or {})})  # noqa: S310 (see above)
        return opener.open(asked, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        raise status_refusal(error.code) from error
    except (OSError, HTTPException, ValueError) as error:  # the last: an address that is none
        raise unreachable() from error


def read(response: Any, count: int) -> bytes:
    """At most so many bytes. Raises NotFetched where the other side falls silent."""
    try:
        return bytes(response.read(count))
    except (OSError, HTTPException) as error:
        raise unreachable() from error
