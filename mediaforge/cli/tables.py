"""Tables and lists of checks for people, on stdout."""

import sys
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mediaforge.checks import Check

_COLOURS = {"ok": "green", "error": "red", "warning": "yellow"}


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    """Columns of numbers stand to the right; `empty` is the sentence where there are no rows."""
    if not rows:
        print_lines(empty)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column, title in enumerate(head):
        numeric = all(row[column][:1].isdigit() or row[column] in ("", "-") for row in rows)
        table.add_column(title, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    _console().print(table)


def print_lines(*lines: str) -> None:
    for line in lines:
        _console().print(Text(line))


def print_checks(checks: Sequence[Check]) -> None:
    for check in checks:
        word = "ok" if check.ok else check.level.value
        _console().print(Text.assemble((f"{word:>7}", _COLOURS[word]), "  ", (check.id, "bold"), "  ", check.message))


def _console() -> Console:
    """Made anew each time: stdout may have been turned elsewhere. A pipe gets long lines whole."""
    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 200)
