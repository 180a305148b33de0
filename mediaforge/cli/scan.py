"""`scan`: look at pages online for copies of the titles in the index."""

from dataclasses import dataclass

import click

from mediaforge.cli.command import Call, Command
from mediaforge.cli.matches import match_data
from mediaforge.cli.online import fetched
from mediaforge.cli.opening import open_context
from mediaforge.cli.output import clock, size
from mediaforge.cli.tables import print_table
from mediaforge.context import Context
from mediaforge.detect.tiers import Found
from mediaforge.errors import MediaforgeError
from mediaforge.investigate import identify


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What one address showed. `error` where it could not be looked at."""

    url: str
    bytes_fetched: int
    matches: tuple[Found, ...]
    error: MediaforgeError | None

    @property
    def verdict(self) -> str:
        if self.error is not None:
            return "failed"
        return self.matches[0].verdict.value if self.matches else "unknown"

    @property
    def title(self) -> str | None:
        return self.matches[0].title if self.matches else None


@click.command("scan", cls=Command)
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@click.pass_obj
def command(call: Call, urls: tuple[str, ...]) -> None:
    """Look at pages online for copies of the titles in the index.

    Of each page the video is fetched in its lowest rendition, by a child process with limits, and identified. Addresses
    of private networks are refused unless the setting scan_allow_hosts names the host. A page that cannot be looked at
    is an item like the others; only where all fail does the command.

    \b
    Example:
      mediaforge scan https://video.example/watch/123
      mediaforge scan https://video.example/watch/123 https://cdn.example/film.m3u8 --json
    """
    context = open_context(call.settings)
    items = []
    for url in urls:
        items.append(_look(call, context, url))
        call.printer.say(f"{url}: {items[-1].verdict}")
    errors = [item.error for item in items if item.error is not None]
    if len(errors) == len(items):
        raise errors[0]
    call.printer.answer({"items": [_data(item) for item in items]}, lambda: _print(items))


def _look(call: Call, context: Context, url: str) -> Item:
    try:
        with fetched(call.settings, url) as copy:
            matches = identify(context, copy.path, address=url)
            return Item(url=url, bytes_fetched=copy.bytes_fetched, matches=matches, error=None)
    except MediaforgeError as error:  # one dead page among many must not hide what the others show
        return Item(url=url, bytes_fetched=0, matches=(), error=error)


def _data(item: Item) -> dict[str, object]:
    return {
        "url": item.url,
        "verdict": item.verdict,
        "title": item.title,
        "bytes_fetched": item.bytes_fetched,
        "bytes_full": None,
        "case": None,
        "matches": [match_data(match) for match in item.matches],
        "error": item.error.message if item.error else None,
    }


def _print(items: list[Item]) -> None:
    rows = [(item.url, item.verdict, item.title or "-", _where(item), size(item.bytes_fetched)) for item in items]
    print_table(("address", "verdict", "title", "where in the title", "fetched"), rows, empty="")


def _where(item: Item) -> str:
    if item.error is not None:
        return item.error.message
    if not item.matches:
        return "-"
    span = item.matches[0].reference
    return f"{clock(span.start)} to {clock(span.end)}"
