"""`down`: stop the queue server of this state."""

import click

from mediaforge.cli.command import Call, Command
from mediaforge.cli.tables import print_lines
from mediaforge.errors import SettingsError
from mediaforge.work.server import is_running
from mediaforge.work.session import shut_down


@click.command("down", cls=Command)
@click.pass_obj
def command(call: Call) -> None:
    """Stop the queue server of this state.

    Nothing is lost: waiting jobs are on disk, and the next command starts the server again. While commands or workers use
    it, it is left alone.

    \b
    Example:
      mediaforge down
      mediaforge down --state /srv/mediaforge --json
    """
    settings = call.settings
    if settings.queue_url is not None:
        origin = settings.origins["queue_url"]
        raise SettingsError(f"the queue is elsewhere ({origin} says so) and is not ours to stop; stop it where it runs")
    runs = is_running(settings.state)
    if runs:
        shut_down(settings.state)
    words = "the queue server is stopped" if runs else "no queue server runs for this state"
    call.printer.answer({"stopped": runs}, lambda: print_lines(words))
