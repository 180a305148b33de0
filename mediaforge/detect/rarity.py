"""What a point of a query is worth: much where few titles have its like, little where every film has.

A corner of a window, a round light: a third of all points find their like in most titles, and some of them agree by chance
even in their places. The other titles of the index are the yardstick; a copy shows one of them and not the rest.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.features import Features
from mediaforge.detect.sightings import alike

_SAMPLE = 1500  # points of a title that stand for all: then a long title says no more than a short one
_DOUBT = 8  # titles that are imagined not to have a point: among few titles nothing is known to be common


def rarity(query: Features, titles: Iterable[Features]) -> NDArray[np.float64]:
    """The worth of each point of the query, 0 to 1.  # (points,)"""
    having = np.zeros(len(query.codes))
    count = 0
    for title in titles:
        sample = title.codes[:: max(1, -(-len(title.codes) // _SAMPLE))]
        having[np.unique(alike(query.codes, sample)[0])] += 1
        count += 1
    others = np.maximum(having - 1, 0)  # one may be the title that it shows
    return np.asarray((1 - others / (max(0, count - 1) + _DOUBT)) ** 2)
