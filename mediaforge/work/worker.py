"""A worker process: `python -m mediaforge.work.worker --state DIR` works the queue of a state off until it is told to go."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mediaforge import release
from mediaforge.context import Context
from mediaforge.errors import MediaforgeError
from mediaforge.settings import Settings, load_settings
from mediaforge.tools import locate_tools
from mediaforge.work.corridor import Plan
from mediaforge.work.graph import QUEUE
from mediaforge.work.rq_worker import run_worker
from mediaforge.work.session import queue_session


def serve(settings: Settings, *, queue: str = QUEUE, burst: bool = False) -> None:
    """Work a queue off until SIGTERM, or (`burst`) until it is empty. Raises MediaforgeError."""
    tools = locate_tools(settings.tools)
    context = Context(state=settings.state, tools=tools, s3_endpoint=settings.s3_endpoint, index_url=settings.index_url)
    corridor = ReleaseCorridor(context=context)
    with queue_session(settings.state, tools, runtime_dir=settings.runtime_dir, queue_url=settings.queue_url) as session:
        run_worker(session, corridor, queue=queue, burst=burst)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseCorridor:
    """The corridor of one state, with the context that every worker builds for itself."""

    context: Context

    def plan_release(self, release_id: str, on_progress: Callable[[float], None]) -> None:
        release.plan_release(self.context, release_id, on_progress)

    def load_plan(self, release_id: str) -> Plan:
        return release.load_plan(self.context, release_id)

    def run_planned(self, release_id: str, step_name: str, on_progress: Callable[[float], None]) -> object:
        return release.run_planned(self.context, release_id, step_name, on_progress)

    def is_done(self, release_id: str, step_name: str) -> bool:
        return release.is_done(self.context, release_id, step_name)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m mediaforge.work.worker", description=__doc__)
    parser.add_argument("--state", required=True, metavar="DIR")
    parser.add_argument("--queue", default=QUEUE)
    parser.add_argument("--burst", action="store_true", help="leave when the queue is empty")
    options = parser.parse_args(arguments)
    try:
        serve(load_settings({"state": options.state}), queue=options.queue, burst=options.burst)
    except MediaforgeError as error:
        print(f"worker: {error.message}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
