"""Viewing sessions replayed over a ladder: the judge of a ladder, never its optimiser.

All sessions walk in lock-step, one segment a step. A player asks for a segment when its buffer has room; the request costs one
round trip, then the bits come as the session's throughput lets them. Sound and picture are asked for in parallel, so a segment
costs one round trip, and a track's bits hold both. The first segment waits for the connection, the manifest and the init
segments: START_ROUND_TRIPS.

A viewer who sees nothing, and has waited (for the start and in stalls) longer than he has seen, gives up, but not in the first
PATIENCE seconds; the rest of the content counts VMAF 0 for him.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mediaforge.transcode.network import Price
from mediaforge.transcode.players import SAFETY, Players, Rule, give_up_requests, throughput_rungs
from mediaforge.transcode.sessions import Sessions

CONTENT_SECONDS = 600.0
BUFFER_SECONDS = 30.0  # dash.js's goal for long content, within the 25 to 60 s that players keep
START_ROUND_TRIPS = 4  # TCP, TLS 1.3, the manifest, the init segments
PATIENCE = 60.0  # seconds
_MOMENTS = np.arange(0.5, 8.01, 0.5)  # seconds after the first byte at which a request may be abandoned

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One rung as a player sees it: sound and container are already in its bits and its declared rate."""

    name: str
    declared_bps: float
    segment_bits: Floats  # (segments,)
    segment_vmaf: Floats  # (segments,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of the sessions, one value each, (sessions,) unless said."""

    vmaf: Floats  # mean over the whole content; what was never seen counts 0
    start_seconds: Floats  # until the first picture, or until the viewer gave up
    played_seconds: Floats
    stalled_seconds: Floats  # after the start
    stalls: NDArray[np.int64]
    switches: NDArray[np.int64]
    bits: Floats  # everything that came, abandoned requests too
    left: NDArray[np.bool_]  # gave up
    rung_share: Floats  # (rungs,): of all seconds played

    @property
    def mean_vmaf(self) -> float:
        return float(self.vmaf.mean())

    @property
    def p10_vmaf(self) -> float:
        return float(np.percentile(self.vmaf, 10))

    @property
    def stall_ratio(self) -> float:
        """Stalled over stalled and played seconds, of all sessions together; the start apart."""
        return float(self.stalled_seconds.sum() / max(1e-9, self.stalled_seconds.sum() + self.played_seconds.sum()))

    @property
    def smooth_share(self) -> float:
        """Sessions that played to the end without a stall."""
        return float(((self.stalls == 0) & ~self.left).mean())

    @property
    def switches_per_minute(self) -> float:
        return float(60 * self.switches.sum() / max(1e-9, self.played_seconds.sum()))

    @property
    def delivered_bps(self) -> float:
        """Bits over seconds played, of all sessions together."""
        return float(self.bits.sum() / max(1e-9, self.played_seconds.sum()))

    @property
    def gigabytes_per_hour(self) -> float:
        return self.delivered_bps * 3600 / 8e9

    def price_per_hour(self, price: Price) -> float:
        """What an hour of viewing costs a viewer, in the price's currency."""
        return self.gigabytes_per_hour * price.per_gigabyte


@dataclass(slots=True, kw_only=True)
class _State:
    """Where all sessions stand, (sessions,) each."""

    clock: Floats  # seconds since the viewer pressed play
    buffer: Floats
    start: Floats
    played: Floats
    stalled: Floats
    stalls: NDArray[np.int64]
    switches: NDArray[np.int64]
    last: NDArray[np.int64]
    bits: Floats
    vmaf_seconds: Floats
    left: NDArray[np.bool_]
    rung_seconds: Floats  # (rungs,)


def simulate(
    tracks: Sequence[Track],
    sessions: Sessions,
    *,
    rule: Rule = Rule.DYNAMIC,
    segment_seconds: float,
    content_seconds: float = CONTENT_SECONDS,
    buffer_seconds: float = BUFFER_SECONDS,
) -> Report:
    """Play `content_seconds` of the tracks, low to high, in every session; a shorter title is played again and again."""
    sizes = np.stack([track.segment_bits for track in tracks])  # (rungs, segments)
    scores = np.stack([track.segment_vmaf for track in tracks])
    declared = np.array([track.declared_bps for track in tracks], dtype=np.float64)
    players = Players(declared, rule, sessions=sessions.count, segment_seconds=segment_seconds, buffer_seconds=buffer_seconds)
    state = _begin(sessions, len(tracks))
    steps = max(1, round(content_seconds / segment_seconds))
    for step in range(steps):
        segment = step % sizes.shape[1]
        _fetch(
            state,
            players,
            sessions,
            sizes=sizes[:, segment],
            scores=scores[:, segment],
            declared=declared,
            segment_seconds=segment_seconds,
            buffer_seconds=buffer_seconds,
            first=step == 0,
        )
    state.played += np.where(state.left, 0.0, state.buffer)  # the rest of the buffer plays out
    return Report(
        vmaf=state.vmaf_seconds / (steps * segment_seconds),
        start_seconds=state.start,
        played_seconds=state.played,
        stalled_seconds=state.stalled,
        stalls=state.stalls,
        switches=state.switches,
        bits=state.bits,
        left=state.left,
        rung_share=state.rung_seconds / max(1e-9, float(state.rung_seconds.sum())),
    )


