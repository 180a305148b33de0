"""WMPaceInfo: which position of the pattern a segment stands for, as files and headers for other edges than ours.

ETSI TS 104 002 V1.1.1, 5.5.2 (the data), 5.5.3.2 (sidecar files, CBOR) and 5.5.3.3 (HTTP headers). Segments are discrete files
here, position N - 1 is file N, and one segment holds the whole of its position.
"""

import base64
import json
import re
from collections.abc import Collection, Sequence

import cbor2

VERSION = 1
UNMARKED = -1  # the position of an init segment, or of anything else that all sessions get alike

# 5.5.3.2, "Maps Integer Keys"
_VERSION, _SEGMENTS, _REGEX, _POSITION = 1, 2, 5, 6


def rung_sidecar(names: Sequence[str], *, unmarked: Collection[int] = ()) -> bytes:
    """One file for all segments of a rung, in order: each name with its position, as an extended regular expression.

    The segments `unmarked`, counted from 0, are the same in both variants.
    """
    rows = [
        {_REGEX: f"^{re.escape(name)}$", _POSITION: UNMARKED if position in unmarked else position}
        for position, name in enumerate(names)
    ]
    return _sidecar(rows)


def segment_sidecar(position: int) -> bytes:
    """The file of one segment alone: without an expression, as an egress has it (5.6.5)."""
    return _sidecar([{_POSITION: position}])


def egress_header(position: int) -> str:
    """The value of `WMPaceInfoEgress`, for an origin that says it beside the segment."""
    return base64.urlsafe_b64encode(segment_sidecar(position)).rstrip(b"=").decode()


def ingest_header(variant: int, position: int) -> str:
    """The value of `WMPaceInfoIngest` (JSON), for pushing a segment: variant 0 is A, 1 is B."""
    whole = {"firstpart": True, "lastpart": True}
    return json.dumps({"version": VERSION, "variant": variant, "position": position, **whole}, separators=(",", ":"))


def _sidecar(rows: list[dict[int, object]]) -> bytes:
    return cbor2.dumps({_VERSION: VERSION, _SEGMENTS: rows}, canonical=True)
