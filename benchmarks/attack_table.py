"""Leaks as they were read, added up: segments, not read, wrong, with the bounds that so few allow."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from attacked_titles import CLIPS
from attacks import ATTACKS

from mediaforge.watermark.evidence import LEAST_Z

LEAST_SEGMENTS = 500  # fewer claim no error rate
SURE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One leak: `z` has a plus where the right variant was read, of the segments `numbers`; the others gave no symbol.

    `made` names the encodes, `detector` the code that read them.
    """

    attack: str
    clip: str
    made: str
    detector: str
    rung: str
    seed: int
    segments: int
    numbers: list[int]
    z: list[float]
    right_rung: int
    cpu_per_second_and_rung: float


def print_tables(rows: list[Row]) -> None:
    print(
        f"\nA segment with |z| below {LEAST_Z:g} is not read. `wrong` is of those read, with its bounds of {100 * SURE:g} %\n"
        "(Clopper and Pearson), as if all segments were independent. They are not: the same content comes back under other\n"
        "codes. `contents` are the different ones (attack, rung and segment), of which so many were ever read wrong."
    )
    allowed = {one.name: one.errors for one in ATTACKS}
    _print("attack", rows, list(allowed), lambda row: row.attack, allowed)
    _print("genre", rows, list(CLIPS), lambda row: row.clip, {})
    _print("rung", rows, sorted({row.rung for row in rows}), lambda row: row.rung, {})
    for name, share in allowed.items():
        mine = [row for row in rows if row.attack == name]
        if len({row.clip for row in mine}) > 1:
            _print(f"{name}:", mine, list(CLIPS), lambda row: row.clip, dict.fromkeys(CLIPS, share))


def told(row: Row) -> str:
    z = " ".join(f"{value:.0f}" for value in row.z)
    read = f"{len(row.z):3}/{row.segments}"
    return f"{row.clip:<12} {row.rung} {row.attack:<17} {row.seed:3} {read} z {z} cpu {row.cpu_per_second_and_rung:.3f}"


def _print(what: str, rows: list[Row], names: list[str], of: Callable[[Row], str], allowed: dict[str, float]) -> None:
    print(
        f"\n{what:<18} segments  not read  wrong/read    rate  bounds           allowed  contents wrong  z median    5 %  "
        "right rung  CPU s/s/rung"
    )
    for name in names:
        mine = [row for row in rows if of(row) == name]
        if not mine:
            continue
        z = np.array([value for row in mine for value in row.z])
        segments, read = sum(row.segments for row in mine), int((np.abs(z) >= LEAST_Z).sum())
        wrong = int((z <= -LEAST_Z).sum())
        low, high = clopper_pearson(wrong, read)
        rate = f"{100 * wrong / read:5.2f} %" if read >= LEAST_SEGMENTS else "few"
        limit = f"{100 * allowed[name]:.0f} %" if name in allowed else ""
        contents, mistaken = _contents(mine)
        rung = sum(row.right_rung for row in mine) / max(1, len(z))
        middle, least = np.percentile(z, [50, 5]) if len(z) else (0.0, 0.0)
        print(
            f"{name:<18} {segments:8} {100 * (1 - read / segments):7.1f} % {f'{wrong}/{read}':>11} {rate:>7}  "
            f"{100 * low:5.2f} to {100 * high:6.2f} % {limit:>7}  {f'{mistaken}/{contents}':>14} {middle:9.1f} {least:6.1f} "
            f"{100 * rung:9.0f} % {np.median([row.cpu_per_second_and_rung for row in mine]):13.3f}"
        )


def _contents(rows: list[Row]) -> tuple[int, int]:
    """How many contents were read, and how many of them wrong at least once."""
    read = {
        (row.attack, row.made, row.rung, number, value > 0)
        for row in rows
        for number, value in zip(row.numbers, row.z, strict=True)
        if abs(value) >= LEAST_Z
    }
    return len({one[:-1] for one in read}), sum(not right for *_, right in read)


def clopper_pearson(wrong: int, of: int, sure: float = SURE) -> tuple[float, float]:
    """Between which rates the true one lies, so surely, where `wrong` of `of` independent trials were (1934)."""
    each = (1 - sure) / 2
    low = 0.0 if wrong == 0 else _where(lambda rate: 1 - _at_most(wrong - 1, of, rate) >= each)
    high = 1.0 if wrong == of else _where(lambda rate: _at_most(wrong, of, rate) <= each)
    return low, high


def _at_most(count: int, of: int, rate: float) -> float:
    """The chance of at most `count` of `of`."""
    logs = [
        math.lgamma(of + 1) - math.lgamma(k + 1) - math.lgamma(of - k + 1) + k * math.log(rate) + (of - k) * math.log1p(-rate)
        for k in range(count + 1)
    ]
    return math.fsum(math.exp(log) for log in logs)


def _where(holds: Callable[[float], bool]) -> float:
    """The rate from which on it holds."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
