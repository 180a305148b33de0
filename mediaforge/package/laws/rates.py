"""No segment far above its rung's rate: players choose by that rate, and a buffer does not smooth whole segments."""

from collections.abc import Iterator

from mediaforge.checks import Check, Level
from mediaforge.package.contents import Contents
from mediaforge.package.record import RungRecord
from mediaforge.package.rules import Rule, finding
from mediaforge.package.stream import Stream

TOLERANCE = 1.10  # over the rung's maximum rate: within the safety margin of players
_BITS = 8

RATE = Rule(
    id="package.rate",
    clause="HLS authoring",
    holds=f"no segment takes more than {TOLERANCE:.2f} times its rung's maximum rate",
    advice="raise the rung's peak, or let its rungs be planned (`ladder plan`)",
    level=Level.WARNING,
)

RULES = (RATE,)


def check_rates(contents: Contents) -> Iterator[Check]:
    """A warning, as a viewer with such a segment waits but a package with it plays."""
    for rung, _, stream in contents.rungs():
        faults = _excessive(rung, stream, whole=float(contents.record.grid.segment_seconds))
        good = f"no segment takes more than {TOLERANCE:.2f} times {rung.max_bitrate_bps / 1000:.0f} kbit/s"
        yield finding(RATE, faults, about=stream.folder, good=good)


def _excessive(rung: RungRecord, stream: Stream, *, whole: float) -> Iterator[str]:
    """A short last segment, mostly its key frame, is held against a whole one's time: players buffer bits, not rates."""
    for segment in stream.segments:
        rate = segment.fragment.media_bytes * _BITS / whole
        if rate > TOLERANCE * rung.max_bitrate_bps:
            declared = rung.max_bitrate_bps / 1000
            yield f"{segment.path.name} of {stream.folder} takes {rate / 1000:.0f} kbit/s, {declared:.0f} are declared"
