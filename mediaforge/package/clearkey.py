"""Clear Key, the DRM system without protection that every browser has: its licence exchange (W3C EME, 9.1.3 and 9.1.4).

For previews and tests: whoever gets the licence holds the keys. Pure: bytes in, bytes out.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import msgspec

from mediaforge.package.keys import KEY_BYTES, ContentKey

MOST_KIDS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """9.1.3: KIDs in base64url without padding."""

    kids: tuple[str, ...]
    type: Literal["temporary", "persistent-license"] = "temporary"


def read_request(body: bytes) -> tuple[bytes, ...]:
    """The KIDs asked for. Raises ValueError."""
    try:
        kids = tuple(_unb64(kid) for kid in msgspec.json.decode(body, type=_Request).kids)
    except (msgspec.MsgspecError, ValueError) as error:
        raise ValueError("this is no request for a Clear Key licence") from error
    if not 1 <= len(kids) <= MOST_KIDS or any(len(kid) != KEY_BYTES for kid in kids):
        raise ValueError(f"a request names 1 to {MOST_KIDS} KIDs of {KEY_BYTES} bytes")
    return kids


def write_licence(keys: Iterable[ContentKey]) -> bytes:
    """9.1.4: a JSON Web Key set of these keys."""
    rows = [{"kty": "oct", "kid": _b64(key.kid), "k": _b64(key.key)} for key in keys]
    return msgspec.json.encode({"keys": rows, "type": "temporary"})


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unb64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
