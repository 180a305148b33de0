"""Pirates who only show together: where nobody can be accused alone, sets of two and three are tried (docs/accusation.md 6).

A coalition that always puts out the rarer variant, or tosses a coin, says little about each of its members and much about all
of them. Which sets are tried needs no proof: whoever is accused pays for every set of others he might have been tried with.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mediaforge.watermark.collusion import Known, Model, symbol_scores
from mediaforge.watermark.scoring import Scored
from mediaforge.watermark.softbits import SoftBits

Floats = NDArray[np.float64]

MOST_SUPPOSED = 2  # partners: three more would have to be paid for with ten million million sets
_STARTS = 16  # recipients who are tried as one of the set
_PAIRS = 8  # of the best pairs that are tried with a third
_LEAST_WEIGHT = 0.03  # of a model that the reading does not speak against


def likely_sets(first: Sequence[Scored], handed: NDArray[np.uint8], *, size: int, least: float) -> list[tuple[int, ...]]:
    """The likeliest set of `size` (2 or 3) rows of `handed` (rows, positions) under each model that has room for them, where
    each of them scores at least so many nats given the others."""
    able = [one for one in first if one.weight >= _LEAST_WEIGHT and one.model.pirates >= size]
    sets = [(one, _likeliest(one, handed, size=size)) for one in able] if len(handed) >= size else []
    return sorted({rows for one, rows in sets if _least_score(one, handed, rows) >= least})


def known(handed: NDArray[np.uint8], rows: Sequence[int]) -> Known:
    """What these recipients were handed, taken as given."""
    return Known(pirates=len(rows), having_a=handed[list(rows)].sum(axis=0, dtype=np.int64))


def _likeliest(one: Scored, handed: NDArray[np.uint8], *, size: int) -> tuple[int, ...]:
    alone = _scores(one.model, one.bits, handed, known(handed, ()))
    starts = np.argsort(-alone, kind="stable")[:_STARTS].tolist()
    grown: dict[tuple[int, ...], float] = {(start,): float(alone[start]) for start in starts}
    for _ in range(size - 1):
        tried: dict[tuple[int, ...], float] = {}
        for rows, score in grown.items():
            further = _scores(one.model, one.bits, handed, known(handed, rows))
            further[list(rows)] = -np.inf
            for row in np.argsort(-further, kind="stable")[:_PAIRS].tolist():
                tried[tuple(sorted((*rows, row)))] = score + float(further[row])
        best = sorted(tried, key=lambda rows: (-tried[rows], rows))[:_PAIRS]
        grown = {rows: tried[rows] for rows in best}
    return next(iter(grown))


def _least_score(one: Scored, handed: NDArray[np.uint8], rows: tuple[int, ...]) -> float:
    """Of a member given the others."""
    given = ((row, tuple(other for other in rows if other != row)) for row in rows)
    return min(float(_scores(one.model, one.bits, handed[[row]], known(handed, others))[0]) for row, others in given)


def _scores(model: Model, bits: SoftBits, handed: NDArray[np.uint8], given: Known) -> Floats:
    """Log-likelihood ratios of all, given what some were handed: (rows,)."""
    scores = symbol_scores(model, bits, given)
    result: Floats = handed @ (scores[1] - scores[0]) + scores[0].sum()
    return result
