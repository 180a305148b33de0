"""The network a ladder is made for: how fast sessions are, how their throughput moves, what a gigabyte costs.

A network is a TOML file with measured percentiles of the mean throughput of sessions, and classes of access (a mixture of
lognormals) that give each session a shape and a round-trip time. The share of sessions below a rate comes from the
percentiles alone: measured tails are fatter than the mixture's.
"""

import itertools
import json
import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mediaforge.errors import NetworkError

_LEAST_PERCENTILES = 3
_WEIGHT_SLACK = 0.002  # four weights rounded to three decimals may miss 1 by this much


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """Measured values by the percentage of the sessions that lie below them, both rising."""

    percent: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessClass:
    """One kind of access: lognormal session means, and how throughput moves inside a session.

    `variation` is the coefficient of variation of one-second throughput, `autocorrelation` that of its logarithm at a lag
    of one second.
    """

    name: str
    median_bps: float
    sigma_ln: float
    weight: float
    variation: float
    autocorrelation: float
    round_trip_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    currency: str
    per_gigabyte: float  # 10^9 bytes, as tariffs count


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    name: str
    description: str
    source: str
    licence: str
    date: str
    sessions: int
    throughput: Percentiles  # bit/s
    round_trip: Percentiles | None  # milliseconds
    loss: Percentiles | None  # share of packets
    price: Price
    classes: tuple[AccessClass, ...]

    def share_below(self, rate_bps: ArrayLike) -> NDArray[np.float64]:
        """The share of sessions, 0 to 1, whose mean throughput is below `rate_bps`; any shape.

        Linear in the logarithm of the rate between percentiles; beyond the outermost two the line goes on until it reaches
        0 or 1 (for maroc-2025 at 0.09 and 230 Mbit/s). Rates of 0 and less have nobody below.
        """
        log_rate, share = self._knots()
        rate = np.asarray(rate_bps, dtype=np.float64)
        with np.errstate(divide="ignore"):
            return np.asarray(np.interp(np.log(np.maximum(rate, 0.0)), log_rate, share))

    def rate_at(self, share: ArrayLike) -> NDArray[np.float64]:
        """The rate in bit/s that this share of the sessions stays below: the inverse of `share_below`; any shape."""
        log_rate, knots = self._knots()
        return np.asarray(np.exp(np.interp(np.asarray(share, dtype=np.float64), knots, log_rate)))

    def class_shares(self, rate_bps: ArrayLike) -> NDArray[np.float64]:
        """How likely a session of this mean rate is of each class, shape (..., classes): Bayes over the mixture."""
        log_rate = np.log(np.asarray(rate_bps, dtype=np.float64))[..., None]
        weight, median, sigma = (
            np.array([getattr(kind, field) for kind in self.classes]) for field in ("weight", "median_bps", "sigma_ln")
        )
        log_density = np.log(np.maximum(weight, 1e-300)) - np.log(sigma) - ((log_rate - np.log(median)) / sigma) ** 2 / 2
        density = np.exp(log_density - log_density.max(axis=-1, keepdims=True))  # far out all would be 0
        return np.asarray(density / density.sum(axis=-1, keepdims=True))

    def _knots(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The corners of the distribution function: log-rates and shares, tails included."""
        x, y = np.log(self.throughput.values), np.array(self.throughput.percent) / 100
        low = x[0] - y[0] * (x[1] - x[0]) / (y[1] - y[0])
        high = x[-1] + (1 - y[-1]) * (x[-1] - x[-2]) / (y[-1] - y[-2])
        return np.concatenate(([low], x, [high])), np.concatenate(([0.0], y, [1.0]))


def load_network(path: Path) -> Network:
    """Read and check a network file. Raises NetworkError saying what is wrong in which table and what to change."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NetworkError(
            path, f"cannot be read ({error.strerror}); `ladder network list` names the networks shipped"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NetworkError(path, f"is not TOML ({error}); compare it with ladders/networks/maroc-2025.toml") from error
    known = {"description", "source", "licence", "date", "sessions", "throughput", "round_trip", "loss", "price", "class"}
    _check_keys(path, "", table, known)
    throughput = _percentiles(path, table, "throughput", "kbps")
    if throughput is None:
        raise NetworkError(path, "has no [throughput] table; give percent = [...] and kbps = [...]")
    return Network(
        name=path.stem,
        description=_text(path, table, "description"),
        source=_text(path, table, "source"),
        licence=_text(path, table, "licence"),
        date=_text(path, table, "date"),
        sessions=int(_number(path, "", table, "sessions", least=1)),
        throughput=Percentiles(percent=throughput.percent, values=tuple(1000 * kbps for kbps in throughput.values)),
        round_trip=_percentiles(path, table, "round_trip", "ms"),
        loss=_percentiles(path, table, "loss", "share", may_rest=True),
        price=_price(path, table),
        classes=_classes(path, table),
    )


def save_network(network: Network, path: Path, *, replace: bool = False) -> None:
    """Write a network file that `load_network` reads back: whole, or not at all. Raises NetworkError."""
    if path.exists() and not replace:
        raise NetworkError(path, "is there already; name another file or say --force")
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(network_text(network))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise NetworkError(path, f"cannot be written ({error.strerror}); name a file that can") from error


def network_text(network: Network) -> str:
    """A network as TOML. Its name is the file's."""
    head = {key: getattr(network, key) for key in ("description", "source", "licence", "date", "sessions")}
    kbps = tuple(value / 1000 for value in network.throughput.values)
    tables: list[tuple[str, Mapping[str, object]]] = [("", head)]
    tables += [("[throughput]", {"percent": network.throughput.percent, "kbps": kbps})]
    for key, unit, found in (("round_trip", "ms", network.round_trip), ("loss", "share", network.loss)):
        if found is not None:
            tables += [(f"[{key}]", {"percent": found.percent, unit: found.values})]
    tables += [("[price]", {"currency": network.price.currency, "per_gigabyte": network.price.per_gigabyte})]
    for kind in network.classes:
        row: dict[str, object] = {"name": kind.name, "median_kbps": kind.median_bps / 1000}
        for key in ("sigma_ln", "weight", "variation", "autocorrelation", "round_trip_ms"):
            row[key] = getattr(kind, key)
        tables += [("[[class]]", row)]
    return "\n".join(
        "\n".join([*([title] if title else []), *(f"{key} = {_toml(value)}" for key, value in row.items()), ""])
        for title, row in tables
    )


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, str):
        # JSON's text is TOML's but for the one control character that JSON leaves alone
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"{float(value):.9g}" if isinstance(value, float) else str(value)


