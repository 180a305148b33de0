"""The verdict as a page: what does not hold and what to do, how each player fared, and every rule that was held against it."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mediaforge import __version__
from mediaforge.checks import Check, failures
from mediaforge.cli.templating import template
from mediaforge.errors import StoreError
from mediaforge.package.player import Played
from mediaforge.package.player_cells import Mode
from mediaforge.package.record import PackageRecord
from mediaforge.package.rulebook import RULES, rule_of
from mediaforge.package.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found. `pictures`: the folder of the screenshots, where some were kept."""

    package: Path
    record: PackageRecord
    checks: tuple[Check, ...]
    played: tuple[Played, ...]
    pictures: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A rule and its checks of this package."""

    rule: Rule
    checks: tuple[Check, ...]

    @property
    def broken(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.ok)


def write_report(report: Report, to: Path) -> None:
    """Write the page: one file that needs nothing else. Raises StoreError."""
    broken = failures(report.checks)
    text = template("verify.html.j2").render(
        report=report,
        rows=list(_rows(report.checks)),
        errors=[(check, rule_of(check.id)) for check in broken],
        warnings=[(check, rule_of(check.id)) for check in report.checks if not check.ok and check not in broken],
        cells=[(row, _picture(row, report.pictures)) for row in report.played],
        modes=[(mode, words) for mode, words in _MODES.items() if any(row.take.cell.mode is mode for row in report.played)],
        rules=len(RULES),
        version=__version__,
    )
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(to, f"cannot be written ({error.strerror}); name another file for --report") from error


_MODES = {Mode.PLAIN: "Variant A", Mode.MIXED: "A and B mixed", Mode.WRONG_KEY: "With a wrong key"}


def _rows(checks: tuple[Check, ...]) -> Iterator[Row]:
    """In the order of the rulebook; rules that this package gave no occasion for are left out."""
    for rule in RULES:
        found = tuple(check for check in checks if rule_of(check.id) is rule)
        if found:
            yield Row(rule=rule, checks=found)


def _picture(row: Played, folder: Path | None) -> str | None:
    path = folder / f"{row.take.cell.name}.png" if folder else None
    if path is None or not path.is_file():
        return None
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode("ascii")
