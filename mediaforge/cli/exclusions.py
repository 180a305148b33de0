"""`fingerprint exclude`, `include`, `reject`, `excluded`: what never counts when copies are looked for."""

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import click

from mediaforge.cli.arguments import ID, TIME
from mediaforge.cli.command import Call, Command
from mediaforge.cli.online import is_online
from mediaforge.cli.opening import open_context
from mediaforge.cli.output import clock
from mediaforge.cli.tables import print_lines, print_table
from mediaforge.detect.exclusions import Exclusions
from mediaforge.errors import MediaError, UnknownId
from mediaforge.media import Span
from mediaforge.steps import digest_file

_DIGEST = re.compile(r"[0-9a-f]{64}")


@click.command("exclude", cls=Command)
@click.argument("title", type=ID)
@click.argument("start", type=TIME)
@click.argument("end", type=TIME)
@click.pass_obj
def exclude(call: Call, /, *, title: str, start: Fraction, end: Fraction) -> None:
    """Let a part of a title never count: an ident, credits, footage that others may show.

    \b
    Example:
      mediaforge fingerprint exclude atlas 0 12.5
      mediaforge fingerprint exclude atlas 1:31:00 1:35:20
    """
    if start >= end:
        raise click.UsageError(f"{clock(start)} is not before {clock(end)}; give the start first")
    _change(call, title, lambda now: now.exclude(title, Span(start=start, end=end)))
    answer = {"title": title, "start": start, "end": end}
    call.printer.answer(answer, lambda: print_lines(f"{title} from {clock(start)} to {clock(end)} does not count any more"))


@click.command("include", cls=Command)
@click.argument("title", type=ID)
@click.pass_obj
def include(call: Call, title: str) -> None:
    """Let all of a title count again, also what was learnt to be common.

    \b
    Example:
      mediaforge fingerprint include atlas
    """
    _change(call, title, lambda now: now.include(title))
    call.printer.answer({"title": title}, lambda: print_lines(f"all of {title} counts"))


@click.command("reject", cls=Command)
@click.argument("copy", metavar="COPY|URL|SHA256")
@click.argument("title", type=ID)
@click.pass_obj
def reject(call: Call, copy: str, title: str) -> None:
    """Say that a copy does not show a title: it is never taken for it again.

    The copy is known again by its bytes, or by its address if it is online.

    \b
    Example:
      mediaforge fingerprint reject copy.mp4 atlas
      mediaforge fingerprint reject https://video.example/watch/123 atlas
    """
    known_by = copy if is_online(copy) or _DIGEST.fullmatch(copy) else _digest(Path(copy))
    _change(call, title, lambda now: now.reject(known_by, title))
    answer = {"copy": known_by, "title": title}
    call.printer.answer(answer, lambda: print_lines(f"{copy} is not taken for {title} any more"))


@click.command("excluded", cls=Command)
@click.pass_obj
def list_excluded(call: Call) -> None:
    """List what never counts: said by a person, or learnt because five or more titles share it.

    \b
    Example:
      mediaforge fingerprint excluded --json
    """
    found = open_context(call.settings).index.exclusions()
    learnt = {title: spans for title, spans in found.learnt.items() if title not in found.kept}
    spans = [
        (title, span, why)
        for why, titles in (("said", found.said), ("learnt", learnt))
        for title, each in sorted(titles.items())
        for span in each
    ]
    rejected = sorted(found.rejected)
    answer = {
        "spans": [{"title": title, "start": span.start, "end": span.end, "why": why} for title, span, why in spans],
        "rejected": [{"copy": copy, "title": title} for copy, title in rejected],
    }
    rows = [(title, f"{clock(span.start)} to {clock(span.end)}", why) for title, span, why in spans]
    rows += [(title, copy, "rejected") for copy, title in rejected]
    call.printer.answer(
        answer,
        lambda: print_table(("title", "what", "why"), rows, empty="Everything counts; `fingerprint exclude` takes a span out."),
    )


def _change(call: Call, title: str, change: Callable[[Exclusions], Exclusions]) -> None:
    index = open_context(call.settings).index
    if title not in index.titles():
        raise UnknownId("fingerprint of title", title, "`fingerprint list` names those there are")
    index.change_exclusions(change)


def _digest(path: Path) -> str:
    try:
        return digest_file(path)
    except OSError as error:
        raise MediaError(path, f"cannot be read ({error.strerror}); give a file, an address or a SHA-256") from error
