"""How probable it is that a stranger's score reaches a threshold: two bounds that hold exactly, the smaller of them taken.

To a stranger every position is an independent coin with known odds p, whatever the pirates did and however badly the copy
was read (Furon and Desoubeaux, WIFS 2014; facts-watermark 2.2). So the distribution of his score is known: nothing is
estimated here, and rounding is always towards the larger probability.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_TILTS = np.geomspace(1e-2, 1e3, 240)  # any tilt gives a valid bound; steps of 5 % lose nothing that matters
_CELLS = 8192
_SLACK = 1e-9  # covers the rounding of sums of scores, in nats


def tail_bound(p: Floats, scores: Floats, threshold: float) -> float:
    """An upper bound of P(sum of scores >= threshold) when position i gives scores[1, i] with chance p[i], else scores[0, i].

    `p` is (positions,), `scores` (2, positions) in nats. Returned as a natural logarithm, at most 0.
    """
    return min(0.0, _chernoff(p, scores, threshold), _counted(p, scores, threshold))


def _chernoff(p: Floats, scores: Floats, threshold: float) -> float:
    """min over l of E[exp(l S)] exp(-l T)."""
    tilted = np.logaddexp(  # (tilts, positions)
        np.log(p) + _TILTS[:, None] * scores[1], np.log1p(-p) + _TILTS[:, None] * scores[0]
    )
    return float(np.min(tilted.sum(axis=1) - _TILTS * (threshold - _SLACK)))


def _counted(p: Floats, scores: Floats, threshold: float) -> float:
    """Count on a grid how far a score may fall below the best possible one: S >= T iff the shortfall is at most max S - T.

    A shortfall is rounded down to the grid, so more outcomes count than do in truth. For a copy read without a doubt this
    gives exactly the product of the chances of the variants seen.
    """
    allowed = float(scores.max(axis=0).sum()) - threshold + _SLACK
    if allowed < 0:
        return -np.inf
    falls = np.floor(np.abs(scores[1] - scores[0]) * (_CELLS / allowed))
    worse = np.where(scores[1] < scores[0], p, 1 - p)
    counted = np.zeros(_CELLS + 1)
    counted[0] = 1.0
    log_scale = 0.0
    for fall, chance in zip(np.minimum(falls, _CELLS + 1).astype(np.int64), worse, strict=True):
        moved = chance * counted[: max(0, _CELLS + 1 - fall)]
        counted *= 1 - chance
        counted[fall:] += moved
        total = counted.sum()
        counted /= total
        log_scale += np.log(total)
    return float(log_scale)
