"""`doctor`: is this machine fit?"""

import click

from mediaforge.checks import failures
from mediaforge.cli.command import Call, Command
from mediaforge.cli.fitness import check_machine
from mediaforge.cli.tables import print_checks


@click.command("doctor", cls=Command)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Say whether this machine is fit.

    Tries every program and what is built into it, and looks at the state folder, space, memory and isolation. Exits with
    1 where something is missing that a release needs; a warning alone leaves 0.

    \b
    Example:
      mediaforge doctor
      mediaforge doctor --json --state /srv/mediaforge
    """
    call: Call = ctx.obj
    checks = tuple(check_machine(call.settings))
    unfit = failures(checks)
    call.printer.answer({"checks": checks}, lambda: print_checks(checks), ok=not unfit)
    ctx.exit(1 if unfit else 0)
