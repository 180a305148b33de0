"""One folder of segments, read back: its track, its fragments, its rates and its digest."""

import hashlib
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from mediaforge.errors import MediaError
from mediaforge.package.form import Form, parse_form
from mediaforge.package.fragment import Fragment, parse_fragment
from mediaforge.package.layout import INIT, segment_name, segment_numbers
from mediaforge.package.track import Track, read_track


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    path: Path
    size: int
    fragment: Fragment
    form: Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """`digest`: SHA-256 over the init segment (if it lies in the same folder) and the media segments, in order."""

    folder: str
    init: Path
    track: Track
    segments: tuple[Segment, ...]
    digest: str

    @property
    def files(self) -> tuple[Path, ...]:
        """Init and media segments in the order of play."""
        return (self.init, *(segment.path for segment in self.segments))

    def seconds(self, segment: Segment) -> Fraction:
        return Fraction(segment.fragment.duration, self.track.timescale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Peak: the costliest segment. Average: over the whole length. Both rounded up."""

    peak_bps: int
    average_bps: int


def read_stream(package: Path, folder: str, *, init_folder: str) -> Stream:
    """Read a folder whose init segment lies in `init_folder`. Raises MediaError at the first file that is damaged."""
    init = package / init_folder / INIT
    track = read_track(init)
    digest = hashlib.sha256(init.read_bytes() if folder == init_folder else b"")
    segments = []
    for path, data in _files(package / folder):
        try:
            fragment, form = parse_fragment(data, track), parse_form(data, track)
        except (ValueError, IndexError, struct.error) as error:
            raise MediaError(path, f"is no whole segment ({error}); package the title again") from error
        segments.append(Segment(path=path, size=len(data), fragment=fragment, form=form))
        digest.update(data)
    return Stream(folder=folder, init=init, track=track, segments=tuple(segments), digest=digest.hexdigest())


def measured_rate(*variants: Stream) -> Rate:
    """The rate of any mix of the given variants: of each segment the larger one counts."""
    bits = [8 * max(segment.size for segment in pair) for pair in zip(*(row.segments for row in variants), strict=True)]
    seconds = [variants[0].seconds(segment) for segment in variants[0].segments]
    peak = max((amount / length for amount, length in zip(bits, seconds, strict=True)), default=Fraction(0))
    total = sum(seconds, Fraction(0))
    return Rate(peak_bps=math.ceil(peak), average_bps=math.ceil(sum(bits) / total) if total else 0)


def _files(folder: Path) -> Iterator[tuple[Path, bytes]]:
    numbers = segment_numbers(folder)
    if not numbers:
        raise MediaError(folder, "holds no segments; package the title again")
    for expected, number in enumerate(numbers, start=1):
        if number != expected:
            raise MediaError(folder / segment_name(expected), "is missing; package the title again")
        path = folder / segment_name(number)
        yield path, path.read_bytes()
