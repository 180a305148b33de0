"""The fingerprint of sound: the peaks of its spectrum over time, on a logarithmic scale of tones.

Where the sound is loudest around a moment and a tone survives coding, noise and echo. On a logarithmic scale another pitch
moves all peaks by the same step, and another tempo stretches their times, so that both can be found again
(`sound_triples`). What says nothing has no peaks: silence lies under the floor, a steady tone or hum has no moment at
which it is louder than around it, and beeps have too few tones.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.sound_peaks import Peaks, find_peaks, is_varied, ranks
from mediaforge.detect.sound_spectrum import FRAME_RATE, RATE, Levels, levels

REFERENCE_PEAKS = 8  # a second, of a title: 58 KB an hour
QUERY_PEAKS = 14  # a second: noise adds peaks of its own to a copy, and must not push out the title's

_CORE = round(30 * FRAME_RATE)  # frames of which the peaks are found at a time
_MARGIN = round(3 * FRAME_RATE)  # frames before and after that a peak is compared with


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SoundPrint:
    """What was heard, when. What says nothing (silence, steady tones) has no peaks, so the times have gaps."""

    seconds: Fraction
    times: NDArray[np.int32]  # (peaks,) frames of 1 / FRAME_RATE s, rising
    tones: NDArray[np.uint8]  # (peaks,) steps of 1 / TONES_PER_OCTAVE
    is_strong: NDArray[np.bool_]  # (peaks,) whether a title keeps it


def sound_fingerprint(samples: Iterable[NDArray[np.int16]]) -> SoundPrint:
    """The fingerprint of mono sound, RATE samples a second, in blocks of any length."""
    clock = _Clock()
    found = Peaks.joined(
        [
            find_peaks(heard, first=first, begin=begin, end=end)
            for heard, first, begin, end in _stretches(levels(clock.count(samples)))
        ]
    )
    rank = ranks(found)
    kept = (rank < QUERY_PEAKS) & is_varied(found)
    return SoundPrint(
        seconds=Fraction(clock.samples, RATE),
        times=found.times[kept],
        tones=found.tones[kept],
        is_strong=rank[kept] < REFERENCE_PEAKS,
    )


class _Clock:
    """Counts the samples that pass."""

    def __init__(self) -> None:
        self.samples = 0

    def count(self, samples: Iterable[NDArray[np.int16]]) -> Iterator[NDArray[np.int16]]:
        for block in samples:
            self.samples += len(block)
            yield block


def _stretches(parts: Iterable[Levels]) -> Iterator[tuple[Levels, int, int, int]]:
    """Stretches with what lies around them: the levels, the frame of their first row, and the rows of the stretch itself."""
    held: list[Levels] = []
    first = begin = rows = 0
    for part in parts:
        held.append(part)
        rows += len(part)
        while rows >= begin + _CORE + _MARGIN:
            heard = np.concatenate(held)
            yield heard[: begin + _CORE + _MARGIN], first, begin, begin + _CORE
            left = max(0, begin + _CORE - _MARGIN)
            held, first, begin, rows = [heard[left:]], first + left, begin + _CORE - left, rows - left
    if rows > begin:
        yield np.concatenate(held), first, begin, rows
