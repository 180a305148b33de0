"""Runs of True in a row of booleans. Pure."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def runs(mask: NDArray[np.bool_], *, least: int, bridge: int = 0) -> Iterator[tuple[int, int]]:
    """(first, behind the last) of each run that has `least` True in it; pauses up to `bridge` long do not end a run."""
    places = np.flatnonzero(mask)
    if not len(places):
        return
    cuts = np.flatnonzero(np.diff(places) > bridge + 1) + 1
    for run in np.split(places, cuts):
        if len(run) >= least:
            yield int(run[0]), int(run[-1]) + 1
