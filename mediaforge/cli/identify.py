"""`identify`: which title is this, and where."""

from fractions import Fraction
from pathlib import Path

import click

from mediaforge.cli.arguments import TIME
from mediaforge.cli.command import Call, Command
from mediaforge.cli.identify_folder import identify_folder
from mediaforge.cli.identify_live import identify_live
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
@click.option("--live", is_flag=True, help="Watch a live stream (HLS or DASH), and tell what it shows while it runs.")
@click.option("--for", "seconds", type=TIME, metavar="TIME", help="Watch so long, as 90 or 1:30:00.  [default: to its end]")
@click.pass_obj
def command(call: Call, /, *, copy: str, most: int, live: bool, seconds: Fraction | None) -> None:
    """Say which title a copy shows or sounds like, and which part of it.

    Picture and sound are looked up apart, and a match says which of them speaks for it: a dub is found by its picture, a
    file of sound alone by its sound. An unknown film is an answer too: no match, and exit code 0. Of a page online the
    video is fetched first. Of a folder every media file below it is looked at; only where all fail does the command.

    With --live a stream is watched until it ends, for --for, or until Ctrl+C, and a title that begins is told within a minute;
    with --json as one line of JSON each, and a last one that sums up.

    \b
    Example:
      mediaforge identify copy.mp4
      mediaforge identify broadcast.mp3
      mediaforge identify seized/ --json
      mediaforge identify https://video.example/watch/123 --json
      mediaforge identify https://tv.example/channel/live.m3u8 --live --for 1:00:00
    """
    if live and not is_online(copy):
        raise click.UsageError("--live watches a stream online; give the address of its playlist (.m3u8 or .mpd)")
    if seconds is not None and not live:
        raise click.UsageError("--for is how long a stream is watched; say --live as well")
    context = open_context(call.settings)
    if live:
        identify_live(call, context, copy, seconds=seconds)
        return
    if is_online(copy):
        with fetched(call.settings, copy) as found:
            matches = identify(context, found.path, address=copy)
    elif Path(copy).is_dir():
        identify_folder(call, context, Path(copy), most=most)
        return
    else:
        matches = identify(context, Path(copy))
    call.printer.answer({"matches": [match_data(match) for match in matches]}, lambda: print_matches(matches))
