"""What a playlist of a live stream names: its newest pieces, whether it has ended, when to ask again."""

from dataclasses import dataclass

MOST_PIECES = 64  # of one playlist: the newest; a window of a minute has no more
LONGEST_SECONDS = 60.0  # a longer piece is no segment of a live stream


class NoListing(Exception):
    """What was fetched is no playlist that can be followed; the words say why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file, or `count` bytes of it from `first` on."""

    url: str
    first: int = 0
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """The key of AES-128 (RFC 8216, 4.3.2.4): the whole piece is one CBC ciphertext."""

    url: str
    iv: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A media segment. `number` rises along the stream; `broadcast` is the playlist's own clock (unix seconds) at its start.
    `is_joined`: its times go on from those of the piece before. `clock`: its start in seconds on the clock that
    picture and sound share, where the playlist itself says so (DASH does; in HLS it stands in the piece, see mediaclock.py)."""

    number: int
    media: Part
    seconds: float
    init: Part | None = None
    key: Key | None = None
    broadcast: float | None = None
    is_joined: bool = True
    clock: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    pieces: tuple[Piece, ...]  # the newest at most MOST_PIECES
    ended: bool
    reload_seconds: float  # how long a piece takes to appear


def held_seconds(said: float) -> float:
    """A duration that can be one: a playlist may say anything."""
    return min(max(said, 0.0), LONGEST_SECONDS) if said == said else 0.0  # noqa: PLR0124 - nan
