"""A live stream watched: each piece is looked at and listened to when it comes, and the last half minute is looked up again and
again. What is remembered does not grow, however long the stream."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice, takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mediaforge.context import Context
from mediaforge.detect.features import Looking, without
from mediaforge.detect.live.alarms import Alarms, Event, Kind
from mediaforge.detect.live.stream import Received, follow, together
from mediaforge.detect.live.window import SECONDS, Sounding, Stretch, Window, fitted
from mediaforge.detect.match import Match, find_matches
from mediaforge.detect.pointfile import PointFiles
from mediaforge.detect.sound import sound_fingerprint
from mediaforge.detect.sound_index import SoundIndex
from mediaforge.detect.sound_match import find_sound
from mediaforge.detect.sound_spectrum import RATE
from mediaforge.detect.tiers import Found, lay_together, not_excluded
from mediaforge.detect.video import MAX_SIDE, QUERY_FPS, fingerprint
from mediaforge.errors import MediaError, ToolError
from mediaforge.frames import read_audio, read_frames
from mediaforge.media import Span

_T = TypeVar("_T")

LOOKING = Looking(step_ms=1000, points=160, side=480)  # a third as often as a short file: a stream goes on
_LOOK_EVERY = 4.0  # seconds of the stream
_POINTS_SECONDS = 12  # points are looked up for the last of them alone, and
_POINTS_EVERY = 16.0  # so often; and so seldom that it takes at most a quarter of the time:
_POINTS_SHARE = 4.0
_PIECE_CPU_SECONDS = 120  # a piece that takes longer to decode is no film
_LONGEST_PIECE = 61.0
_OFF_SECONDS, _OFF_SHARE = 1.0, 0.25  # a piece that lasts so much longer or shorter than was said lasts as long as it does
_MOST_BROKEN = 20  # in a row


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An event of a watch. `live_at`: when its first moment was at the live edge, unix seconds by our clock; `latency_seconds`:
    how much later it was told; `broadcast`: the same moment by the stream's own clock, where it has one."""

    event: Event
    live_at: float
    latency_seconds: float
    broadcast: float | None


@dataclass(slots=True)
class Watched:
    """What a watch came to. `broken`: how many pieces could not be decoded; `gaps`: how often some were lost."""

    seconds: float = 0.0
    pieces: int = 0
    broken: int = 0
    gaps: int = 0
    bytes: int = 0
    looks: int = 0


def watch(
    context: Context,
    url: str,
    *,
    seconds: float | None,
    allow_hosts: tuple[str, ...],
    on_alarm: Callable[[Alarm], None],
    on_piece: Callable[[Watched], None] = lambda _: None,
    watched: Watched | None = None,
) -> Watched:
    """Watch a live HLS or DASH stream for so long, or until it ends; `watched` is kept up to date for whoever interrupts.

    Raises MediaError where it is no live stream or cannot be decoded, StoreError where the network fails.
    """
    watched = watched or Watched()
    watcher = _Watcher(context, url, watched)
    broken = 0
    with TemporaryDirectory(prefix="mediaforge-live-") as folder:
        pieces = follow(url, window_seconds=SECONDS, seconds=seconds, allow_hosts=allow_hosts)
        for received in together(pieces, least_seconds=_LOOK_EVERY):
            watched.bytes += len(received.media)
            if received.is_sound:
                watcher.hear(received, Path(folder) / "sound")
                continue
            watched.pieces += received.pieces
            if received.is_after_gap:
                watched.gaps += 1
                watcher.window.forget()
            stretch = _looked_at(received, Path(folder) / "piece", begin=watched.seconds)
            watched.seconds = stretch.end
            broken = broken + 1 if stretch.is_broken else 0
            watched.broken += received.pieces if stretch.is_broken else 0
            if broken > _MOST_BROKEN:
                raise MediaError(url, f"has given {broken} pieces in a row that cannot be decoded; check that it plays")
            watcher.take(stretch, on_alarm)
            on_piece(watched)
    watcher.close(on_alarm)
    return watched


