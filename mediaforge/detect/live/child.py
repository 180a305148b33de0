"""The child behind stream.py: follow one live stream, guarded, and hand each finished piece over as it comes.

A request comes on stdin; to stdout go records: the length of a JSON head, the head, and the bytes that it counts. Whoever reads
slowly holds us up, not our memory: what has left the playlist meanwhile is skipped, and said.
"""

import json
import os
import sys
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from mediaforge.detect.guard import CapReached, Guard, NotFetched, not_public
from mediaforge.detect.live.dash import read_manifest
from mediaforge.detect.live.hls import media_playlist, read_media_playlist
from mediaforge.detect.live.listing import Listing, NoListing, Part, Piece
from mediaforge.detect.live.wire import LENGTH
from mediaforge.detect.plain_http import opened, read

MAX_PLAYLIST_BYTES = 1 << 20  # 40,000 segments; more is no window of a live stream
MAX_PIECE_BYTES = 64 << 20
REQUEST_SECONDS = 30.0
STALE_SECONDS = 60.0  # a stream in which nothing new appears for so long is over
TRIES = 3  # a piece may be named a moment before it is there
MOST_LOST = 10  # one after the other


class _TooMuch(NotFetched):
    """Asked for again, it would be no less."""


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
    request: dict[str, Any]
    guard: Guard
    out: BinaryIO
    url: str = ""
    clock_ahead: float = 0.0  # the server's clock over ours
    last: int | None = None  # the number of the last piece handed over
    lost: int = 0  # pieces in a row that could not be fetched
    skipped: bool = False
    kept: tuple[Part, bytes] | None = None  # the last init segment
    key: tuple[str, bytes] | None = None  # the last key

    def follow(self) -> str:
        """Until the stream ends, or the time is over; says which. Raises NotFetched."""
        self.url = self.request["url"]
        until = time.monotonic() + self.request["seconds"] if self.request["seconds"] else None
        fresh = time.monotonic()
        while True:
            listing = self._listing_or_none(is_first=self.last is None)
            seen_at = time.time()
            new = self._new(listing) if listing else []
            if self._hand_over(new, seen_at, until):
                fresh = time.monotonic()
            if until is not None and time.monotonic() >= until:
                return "time"
            if listing is not None and listing.ended and (not new or self.last == new[-1].number):
                return "ended"
            if time.monotonic() - fresh > STALE_SECONDS:
                raise NotFetched(f"has given nothing new for {STALE_SECONDS:.0f} s; try again later", outcome="unreachable")
            pause = (listing.reload_seconds if listing else 2.0) / (1 if new else 2)
            pause = min(max(pause, 0.5), 10.0)
            time.sleep(pause if until is None else max(0.0, min(pause, until - time.monotonic())))

    def _listing_or_none(self, *, is_first: bool) -> Listing | None:
        """A server may fail now and then; only the first answer must be one. Raises NotFetched."""
        try:
            listing = self._listing()
        except NoListing as error:
            raise NotFetched(f"{error}") from error
        except NotFetched:
            if is_first or self.guard.refused:
                raise
            return None
        if is_first and listing.ended:
            raise NotFetched("is a recorded video, not a live stream; identify it without --live")
        return listing

    def _listing(self) -> Listing:
        text, url = self._fetched(Part(url=self.url), most=MAX_PLAYLIST_BYTES)
        self.url = url  # where redirects led: the pieces come from there as well
        if text.lstrip()[:7] == b"#EXTM3U":
            words = text.decode("utf-8", "replace")
            rendition = media_playlist(words, url)
            if rendition is None:
                return read_media_playlist(words, url)
            text, url = self._fetched(Part(url=rendition), most=MAX_PLAYLIST_BYTES)
            self.url = url
            return read_media_playlist(text.decode("utf-8", "replace"), url)
        if b"<MPD" in text[:4096]:
            return read_manifest(text, url, now=time.time() + self.clock_ahead)
        raise NoListing("is neither an HLS nor a DASH playlist; give the address of the stream itself (.m3u8 or .mpd)")

    def _new(self, listing: Listing) -> list[Piece]:
        """What was not handed over yet; at first, or after a break, only as much as the window holds."""
        pieces = list(listing.pieces)
        if self.last is not None and pieces and pieces[-1].number >= self.last:
            known = [piece for piece in pieces if piece.number <= self.last]
            pieces = pieces[len(known) :]
            self.skipped |= not known and bool(pieces)  # the playlist has moved on without us
        else:
            self.skipped |= self.last is not None  # its numbers begin anew
        seconds, kept = 0.0, 0
        for piece in reversed(pieces):
            if seconds >= self.request["window"]:
                self.skipped |= self.last is not None
                break
            seconds, kept = seconds + piece.seconds, kept + 1
        return pieces[len(pieces) - kept :]

    def _hand_over(self, pieces: list[Piece], seen_at: float, until: float | None) -> bool:
        """Whether anything was. Raises NotFetched where nothing can be had any more."""
        done = False
        for number, piece in enumerate(pieces):
            if until is not None and time.monotonic() >= until:
                break
            data = self._piece(piece)
            if data is None:
                self.lost, self.skipped = self.lost + 1, True
                if self.lost > MOST_LOST:
                    raise NotFetched(f"gives none of its last {MOST_LOST} segments; try again later", outcome="unreachable")
            else:
                lag = sum(later.seconds for later in pieces[number + 1 :])
                head = {"kind": "piece", "number": piece.number, "seconds": piece.seconds, "broadcast": piece.broadcast}
                head |= {"live_at": seen_at - lag, "skipped": self.skipped, "joined": piece.is_joined, "init": len(data[0])}
                _send(self.out, head, data[0] + data[1])
                self.lost, self.skipped, done = 0, False, True
            self.last = piece.number
        return done

    def _piece(self, piece: Piece) -> tuple[bytes, bytes] | None:
        """Its init segment and itself."""
        for attempt in range(TRIES):
            try:
                init = self._init(piece.init) if piece.init else b""
                data, _ = self._fetched(piece.media, most=MAX_PIECE_BYTES)
                return init, self._decrypted(data, piece) if piece.key else data
            except NotFetched as error:
                if self.guard.refused:
                    raise
                if isinstance(error, _TooMuch):
                    break
                time.sleep(0.5 * (attempt + 1))
        return None

    def _init(self, part: Part) -> bytes:
        if self.kept is None or self.kept[0] != part:
            self.kept = (part, self._fetched(part, most=MAX_PLAYLIST_BYTES)[0])
        return self.kept[1]

    def _decrypted(self, data: bytes, piece: Piece) -> bytes:
        assert piece.key is not None
        if self.key is None or self.key[0] != piece.key.url:
            self.key = (piece.key.url, self._fetched(Part(url=piece.key.url), most=1024)[0])
        try:
            opener = Cipher(algorithms.AES128(self.key[1]), modes.CBC(piece.key.iv)).decryptor()
            padding = PKCS7(128).unpadder()
            return padding.update(opener.update(data) + opener.finalize()) + padding.finalize()
        except ValueError as error:
            raise NotFetched("has a segment that its key does not open") from error

    def _fetched(self, part: Part, *, most: int) -> tuple[bytes, str]:
        """The bytes, and where they came from in the end. Raises NotFetched."""
        self.guard.allow(max_bytes=most + (1 << 16), seconds=REQUEST_SECONDS)  # headers count as well
        wanted = {} if part.count is None else {"Range": f"bytes={part.first}-{part.first + part.count - 1}"}
        try:
            with opened(part.url, wanted) as response:
                data = read(response, most + 1)
                self._note_clock(response.headers.get("Date"))
                if part.count is not None and response.status != 206:  # a server that does not know ranges sends all
                    data = data[part.first : part.first + part.count]
                if len(data) > most:
                    raise CapReached
                return data, response.url
        except CapReached:
            raise _TooMuch(f"sends more than {most >> 20 or 1} MB at a time; that is no live stream") from None

    def _note_clock(self, date: str | None) -> None:
        if self.last is None and date:
            try:
                self.clock_ahead = parsedate_to_datetime(date).timestamp() - time.time()
            except ValueError:
                return


if __name__ == "__main__":
    main()
