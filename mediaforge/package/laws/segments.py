"""Every media segment is built as players expect: boxes in order, offsets that hit, samples that follow one another."""

from collections.abc import Callable, Iterator

from mediaforge.checks import Check, Level
from mediaforge.package.contents import Contents
from mediaforge.package.form import Form
from mediaforge.package.record import Scheme
from mediaforge.package.rules import Rule, finding
from mediaforge.package.stream import Segment, Stream

SEGMENT_BOXES = Rule(
    id="package.segment.boxes",
    clause="ISO/IEC 14496-12, 8.16; CMAF, 7",
    holds="a segment is a styp, a moof and a mdat, in this order",
)
SEGMENT_BRANDS = Rule(
    id="package.segment.brands", clause="CMAF, 7; ISO/IEC 23009-1, 6.3.4", holds="a segment is of the brand cmfs or msdh"
)
SEGMENT_SEQUENCE = Rule(id="package.segment.sequence", clause="ISO/IEC 14496-12, 8.8.5", holds="fragments are counted upwards")
SEGMENT_TRACK = Rule(
    id="package.segment.track", clause="ISO/IEC 14496-12, 8.8.7", holds="fragments belong to the track of the init segment"
)
SEGMENT_DESCRIPTION = Rule(
    id="package.segment.description",
    clause="ISO/IEC 14496-12, 8.8.7",
    holds="fragments use the description of their track, and in the clear lead, nowhere else, the clear one",
)
SEGMENT_BASE = Rule(
    id="package.segment.base",
    clause="ISO/IEC 14496-12, 8.8.7.1; CMAF, 7",
    holds="offsets count from the segment's own moof",
)
SEGMENT_DATA = Rule(
    id="package.segment.data", clause="ISO/IEC 14496-12, 8.8.8", holds="the samples lie where the fragment says"
)
SEGMENT_SAMPLES = Rule(
    id="package.segment.samples", clause="ISO/IEC 14496-12, 8.8.8", holds="no sample is empty or lasts no time"
)
SEGMENT_ORDER = Rule(
    id="package.segment.order",
    clause="ISO/IEC 14496-12, 8.6.1.3",
    holds="samples are shown one after the other, without gap or overlap",
)
SEGMENT_GOP = Rule(
    id="package.segment.gop",
    clause="ours",
    holds="a segment of a rung is one GOP: it has one sync sample",
    advice="encode without scene cuts; a second key frame costs bits that the rate did not count",
    level=Level.WARNING,
)
SEGMENT_AUX = Rule(
    id="package.segment.aux",
    clause="ISO/IEC 14496-12, 8.7.8, 8.7.9; ISO/IEC 23001-7, 7.1",
    holds="saiz and saio say where the IVs are",
)
SEGMENT_COVER = Rule(
    id="package.segment.cover", clause="ISO/IEC 23001-7, 9.5", holds="the clear and protected ranges of a sample add up to it"
)
SEGMENT_BLOCKS = Rule(
    id="package.segment.blocks", clause="ISO/IEC 23001-7, 10.1", holds="in cenc, protected ranges are whole blocks"
)
SEGMENT_OPEN = Rule(
    id="package.segment.open",
    clause="ours",
    holds="no picture of an encrypted stream is in clear, but for the clear lead",
)
SEGMENT_GROUPS = Rule(
    id="package.segment.groups", clause="ISO/IEC 23001-7, 6", holds="no fragment brings keys or descriptions of its own"
)

RULES = (
    SEGMENT_BOXES, SEGMENT_BRANDS, SEGMENT_SEQUENCE, SEGMENT_TRACK, SEGMENT_DESCRIPTION, SEGMENT_BASE, SEGMENT_DATA,
    SEGMENT_SAMPLES, SEGMENT_ORDER, SEGMENT_GOP, SEGMENT_AUX, SEGMENT_COVER, SEGMENT_BLOCKS, SEGMENT_OPEN, SEGMENT_GROUPS,
)  # fmt: skip

# A law over the form of one segment: what is wrong with it, or nothing.
_LAWS: tuple[tuple[Rule, Callable[[Form, Stream], str | None]], ...] = (
    (SEGMENT_BOXES, lambda form, _: None if form.kinds == ("styp", "moof", "mdat") else f"is {' '.join(form.kinds)}"),
    (SEGMENT_BRANDS, lambda form, _: None if {"cmfs", "msdh"} & set(form.brands) else "names neither cmfs nor msdh"),
    (
        SEGMENT_TRACK,
        lambda form, stream: (
            None if form.track_id == stream.track.track_id else f"is of track {form.track_id}, not of {stream.track.track_id}"
        ),
    ),
    (SEGMENT_BASE, lambda form, _: None if form.is_anchored else "has offsets that count from somewhere else"),
    (SEGMENT_DATA, lambda form, _: None if form.points_at_media else "says that its samples lie where they do not"),
    (SEGMENT_SAMPLES, lambda form, _: f"has {form.empty_samples} empty samples" if form.empty_samples else None),
    (SEGMENT_ORDER, lambda form, _: None if form.is_smooth else "shows two samples at once, or none for a while"),
    (SEGMENT_AUX, lambda form, _: None if form.aux_agrees else "has a saiz or saio that does not fit its senc"),
    (SEGMENT_COVER, lambda form, _: f"has {form.uncovered} samples that its ranges do not cover" if form.uncovered else None),
    (SEGMENT_BLOCKS, lambda form, _: f"has {form.ragged} samples with a part of a block protected" if form.ragged else None),
    (SEGMENT_GROUPS, lambda form, _: "has sample groups of its own" if form.has_groups else None),
)


def check_segments(contents: Contents) -> Iterator[Check]:
    rows = [(stream, segment) for stream in contents.streams.values() for segment in stream.segments]
    for rule, law in _LAWS:
        faults = ((stream, segment, law(segment.form, stream)) for stream, segment in rows)
        yield finding(rule, [f"{_place(stream, segment)} {fault}" for stream, segment, fault in faults if fault])
    yield finding(SEGMENT_DESCRIPTION, _described(contents))
    yield finding(SEGMENT_SEQUENCE, _sequence(contents))
    pictures = [(stream, segment) for _, stream in contents.pictures() for segment in stream.segments]
    many = [(stream, segment) for stream, segment in pictures if segment.form.sync_samples > 1]
    yield finding(SEGMENT_GOP, [f"{_place(*row)} has {row[1].form.sync_samples} sync samples" for row in many])
    if contents.record.scheme is not Scheme.NONE:
        clear = [(stream, segment) for stream, segment in pictures if segment.form.open]
        yield finding(SEGMENT_OPEN, [f"{_place(*row)} has {row[1].form.open} pictures in clear" for row in clear])


def _described(contents: Contents) -> Iterator[str]:
    for stream in contents.streams.values():
        lead = contents.record.clear_segments if stream.track.protection else 0
        for number, segment in enumerate(stream.segments, start=1):
            expected = 2 if number <= lead else 1
            if segment.form.description != expected:
                yield f"{_place(stream, segment)} uses description {segment.form.description}, not {expected}"


def _sequence(contents: Contents) -> Iterator[str]:
    for stream in contents.streams.values():
        last = -1
        for segment in stream.segments:
            if segment.form.sequence <= last:
                yield f"{_place(stream, segment)} has the number {segment.form.sequence} after {last}"
            last = segment.form.sequence


def _place(stream: Stream, segment: Segment) -> str:
    return f"{segment.path.name} of {stream.folder}"