def _percentiles(path: Path, table: Mapping[str, Any], key: str, unit: str, *, may_rest: bool = False) -> Percentiles | None:
    """A table of two lists. Values rise; those that `may_rest` (a loss of 0) need only never fall."""
    if key not in table:
        return None
    row = _table(path, table, key)
    _check_keys(path, f"[{key}] ", row, {"percent", unit})
    percent, values = _numbers(path, key, row, "percent"), _numbers(path, key, row, unit)
    if len(percent) != len(values):
        raise NetworkError(path, f"[{key}] has {len(percent)} percent but {len(values)} {unit}; give one value each")
    if len(percent) < _LEAST_PERCENTILES:
        raise NetworkError(path, f"[{key}] has {len(percent)} percentiles; a distribution needs {_LEAST_PERCENTILES} or more")
    if not 0 < percent[0] <= percent[-1] < 100 or any(after <= before for before, after in itertools.pairwise(percent)):
        raise NetworkError(path, f"[{key}] percent must rise, above 0 and below 100; order the percentiles from low to high")
    if values[0] < 0 or (values[0] == 0 and not may_rest):
        raise NetworkError(path, f"[{key}] {unit} begins with {values[0]:g}; give values above 0")
    for at, (before, after) in zip(percent[1:], itertools.pairwise(values), strict=True):
        if after < before or (after == before and not may_rest):
            what = f"[{key}] {unit} at {at:g} percent is {after:g}, not above {before:g} before it; percentiles never fall"
            raise NetworkError(path, what)
    return Percentiles(percent=percent, values=values)


