"""One playlist of a live stream: which of its pieces are new, and their bytes, opened where they are encrypted."""

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from mediaforge.detect.guard import CapReached, Guard, NotFetched
from mediaforge.detect.live.listing import Listing, Part, Piece
from mediaforge.detect.plain_http import opened, read

MAX_PLAYLIST_BYTES = 1 << 20  # 40,000 segments; more is no window of a live stream
MAX_PIECE_BYTES = 64 << 20
REQUEST_SECONDS = 30.0
TRIES = 3  # a piece may be named a moment before it is there


class _TooMuch(NotFetched):
    """Asked for again, it would be no less."""


@dataclass(slots=True)
class Fetcher:
    guard: Guard
    clock_ahead: float | None = None  # the server's clock over ours, by its first answer

    def fetch(self, part: Part, *, most: int) -> tuple[bytes, str]:
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
        if self.clock_ahead is None and date:
            try:
                self.clock_ahead = parsedate_to_datetime(date).timestamp() - time.time()
            except ValueError:
                return


@dataclass(slots=True)
class Track:
    fetcher: Fetcher
    window_seconds: float
    last: int | None = None  # the number of the last piece handed over
    skipped: bool = False  # pieces have left the playlist before they were fetched
    kept: tuple[Part, bytes] | None = None  # the last init segment
    key: tuple[str, bytes] | None = None  # the last key

    def new(self, listing: Listing) -> list[Piece]:
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
            if seconds >= self.window_seconds:
                self.skipped |= self.last is not None
                break
            seconds, kept = seconds + piece.seconds, kept + 1
        return pieces[len(pieces) - kept :]

    def bytes_of(self, piece: Piece, *, tries: int = TRIES) -> tuple[bytes, bytes] | None:
        """Its init segment and itself; None where they cannot be had. Raises NotFetched where they lie where nobody may go."""
        for attempt in range(tries):
            try:
                init = self._init(piece.init) if piece.init else b""
                data, _ = self.fetcher.fetch(piece.media, most=MAX_PIECE_BYTES)
                return init, self._decrypted(data, piece) if piece.key else data
            except NotFetched as error:
                if self.fetcher.guard.refused:
                    raise
                if isinstance(error, _TooMuch):
                    break
                time.sleep(0.5 * (attempt + 1))
        return None

    def _init(self, part: Part) -> bytes:
        if self.kept is None or self.kept[0] != part:
            self.kept = (part, self.fetcher.fetch(part, most=MAX_PLAYLIST_BYTES)[0])
        return self.kept[1]

    def _decrypted(self, data: bytes, piece: Piece) -> bytes:
        assert piece.key is not None
        if self.key is None or self.key[0] != piece.key.url:
            self.key = (piece.key.url, self.fetcher.fetch(Part(url=piece.key.url), most=1024)[0])
        try:
            opener = Cipher(algorithms.AES128(self.key[1]), modes.CBC(piece.key.iv)).decryptor()
            padding = PKCS7(128).unpadder()
            return padding.update(opener.update(data) + opener.finalize()) + padding.finalize()
        except ValueError as error:
            raise NotFetched("has a segment that its key does not open") from error
