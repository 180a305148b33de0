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
from mediaforge.context import Context
from mediaforge.detect.pointfile import PointFiles
from mediaforge.detect.sound_index import SoundIndex
from mediaforge.investigate import add_reference
from mediaforge.titlepictures import forget_file


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
    row = _row(context, title)
    call.printer.answer(row, lambda: print_lines(f"{title}: {_shown(row)}"))


@command.command("list")
@click.pass_obj
def list_titles(call: Call) -> None:
    """List the titles of the index.

    \b
    Example:
      mediaforge fingerprint list --json
    """
    context = open_context(call.settings)
    found = [_row(context, title) for title in context.index.titles()]
    rows = [(row["title"], clock(row["seconds"]), str(row["sounds"]), size(row["bytes"])) for row in found]
    call.printer.answer(
        {"titles": found},
        lambda: print_table(
            ("title", "length", "sounds", "size"), rows, empty="The index is empty; `fingerprint add` and `release` fill it."
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
    context = open_context(call.settings)
    context.index.remove(id)
    PointFiles(context.index_folder).remove(id)
    SoundIndex(context.sound_index_folder).remove(id)
    forget_file(context, id)
    call.printer.answer({"title": id}, lambda: print_lines(f"{id} is no longer in the index"))


@command.command("check")
@click.pass_obj
def check(call: Call) -> None:
    """Read the whole index against its checksums.

    \b
    Example:
      mediaforge fingerprint check
    """
    context = open_context(call.settings)
    index, sounds = context.index, SoundIndex(context.sound_index_folder)
    index.check()
    for title in sounds.titles():
        sounds.read(title)
    titles = len(index.titles())
    call.printer.answer({"titles": titles}, lambda: print_lines(f"the index is whole: {titles} titles"))


for _each in (exclude, include, reject, list_excluded):
    command.add_command(_each)


class Row(TypedDict):
    """One title as JSON shows it. `sounds` counts its sound tracks; `bytes` is picture and sound."""

    title: str
    seconds: float
    sounds: int
    bytes: int


def _row(context: Context, title: str) -> Row:
    pictures, points = context.index, PointFiles(context.index_folder)
    sounds = SoundIndex(context.sound_index_folder)
    return Row(
        title=title,
        seconds=float(pictures.read(title).seconds),
        sounds=len(sounds.read(title)),
        bytes=pictures.size_bytes(title) + points.size_bytes(title) + sounds.size_bytes(title),
    )


def _shown(row: Row) -> str:
    sounds = f"{row['sounds']} sound track" + ("" if row["sounds"] == 1 else "s")
    return f"{clock(row['seconds'])}, {sounds}, {size(row['bytes'])}"
