"""`qc`: what is wrong with a master's picture and sound, before anything is encoded."""

import dataclasses
import json
from pathlib import Path

import click

from mediaforge.cli.arguments import FILE
from mediaforge.cli.command import Call, Command
from mediaforge.cli.output import clock
from mediaforge.cli.progress import by_fraction, telling
from mediaforge.cli.qc_page import write_report
from mediaforge.cli.tables import print_lines, print_table
from mediaforge.release import Release
from mediaforge.tools import locate_tools
from mediaforge.transcode.probe import probe, read_timeline
from mediaforge.transcode.qc.control import Verdict, control
from mediaforge.transcode.qc.finding import Finding, Severity


@click.command("qc", cls=Command)
@click.argument("master", type=FILE)
@click.option("--report", type=FILE, metavar="F.html", help="Write a page to look at as well.")
@click.pass_context
def command(ctx: click.Context, /, *, master: Path, report: Path | None) -> None:
    """Look at a master's picture and listen to its first sound track, in one decode.

    Finds black, freezes, combs that the file denies, bars, flashes, silence, loudness and true peaks beyond EBU R 128,
    clipping, dead and inverted channels, and sound of another length than the picture. Exits with 1 where an error is found:
    what should not be published as it is.

    \b
    Example:
      mediaforge qc film.mov
      mediaforge qc film.mov --report film-qc.html --json
    """
    call: Call = ctx.obj
    tools = locate_tools(call.settings.tools)
    probed = probe(master, tools=tools)
    read_timeline(probed, tools=tools)  # a file cut short says so here
    with telling(call.progress, about=master.name) as tell:
        verdict = control(probed, tools=tools, on_progress=by_fraction(tell, "look"))
    if report is not None:
        write_report(probed, verdict, report)
    call.printer.answer(
        {"master": master, "seconds": verdict.seconds, "sound": verdict.sound, "findings": verdict.findings},
        lambda: print_verdict(master.name, verdict),
        ok=not verdict.errors,
    )
    ctx.exit(1 if verdict.errors else 0)


def print_verdict(name: str, verdict: Verdict) -> None:
    rows = [(one.severity.value, one.check, when(one, verdict.seconds), one.message) for one in verdict.findings]
    print_table(("", "check", "where", "what"), rows, empty="Nothing was found.")
    errors = len(verdict.errors)
    heard = "" if verdict.sound else "; it has no sound that could be judged"
    words = f"{errors} of {len(rows)} findings forbid publishing it as it is" if errors else "nothing forbids publishing it"
    print_lines(f"{name}, {clock(verdict.seconds)}: {words}{heard}")


def say_findings(call: Call, release: Release) -> None:
    """On stderr, what a release found in its master. It is published all the same: whoever asked for it may have reasons."""
    grave = [one for one in release.findings if one.severity is not Severity.NOTICE]
    for one in grave:
        if call.progress == "json":
            facts = {"about": release.title, "event": "finding", **dataclasses.asdict(one)}
            click.echo(json.dumps(facts), err=True)
        else:
            place = f"{clock(one.start)} to {clock(one.end)}"
            word = one.severity.value.upper() if one.severity is Severity.ERROR else one.severity.value
            call.printer.say(f"{release.title}: {word}: {one.check}, {place}: {one.message}")
    errors = sum(one.severity is Severity.ERROR for one in grave)
    if errors and call.progress != "json":
        call.printer.say(
            f"{release.title}: IT IS PUBLISHED WITH {errors} OF WHAT FORBIDS IT; see `mediaforge qc`, mend the master"
        )


def when(finding: Finding, seconds: float) -> str:
    """A finding's place, as people say it."""
    if finding.start < 0.5 and finding.end > seconds - 0.5:
        return "all of it"
    return f"{clock(finding.start)} to {clock(finding.end)}"
