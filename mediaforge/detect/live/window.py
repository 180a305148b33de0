"""The last half minute of a stream as codes: pieces are looked at once, when they come, and forgotten when they are too old."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.features import Features
from mediaforge.detect.live.listing import LONGEST_SECONDS
from mediaforge.detect.sound_spectrum import RATE
from mediaforge.detect.video import Fingerprint

SECONDS = 30.0  # what one search looks at; a title is recognised by a few of them


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stretch:
    """One piece as it was seen and heard. `begin` and `end`: seconds of the stream, counted from where we began.

    `live_at`: when `end` was at the live edge, unix seconds. `sound` has RATE samples a second, as long as the piece; None
    where it lies in pieces of its own, which are put where they belong by `clock`, the media's at `begin`.
    """

    begin: float
    end: float
    live_at: float
    broadcast: float | None
    seen: Fingerprint | None
    sound: NDArray[np.int16] | None
    clock: float | None = None
    is_broken: bool = False  # nothing of it could be decoded


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sounding:
    """Sound that came apart from the pictures: it begins at `clock` on the media's clock, with RATE samples a second."""

    clock: float
    samples: NDArray[np.int16]


class Window:
    """What is remembered of a stream: never more than SECONDS and one piece."""

    def __init__(self) -> None:
        self._kept: deque[Stretch] = deque()
        self._sounds: deque[Sounding] = deque()

    def add(self, stretch: Stretch) -> None:
        self._kept.append(stretch)
        while self._kept[0].end <= stretch.end - SECONDS:
            self._kept.popleft()

    def hear(self, sound: Sounding) -> None:
        """Sound beside the pictures, which may come before them or after."""
        self._sounds.append(sound)
        while sum(len(each.samples) for each in self._sounds) > (2 * SECONDS + LONGEST_SECONDS) * RATE:
            self._sounds.popleft()

    def forget(self) -> None:
        """After a gap times no longer fit together."""
        self._kept.clear()

    @property
    def begin(self) -> float:
        return self._kept[0].begin

    def seen(self) -> Fingerprint | None:
        """The pictures of the window as one fingerprint, its times counted from `begin`; None where there are none."""
        parts = [(each.begin - self.begin, each.seen) for each in self._kept if each.seen is not None]
        return _joined(parts) if parts else None

    def heard(self) -> NDArray[np.int16]:
        """The sound of the window."""
        return np.concatenate([each.sound if each.sound is not None else self._beside(each) for each in self._kept])

    def _beside(self, stretch: Stretch) -> NDArray[np.int16]:
        """What came apart from these pictures, silence where there is nothing (yet)."""
        heard = np.zeros(round((stretch.end - stretch.begin) * RATE), np.int16)
        if stretch.clock is not None:
            for each in self._sounds:
                first = round((each.clock - stretch.clock) * RATE)
                low, high = max(first, 0), min(first + len(each.samples), len(heard))
                if low < high:
                    heard[low:high] = each.samples[low - first : high - first]
        return heard

    def live_at(self, second: float) -> float:
        """When this second of the stream was at the live edge, unix seconds by our clock."""
        one = self._holding(second)
        return one.live_at - (one.end - second)

    def broadcast(self, second: float) -> float | None:
        """The same by the clock of the playlist, where it has one."""
        one = self._holding(second)
        return None if one.broadcast is None else one.broadcast + (second - one.begin)

    def _holding(self, second: float) -> Stretch:
        return next((each for each in self._kept if each.end > second), self._kept[-1])


def fitted(sound: Sequence[NDArray[np.int16]], seconds: float) -> NDArray[np.int16]:
    """Sound cut, or followed by silence, to exactly this length: so that what follows stays in step with the picture."""
    wanted = round(seconds * RATE)
    heard = np.concatenate([np.empty(0, np.int16), *sound])[:wanted]
    return np.concatenate([heard, np.zeros(wanted - len(heard), np.int16)])


def _joined(parts: Sequence[tuple[float, Fingerprint]]) -> Fingerprint:
    """Fingerprints behind one another, each moved to its seconds. Times go on rising where a piece is longer than was said."""
    ends = [begin for begin, _ in parts[1:]] + [float("inf")]
    cut = [_until(seen, (end - begin) * 1000) for (begin, seen), end in zip(parts, ends, strict=True)]
    shifts = [round(begin * 1000) for begin, _ in parts]
    return Fingerprint(
        seconds=Fraction(shifts[-1], 1000) + cut[-1].seconds,
        times=np.concatenate([each.times + shift for each, shift in zip(cut, shifts, strict=True)]),
        reference_codes=np.concatenate([each.reference_codes for each in cut]),
        query_codes=np.concatenate([each.query_codes for each in cut]),
        features=_chained([each.features for each in cut], shifts),
        turned=_chained([each.turned for each in cut], shifts),
    )


def _until(seen: Fingerprint, end_ms: float) -> Fingerprint:
    kept = seen.times < end_ms
    if kept.all():
        return seen
    return replace(seen, times=seen.times[kept], reference_codes=seen.reference_codes[kept], query_codes=seen.query_codes[kept])


def _chained(parts: Sequence[Features], shifts: Sequence[int]) -> Features:
    sizes = np.concatenate([np.diff(each.starts) for each in parts])
    return Features(
        times=np.concatenate([each.times + shift for each, shift in zip(parts, shifts, strict=True)]),
        starts=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        codes=np.concatenate([each.codes for each in parts]),
        places=np.concatenate([each.places for each in parts]),
        shape=parts[-1].shape,
    )
