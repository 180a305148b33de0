"""Which picture of the title each picture of a copy shows, to the frame: the likeliest walk (Viterbi 1967).

The line says what to expect. Drops, repeats and other frame rates make the copy run ahead or lag by some frames, and what it
has gained or lost it mostly keeps.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_REACH = 6  # frames that a copy may be off the line between two segments
_SURE = 0.01  # correlation of detail that outweighs one frame of leaving the pace
_HOME = 0.1  # of that: what a frame off the line costs


def walk(likeness: NDArray[np.float32], expected: Sequence[float]) -> list[int]:
    """The title's picture (a column) for every picture of the copy (a row), from their likeness and the columns expected."""
    drifts = np.arange(-_REACH, _REACH + 1)
    columns = np.rint(np.asarray(expected)[:, None] + drifts).astype(int)  # (copy, drifts)
    inside = (columns >= 0) & (columns < likeness.shape[1])
    clipped = columns.clip(0, likeness.shape[1] - 1)
    merit = np.where(inside, np.take_along_axis(likeness, clipped, axis=1) / _SURE, -1e6) - _HOME * np.abs(drifts)
    turning = -np.abs(drifts[:, None] - drifts[None, :]).astype(np.float64)  # (from, to)
    best, came = merit[0], []
    for row in merit[1:]:
        ways = best[:, None] + turning
        came.append(ways.argmax(axis=0))
        best = ways.max(axis=0) + row
    state = int(best.argmax())
    path = [state]
    for back in reversed(came):
        state = int(back[state])
        path.append(state)
    return [int(clipped[row, state]) for row, state in enumerate(reversed(path))]
