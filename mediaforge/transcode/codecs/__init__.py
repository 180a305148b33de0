"""The video codecs a ladder may use, one file each: how to encode at a constant quality, and where to look for the hull."""

from mediaforge.errors import LadderError
from mediaforge.transcode.codecs import av1, h264
from mediaforge.transcode.codecs.interface import Codec

CODECS: dict[str, Codec] = {"h264": h264.CODEC, "av1": av1.CODEC}


def codec(name: str) -> Codec:
    """The codec of this name. Raises LadderError naming those there are."""
    if name not in CODECS:
        raise LadderError(name, f"is no codec we encode; choose {' or '.join(CODECS)}")
    return CODECS[name]
