"""A test-only change to playlists: the ClearKey lines that hls.js needs, and that a package for the market does not have.

hls.js takes a key system only from an EXT-X-KEY with its format, whatever the init segment signals. The line says nothing
that the others do not say: their method, and the KID of the track. It is made while a playlist is served and never touches
a file; a playlist without key lines gets none.
"""

import base64

from mediaforge.package.hls import attributes

CLEAR_KEY_FORMAT = "org.w3.clearkey"

_TAG = "#EXT-X-KEY:"


def with_clear_key(text: str, kid: bytes) -> str:
    """A media playlist with one ClearKey line before each group of key lines, in place of its identity keys."""
    out: list[str] = []
    previous = ""
    for line in text.splitlines():
        if line.startswith(_TAG):
            fields = attributes(line.removeprefix(_TAG))
            if not previous.startswith(_TAG) and fields.get("METHOD") != "NONE":
                out.append(_clear_key_line(fields.get("METHOD", ""), kid))
            previous = line
            if fields.get("KEYFORMAT", "identity") == "identity" and fields.get("METHOD") != "NONE":
                continue
        previous = line
        out.append(line)
    return "\n".join(out) + "\n"


def _clear_key_line(method: str, kid: bytes) -> str:
    uri = base64.b64encode(kid).decode()
    return f'{_TAG}METHOD={method},URI="data:text/plain;base64,{uri}",KEYID=0x{kid.hex()},KEYFORMAT="{CLEAR_KEY_FORMAT}"'
