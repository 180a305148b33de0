"""What quality control says, and the limits it says it by. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"  # must not be published as it is
    WARNING = "warning"  # somebody has to look
    NOTICE = "notice"  # good to know


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found. `start` and `end` are seconds after the first picture; `value` and `limit` are in `unit`."""

    check: str
    severity: Severity
    start: float
    end: float
    value: float
    limit: float
    unit: str
    message: str

    @classmethod
    def of(  # noqa: PLR0917 - a row of a table
        cls,
        check: str,
        severity: Severity,
        span: tuple[float, float],
        value: float,
        limit: float,
        unit: str,
        message: str,
    ) -> "Finding":
        """Rounded to what was measured: milliseconds, hundredths."""
        start, end = (round(max(0.0, edge), 3) for edge in span)
        return cls(
            check=check,
            severity=severity,
            start=start,
            end=end,
            value=round(value, 2),
            limit=round(limit, 2),
            unit=unit,
            message=message,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QcLimits:
    """Where a finding begins. Seconds, unless the name says else.

    Where a standard has a figure it is named; the others are what ingest desks use, and ours to change.
    """

    edge: float = 10.0  # black and silence of this length are usual at the head and the tail
    black: float = 2.0
    black_hole: float = 10.0  # black in the middle that is no pause any more
    freeze: float = 2.0
    combed: float = 1.0
    bars_percent: float = 2.0  # of the width or the height, left and right or top and bottom together
    flashes_a_second: float = 3.0  # ITU-R BT.1702, Ofcom: no more than three flashes in any second
    silence: float = 5.0
    silence_db: float = -60.0  # dBFS, RMS of 0.1 s
    loudness_lufs: float = -23.0  # EBU R 128
    loudness_lu: float = 1.0  # R 128: +-1 LU where the exact level cannot be reached
    true_peak_dbtp: float = -1.0  # EBU R 128
    range_lu: float = 20.0  # EBU Tech 3343: more is too wide for living rooms
    clipped: float = 0.3  # in all, with pauses of at most `clipping_pause` between
    clipping_pause: float = 2.0
    antiphase: float = 5.0
    dead_channel: float = 5.0
    sync: float = 1.0
    sync_gross: float = 10.0


USUAL = QcLimits()
