"""`trace`: whose copy leaked."""

from pathlib import Path

import click

from mediaforge.cli.arguments import FILE, ID
from mediaforge.cli.command import Call, Command
from mediaforge.cli.opening import open_context
from mediaforge.cli.output import clock
from mediaforge.cli.progress import by_fraction, telling
from mediaforge.cli.tables import print_lines, print_table
from mediaforge.investigate import Trace, trace


@click.command("trace", cls=Command)
@click.argument("copy", type=FILE)
@click.option("--title", type=ID, help="The title that the copy shows.  [default: found by its pictures]")
@click.option(
    "--false-accusation",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=1e-6,
    show_default=True,
    metavar="P",
    help="The most that accusing anybody falsely may be probable, over all recipients.",
)
@click.pass_obj
def command(call: Call, /, *, copy: Path, title: str | None, false_accusation: float) -> None:
    """Say whose copy leaked, with a proven bound on accusing the wrong one.

    "Inconclusive" is an answer, with exit code 0: the copy is too short or too damaged, or was never handed to anybody.

    \b
    Example:
      mediaforge trace copy.mp4
      mediaforge trace copy.mp4 --title atlas --false-accusation 1e-3 --json
    """
    context = open_context(call.settings)
    with telling(call.progress, about=copy.name) as tell:
        report = by_fraction(tell, "read the watermark")
        found = trace(context, copy, title, false_accusation=false_accusation, on_progress=report)
    call.printer.answer(trace_data(found, false_accusation), lambda: _print(found, false_accusation))


def trace_data(found: Trace, false_accusation: float) -> dict[str, object]:
    verdict, evidence = found.verdict, found.evidence
    return {
        "title": found.title,
        "verdict": verdict.verdict.value,
        "segments": evidence.segments,
        "segments_read": verdict.segments_read,
        "seconds_read": verdict.seconds_read,
        "false_accusation": false_accusation,
        "lowest_probability": verdict.lowest_probability,
        "accusations": verdict.accusations,
        "evidence": {"alignment": evidence.alignment, "rungs": evidence.rungs, "symbols": evidence.symbols},
    }


def _print(found: Trace, false_accusation: float) -> None:
    if found.title is None:
        print_lines("inconclusive: the copy shows no title that was released here")
        return
    verdict = found.verdict
    read = f"{verdict.segments_read} of {found.evidence.segments} segments of {found.title} were read"
    if verdict.accusations:
        rows = [(row.recipient, f"{row.score:.1f}", f"{row.false_accusation_probability:.1e}") for row in verdict.accusations]
        print_lines(f"accused: {read} ({clock(verdict.seconds_read)})")
        print_table(("recipient", "score", "false with probability at most"), rows, empty="")
    else:
        bound = f"the best bound is {verdict.lowest_probability:.1e}, at most {false_accusation:.1e} is asked"
        print_lines(f"inconclusive: {read}; {bound}", "Nobody is accused. A longer piece of the copy would say more.")
