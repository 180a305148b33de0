"""Figures with their targets, as lines that say whether they were met."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure; `most` and `least` are targets, None where there is none."""

    what: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.most is None and self.least is None:
            return ""
        above = self.most is None or self.value <= self.most
        below = self.least is None or self.value >= self.least
        return "met" if above and below else "missed"

    @property
    def target(self) -> str:
        if self.most is not None and self.least is not None:
            return f"{self.least:g} to {self.most:g}"
        if self.most is not None:
            return f"at most {self.most:g}"
        return "" if self.least is None else f"at least {self.least:g}"


def show(title: str, rows: Sequence[Row]) -> None:
    print(title)
    for row in rows:
        print(f"  {row.what:<38} {row.value:9.3f} {row.unit:<7} {row.target:<16} {row.verdict:<7} {row.note}".rstrip())
