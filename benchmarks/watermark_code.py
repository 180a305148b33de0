"""The code layer of the watermark on simulated readings: how fast, how sure, against whom, beside the figures asked of it.

    python benchmarks/watermark_code.py [speed] [bound] [collusion] [single] [--runs 200] [--seed 0]

Positions are 1.92 s of a film of two hours, recipients 10^6, the false accusation allowed 10^-6. In each run the pirates and
10^7 / runs strangers are looked at, and all 10^6 are paid for in the bound. A reading is the pirates' symbol at half its
strength (an attack weakens it) with normal noise of the z that was measured with the detector; the code layer is told that
noise, not the strength.
"""

import argparse
import math
import os
import resource
import sys
import time
from collections.abc import Callable
from fractions import Fraction

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # CPU time of one core

import numpy as np
from numpy.typing import NDArray
from verdicts import Row, show

from mediaforge.watermark.collusion import nobody
from mediaforge.watermark.evidence import Evidence, Symbol
from mediaforge.watermark.ranking import rank
from mediaforge.watermark.scoring import Scored, fitted_bits, scored_models
from mediaforge.watermark.sequence import biases, code_blocks, codes, columns
from mediaforge.watermark.tail import ScoreTable, Tail, tail_at, tail_near
from mediaforge.watermark.trace import Recipients, Verdict, accuse

Floats = NDArray[np.float64]
Bits = NDArray[np.uint8]

SEGMENT = Fraction(48, 25)  # seconds
FILM = 3750  # segments: two hours
MILLION, ALLOWED = 10**6, 1e-6
STRENGTH = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = {"speed": speed, "bound": bound, "collusion": collusion, "single": single}
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(parts))
    parser.add_argument("--runs", type=int, default=200, help="coalitions a row")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    unknown = set(asked.parts) - set(parts)
    if unknown:
        parser.error(f"no part is called {', '.join(sorted(unknown))}")
    for part in asked.parts or parts:
        parts[part](asked.runs, asked.seed)


# Readings


def evidence_of(symbols: Floats, z: Floats, rng: np.random.Generator, *, segments: int = FILM) -> Evidence:
    """What is read of symbols (+1 A, -1 B, means between) at the beginning of a film."""
    sigma = STRENGTH / z
    return evidence_read(STRENGTH * symbols + sigma * rng.normal(size=len(symbols)), sigma, segments=segments)


def evidence_read(rho: Floats, sigma: Floats, *, segments: int = FILM) -> Evidence:
    read = (
        Symbol(segment=index, rho=float(value), sigma=float(noise), z=float(value / noise), rung="v400")
        for index, (value, noise) in enumerate(zip(rho, sigma, strict=True))
    )
    return Evidence(segments=segments, symbols=tuple(read), seconds_read=SEGMENT * len(rho), alignment=None, rungs=())


def mixed(handed: Bits, strategy: str, rng: np.random.Generator) -> Floats:
    """What the pirates put out, from their codes (pirates, positions)."""
    pirates, positions = handed.shape
    having = handed.sum(axis=0)
    if strategy == "average":
        return 2 * having / pirates - 1
    coin = rng.random(positions) < 0.5
    picked = {
        "mosaic": handed[rng.integers(pirates, size=positions), np.arange(positions)] == 1,
        "majority": np.where(2 * having == pirates, coin, 2 * having > pirates),
        "minority": np.where(2 * having == pirates, coin, 2 * having < pirates),
        "coin": coin,
    }[strategy]
    return 2.0 * np.where(having == 0, False, np.where(having == pirates, True, picked)) - 1


def even(z: float) -> Callable[[np.random.Generator, int], Floats]:
    return lambda _, positions: np.full(positions, z)


def between(least: float, mean: float) -> Callable[[np.random.Generator, int], Floats]:
    """z of a segment: from `least`, gamma-distributed to this mean, as skewed as the table of attacks shows."""
    return lambda rng, positions: least + rng.gamma(2.0, (mean - least) / 2, positions)


