"""`sequence`: which variant of each segment a recipient gets."""

import click

from mediaforge.cli.arguments import ID
from mediaforge.cli.command import Call, Command
from mediaforge.cli.opening import open_context
from mediaforge.cli.tables import print_lines
from mediaforge.copies import sequence


@click.command("sequence", cls=Command)
@click.argument("title", type=ID)
@click.option("--recipient", required=True, type=ID, help="Whose sequence.")
@click.option("--start", type=click.IntRange(min=0), default=0, show_default=True, help="First segment, from 0.")
@click.option("--count", type=click.IntRange(min=1), help="How many segments.  [default: to the end]")
@click.pass_obj
def command(call: Call, /, *, title: str, recipient: str, start: int, count: int | None) -> None:
    """Print which variant of each segment a recipient gets, for an edge or a proxy.

    The first letter is segment START: A names video/RUNG/N.m4s, B names b/video/RUNG/N.m4s. Keep it as secret as a key.

    \b
    Example:
      mediaforge sequence atlas --recipient festival-agadir
      mediaforge sequence atlas --recipient festival-agadir --start 100 --count 20 --json
    """
    letters = sequence(open_context(call.settings), title, recipient)
    chosen = letters[start : None if count is None else start + count]
    data = {"title": title, "recipient": recipient, "start": start, "segments": len(letters), "variants": chosen}
    call.printer.answer(data, lambda: print_lines(chosen))
