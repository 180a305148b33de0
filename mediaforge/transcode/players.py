"""How players choose the next rung: by throughput, by buffer (BOLA-E), or by dash.js's dynamic rule, for all sessions at once.

Sources: Spiteri, Urgaonkar and Sitaraman, "BOLA: near-optimal bitrate adaptation for online videos" (INFOCOM'16); Spiteri,
Sitaraman and Sparacio, "From theory to practice: improving bitrate adaptation in the DASH reference player" (MMSys'18), which
describes BOLA-E, BOLA-O, the DYNAMIC rule and the abandonment of requests; the dash.js documentation for its constants.
"""

from enum import Enum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rungs = NDArray[np.int64]

SAFETY = 0.9  # share of the estimated throughput that a rung may take
_HALF_LIVES = (3.0, 8.0)  # seconds of download after which a sample counts half; the lower of both estimates is believed
_LOW_BUFFER = 10.0  # seconds: below it BOLA stays at the lowest rung, and DYNAMIC goes by throughput
_STABLE_BUFFER = 12.0  # seconds: the least buffer that BOLA aims at
_BUFFER_PER_RUNG = 2.0  # seconds that BOLA aims higher for every rung, so that the steps between rungs stay apart
_DECAY = 0.99  # of the placeholder with each segment
_GRACE = 0.5  # seconds a request runs before it may be abandoned
_ABANDON = 1.8  # segment durations: a download expected to take longer is abandoned


class Rule(Enum):
    THROUGHPUT = "throughput"
    BOLA_E = "bola-e"
    DYNAMIC = "dynamic"


def throughput_rungs(rates_bps: Floats, throughput_bps: Floats) -> Rungs:
    """The highest rung whose declared rate is within this throughput, else the lowest."""
    return np.maximum(np.searchsorted(rates_bps, throughput_bps, side="right") - 1, 0)


class Players:
    """The state of all sessions' players, (sessions,) each; `rates_bps` are the declared rates, rising."""

    def __init__(self, rates_bps: Floats, rule: Rule, *, sessions: int, segment_seconds: float, buffer_seconds: float) -> None:
        self._rates = rates_bps
        self._rule = rule
        self._segment = segment_seconds
        self._bola = Bola(rates_bps, segment_seconds=segment_seconds, buffer_seconds=buffer_seconds)
        self._averages = np.zeros((len(_HALF_LIVES), sessions))
        self._seconds = np.zeros(sessions)  # of download heard so far
        self._last = np.zeros(sessions, dtype=np.int64)
        self._placeholder = np.zeros(sessions)  # seconds of buffer BOLA-E imagines: what was waited, or never filled
        self._starting = np.ones(sessions, dtype=bool)
        self._by_buffer = np.full(sessions, rule is Rule.BOLA_E)

    def choose(self, buffer: Floats) -> tuple[Rungs, Floats]:
        """The rung of the next segment, and the seconds to wait before asking for it (BOLA's pause at a full buffer)."""
        safe = throughput_rungs(self._rates, SAFETY * self.throughput())
        rung, wait = safe, np.zeros_like(buffer)
        if self._rule is not Rule.THROUGHPUT:
            by_buffer, pause = self._choose_by_buffer(buffer, safe)
            if self._rule is Rule.DYNAMIC:
                low = buffer < _LOW_BUFFER
                self._by_buffer = np.where(low, self._by_buffer & (by_buffer >= safe), self._by_buffer | (by_buffer >= safe))
            rung = np.where(self._by_buffer, by_buffer, safe)
            wait = np.where(self._by_buffer, pause, 0.0)
        # A segment must come before half of the buffer is gone, as long as throughput lasts.
        spare = 0.5 * self.throughput() * buffer / self._segment
        rung = np.minimum(rung, throughput_rungs(self._rates, spare))
        self._last = rung
        return rung, wait

    def hear(self, bits: Floats, seconds: Floats) -> None:
        """A download of these bits took so long from its first byte; 0 seconds for a session that asked for nothing."""
        heard = seconds > 0
        rate = bits / np.where(heard, seconds, 1.0)
        for average, half_life in zip(self._averages, _HALF_LIVES, strict=True):
            keep = 0.5 ** (seconds / half_life)
            average[:] = np.where(heard, keep * average + (1 - keep) * rate, average)
        self._seconds += seconds

    def throughput(self) -> Floats:
        """Bit/s as estimated: the lower of a quick and a slow average, 0 before the first download."""
        weight = np.stack([1 - 0.5 ** (self._seconds / half_life) for half_life in _HALF_LIVES])
        return np.asarray((self._averages / np.maximum(weight, 1e-12)).min(axis=0))

    def wait(self, seconds: Floats) -> None:
        """The player could not ask because its buffer was full; BOLA-E counts that time as buffer."""
        self._placeholder += seconds

    def stall(self, stalled: NDArray[np.bool_]) -> None:
        """The buffer ran empty: there is nothing left to imagine."""
        self._placeholder = np.where(stalled, 0.0, self._placeholder)

    def settle(self, rung: Rungs) -> None:
        """The rung that was fetched in the end: another than chosen where a request was abandoned."""
        self._last = rung

    def _choose_by_buffer(self, buffer: Floats, safe: Rungs) -> tuple[Rungs, Floats]:
        starting = self._starting & (buffer < 2 * self._segment)
        self._starting = starting
        # At the start throughput decides, and BOLA is made to believe the buffer that it would decide so at.
        pretended = np.maximum(0.0, self._bola.least_level[safe] - buffer)
        self._placeholder = np.where(starting, pretended, self._placeholder * _DECAY)
        level = buffer + self._placeholder
        rung = self._bola.rungs(level)
        rising = (rung > self._last) & (rung > safe)  # BOLA-O: never above both the last rung and what throughput bears
        rung = np.where(starting, safe, np.where(rising, np.maximum(self._last, safe), rung))
        over = np.maximum(0.0, level - self._bola.most_level[rung])
        given_up = np.minimum(over, self._placeholder)
        self._placeholder = self._placeholder - given_up
        pause = np.where(starting | (rung == len(self._rates) - 1), 0.0, over - given_up)
        return rung, pause


