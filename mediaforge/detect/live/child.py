"""The child behind stream.py: follow one live stream, guarded, and hand each finished piece over as it comes.

A request comes on stdin; to stdout go records: the length of a JSON head, the head, and the bytes that it counts. Whoever reads
slowly holds us up, not our memory: what has left the playlist meanwhile is skipped, and said.
"""

import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from mediaforge.detect.guard import Guard, NotFetched, not_public
from mediaforge.detect.live.dash import read_manifest
from mediaforge.detect.live.hls import read_media_playlist, renditions
from mediaforge.detect.live.listing import Listing, NoListing, Part, Piece
from mediaforge.detect.live.mediaclock import begins_at
from mediaforge.detect.live.track import MAX_PLAYLIST_BYTES, Fetcher, Track
from mediaforge.detect.live.wire import LENGTH

STALE_SECONDS = 60.0  # a stream in which nothing new appears for so long is over
MOST_LOST = 10  # one after the other


def main() -> None:
    request = json.load(sys.stdin)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not stand among the records
    guard = Guard(tuple(request["allow_hosts"]), 0)
    guard.install()
    try:
        end = _Follower(request, guard, out).follow()
        _send(out, {"kind": "ended", "why": end})
    except NotFetched as error:
        told = not_public(guard.refused[0]) if guard.refused else error
        _send(out, {"kind": "failed", "outcome": told.outcome, "what": str(told)})
    except BrokenPipeError:  # nobody listens any more
        os._exit(0)


def _send(out: BinaryIO, head: dict[str, Any], data: bytes = b"") -> None:
    text = json.dumps(head | {"bytes": len(data)}).encode()
    out.write(LENGTH.pack(len(text)) + text + data)
    out.flush()