def _begin(sessions: Sessions, rungs: int) -> _State:
    count, zeros = sessions.count, np.zeros(sessions.count)
    return _State(
        clock=START_ROUND_TRIPS * sessions.round_trip_s,
        buffer=zeros.copy(),
        start=zeros.copy(),
        played=zeros.copy(),
        stalled=zeros.copy(),
        stalls=np.zeros(count, dtype=np.int64),
        switches=np.zeros(count, dtype=np.int64),
        last=np.zeros(count, dtype=np.int64),
        bits=zeros.copy(),
        vmaf_seconds=zeros.copy(),
        left=np.zeros(count, dtype=bool),
        rung_seconds=np.zeros(rungs),
    )


def _fetch(
    state: _State,
    players: Players,
    sessions: Sessions,
    *,
    sizes: Floats,
    scores: Floats,
    declared: Floats,
    segment_seconds: float,
    buffer_seconds: float,
    first: bool,
) -> None:
    """Fetch one segment in every session that is still there, and play meanwhile."""
    here = ~state.left
    rung, pause = players.choose(state.buffer)
    full = np.maximum(0.0, state.buffer - pause + segment_seconds - buffer_seconds)
    players.wait(np.where(here, full, 0.0))
    asked = state.clock + pause + full
    begun, came = _abandon(
        sessions, asked, sizes[rung], rung, buffer=state.buffer - pause - full, segment_seconds=segment_seconds
    )
    again = begun > asked
    if again.any():
        partial = begun - asked - sessions.round_trip_s
        players.hear(np.where(again, came, 0.0), np.where(again, partial, 0.0))
        lower = throughput_rungs(declared, SAFETY * came / np.where(again, partial, 1.0))
        rung = np.where(again, np.minimum(lower, rung), rung)
        players.settle(rung)
    first_byte = begun + sessions.round_trip_s
    before = sessions.bits_until(first_byte)
    done = sessions.time_of(before + sizes[rung])
    spent = done - state.clock
    short = np.maximum(0.0, spent - state.buffer)  # nothing to show for so long
    leaves = here & _gives_up(state, spent, short)
    moment = np.where(leaves, _leaving_moment(state), done)
    body = np.maximum(0.0, moment - first_byte)
    got = np.where(leaves, np.maximum(0.0, sessions.bits_until(np.maximum(moment, first_byte)) - before), sizes[rung])
    short = np.where(leaves, np.maximum(0.0, moment - state.clock - state.buffer), short)
    shown = np.minimum(state.buffer, moment - state.clock)
    stays = here & ~leaves

    players.hear(np.where(stays, sizes[rung], 0.0), np.where(stays, np.maximum(body, 1e-9), 0.0))
    if first:
        state.start[:] = moment
    else:
        stalled = here & (short > 0)
        players.stall(stalled)
        state.stalls += stalled
        state.stalled += np.where(here, short, 0.0)
        state.switches += stays & (rung != state.last)
    state.played += np.where(here, shown, 0.0)
    state.bits += np.where(here, np.where(again, came, 0.0) + got, 0.0)
    state.vmaf_seconds += np.where(stays, scores[rung] * segment_seconds, 0.0)
    np.add.at(state.rung_seconds, rung[stays], segment_seconds)
    state.buffer = np.where(stays, state.buffer - shown + segment_seconds, 0.0)
    state.clock = np.where(stays, moment, state.clock)
    state.last = np.where(stays, rung, state.last)
    state.left |= leaves


def _abandon(
    sessions: Sessions, asked: Floats, size: Floats, rung: NDArray[np.int64], *, buffer: Floats, segment_seconds: float
) -> tuple[Floats, Floats]:
    """When each segment is asked for in the end, and the bits that an abandoned request brought before."""
    first_byte = asked + sessions.round_trip_s
    progress = sessions.bits_until(first_byte[:, None] + _MOMENTS) - sessions.bits_until(first_byte)[:, None]
    hopeless, moment = give_up_requests(progress, _MOMENTS, size_bits=size, buffer=buffer, segment_seconds=segment_seconds)
    hopeless &= rung > 0
    begun = np.where(hopeless, first_byte + _MOMENTS[moment], asked)
    return begun, np.where(hopeless, progress[np.arange(len(size)), moment], 0.0)


def _gives_up(state: _State, spent: Floats, short: Floats) -> NDArray[np.bool_]:
    """Only who sees nothing now gives up."""
    waited = state.start + state.stalled + short
    return (short > 0) & (state.clock + spent > PATIENCE) & (waited > state.played + state.buffer)


def _leaving_moment(state: _State) -> Floats:
    """When the buffer is empty and the waiting has become as long as the viewing, but not before PATIENCE."""
    empty = state.clock + state.buffer
    seen_more = state.played + state.buffer - state.start - state.stalled
    return np.maximum(PATIENCE, empty + np.maximum(0.0, seen_more))
