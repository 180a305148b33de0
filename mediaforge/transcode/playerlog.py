"""An operator's own network: percentiles of session throughput out of the log of his players, as CSV.

A row is one measurement. Throughput in kbit/s stands in the column `throughput_kbps` or in CMCD's `mtp` (CTA-5004); with a
column `session` or CMCD's `sid` the rows of a session are averaged first, weighted by `duration_s` or CMCD's `d` (milliseconds)
where there is one. Without it every row is a session.
"""

import csv
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mediaforge.errors import NetworkError
from mediaforge.transcode.network import AccessClass, Network, Percentiles

LEAST_SESSIONS = 100  # below, the slowest twentieth is five viewers
MOST_RUBBISH = 0.10  # of the rows
_THROUGHPUT = ("throughput_kbps", "mtp")
_SESSION = ("session", "sid")
_DURATION = {"duration_s": 1.0, "d": 0.001}  # seconds in one unit of the column
_PERCENT = (1, 2, 5, 10, 25, 50, 75, 90, 95, 98, 99)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerLog:
    throughput: Percentiles  # of the means of sessions, bit/s
    sessions: int
    rows: int
    rubbish: int  # rows that were no measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    session: str
    kbps: float
    weight: float


def import_log(path: Path) -> PlayerLog:
    """Read a log. Raises NetworkError where it has no throughput, too few sessions or more than a tenth of rubbish."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _summary(path, _rows(path, file))
    except OSError as error:
        raise NetworkError(path, f"cannot be read ({error.strerror}); give a CSV file with a header row") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise NetworkError(path, f"is not CSV in UTF-8 ({error}); export it again as such") from error


def network_of_log(log: PlayerLog, base: Network, *, name: str, source: str, date: str) -> Network:
    """A network with the log's percentiles; access classes and price are the base's, the classes weighted anew."""
    return replace(
        base,
        name=name,
        description=f"measured by players in {log.sessions} sessions; access classes and price of {base.name}",
        source=source,
        licence="the operator's own",
        date=date,
        sessions=log.sessions,
        throughput=log.throughput,
        round_trip=None,
        loss=None,
        classes=weigh_classes(base.classes, log.throughput),
    )


def weigh_classes(classes: Sequence[AccessClass], throughput: Percentiles) -> tuple[AccessClass, ...]:
    """The classes with the weights, none negative and 1 together, whose mixture comes nearest to the percentiles.

    Least squares of the distribution function. Of each set of classes that may have weight, the normal equations with the sum
    as a constraint give the best; with four classes that is fifteen small systems, and the best one without a negative weight
    is the non-negative optimum.
    """
    target = np.array(throughput.percent) / 100
    parts = np.array([[_share_below(kind, rate) for kind in classes] for rate in throughput.values])  # (percentiles, classes)
    best, error = np.zeros(len(classes)), math.inf
    for count in range(1, len(classes) + 1):
        for chosen in itertools.combinations(range(len(classes)), count):
            some = parts[:, chosen]
            system = np.block([[2 * some.T @ some, np.ones((count, 1))], [np.ones((1, count)), np.zeros((1, 1))]])
            weights = np.linalg.lstsq(system, np.append(2 * some.T @ target, 1.0), rcond=None)[0][:count]
            missed = float(((some @ weights - target) ** 2).sum())
            if weights.min() >= 0 and missed < error:
                best, error = np.zeros(len(classes)), missed
                best[list(chosen)] = weights
    return tuple(replace(kind, weight=float(weight)) for kind, weight in zip(classes, best / best.sum(), strict=True))


def _share_below(kind: AccessClass, rate_bps: float) -> float:
    return (1 + math.erf(math.log(rate_bps / kind.median_bps) / kind.sigma_ln / math.sqrt(2))) / 2


def _rows(path: Path, lines: Iterable[str]) -> Iterable[_Row | None]:
    """The measurements, None for a row that is none."""
    iterator = iter(lines)
    header = next(iterator, "")
    delimiter = ";" if header.count(";") > header.count(",") else ","  # where a comma is the decimal point, lists have ;
    reader = csv.DictReader(itertools.chain([header], iterator), delimiter=delimiter)
    columns = {str(name).strip().lower(): str(name) for name in reader.fieldnames or ()}
    rate = next((columns[name] for name in _THROUGHPUT if name in columns), None)
    if rate is None:
        raise NetworkError(path, f"has no column {' or '.join(_THROUGHPUT)}; name the throughput in kbit/s so in the first row")
    session = next((columns[name] for name in _SESSION if name in columns), None)
    duration = next((name for name in _DURATION if name in columns), None)
    for number, row in enumerate(reader):
        kbps = _positive(row, rate)
        weight = _positive(row, columns[duration]) * _DURATION[duration] if duration is not None else 1.0
        who = str(number) if session is None else str(row.get(session) or "").strip()
        measured = kbps > 0 and weight > 0 and who and None not in row  # None: more fields than the header has
        yield _Row(session=who, kbps=kbps, weight=weight) if measured else None


def _positive(row: Mapping[str, str | None], column: str) -> float:
    """A number above 0, else 0."""
    try:
        value = float((row.get(column) or "").strip().replace(",", "."))
    except ValueError:
        return 0.0
    return value if 0 < value < math.inf else 0.0


def _summary(path: Path, rows: Iterable[_Row | None]) -> PlayerLog:
    total: dict[str, float] = {}
    weight: dict[str, float] = {}
    count = rubbish = 0
    for row in rows:
        count += 1
        if row is None:
            rubbish += 1
            continue
        total[row.session] = total.get(row.session, 0.0) + row.kbps * row.weight
        weight[row.session] = weight.get(row.session, 0.0) + row.weight
    if rubbish > MOST_RUBBISH * count:
        what = f"{rubbish} of {count} rows are no measurement (a throughput above 0, its session and duration); mend the export"
        raise NetworkError(path, what)
    if len(total) < LEAST_SESSIONS:
        raise NetworkError(path, f"has {len(total)} sessions; {LEAST_SESSIONS} or more say something about a network")
    means = [1000 * total[session] / weight[session] for session in total]
    return PlayerLog(throughput=_percentiles(path, means), sessions=len(means), rows=count, rubbish=rubbish)


def _percentiles(path: Path, means_bps: Sequence[float]) -> Percentiles:
    """Those that differ: a cap of a tariff makes many sessions equal."""
    found: dict[float, float] = {}
    for percent, value in zip(_PERCENT, np.percentile(means_bps, _PERCENT), strict=True):
        if not found or value > max(found.values()) * (1 + 1e-6):
            found[float(percent)] = float(value)
    if len(found) < 3:
        raise NetworkError(path, "nearly all sessions have the same throughput; a network needs more than one speed")
    return Percentiles(percent=tuple(found), values=tuple(found.values()))
