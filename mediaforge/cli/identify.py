"""`identify`: which title is this, and where."""

from pathlib import Path

import click

from mediaforge.cli.command import Call, Command
from mediaforge.cli.identify_folder import identify_folder
from mediaforge.cli.matches import match_data, print_matches
from mediaforge.cli.online import fetched, is_online
from mediaforge.cli.opening import open_context
from mediaforge.investigate import identify

MOST_FILES = 1000


@click.command("identify", cls=Command)
@click.argument("copy", metavar="COPY|FOLDER|URL")
@click.option(
    "--most",
    type=click.IntRange(1),
    default=MOST_FILES,
    show_default=True,
    metavar="N",
    help="Of a folder, look at so many files and no more.",
)
@click.pass_obj
def command(call: Call, /, *, copy: str, most: int) -> None:
    """Say which title a copy shows or sounds like, and which part of it.

    Picture and sound are looked up apart, and a match says which of them speaks for it: a dub is found by its picture, a
    file of sound alone by its sound. An unknown film is an answer too: no match, and exit code 0. Of a page online the
    video is fetched first. Of a folder every media file below it is looked at; only where all fail does the command.

    \b
    Example:
      mediaforge identify copy.mp4
      mediaforge identify broadcast.mp3
      mediaforge identify seized/ --json
      mediaforge identify https://video.example/watch/123 --json
    """
    context = open_context(call.settings)
    if is_online(copy):
        with fetched(call.settings, copy) as found:
            matches = identify(context, found.path, address=copy)
    elif Path(copy).is_dir():
        identify_folder(call, context, Path(copy), most=most)
        return
    else:
        matches = identify(context, Path(copy))
    call.printer.answer({"matches": [match_data(match) for match in matches]}, lambda: print_matches(matches))