# Parts


def collusion(runs: int, seed: int) -> None:
    for pirates, minutes, strategies in (
        (2, 12, ("mosaic",)),
        (10, 15, ("average",)),
        (3, 20, ("mosaic", "majority", "minority", "coin")),
        (5, 60, ("mosaic", "majority", "minority", "coin")),
    ):
        for strategy in strategies:
            rows = caught(strategy, pirates, minutes * 60, even(20.0), runs, seed)
            show(f"Coalitions of {pirates}: one caught at least; strangers accused (z 20)", rows)
    rows = [row for who in ((2, 12), (3, 20)) for row in caught("mosaic", who[0], who[1] * 60, even(1.65), runs, seed)]
    show("The same where one segment in twenty reads wrongly (z 1.65); nothing is asked", [without(row) for row in rows])


def single(runs: int, seed: int) -> None:
    rows = caught("mosaic", 1, 150, between(13, 18), runs, seed, note="240p crf 33: z 18, least 13")
    rows += caught("mosaic", 1, 180, between(7.9, 10.1), runs, seed, note="strong camcorder, film: z 10.1, least 7.9")
    rows += caught("mosaic", 1, 180, between(0.9, 3.8), runs, seed, note="strong camcorder, animation: z 3.8, least 0.9")
    rows += caught("mosaic", 1, 180, between(0.2, 2.5), runs, seed, note="the same, older detector: z 2.5, least 0.2")
    show("One pirate among 10^6", rows)


def caught(
    strategy: str,
    pirates: int,
    seconds: int,
    z: Callable[[np.random.Generator, int], Floats],
    runs: int,
    seed: int,
    *,
    note: str = "",
) -> list[Row]:
    rng = np.random.default_rng([seed, pirates, seconds])
    positions = int(seconds / SEGMENT)
    strangers = 10**7 // runs
    hits, named, wrong = 0, 0, 0
    started = time.process_time()
    for run in range(runs):
        secret = rng.bytes(32)
        guilty = rng.choice(MILLION, size=pirates, replace=False)
        handed = codes(secret, guilty, FILM)[:, :positions]
        evidence = evidence_of(mixed(handed, strategy, rng), z(rng, positions), rng)
        others = MILLION + np.arange(strangers)
        verdict = among(np.concatenate([guilty, others]), evidence, secret, count=MILLION)
        accused = {int(one.recipient) for one in verdict.accusations}
        hits += bool(accused & set(guilty.tolist()))
        named += len(accused & set(guilty.tolist()))
        wrong += len(accused - set(guilty.tolist()))
        tell(f"{strategy} of {pirates}: run {run + 1} of {runs}, {hits} caught, {wrong} wrong")
    cpu = (time.process_time() - started) / runs
    what = f"{strategy} of {pirates}" if pirates > 1 else "alone"
    return [
        Row(
            f"{what}, {seconds} s: caught",
            hits / runs,
            "",
            least=0.95,
            note=note or f"{named / runs / pirates:.2f} of all, {cpu:.1f} s a run",
        ),
        Row(f"{what}, {seconds} s: strangers accused", wrong, f"of {strangers * runs:.0e}", most=0),
    ]


def among(numbers: NDArray[np.int64], evidence: Evidence, secret: bytes, *, count: int) -> Verdict:
    people = Recipients(numbers=numbers.astype(np.uint64), id_at=lambda row: str(numbers[row]), count=count)
    return accuse(evidence, secret=secret, recipients=people, false_accusation=ALLOWED)


def without(row: Row) -> Row:
    return row if row.most is not None else Row(row.what, row.value, row.unit, note=row.note)


