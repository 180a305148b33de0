"""Every stream opens with its key and decodes whole, by libav, which shares no code with the packager."""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Literal

from mediaforge.checks import Check, Level
from mediaforge.errors import MediaError
from mediaforge.frames import Decoded, decode_all
from mediaforge.media import AUDIO_RATE, Grid
from mediaforge.package.contents import Contents
from mediaforge.package.layout import TRICK_FOLDER
from mediaforge.package.record import Scheme
from mediaforge.package.rules import Rule, finding
from mediaforge.package.stream import Stream

DECODE = Rule(id="package.decode", clause="ours", holds="a stream opens with its key and decodes whole, by another decoder")

RULES = (DECODE,)


def check_decoding(
    contents: Contents, keys: Mapping[bytes, bytes] | None, on_progress: Callable[[float], None]
) -> Iterator[Check]:
    """Decode every rung in every variant, and every sound, once. Without keys an encrypted package gives a warning only."""
    if keys is None and contents.record.scheme is not Scheme.NONE:
        message = "nothing was decrypted or decoded, because no keys are at hand; verify it where the key store is"
        yield Check(id=DECODE.id, ok=False, level=Level.WARNING, message=message)
        return
    streams = [stream for _, stream in contents.encrypted()]
    whole = sum(_size(stream) for stream in streams)
    done = 0
    for stream in streams:
        faults = _faults(stream, contents.record.grid_of(stream.folder), keys or {})
        yield finding(DECODE, faults, about=stream.folder, good="decodes whole")
        done += _size(stream)
        on_progress(done / whole)


def _faults(stream: Stream, grid: Grid, keys: Mapping[bytes, bytes]) -> Iterator[str]:
    protection = stream.track.protection
    key = keys.get(protection.default_kid) if protection else None
    if protection and key is None:
        yield f"{stream.folder} needs key {protection.default_kid.hex()}, which was not given"
        return
    kind: Literal["video", "audio"] = "video" if stream.track.handler == "vide" else "audio"
    try:
        decoded = decode_all(stream.files, kind=kind, key=key)
    except MediaError as error:
        yield str(error)
        return
    yield from (f"decoding {stream.folder}: {line}" for line in decoded.error_lines)
    if stream.folder == TRICK_FOLDER:
        yield from _picture(stream, decoded, frames=grid.segments, last=grid.segment_span(grid.segments - 1).start)
    elif kind == "video":
        yield from _picture(stream, decoded, frames=grid.frames, last=(grid.frames - 1) / grid.fps)
    else:
        yield from _sound(stream, decoded, grid)


def _picture(stream: Stream, decoded: Decoded, *, frames: int, last: Fraction) -> Iterator[str]:
    """`last`: when the last frame is to be shown."""
    if decoded.frames != frames:
        yield f"{stream.folder} decodes to {decoded.frames} frames, not the {frames} of the source"
    tick = Fraction(1, stream.track.timescale)
    if decoded.frames and (decoded.first != 0 or abs(decoded.last - last) > tick):
        begin, end = float(decoded.first), float(decoded.last)
        yield f"{stream.folder} shows its frames from {begin:.4f} to {end:.4f} s, not from 0 to the title's last frame"


def _sound(stream: Stream, decoded: Decoded, grid: Grid) -> Iterator[str]:
    apart = Fraction(decoded.samples, AUDIO_RATE) - grid.duration
    if abs(apart) > Fraction(stream.track.default_duration, stream.track.timescale):
        yield f"{stream.folder} decodes to {float(apart):+.4f} s more than the title: over a frame apart"


def _size(stream: Stream) -> int:
    return sum(segment.size for segment in stream.segments)
