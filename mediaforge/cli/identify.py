"""`identify`: which title is this, and where."""

from fractions import Fraction
from pathlib import Path

import click

from mediaforge.cli.arguments import FILE, TIME
from mediaforge.cli.command import Call, Command
from mediaforge.cli.identify_folder import identify_folder
from mediaforge.cli.identify_live import identify_live
from mediaforge.cli.matches import match_data, print_matches
from mediaforge.cli.online import fetched, is_online
from mediaforge.cli.opening import open_context
from mediaforge.context import Context
from mediaforge.investigate import identify
from mediaforge.steps import write_whole

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
@click.option("--report", type=FILE, metavar="FILE", help="Write a page to look at: one HTML file.")
@click.option("--live", is_flag=True, help="Watch a live stream (HLS or DASH), and tell what it shows while it runs.")
@click.option("--for", "seconds", type=TIME, metavar="TIME", help="Watch so long, as 90 or 1:30:00.  [default: to its end]")
@click.pass_obj
def command(call: Call, /, *, copy: str, most: int, report: Path | None, live: bool, seconds: Fraction | None) -> None:
    """Say which title a copy shows or sounds like, and which part of it.

    Picture and sound are looked up apart, and a match says which of them speaks for it: a dub is found by its picture, a
    file of sound alone by its sound. An unknown film is an answer too: no match, and exit code 0. Of a page online the
    video is fetched first. Of a folder every media file below it is looked at; only where all fail does the command.

    With --live a stream is watched until it ends, for --for, or until Ctrl+C, and a title that begins is told within a minute;
    with --json as one line of JSON each, and a last one that sums up.

    \b
    Example:
      mediaforge identify copy.mp4 --report copy.html
      mediaforge identify broadcast.mp3
      mediaforge identify seized/ --json
      mediaforge identify https://video.example/watch/123 --json
      mediaforge identify https://tv.example/channel/live.m3u8 --live --for 1:00:00
    """
    if live and not is_online(copy):
        raise click.UsageError("--live watches a stream online; give the address of its playlist (.m3u8 or .mpd)")
    if seconds is not None and not live:
        raise click.UsageError("--for is how long a stream is watched; say --live as well")
    if report is not None and (live or (not is_online(copy) and Path(copy).is_dir())):
        raise click.UsageError("--report is the page of one copy; name a file or the address of a video")
    context = open_context(call.settings)
    if live:
        identify_live(call, context, copy, seconds=seconds)
    elif is_online(copy):
        with fetched(call.settings, copy) as found:
            _answer(call, context, found.path, report, address=copy)
    elif Path(copy).is_dir():
        identify_folder(call, context, Path(copy), most=most)
    else:
        _answer(call, context, Path(copy), report)


def _answer(call: Call, context: Context, copy: Path, report: Path | None, *, address: str | None = None) -> None:
    matches = identify(context, copy, address=address)
    data: dict[str, object] = {"matches": [match_data(match) for match in matches]}
    if report is not None:
        from mediaforge.cli.identify_page import identify_page, make_report  # noqa: PLC0415 - templates: only for who asks

        write_whole(report, identify_page(make_report(context, copy, matches, address=address)).encode())
        data["report"] = report
    call.printer.answer(data, lambda: print_matches(matches))
