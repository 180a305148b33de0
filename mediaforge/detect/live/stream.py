"""A live stream followed by a limited, guarded child: its pieces, each as bytes, as they appear."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from mediaforge.confinement import Limits
from mediaforge.detect.live.wire import LENGTH
from mediaforge.errors import MediaError, StoreError, ToolError
from mediaforge.tools import open_stream, python_module

_MEMORY_BYTES = 1 << 30
_MOST_HEAD_BYTES = 1 << 16
_MOST_TOGETHER_BYTES = 32 << 20
_MOST_TOGETHER = 8  # pieces: some last no time, if the playlist is believed


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A piece, or some of one timeline behind one another, as they came; `init` is what decodes them, where there is such.

    `live_at`: when its end was at the live edge, unix seconds by our clock. `broadcast`: when its beginning was, by the
    playlist's own, where it says so. `is_after_gap`: pieces before it were lost. `is_joined`: its times go on from those
    before. `clock`: its beginning on the media's clock, which sound that comes apart from the pictures (`is_sound`) shares.
    """

    init: bytes
    media: bytes
    seconds: float
    live_at: float
    broadcast: float | None
    is_after_gap: bool
    is_joined: bool
    pieces: int = 1
    clock: float | None = None
    is_sound: bool = False


def together(received: Iterable[Received], *, least_seconds: float) -> Iterator[Received]:
    """Short pieces of one timeline as one: a decoder takes longer to start than to decode a second."""
    held: dict[bool, Received] = {}  # pictures, and sound beside them
    for each in received:
        former = held.pop(each.is_sound, None)
        if former is not None and (each.is_after_gap or not each.is_joined or each.init != former.init):
            yield former
            former = None
        now = each if former is None else _behind(former, each)
        if now.seconds >= least_seconds or now.pieces >= _MOST_TOGETHER or len(now.media) >= _MOST_TOGETHER_BYTES:
            yield now
        else:
            held[each.is_sound] = now
    yield from held.values()


def _behind(held: Received, each: Received) -> Received:
    seconds, pieces = held.seconds + each.seconds, held.pieces + 1
    return replace(held, media=held.media + each.media, seconds=seconds, live_at=each.live_at, pieces=pieces)


def follow(url: str, *, window_seconds: float, seconds: float | None, allow_hosts: tuple[str, ...] = ()) -> Iterator[Received]:
    """The pieces of a live HLS or DASH stream, for so long (None: until it ends), beginning `window_seconds` before now.

    Addresses are refused as by `sources.fetch`. Raises MediaError where it is no live stream that can be followed,
    StoreError where the network fails, ToolError where the child does.
    """
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise MediaError(url, "is no http or https address; give the address of a playlist (.m3u8 or .mpd)")
    request = {"url": url, "allow_hosts": allow_hosts, "window": window_seconds, "seconds": seconds}
    argv = python_module("mediaforge.detect.live.child")
    limits = Limits(memory_bytes=_MEMORY_BYTES, network=True)
    with open_stream(argv, name="follower", limits=limits, stdin=json.dumps(request).encode()) as stream:
        while True:
            head, data = _record(stream)
            if head["kind"] == "ended":
                return
            if head["kind"] == "failed":
                raise _failure(url, head)
            yield Received(
                init=data[: head["init"]],
                media=data[head["init"] :],
                seconds=head["seconds"],
                live_at=head["live_at"],
                broadcast=head["broadcast"],
                is_after_gap=head["skipped"],
                is_joined=head["joined"],
                clock=head["clock"],
                is_sound=head["kind"] == "sound",
            )


def _record(stream: BinaryIO) -> tuple[dict[str, Any], bytes]:
    (length,) = LENGTH.unpack(_exactly(stream, LENGTH.size))
    if length > _MOST_HEAD_BYTES:
        raise ToolError("follower", "sent something that is no record")
    head: dict[str, Any] = json.loads(_exactly(stream, length))
    return head, _exactly(stream, head["bytes"])


def _exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) != count:
        raise ToolError("follower", "ended early; run again", transient=True)
    return data


def _failure(url: str, head: dict[str, Any]) -> Exception:
    return StoreError(url, head["what"], transient=True) if head["outcome"] == "unreachable" else MediaError(url, head["what"])
