"""`fingerprint add`, `list`, `remove`, `check`: the index of reference titles. (What never counts: exclusions.py.)"""

from pathlib import Path
from typing import TypedDict

import click

from mediaforge.cli.arguments import FILE, ID
from mediaforge.cli.command import Call, Group
from mediaforge.cli.exclusions import exclude, include, list_excluded, reject
from mediaforge.cli.opening import open_context
from mediaforge.cli.output import clock, size
from mediaforge.cli.tables import print_lines, print_table
from mediaforge.detect.index import Index
from mediaforge.detect.pointfile import PointFiles
from mediaforge.investigate import add_reference


@click.group("fingerprint", cls=Group)
def command() -> None:
    """Keep the index of reference titles.

    A release adds its title by itself; add here what was never released with mediaforge.

    \b
    Example:
      mediaforge fingerprint add film.mov --title atlas
      mediaforge fingerprint list
    """


@command.command("add")
@click.argument("master", type=FILE)
@click.option("--title", required=True, type=ID, help="The title's id.")
@click.pass_obj
def add(call: Call, /, *, master: Path, title: str) -> None:
    """Add a film to the index, in place of an earlier one of the same title.

    \b
    Example:
      mediaforge fingerprint add film.mov --title atlas
    """
    context = open_context(call.settings)
    add_reference(context, master, title)
    row = _row(Index(context.index_folder), title)
    call.printer.answer(row, lambda: print_lines(f"{title}: {clock(row['seconds'])}, {size(row['bytes'])}"))


@command.command("list")
@click.pass_obj
def list_titles(call: Call) -> None:
    """List the titles of the index.

    \b
    Example:
      mediaforge fingerprint list --json
    """
    index = Index(open_context(call.settings).index_folder)
    found = [_row(index, title) for title in index.titles()]
    rows = [(row["title"], clock(row["seconds"]), size(row["bytes"])) for row in found]
    call.printer.answer(
        {"titles": found},
        lambda: print_table(
            ("title", "length", "size"), rows, empty="The index is empty; `fingerprint add` and `release` fill it."
        ),
    )


@command.command("remove")
@click.argument("id", type=ID)
@click.pass_obj
def remove(call: Call, id: str) -> None:
    """Take a title out of the index. Its package stays.

    \b
    Example:
      mediaforge fingerprint remove atlas
    """
    folder = open_context(call.settings).index_folder
    Index(folder).remove(id)
    PointFiles(folder).remove(id)
    call.printer.answer({"title": id}, lambda: print_lines(f"{id} is no longer in the index"))


@command.command("check")
@click.pass_obj
def check(call: Call) -> None:
    """Read the whole index against its checksums.

    \b
    Example:
      mediaforge fingerprint check
    """
    index = Index(open_context(call.settings).index_folder)
    index.check()
    titles = len(index.titles())
    call.printer.answer({"titles": titles}, lambda: print_lines(f"the index is whole: {titles} titles"))


for _each in (exclude, include, reject, list_excluded):
    command.add_command(_each)


class Row(TypedDict):
    """One title as JSON shows it."""

    title: str
    seconds: float
    bytes: int


def _row(index: Index, title: str) -> Row:
    return Row(
        title=title,
        seconds=float(index.read(title).seconds),
        bytes=index.size_bytes(title) + PointFiles(index.folder).size_bytes(title),
    )