class Bola:
    """BOLA's choice by buffer level alone: the rung that maximises (V (v + g) - level) / rate, v = ln(rate / lowest rate).

    For dense rungs the best one changes at level V (v + g - 1). V and g are such that this runs from 10 s at the lowest
    rung to the target at the highest: max(12 s, 10 s + 2 s a rung), as far as the buffer holds it.
    """

    def __init__(self, rates_bps: Floats, *, segment_seconds: float, buffer_seconds: float) -> None:
        target = max(_STABLE_BUFFER, _LOW_BUFFER + _BUFFER_PER_RUNG * len(rates_bps))
        target = max(min(target, buffer_seconds - segment_seconds), segment_seconds)
        low = min(_LOW_BUFFER, target * _LOW_BUFFER / _STABLE_BUFFER)  # a small buffer shrinks both
        utility = np.log(rates_bps / rates_bps[0])
        factor = (target - low) / max(float(utility[-1]), 1e-9)
        self._rates = rates_bps
        self.most_level = factor * utility + factor + low  # (rungs,): above it a rung's score is negative, so BOLA waits
        # Where two rungs score the same; the upper envelope rises with the rung because the utility is concave.
        lower, upper = rates_bps[:-1], rates_bps[1:]
        meeting = (upper * self.most_level[:-1] - lower * self.most_level[1:]) / (upper - lower)
        self.least_level = np.concatenate(([0.0], np.maximum(meeting, 0.0)))  # (rungs,): from here on a rung is best

    def rungs(self, level: Floats) -> Rungs:
        return np.searchsorted(self.least_level, level, side="right") - 1


def give_up_requests(
    progress_bits: Floats, moments: Floats, *, size_bits: Floats, buffer: Floats, segment_seconds: float
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which downloads are abandoned, (requests,), and at which of the moments (dash.js's AbandonRequestsRule).

    `progress_bits` (requests, moments) is what has come `moments` seconds after the first byte. A request is abandoned when,
    after half a second, the whole of it would take longer than 1.8 segments and the buffer is below its stable level.
    """
    expected = size_bits[:, None] * moments / np.maximum(progress_bits, 1e-9)
    hopeless = (expected > _ABANDON * segment_seconds) & (moments >= _GRACE) & (progress_bits < size_bits[:, None])
    hopeless &= buffer[:, None] - moments < _STABLE_BUFFER
    return np.asarray(hopeless.any(axis=1)), np.asarray(hopeless.argmax(axis=1))
