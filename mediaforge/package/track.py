"""What an init segment says of its one track: times, picture, codec and protection (ISO/IEC 14496-12, 23001-7)."""

import struct
from dataclasses import dataclass
from pathlib import Path

from mediaforge.errors import MediaError
from mediaforge.package.boxes import Box, children, find, find_all, fullbox
from mediaforge.package.pssh import Pssh, parse_pssh


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """`scheme` and `tenc`: how samples are encrypted unless they say otherwise. `iv_bytes` 0 means `constant_iv` counts."""

    scheme: str
    default_kid: bytes
    iv_bytes: int
    constant_iv: bytes
    crypt_blocks: int
    skip_blocks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One track. `handler` is vide, soun or text; `edit_start` is the media time, in ticks, that is shown at 0.

    `entries`: the kinds of its sample descriptions. A second one is that of the clear lead, if there is one.
    """

    brands: tuple[str, ...]
    track_id: int
    handler: str
    codec: str
    timescale: int
    width: int
    height: int
    edit_start: int
    default_duration: int
    default_flags: int
    protection: Protection | None
    pssh: tuple[Pssh, ...]
    entries: tuple[str, ...] = ()


def read_track(path: Path) -> Track:
    """Read an init segment. Raises MediaError where it is missing or malformed."""
    try:
        return parse_track(path.read_bytes())
    except OSError as error:
        raise MediaError(path, f"cannot be read ({error.strerror}); package the title again") from error
    except (ValueError, IndexError, struct.error) as error:
        raise MediaError(path, f"is no init segment ({error}); package the title again") from error


def parse_track(data: bytes) -> Track:
    """The track in the bytes of an init segment. Raises ValueError."""
    entries = list(children(data, _need(data, "moov/trak/mdia/minf/stbl/stsd")))
    if not entries:
        raise ValueError("its sample description is empty")
    entry = entries[0]
    format_box = _inside(data, entry, "sinf/frma")
    _, _, trex = fullbox(data, _need(data, "moov/mvex/trex"))
    is_video = entry.kind in ("avc1", "av01", "hvc1", "encv")
    # VisualSampleEntry, 12.1.3.2: width and height follow 24 bytes of reserved fields.
    width, height = struct.unpack_from(">HH", data, entry.body + 24) if is_video else (0, 0)
    return Track(
        brands=read_brands(data, _need(data, "ftyp")),
        track_id=int.from_bytes(trex[:4], "big"),
        handler=fullbox(data, _need(data, "moov/trak/mdia/hdlr"))[2][4:8].decode("latin-1"),
        codec=data[format_box.body : format_box.end].decode("latin-1") if format_box else entry.kind,
        timescale=_timescale(data),
        width=width,
        height=height,
        edit_start=_edit_start(data),
        default_duration=int.from_bytes(trex[8:12], "big"),
        default_flags=int.from_bytes(trex[16:20], "big"),
        protection=_protection(data, entry),
        pssh=tuple(parse_pssh(data[box.start : box.end]) for box in find_all(data, "moov/pssh")),
        entries=tuple(row.kind for row in entries),
    )


def _need(data: bytes, path: str) -> Box:
    box = find(data, path)
    if box is None:
        raise ValueError(f"it has no {path}")
    return box


def _inside(data: bytes, box: Box, path: str) -> Box | None:
    found: Box | None = box
    for name in path.split("/"):
        found = next((child for child in children(data, found) if child.kind == name), None) if found else None
    return found


def read_brands(data: bytes, box: Box) -> tuple[str, ...]:
    """ftyp and styp, 4.3 and 8.16.2: the major brand, its version, then the compatible ones."""
    body = data[box.body : box.end].decode("latin-1")
    return tuple(dict.fromkeys(body[at : at + 4] for at in (0, *range(8, len(body), 4))))


def _timescale(data: bytes) -> int:
    """mdhd, 8.4.2: ticks a second. Version 1 has 64-bit times before it."""
    version, _, body = fullbox(data, _need(data, "moov/trak/mdia/mdhd"))
    scale = int.from_bytes(body[16:20] if version else body[8:12], "big")
    if scale == 0:
        raise ValueError("its timescale is 0")
    return scale


def _edit_start(data: bytes) -> int:
    """elst, 8.6.6: where the first real edit begins; 0 where there is no edit list."""
    box = find(data, "moov/trak/edts/elst")
    if box is None:
        return 0
    version, _, body = fullbox(data, box)
    row = ">Qqi" if version else ">Iii"
    for at in range(int.from_bytes(body[:4], "big")):
        _, media_time, _ = struct.unpack_from(row, body, 4 + at * struct.calcsize(row))
        if media_time >= 0:
            return int(media_time)
    return 0


def _protection(data: bytes, entry: Box) -> Protection | None:
    """schm (14496-12, 8.12.5) and tenc (23001-7, 8.2)."""
    scheme_box, tenc_box = _inside(data, entry, "sinf/schm"), _inside(data, entry, "sinf/schi/tenc")
    if scheme_box is None or tenc_box is None:
        return None
    version, _, tenc = fullbox(data, tenc_box)
    iv_bytes = tenc[3]
    constant = tenc[21 : 21 + tenc[20]] if tenc[2] and iv_bytes == 0 else b""
    return Protection(
        scheme=fullbox(data, scheme_box)[2][:4].decode("latin-1"),
        default_kid=tenc[4:20],
        iv_bytes=iv_bytes,
        constant_iv=constant,
        crypt_blocks=tenc[1] >> 4 if version else 0,
        skip_blocks=tenc[1] & 15 if version else 0,
    )