def _price(path: Path, table: Mapping[str, Any]) -> Price:
    row = _table(path, table, "price")
    _check_keys(path, "[price] ", row, {"currency", "per_gigabyte"})
    return Price(currency=_text(path, row, "currency"), per_gigabyte=_number(path, "[price] ", row, "per_gigabyte", least=0))


def _classes(path: Path, table: Mapping[str, Any]) -> tuple[AccessClass, ...]:
    rows = table.get("class")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise NetworkError(path, "has no [[class]] tables; give at least one kind of access")
    classes = tuple(_class(path, number, row) for number, row in enumerate(rows, start=1))
    names = [kind.name for kind in classes]
    if len(set(names)) < len(names):
        raise NetworkError(path, "two [[class]] tables have the same name; give every class its own")
    total = math.fsum(kind.weight for kind in classes)
    if abs(total - 1) > _WEIGHT_SLACK:
        raise NetworkError(path, f"the weights of the classes sum to {total:.3f}; make them sum to 1")
    return classes


def _class(path: Path, number: int, row: Mapping[str, Any]) -> AccessClass:
    place = f"[[class]] {number} "
    figures = {"median_kbps", "sigma_ln", "weight", "variation", "autocorrelation", "round_trip_ms"}
    _check_keys(path, place, row, {"name", *figures})
    value = {key: _number(path, place, row, key, least=0) for key in figures}
    for key in ("median_kbps", "sigma_ln"):
        if value[key] == 0:
            raise NetworkError(path, f"{place}{key} is 0; give a number above 0")
    for key in ("weight", "autocorrelation"):
        if value[key] > 1 or (key == "autocorrelation" and value[key] == 1):
            raise NetworkError(path, f"{place}{key} is {value[key]:g}; give a share below 1")
    return AccessClass(
        name=_text(path, row, "name"),
        median_bps=1000 * value["median_kbps"],
        sigma_ln=value["sigma_ln"],
        weight=value["weight"],
        variation=value["variation"],
        autocorrelation=value["autocorrelation"],
        round_trip_ms=value["round_trip_ms"],
    )


def _check_keys(path: Path, place: str, row: Mapping[str, Any], known: set[str]) -> None:
    for key in row:
        if key not in known:
            raise NetworkError(path, f"{place}{key} is not known; the keys here are {', '.join(sorted(known))}")


def _table(path: Path, table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    row = table.get(key)
    if not isinstance(row, dict):
        raise NetworkError(path, f"has no [{key}] table; compare it with ladders/networks/maroc-2025.toml")
    return row


def _text(path: Path, row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise NetworkError(path, f"{key} is {value!r}; give a text in quotes")
    return value


def _number(path: Path, place: str, row: Mapping[str, Any], key: str, *, least: float) -> float:
    value = row.get(key)
    if not _is_number(value) or value < least:  # type: ignore[operator]
        raise NetworkError(path, f"{place}{key} is {value!r}; give a number of {least:g} or more")
    return float(value)  # type: ignore[arg-type]


def _numbers(path: Path, place: str, row: Mapping[str, Any], key: str) -> tuple[float, ...]:
    value = row.get(key)
    if not isinstance(value, list) or not all(_is_number(item) for item in value):
        raise NetworkError(path, f"[{place}] {key} is not a list of numbers; write {key} = [1, 2, 3]")
    return tuple(float(item) for item in value)


def _is_number(value: object) -> bool:
    """TOML knows true, nan and inf, and none of them is a rate."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
