"""One timeline: every rung, variant, sound and subtitle says the same times as the grid, and begins at 0."""

from collections.abc import Iterator
from fractions import Fraction

from mediaforge.checks import Check
from mediaforge.media import Grid
from mediaforge.package.contents import Contents
from mediaforge.package.rules import Rule, finding
from mediaforge.package.stream import Stream

FRAMES = Rule(id="package.frames", clause="ours", holds="every segment of a rung has the frames of the grid")
TIMES = Rule(
    id="package.times",
    clause="ISO/IEC 14496-12, 8.8.12; CMAF, 7",
    holds="a stream has no gap, lies on the grid, and is as long as the picture",
)
SYNC = Rule(
    id="package.sync",
    clause="ISO/IEC 14496-12, 8.8.3.1; CMAF, 7",
    holds="every segment of a rung begins with a sync sample",
)

RULES = (FRAMES, TIMES, SYNC)


def check_timeline(contents: Contents) -> Iterator[Check]:
    for rung, _, stream in contents.rungs():
        grid = contents.record.grid.every(rung.step)
        good = f"{grid.frames} frames in {grid.segments} segments"
        yield finding(FRAMES, _frames(stream, grid), about=stream.folder, good=good)
        yield finding(TIMES, _times(stream, grid), about=stream.folder, good="every segment lies on the grid")
        yield finding(SYNC, _sync(stream), about=stream.folder)
    grid = contents.record.grid
    if contents.trick is not None:
        yield finding(TIMES, _times(contents.trick, grid), about=contents.trick.folder, good="every segment lies on the grid")
        yield finding(SYNC, _sync(contents.trick), about=contents.trick.folder)
    for stream in contents.sounds():
        faults = [*_gaps(stream), *_sound_length(stream, grid)]
        yield finding(TIMES, faults, about=stream.folder, good="no gap, and as long as the picture")
    for stream in contents.texts():
        faults = [*_gaps(stream), *_text_length(stream, grid)]
        yield finding(TIMES, faults, about=stream.folder, good="no gap, and as long as the picture")


def shown_spans(stream: Stream) -> Iterator[tuple[Fraction, Fraction]]:
    """When each segment's samples are shown, in seconds: composition times less what the edit list cuts off before 0."""
    scale = stream.track.timescale
    for segment in stream.segments:
        fragment = segment.fragment
        begin = Fraction(fragment.first_shown - stream.track.edit_start, scale)
        yield max(begin, Fraction(0)), begin + Fraction(fragment.duration, scale)


def _frames(stream: Stream, grid: Grid) -> Iterator[str]:
    if len(stream.segments) != grid.segments:
        yield f"{stream.folder} has {len(stream.segments)} segments, not the {grid.segments} of the grid"
    for index, segment in enumerate(stream.segments[: grid.segments]):
        expected = grid.segment_frames(index)
        if segment.fragment.samples != expected:
            yield f"{segment.path.name} of {stream.folder} has {segment.fragment.samples} frames, not {expected}"


def _times(stream: Stream, grid: Grid) -> Iterator[str]:
    tick = Fraction(1, stream.track.timescale)
    offset = Fraction(stream.track.edit_start, stream.track.timescale)
    for index, segment in enumerate(stream.segments[: grid.segments]):
        fragment, span = segment.fragment, grid.segment_span(index)
        shown = fragment.first_shown * tick - offset
        if abs(fragment.decode_time * tick - span.start) > tick or abs(shown - span.start) > tick:
            decoded = float(fragment.decode_time * tick)
            yield (
                f"{segment.path.name} of {stream.folder} is decoded at {decoded:.4f} s and shown at {float(shown):.4f} s, "
                f"not at {float(span.start):.4f} s"
            )
        if abs(fragment.duration * tick - span.seconds) > tick:
            length = float(fragment.duration * tick)
            yield f"{segment.path.name} of {stream.folder} lasts {length:.4f} s, not {float(span.seconds):.4f} s"


def _sync(stream: Stream) -> Iterator[str]:
    for segment in stream.segments:
        if not segment.fragment.begins_with_sync:
            yield f"{segment.path.name} of {stream.folder} does not begin with a sync sample"


def _gaps(stream: Stream) -> Iterator[str]:
    expected = 0
    for segment in stream.segments:
        if segment.fragment.decode_time != expected:
            found = segment.fragment.decode_time
            yield f"{segment.path.name} of {stream.folder} begins at tick {found}, not at {expected} where the last one ends"
        expected = segment.fragment.decode_time + segment.fragment.duration


def _sound_length(stream: Stream, grid: Grid) -> Iterator[str]:
    frame = Fraction(stream.track.default_duration, stream.track.timescale)
    length = list(shown_spans(stream))[-1][1]
    if abs(length - grid.duration) > frame:
        yield f"{stream.folder} lasts {float(length):.4f} s, the picture {float(grid.duration):.4f} s: over a frame apart"


def _text_length(stream: Stream, grid: Grid) -> Iterator[str]:
    begin, end = list(shown_spans(stream))[-1]
    if not begin < grid.duration <= end:
        yield f"{stream.folder} ends with a segment from {float(begin):.3f} to {float(end):.3f} s, not over the title's end"
