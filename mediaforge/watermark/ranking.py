"""The scores of all recipients under all models, in blocks: of ten million only those are kept who score like few strangers.

Whom to look at more closely needs no proof: looking at fewer recipients can only accuse fewer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mediaforge.watermark.sequence import code_blocks, columns
from mediaforge.watermark.tail import ScoreTable

_LANES = 16  # models a matrix product takes at no extra cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """`rows` are those of the recipients given who reach the least total under some model; `best` the highest total of all
    under each model (models,)."""

    rows: NDArray[np.int64]
    best: NDArray[np.int64]


def rank(
    secret: bytes,
    numbers: NDArray[np.uint64],
    read: Sequence[int],
    *,
    segments: int,
    tables: Sequence[ScoreTable],
    least: Sequence[int],
) -> Ranking:
    """Score every code number at the positions `read` under every table; `least` are the totals from which one is kept.

    Totals are whole numbers below 2^24, which single precision adds without error.
    """
    where = columns(read)
    gains = np.zeros((int(where.max()) // _LANES * _LANES + _LANES, -(-len(tables) // _LANES) * _LANES), np.float32)
    for number, table in enumerate(tables):
        gains[where, number] = table.units[1] - table.units[0]
    base = np.array([table.units[0].sum() for table in tables])
    enough = np.full(gains.shape[1], np.inf, np.float32)
    enough[: len(tables)] = np.asarray(least) - base
    best, kept, first = np.full(gains.shape[1], -np.inf, np.float32), [np.empty(0, np.int64)], 0
    numeric = np.empty((0, 0), np.float32)
    for bits in code_blocks(secret, numbers, read, segments=segments):
        if numeric.shape != bits.shape:
            numeric = np.empty(bits.shape, np.float32)
        np.copyto(numeric, bits)
        totals = numeric @ gains  # (rows, models)
        np.maximum(best, totals.max(axis=0), out=best)
        kept.append(first + np.flatnonzero((totals >= enough).any(axis=1)))
        first += len(bits)
    return Ranking(rows=np.concatenate(kept), best=best[: len(tables)].astype(np.int64) + base)
