"""`trace`: whose copy leaked."""

from pathlib import Path

import click

from mediaforge.checks import failures
from mediaforge.cli.arguments import FILE, ID
from mediaforge.cli.command import Call, Command
from mediaforge.cli.opening import open_context
from mediaforge.cli.output import clock
from mediaforge.cli.progress import by_fraction, telling
from mediaforge.cli.tables import print_lines, print_table
from mediaforge.context import Context
from mediaforge.investigate import Trace, trace
from mediaforge.steps import write_whole
from mediaforge.watermark.evidence import rung_path
from mediaforge.watermark.trace import Verdict


@click.command("trace", cls=Command)
@click.argument("copy", type=FILE, required=False)
@click.option("--title", type=ID, help="The title that the copy shows.  [default: found by its pictures]")
@click.option(
    "--false-accusation",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=1e-6,
    show_default=True,
    metavar="P",
    help="The most that accusing anybody falsely may be probable, over all recipients.",
)
@click.option("--report", type=FILE, metavar="FILE", help="Write a page to look at: one HTML file.")
@click.option("--export", type=FILE, metavar="FILE", help="Write what the verdict rests on: a ZIP that holds no key.")
@click.option("--verify", type=FILE, metavar="FILE", help="Compute again what --export wrote; no copy is needed.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    copy: Path | None,
    title: str | None,
    false_accusation: float,
    report: Path | None,
    export: Path | None,
    verify: Path | None,
) -> None:
    """Say whose copy leaked, with a proven bound on accusing the wrong one.

    "Inconclusive" is an answer, with exit code 0: the copy is too short or too damaged, or was never handed to anybody.

    \b
    Example:
      mediaforge trace copy.mp4
      mediaforge trace copy.mp4 --title atlas --false-accusation 1e-3 --json
      mediaforge trace copy.mp4 --report case.html --export case.zip
      mediaforge trace --verify case.zip
    """
    call: Call = ctx.obj
    if verify is not None:
        ctx.exit(_verify(call, verify))
    if copy is None:
        raise click.UsageError("name the copy to trace, or a case file with --verify")
    context = open_context(call.settings)
    with telling(call.progress, about=copy.name) as tell:
        reading = by_fraction(tell, "read the watermark")
        found = trace(context, copy, title, false_accusation=false_accusation, on_progress=reading)
    if found.title is None and (report or export):
        call.printer.say("mediaforge: the copy shows no title that was released here, so no case file was written")
        report = export = None
    if report is not None or export is not None:
        _write(context, copy, found, false_accusation, report=report, export=export)
    data = trace_data(found, false_accusation) | {"report": report, "export": export}
    call.printer.answer(data, lambda: _print(found, false_accusation))


def _write(
    context: Context, copy: Path, found: Trace, false_accusation: float, *, report: Path | None, export: Path | None
) -> None:
    from mediaforge.casefile import make_dossier, write_casefile  # noqa: PLC0415 - only for those who ask
    from mediaforge.cli.trace_page import aligned_pairs, trace_page  # noqa: PLC0415 - templates and pictures, likewise

    dossier = make_dossier(context, copy, found, false_accusation=false_accusation)
    page = trace_page(dossier, aligned_pairs(context, copy, dossier)).encode()
    if report is not None:
        write_whole(report, page)
    if export is not None:
        write_casefile(dossier, export, page=page)


def _verify(call: Call, path: Path) -> int:
    from mediaforge.casefile import verify_casefile  # noqa: PLC0415 - only for those who ask

    dossier, checks = verify_casefile(path, context=open_context(call.settings))
    broken = failures(checks)
    data = {"title": dossier.title, "accusations": dossier.verdict.accusations, "checks": checks}

    def people() -> None:
        for check in checks:
            print_lines(f"{'ok' if check.ok else 'error':>7}  {check.id}  {check.message}")
        print_lines("The accusation follows from the reading." if not broken else "Do not rely on this file.")

    call.printer.answer(data, people, ok=not broken)
    return 1 if broken else 0


def trace_data(found: Trace, false_accusation: float) -> dict[str, object]:
    verdict, evidence = found.verdict, found.evidence
    return {
        "title": found.title,
        "verdict": verdict.verdict.value,
        "segments": evidence.segments,
        "segments_read": verdict.segments_read,
        "seconds_read": verdict.seconds_read,
        "false_accusation": false_accusation,
        "recipients": verdict.recipients,
        "lowest_probability": verdict.lowest_probability,
        "seconds_missing": verdict.seconds_missing,
        "accusations": verdict.accusations,
        "evidence": {
            "alignment": evidence.alignment,
            "further": evidence.further,
            "rungs": evidence.rungs,
            "path": rung_path(evidence.symbols),
            "symbols": evidence.symbols,
        },
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
        print_lines(f"inconclusive: {read}; {bound}", f"Nobody is accused. {_what_next(verdict)}")


def _what_next(verdict: Verdict) -> str:
    if verdict.seconds_missing is not None:
        return f"Were it one recipient's copy, {clock(verdict.seconds_missing)} more of it would say whose."
    if verdict.segments_read:
        return "It is no single recipient's copy: several mixed theirs, or it was never handed out."
    return "A longer or better piece of the copy is needed."
