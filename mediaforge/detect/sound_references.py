"""The sound of all titles, ready to be searched."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.sound_triples import title_triples

_ROW_BITS = 34  # of an entry; then 6 for the spread of the triple, and 24 for its code
_SPREAD_BITS = 6
_CODE_SHIFT = np.uint64(_ROW_BITS + _SPREAD_BITS)
_ROW_MASK = np.uint64((1 << _ROW_BITS) - 1)
_SPREAD_MASK = np.uint64((1 << _SPREAD_BITS) - 1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SoundReference:
    """One title's sound."""

    title: str
    seconds: Fraction
    times: NDArray[np.int32]  # (peaks,) frames, rising
    tones: NDArray[np.uint8]  # (peaks,)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SoundReferences:
    """All titles behind one another. Title k owns the peaks starts[k] to starts[k + 1]."""

    titles: tuple[str, ...]
    seconds: tuple[Fraction, ...]
    starts: NDArray[np.int64]  # (titles + 1,)
    times: NDArray[np.int32]  # (peaks,) frames, rising within a title
    tones: NDArray[np.uint8]  # (peaks,)
    entries: NDArray[np.uint64]  # (triples,) sorted: code, spread, row of the first peak

    def lookup(self, codes: NDArray[np.uint32]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """All triples that have one of the codes: places in `codes`, rows of their first peaks, and their spreads."""
        order = np.argsort(codes)
        wanted = codes[order].astype(np.uint64)
        low = np.searchsorted(self.entries, wanted << _CODE_SHIFT)
        high = np.searchsorted(self.entries, (wanted + np.uint64(1)) << _CODE_SHIFT)
        counts = high - low
        which = np.repeat(order, counts)
        within = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
        found = self.entries[np.repeat(low, counts) + within]
        rows = (found & _ROW_MASK).astype(np.intp)
        spreads = ((found >> np.uint64(_ROW_BITS)) & _SPREAD_MASK).astype(np.intp)
        return which, rows, spreads


def sound_references(found: Sequence[SoundReference]) -> SoundReferences:
    """These titles together."""
    starts = np.array([0, *accumulate(len(reference.times) for reference in found)], np.int64)
    entries = [np.empty(0, np.uint64), *(_entries(each, start) for each, start in zip(found, starts[:-1], strict=True))]
    return SoundReferences(
        titles=tuple(reference.title for reference in found),
        seconds=tuple(reference.seconds for reference in found),
        starts=starts,
        times=np.concatenate([np.empty(0, np.int32), *(reference.times for reference in found)]),
        tones=np.concatenate([np.empty(0, np.uint8), *(reference.tones for reference in found)]),
        entries=np.sort(np.concatenate(entries)),
    )


def _entries(reference: SoundReference, start: np.int64) -> NDArray[np.uint64]:
    triples = title_triples(reference.times, reference.tones)
    spreads = (reference.times[triples.ends] - reference.times[triples.begins]).astype(np.uint64)
    rows = triples.begins.astype(np.uint64) + np.uint64(start)
    codes = triples.codes.astype(np.uint64) << _CODE_SHIFT
    return np.asarray(codes | (spreads << np.uint64(_ROW_BITS)) | rows, np.uint64)
