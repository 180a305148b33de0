"""The throughput that viewing sessions see, second by second: drawn from a network model, or replayed from traces.

Session means are stratified quantiles of the network's distribution; a shape normalised to mean 1 moves each of them. The
shape is a lognormal AR(1) process with the variation and autocorrelation of the session's access class, or a real trace.
"""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from mediaforge.errors import NetworkError
from mediaforge.transcode.network import Network

SESSIONS = 200
SESSION_SECONDS = 900  # ten minutes of content and the waiting that a slow network adds; then the trace begins anew
ROUND_TRIP_3G = 0.095  # seconds; HSDPA traces record none (facts: M-Lab p90 of Morocco is 90 ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A measured session: mean throughput of each second, and the time from a request to its first byte."""

    rates_bps: NDArray[np.float64]  # (seconds,)
    round_trip_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """Many sessions side by side, one row each; a row begins anew when it ends. Made by `make_sessions`."""

    rates_bps: NDArray[np.float64]  # (sessions, seconds)
    round_trip_s: NDArray[np.float64]  # (sessions,)
    delivered_bits: NDArray[np.float64]  # (sessions, seconds + 1): what has come by the end of each second
    rising: NDArray[np.float64]  # all of delivered_bits as one rising list: row k scaled to k .. k + 1

    @property
    def count(self) -> int:
        return len(self.rates_bps)

    @property
    def mean_bps(self) -> NDArray[np.float64]:
        return np.asarray(self.rates_bps.mean(axis=1))

    def bits_until(self, time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bits that could have come from 0 to `time` seconds, (sessions,) or (sessions, times)."""
        seconds = self.rates_bps.shape[1]
        row = np.arange(self.count).reshape(-1, *[1] * (time.ndim - 1))
        rounds = np.floor(time / seconds)
        within = time - rounds * seconds
        second = np.minimum(within.astype(np.int64), seconds - 1)
        bits = self.delivered_bits[row, second] + (within - second) * self.rates_bps[row, second]
        return np.asarray(rounds * self.delivered_bits[row, -1] + bits)

    def time_of(self, bits: NDArray[np.float64]) -> NDArray[np.float64]:
        """When that many bits have come, (sessions,) seconds: the inverse of `bits_until` where throughput is above 0."""
        seconds = self.rates_bps.shape[1]
        row = np.arange(self.count)
        total = self.delivered_bits[:, -1]
        rounds = np.floor(bits / total)
        rest = bits - rounds * total
        place = np.searchsorted(self.rising, row + rest / total, side="right") - 1 - row * (seconds + 1)
        second = np.clip(place, 0, seconds - 1)
        rate = np.maximum(self.rates_bps[row, second], 1e-9)
        part = np.clip((rest - self.delivered_bits[row, second]) / rate, 0.0, 1.0)
        return np.asarray(rounds * seconds + second + part)


def draw_sessions(
    network: Network,
    rng: np.random.Generator,
    *,
    count: int = SESSIONS,
    seconds: int = SESSION_SECONDS,
    shapes: Sequence[Trace] = (),
) -> Sessions:
    """`count` sessions at the quantiles (k + 1/2) / count of the network's session means.

    Each is of a class drawn from the mixture's posterior; `shapes` replace the generated throughput shapes of all classes.
    """
    means = _session_means(network, count)
    kinds = [network.classes[index] for index in draw_classes(network, rng, count=count)]
    if shapes:
        order = rng.integers(len(shapes), size=count)
        shape = np.stack([_to_mean_one(_repeat(shapes[index].rates_bps, seconds)) for index in order])
    else:
        shape = draw_shapes(
            rng,
            variation=np.array([kind.variation for kind in kinds]),
            autocorrelation=np.array([kind.autocorrelation for kind in kinds]),
            seconds=seconds,
        )
    return make_sessions(means[:, None] * shape, np.array([kind.round_trip_ms / 1000 for kind in kinds]))


def draw_classes(network: Network, rng: np.random.Generator, *, count: int = SESSIONS) -> NDArray[np.int64]:
    """The access class of each session, (count,) places in `network.classes`: from the mixture's posterior at its mean."""
    chances = network.class_shares(_session_means(network, count)).cumsum(axis=1)
    return np.asarray((rng.random((count, 1)) > chances).sum(axis=1).clip(max=len(network.classes) - 1))


def draw_shapes(
    rng: np.random.Generator,
    *,
    variation: NDArray[np.float64],
    autocorrelation: NDArray[np.float64],
    seconds: int = SESSION_SECONDS,
) -> NDArray[np.float64]:
    """Lognormal AR(1) throughput, (sessions, seconds), every row with mean 1.

    The logarithm has standard deviation sqrt(ln(1 + variation^2)) and this lag-1-second autocorrelation; in distribution
    the process is stationary from its first second.
    """
    sigma = np.sqrt(np.log1p(variation**2))
    noise = rng.standard_normal((len(variation), seconds))
    log_rate = np.empty_like(noise)
    log_rate[:, 0] = noise[:, 0]
    fresh = np.sqrt(1 - autocorrelation**2)
    for now in range(1, seconds):
        log_rate[:, now] = autocorrelation * log_rate[:, now - 1] + fresh * noise[:, now]
    return _to_mean_one(np.exp(sigma[:, None] * log_rate))


def replay(traces: Sequence[Trace], *, scale: float = 1.0, mean_bps: float | None = None) -> Sessions:
    """One session a trace: as it is, times `scale`, or every one brought to the same mean."""
    seconds = max(len(trace.rates_bps) for trace in traces)
    rates = np.stack([_repeat(trace.rates_bps, seconds) for trace in traces])
    rates = rates * scale if mean_bps is None else _to_mean_one(rates) * mean_bps
    return make_sessions(rates, np.array([trace.round_trip_s for trace in traces]))


def make_sessions(rates_bps: NDArray[np.float64], round_trip_s: NDArray[np.float64]) -> Sessions:
    """Sessions from throughput, (sessions, seconds), and round-trip times, (sessions,)."""
    rates = np.asarray(rates_bps, dtype=np.float64)
    delivered = np.concatenate((np.zeros((len(rates), 1)), rates.cumsum(axis=1)), axis=1)
    return Sessions(
        rates_bps=rates,
        round_trip_s=np.asarray(round_trip_s, dtype=np.float64),
        delivered_bits=delivered,
        rising=(delivered / delivered[:, -1:] + np.arange(len(rates))[:, None]).ravel(),
    )


def read_cooked(path: Path, *, round_trip_s: float = ROUND_TRIP_3G) -> Trace:
    """A trace of lines `seconds<TAB>Mbit/s`: the mean rate since the line before (Riiser's HSDPA logs as Pensieve has them).

    Raises NetworkError with the line that makes no sense.
    """
    times, bits = [0.0], [0.0]
    first = 0.0
    for number, line in enumerate(_read(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            time, mbps = (float(word) for word in line.split())
        except ValueError as error:
            raise NetworkError(path, f"line {number} is {line[:40]!r}; each line is `seconds<TAB>Mbit/s`") from error
        first = time if number == 1 else first  # a cut-out piece of a drive does not start at 0
        if not (time - first >= times[-1] and 0 <= mbps < np.inf):
            raise NetworkError(path, f"line {number} goes back in time or has a rate below 0; order the lines by time")
        bits.append(bits[-1] + mbps * 1e6 * (time - first - times[-1]))
        times.append(time - first)
    return _on_seconds(path, np.array(times), np.array(bits), round_trip_s)


class _Period(msgspec.Struct, frozen=True):
    duration_ms: float
    bandwidth_kbps: float
    latency_ms: float


def read_sabre(path: Path) -> Trace:
    """A network file of the Sabre simulator: a JSON list of duration_ms, bandwidth_kbps and latency_ms. Raises NetworkError."""
    try:
        periods = msgspec.json.decode(_read(path).encode(), type=list[_Period])
    except (msgspec.DecodeError, json.JSONDecodeError) as error:
        raise NetworkError(path, f"is no Sabre network ({error}); it lists duration_ms, bandwidth_kbps, latency_ms") from error
    if any(period.duration_ms < 0 or period.bandwidth_kbps < 0 or period.latency_ms < 0 for period in periods):
        raise NetworkError(path, "has a duration, bandwidth or latency below 0; mend that period")
    times = list(itertools.accumulate((period.duration_ms / 1000 for period in periods), initial=0.0))
    bits = list(itertools.accumulate((period.bandwidth_kbps * period.duration_ms for period in periods), initial=0.0))
    round_trip = sum(period.latency_ms * period.duration_ms for period in periods) / max(1.0, times[-1] * 1000) / 1000
    return _on_seconds(path, np.array(times), np.array(bits), round_trip)


def _session_means(network: Network, count: int) -> NDArray[np.float64]:
    return network.rate_at((np.arange(count) + 0.5) / count)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NetworkError(path, f"cannot be read ({error}); give a trace file") from error


def _on_seconds(path: Path, times: NDArray[np.float64], bits: NDArray[np.float64], round_trip_s: float) -> Trace:
    """The mean rate of every whole second; what is left at the end is dropped."""
    seconds = int(times[-1])
    if seconds < 1 or bits[-1] <= 0:
        raise NetworkError(path, "carries nothing or is shorter than a second; give a longer trace")
    return Trace(rates_bps=np.diff(np.interp(np.arange(seconds + 1), times, bits)), round_trip_s=round_trip_s)


def _repeat(rates: NDArray[np.float64], seconds: int) -> NDArray[np.float64]:
    return np.resize(rates, seconds)


def _to_mean_one(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rates / rates.mean(axis=-1, keepdims=True))
