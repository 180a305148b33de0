"""`worker`: work the queue off."""

import click

from mediaforge.cli.command import Call, Command
from mediaforge.cli.opening import open_context
from mediaforge.work.graph import QUEUE
from mediaforge.work.worker import serve


@click.command("worker", cls=Command)
@click.option("--queue", default=QUEUE, show_default=True, metavar="NAME", help="The queue to serve.")
@click.option("--burst", is_flag=True, help="Leave when the queue is empty.")
@click.pass_obj
def command(call: Call, /, *, queue: str, burst: bool) -> None:
    """Work the queue off.

    One worker runs one step at a time: start as many as there are cores. `release` starts its own unless some run already.

    \b
    Example:
      mediaforge worker
      MEDIAFORGE_QUEUE_URL=rediss://queue.example:6379/0 mediaforge worker --burst
    """
    open_context(call.settings)
    serve(call.settings, queue=queue, burst=burst)
    call.printer.answer({"queue": queue}, lambda: None)
