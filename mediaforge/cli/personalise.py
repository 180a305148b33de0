"""`personalise`: a recipient's own copy."""

import time
from pathlib import Path

import click

from mediaforge.cli.arguments import FOLDER, ID
from mediaforge.cli.command import Call, Command
from mediaforge.cli.opening import open_context
from mediaforge.cli.progress import by_fraction, telling
from mediaforge.cli.tables import print_lines
from mediaforge.context import Context
from mediaforge.copies import Copy, personalise_file, personalise_package


@click.command("personalise", cls=Command)
@click.argument("title", type=ID)
@click.option("--recipient", required=True, type=ID, help="Who the copy is for.")
@click.option("--to", "folder", required=True, type=FOLDER, help="Folder to put the copy in.")
@click.option("--file", "as_file", is_flag=True, help="One clear MP4, for screeners and schools, instead of a package.")
@click.option("--rung", metavar="NAME", help="With --file: the rung to take.  [default: the best]")
@click.option(
    "--visible", is_flag=True, help="With --file: the recipient's name over the picture, faint. The picture is encoded again."
)
@click.pass_obj
def command(call: Call, /, *, title: str, recipient: str, folder: Path, as_file: bool, rung: str | None, visible: bool) -> None:
    """Stitch a recipient's own copy, without encoding anything again.

    Each segment is taken from variant A or B as the recipient's secret code says: a copy looks like any other, and a leak
    of it can be traced.

    \b
    Example:
      mediaforge personalise atlas --recipient festival-agadir --to copies/
      mediaforge personalise atlas --recipient festival-agadir --to copies/ --file
      mediaforge personalise atlas --recipient festival-agadir --to copies/ --file --visible
    """
    if rung is not None and not as_file:
        raise click.UsageError("--rung goes with --file: a package holds every rung", click.get_current_context())
    if visible and not as_file:
        raise click.UsageError(
            "--visible goes with --file: a package is made for players, not for one viewer", click.get_current_context()
        )
    context = open_context(call.settings)
    began = time.monotonic()
    if as_file:
        copy = _file(call, context, title, recipient=recipient, folder=folder, rung=rung, visible=visible)
    else:
        copy = _package(call, context, title, recipient=recipient, folder=folder)
    seconds = round(time.monotonic() - began, 3)
    call.printer.answer(
        {
            "title": title,
            "recipient": recipient,
            "path": copy.path,
            "segments": copy.segments,
            "visible": visible,
            "seconds": seconds,
        },
        lambda: print_lines(f"{copy.path}: {copy.segments} segments for {recipient}, made in {seconds:.1f} s"),
    )


def _file(call: Call, context: Context, title: str, *, recipient: str, folder: Path, rung: str | None, visible: bool) -> Copy:
    with telling(call.progress, about=f"{title} for {recipient}") as tell:
        report = by_fraction(tell, "name over the picture")
        return personalise_file(context, title, recipient, folder=folder, rung=rung, visible=visible, on_progress=report)


def _package(call: Call, context: Context, title: str, *, recipient: str, folder: Path) -> Copy:
    with telling(call.progress, about=f"{title} for {recipient}") as tell:
        return personalise_package(context, title, recipient, folder=folder, on_progress=by_fraction(tell, "copy"))