def _looked_at(received: Received, path: Path, *, begin: float) -> Stretch:
    """Decode one piece, as far as it goes."""
    path.write_bytes(received.init + received.media)
    frames = _whole(read_frames(path, fps=QUERY_FPS, max_side=MAX_SIDE, rough=True, cpu_seconds=_PIECE_CPU_SECONDS))
    some = islice(takewhile(lambda frame: frame.seconds < _LONGEST_PIECE, frames), round(QUERY_FPS * _LONGEST_PIECE))
    pictures = fingerprint(some, LOOKING)
    seen = pictures if pictures.seconds else None
    sound = _heard(path)
    found = float(seen.seconds) if seen is not None else sum(map(len, sound)) / RATE
    seconds = _true_seconds(received.seconds, found) if found else received.seconds
    return Stretch(
        begin=begin,
        end=begin + seconds,
        live_at=received.live_at,
        broadcast=received.broadcast,
        seen=seen,
        sound=fitted(sound, seconds) if sound or received.clock is None else None,
        clock=received.clock,
        is_broken=seen is None and not sound,
    )


def _heard(path: Path) -> list[NDArray[np.int16]]:
    """The sound of one piece, as far as it goes."""
    sound, samples = [], 0
    for block in _whole(read_audio(path, rate=RATE, cpu_seconds=_PIECE_CPU_SECONDS)):
        sound.append(block)
        samples += len(block)
        if samples > _LONGEST_PIECE * RATE:
            break
    return sound


def _whole(parts: Iterator[_T]) -> Iterator[_T]:
    """What comes before the decoder gives up."""
    with suppress(MediaError, ToolError):
        yield from parts


def _true_seconds(said: float, found: float) -> float:
    return found if abs(said - found) > _OFF_SECONDS + _OFF_SHARE * found else said


class _Watcher:
    """The window, the alarms, and when to look."""

    def __init__(self, context: Context, url: str, watched: Watched) -> None:
        self.context = context
        self.url = url
        self.watched = watched
        self.window = Window()
        self.alarms = Alarms()
        self.next_look = self.next_points = 0.0

    def take(self, stretch: Stretch, on_alarm: Callable[[Alarm], None]) -> None:
        """One more piece; and a look at the window where it is time for one."""
        self.window.add(stretch)
        if stretch.end < self.next_look:
            return
        self.next_look = stretch.end + _LOOK_EVERY
        begin = self.window.begin
        for event in self.alarms.update(self._found(stretch.end), window_begin=begin, now=stretch.end):
            on_alarm(self._alarm(event))

    def hear(self, received: Received, path: Path) -> None:
        """Sound that has a playlist of its own, decoded as far as it goes."""
        path.write_bytes(received.init + received.media)
        sound = _heard(path)
        if sound and received.clock is not None:
            self.window.hear(Sounding(clock=received.clock, samples=np.concatenate(sound)))

    def close(self, on_alarm: Callable[[Alarm], None]) -> None:
        for event in self.alarms.close():
            on_alarm(self._alarm(event))

    def _found(self, now: float) -> tuple[Found, ...]:
        self.watched.looks += 1
        exclusions = self.context.index.exclusions()
        spans = exclusions.of_titles()
        pictures = self._seen(spans, now)
        sounds = SoundIndex(self.context.sound_index_folder)
        heard = self.window.heard()
        found_sounds = find_sound(sound_fingerprint([heard]), sounds.load()) if len(heard) and sounds.titles() else ()
        rejected = {title for known_by, title in exclusions.rejected if known_by == self.url}
        found = lay_together(pictures, not_excluded(found_sounds, spans))
        return tuple(each for each in found if each.title not in rejected)

    def _seen(self, spans: dict[str, tuple[Span, ...]], now: float) -> tuple[Match, ...]:
        """Whole pictures each time, points less often: they cost more than all else."""
        seen = self.window.seen()
        if seen is None:
            return ()
        references = self.context.index.load()
        if now < self.next_points:
            return find_matches(seen, references)
        former = Span(start=Fraction(0), end=max(Fraction(0), seen.seconds - _POINTS_SECONDS))
        some = replace(seen, features=without(seen.features, (former,)), turned=without(seen.turned, (former,)))
        begin = time.monotonic()
        found = find_matches(some, references, PointFiles(self.context.index_folder, spans))
        self.next_points = now + max(_POINTS_EVERY, _POINTS_SHARE * (time.monotonic() - begin))
        return found

    def _alarm(self, event: Event) -> Alarm:
        moment = event.sighting.last if event.kind is Kind.ENDED else event.sighting.begin
        live_at = self.window.live_at(moment)
        return Alarm(
            event=event, live_at=live_at, latency_seconds=time.time() - live_at, broadcast=self.window.broadcast(moment)
        )