@dataclass(slots=True)
class _Follower:
    """The pictures of a stream, and its sound where that has a playlist of its own; what fails of that ends nothing."""

    request: dict[str, Any]
    guard: Guard
    out: BinaryIO
    url: str = ""
    sound_url: str | None = None
    lost: int = 0  # pieces in a row that could not be fetched
    sound_lost: int = 0
    fetcher: Fetcher = field(init=False)
    pictures: Track = field(init=False)
    sound: Track = field(init=False)

    def __post_init__(self) -> None:
        self.fetcher = Fetcher(guard=self.guard)
        self.pictures = Track(fetcher=self.fetcher, window_seconds=self.request["window"])
        self.sound = Track(fetcher=self.fetcher, window_seconds=self.request["window"])

    def follow(self) -> str:
        """Until the stream ends, or the time is over; says which. Raises NotFetched."""
        self.url = self.request["url"]
        until = time.monotonic() + self.request["seconds"] if self.request["seconds"] else None
        fresh = time.monotonic()
        while True:
            listing, sound = self._listings_or_none(is_first=self.pictures.last is None)
            seen_at = time.time()
            if sound is not None and self.sound_lost <= MOST_LOST:
                self._hand_over_sound(self.sound.new(sound), until)
            new = self.pictures.new(listing) if listing else []
            if self._hand_over(new, seen_at, until):
                fresh = time.monotonic()
            if until is not None and time.monotonic() >= until:
                return "time"
            if listing is not None and listing.ended and (not new or self.pictures.last == new[-1].number):
                return "ended"
            if time.monotonic() - fresh > STALE_SECONDS:
                raise NotFetched(f"has given nothing new for {STALE_SECONDS:.0f} s; try again later", outcome="unreachable")
            pause = (listing.reload_seconds if listing else 2.0) / (1 if new else 2)
            pause = min(max(pause, 0.5), 10.0)
            time.sleep(pause if until is None else max(0.0, min(pause, until - time.monotonic())))

    def _listings_or_none(self, *, is_first: bool) -> tuple[Listing | None, Listing | None]:
        """A server may fail now and then; only the first answer must be one. Raises NotFetched."""
        try:
            listing, sound = self._listings()
        except NoListing as error:
            raise NotFetched(f"{error}") from error
        except NotFetched:
            if is_first or self.guard.refused:
                raise
            return None, None
        if is_first and listing.ended:
            raise NotFetched("is a recorded video, not a live stream; identify it without --live")
        return listing, sound

    def _listings(self) -> tuple[Listing, Listing | None]:
        """Of the pictures, and of sound that lies beside them."""
        text, url = self.fetcher.fetch(Part(url=self.url), most=MAX_PLAYLIST_BYTES)
        self.url = url  # where redirects led: the pieces come from there as well
        if text.lstrip()[:7] == b"#EXTM3U":
            words = text.decode("utf-8", "replace")
            chosen = renditions(words, url)
            if chosen is not None:
                self.sound_url = chosen.sound
                text, self.url = self.fetcher.fetch(Part(url=chosen.picture), most=MAX_PLAYLIST_BYTES)
                words = text.decode("utf-8", "replace")
            return read_media_playlist(words, self.url), self._sound_listing()
        if b"<MPD" in text[:4096]:
            now = time.time() + (self.fetcher.clock_ahead or 0.0)
            listing = read_manifest(text, url, now=now)
            with suppress(NoListing):  # sound that wants a licence leaves the pictures as they are
                return listing, read_manifest(text, url, now=now, sound=True)
            return listing, None
        raise NoListing("is neither an HLS nor a DASH playlist; give the address of the stream itself (.m3u8 or .mpd)")

    def _sound_listing(self) -> Listing | None:
        if self.sound_url is None or self.sound_lost > MOST_LOST:
            return None
        try:
            text, self.sound_url = self.fetcher.fetch(Part(url=self.sound_url), most=MAX_PLAYLIST_BYTES)
            return read_media_playlist(text.decode("utf-8", "replace"), self.sound_url)
        except NoListing:  # none yet, or under a licence
            self.sound_lost += 1
        except NotFetched:
            self.sound_lost += 1
            if self.guard.refused:
                raise
        return None

    def _hand_over(self, pieces: list[Piece], seen_at: float, until: float | None) -> bool:
        """Whether anything was. Raises NotFetched where nothing can be had any more."""
        done = False
        for number, piece in enumerate(pieces):
            if until is not None and time.monotonic() >= until:
                break
            data = self.pictures.bytes_of(piece)
            if data is None:
                self.lost, self.pictures.skipped = self.lost + 1, True
                if self.lost > MOST_LOST:
                    raise NotFetched(f"gives none of its last {MOST_LOST} segments; try again later", outcome="unreachable")
            else:
                lag = sum(later.seconds for later in pieces[number + 1 :])
                self._send_piece("piece", piece, data, {"live_at": seen_at - lag, "skipped": self.pictures.skipped})
                self.lost, self.pictures.skipped, done = 0, False, True
            self.pictures.last = piece.number
        return done

    def _hand_over_sound(self, pieces: list[Piece], until: float | None) -> None:
        """Raises NotFetched where it leads to where nobody may go."""
        for piece in pieces:
            if until is not None and time.monotonic() >= until:
                return
            data, self.sound.last = self.sound.bytes_of(piece, tries=1), piece.number
            self.sound_lost = self.sound_lost + 1 if data is None else 0
            if data is None:
                return  # the pictures do not wait for it
            self._send_piece("sound", piece, data, {"live_at": time.time(), "skipped": False})

    def _send_piece(self, kind: str, piece: Piece, data: tuple[bytes, bytes], more: dict[str, Any]) -> None:
        head = {"kind": kind, "number": piece.number, "seconds": piece.seconds, "broadcast": piece.broadcast}
        clock = begins_at(*data) if piece.clock is None else piece.clock
        head |= {"joined": piece.is_joined, "init": len(data[0]), "clock": clock}
        _send(self.out, head | more, data[0] + data[1])


if __name__ == "__main__":
    main()