def speed(_: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    secret, read = rng.bytes(32), 1800
    handed = codes(secret, rng.choice(MILLION, size=3, replace=False), FILM)[:, :read]
    evidence = evidence_of(mixed(handed, "mosaic", rng), np.full(read, 20.0), rng)
    whole = cpu_of(lambda: among(np.arange(MILLION), evidence, secret, count=MILLION))
    first = scored_models(fitted_bits(evidence, biases(secret, FILM)[:read]), nobody(read))
    tables = [one.table for one in first]
    kept = [tail.least_total(math.log(1e-4)) for tail in near(first, 1e-4)]
    numbers = np.arange(MILLION, dtype=np.uint64)
    ranked = cpu_of(lambda: rank(secret, numbers, range(read), segments=FILM, tables=tables, least=kept))
    stored = packed(secret, 1 << 18, read)
    by_table = cpu_of(lambda: looked_up(stored, tables[0])) * MILLION / (1 << 18)
    show(
        "10^6 recipients x 1800 segments, CPU of one core",
        [
            Row("from the seed: rank under all models", ranked, "s", most=3.0),
            Row("from the seed: the whole accusation", whole, "s", note="with fits, tails and three stages"),
            Row(
                "stored codes: one model, by 16 bits",
                by_table,
                "s",
                most=0.3,
                note="225 MB a title; measured on a quarter of them",
            ),
        ],
    )
    tens = cpu_of(lambda: among(np.arange(10 * MILLION), evidence, secret, count=10 * MILLION))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    show(
        "10^7 recipients",
        [Row("the whole accusation", tens, "s"), Row("memory at most", memory, "GB", note="80 MB of it code numbers")],
    )


def packed(secret: bytes, recipients: int, read: int) -> NDArray[np.uint16]:
    """Stored codes, sixteen positions a number: (columns, recipients)."""
    where = columns(range(read))
    blocks = [
        np.packbits(block[:, where], axis=1)
        for block in code_blocks(secret, np.arange(recipients, dtype=np.uint64), range(read), segments=FILM)
    ]
    together = np.concatenate(blocks)
    even_bytes = np.pad(together, ((0, 0), (0, together.shape[1] % 2)))
    return np.ascontiguousarray(np.ascontiguousarray(even_bytes).view(np.uint16).T)


def looked_up(stored: NDArray[np.uint16], table: ScoreTable) -> NDArray[np.float32]:
    """Totals of one model: a sum over 65536 cases is looked up for sixteen positions at a time."""
    gains = (table.units[1] - table.units[0]).astype(np.float32)
    gains = np.pad(gains, (0, 16 * len(stored) - len(gains))).reshape(-1, 16)
    cases = np.unpackbits(np.arange(1 << 16, dtype=np.uint16).view(np.uint8).reshape(-1, 2), axis=1).astype(np.float32)
    sums = gains @ cases.T  # (columns, 65536)
    totals = np.zeros(stored.shape[1], np.float32)
    block = 1 << 17  # their totals stay in the cache
    looked = np.empty(block, np.float32)
    for start in range(0, len(totals), block):
        for column, of_column in zip(stored[:, start : start + block], sums, strict=True):
            np.take(of_column, column, out=looked[: len(column)], mode="clip")
            totals[start : start + block] += looked[: len(column)]
    return totals


def bound(runs: int, seed: int) -> None:
    rng = np.random.default_rng([seed, 7])
    sequences, strangers, positions = 5 * runs, 20_000, 120
    levels = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
    reached, promised = np.zeros(len(levels)), np.zeros(len(levels))
    groups = 0
    sampled = {1e-6: [], 1e-9: [], 1e-12: []}
    slack = []
    for number in range(sequences):
        secret = rng.bytes(32)
        t = biases(secret, FILM)[:positions]
        evidence = misleading(number, secret, t / 256, rng)
        first = scored_models(fitted_bits(evidence, t), nobody(positions))
        handed = codes(secret, np.arange(strangers), FILM)[:, :positions]
        flagged = np.zeros(strangers, bool)
        for one in first:
            tail = tail_near(one.bits.p, one.table, math.log(1e-4))
            totals = one.table.totals(handed)
            flagged |= totals >= tail.least_total(math.log(1e-2 * 0.85 * one.weight / 100))
            if one is not first[number % len(first)]:
                continue  # models agree on who scores well: counted together, their hits would not be independent
            for place, level in enumerate(levels):
                least = tail.least_total(math.log(level))
                reached[place] += (totals >= least).sum()
                promised[place] += strangers * math.exp(tail.log_reached(least))
        groups += flagged.reshape(-1, 100).any(axis=1).sum()
        for level, ratios in sampled.items():
            one = first[number % len(first)]
            total = tail_near(one.bits.p, one.table, math.log(level)).least_total(math.log(level))
            tail = tail_at(one.bits.p, one.table, total)
            if 0 < total - tail.lowest < len(tail.weights):
                ratios.append(tilted_share(one, tail, total, rng) / math.exp(tail.log_reached(total)))
                slack.append(tail.log_mass - tail.tilt * (total - tail.lowest) - tail.log_reached(total))
        tell(f"bound: {number + 1} of {sequences} misleading copies")
    count = sequences * strangers
    rows = [
        Row(
            f"share of strangers that is promised {level:.0e}",
            hits / count / level,
            "of it",
            most=1 + 4 / math.sqrt(promise),
            note=f"{hits:.0f} seen, {promise:.0f} computed",
        )
        for level, hits, promise in zip(levels, reached, promised, strict=True)
    ]
    rows += [
        Row(
            f"importance sampling at {level:.0e}",
            float(np.mean(ratios)),
            "of it",
            most=1 + 4 * float(np.std(ratios) / math.sqrt(len(ratios))),
        )
        for level, ratios in sampled.items()
    ]
    rows.append(Row("100 strangers, 1 % allowed: traces that accuse", groups / (sequences * strangers / 100), "", most=0.01))
    rows.append(Row("Chernoff's bound over ours, median", math.exp(float(np.median(slack))), "x"))
    show(f"Strangers against {sequences} copies made to mislead, {positions} positions, a model each", rows)


def misleading(number: int, secret: bytes, p: Floats, rng: np.random.Generator) -> Evidence:
    """Copies of nobody, made to frame somebody; each kind in turn."""
    positions = len(p)
    sigma = np.full(positions, 0.05)
    likely = np.where(p > 0.5, 1.0, -1.0)
    some = codes(secret, 5 * MILLION + np.arange(4) + number, FILM)[:, :positions]  # of recipients who are not looked at
    kinds = (
        np.ones(positions),
        -np.ones(positions),
        likely,
        -likely,
        2 * p - 1,
        np.where(rng.random(positions) < p, 1.0, -1.0),
        rng.normal(size=positions),
        np.sign(rng.normal(size=positions)) * 10.0 ** rng.uniform(-3, 3, positions),
        likely * rng.random(positions),
        2.0 * some[0] - 1,
        mixed(some, "mosaic", rng),
        mixed(some, "minority", rng),
        mixed(some, "average", rng),
        np.where(rng.random(positions) < 0.3, 0.0, likely),
    )
    chosen = kinds[number % len(kinds)]
    return evidence_read(chosen + sigma * rng.normal(size=positions), sigma * 10.0 ** rng.uniform(-1, 1.5))


def tilted_share(one: Scored, tail: Tail, total: int, rng: np.random.Generator, *, samples: int = 4000) -> float:
    """The chance that a stranger reaches the total, by importance sampling: tilted codes, each weighed by its tilt."""
    p, units = one.bits.p, one.table.units
    weigh = np.log(np.stack([1 - p, p])) + tail.tilt * (units - units.min(axis=0))
    chance = 1 / (1 + np.exp(weigh[0] - weigh[1]))
    totals = one.table.totals((rng.random((samples, len(p))) < chance).astype(np.uint8))
    weights = np.exp(tail.log_mass - tail.tilt * (totals - tail.lowest))
    return float(np.where(totals >= total, weights, 0.0).mean())


def near(first: tuple[Scored, ...], level: float) -> list[Tail]:
    return [tail_near(one.bits.p, one.table, math.log(level)) for one in first]


def cpu_of(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def tell(words: str) -> None:
    print(f"\r{words}   ", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
