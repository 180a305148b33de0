"""Variants A and B mix: segment for segment the same pictures at the same times, and yet not the same bytes."""

from collections.abc import Iterator

from mediaforge.checks import Check, Level
from mediaforge.media import Variant
from mediaforge.package.contents import Contents
from mediaforge.package.layout import video_folder
from mediaforge.package.record import RungRecord, Scheme
from mediaforge.package.rules import Rule, finding
from mediaforge.package.stream import Segment, Stream

MIX_TIMES = Rule(
    id="package.mix.times",
    clause="ETSI TS 104 002; ours",
    holds="a segment of B has as many pictures as that of A, at the same times",
    advice="encode both variants with the same settings on the same grid",
)
MIX_SIZE = Rule(
    id="package.mix.size",
    clause="ours",
    holds="no segment of one variant is twice as large as that of the other, which tells them apart on the wire",
    advice="encode both variants at the same quality",
    level=Level.WARNING,
)
MIX_APART = Rule(
    id="package.mix.apart",
    clause="ours",
    holds="A and B differ: a copy of equal segments says nothing of its recipient",
    advice="encode variant B with its own settings",
)

MIX_MARKS = Rule(
    id="package.mix.marks",
    clause="ETSI TS 104 002, 5.5.2; ours",
    holds="A and B are the same exactly where the record says that a segment is not marked",
    advice="release the title again: a reader of copies would take silence for a mark, or a mark for silence",
)

RULES = (MIX_TIMES, MIX_SIZE, MIX_APART, MIX_MARKS)

_ALIKE = 2.0  # how much larger one may be
_FLOOR_BYTES = 4096  # below it the boxes and a picture's headers weigh more than the pictures


def check_mixing(contents: Contents) -> Iterator[Check]:
    if Variant.B not in contents.record.variants:
        return
    rungs = list(_pairs(contents))
    pairs = [(a, b) for _, a, b in rungs]
    yield finding(MIX_TIMES, [fault for a, b in pairs for fault in _times(a, b)])
    yield finding(MIX_SIZE, [fault for a, b in pairs for fault in _sizes(a, b)])
    again = [(a, b) for rung, a, b in rungs if len(rung.unmarked) < len(a.segments) and _are_equal(a, b)]
    yield finding(MIX_APART, [f"{b.folder} is {a.folder} again" for a, b in again])
    yield finding(MIX_MARKS, [fault for rung, a, b in rungs for fault in _marks(rung, a, b, scheme=contents.record.scheme)])


def _pairs(contents: Contents) -> Iterator[tuple[RungRecord, Stream, Stream]]:
    for rung in contents.record.rungs:
        a, b = (contents.streams.get(video_folder(rung.name, variant)) for variant in (Variant.A, Variant.B))
        if a is not None and b is not None:
            yield rung, a, b


def _marks(rung: RungRecord, a: Stream, b: Stream, *, scheme: Scheme) -> Iterator[str]:
    for number, (one, other) in enumerate(zip(a.segments, b.segments, strict=False)):
        place = f"{other.path.name} of {b.folder}"
        if number in rung.unmarked and not _is_same(one, other, scheme=scheme):
            yield f"{place} is said to be unmarked, and differs from that of {a.folder}"
        elif number not in rung.unmarked and _is_same(one, other, scheme=scheme) and scheme is not Scheme.CENC:
            yield f"{place} is said to be marked, and is that of {a.folder} again"


def _is_same(one: Segment, other: Segment, *, scheme: Scheme) -> bool:
    """In cenc each stream has its own IVs, so that the same pictures have other bytes: there the sizes have to do."""
    if one.fragment.media_bytes != other.fragment.media_bytes:
        return False
    return scheme is Scheme.CENC or one.path.read_bytes() == other.path.read_bytes()


def _times(a: Stream, b: Stream) -> Iterator[str]:
    for one, other in zip(a.segments, b.segments, strict=False):
        if _timing(one) != _timing(other):
            yield f"{other.path.name} of {b.folder} has other times than that of {a.folder}"


def _timing(segment: Segment) -> tuple[int, int, int, int]:
    row = segment.fragment
    return row.decode_time, row.duration, row.samples, row.first_shown


def _sizes(a: Stream, b: Stream) -> Iterator[str]:
    for one, other in zip(a.segments, b.segments, strict=False):
        small, large = sorted((one.size, other.size))
        if large > max(_FLOOR_BYTES, _ALIKE * small):
            yield f"{other.path.name} of {b.folder} has {other.size} bytes, that of {a.folder} {one.size}"


def _are_equal(a: Stream, b: Stream) -> bool:
    """Media bytes, as the boxes around them are equal, and in cenc the IVs are not."""
    sizes = [segment.fragment.media_bytes for segment in a.segments]
    if sizes != [segment.fragment.media_bytes for segment in b.segments]:
        return False
    return all(one.path.read_bytes() == other.path.read_bytes() for one, other in zip(a.segments, b.segments, strict=True))
