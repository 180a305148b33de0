"""A driver process: `python -m mediaforge.work.driver --state DIR ID` works a started release off without a display."""

import argparse
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from mediaforge.errors import MediaforgeError
from mediaforge.settings import load_settings
from mediaforge.tools import locate_tools
from mediaforge.work.dispatch import drive
from mediaforge.work.session import queue_session


def main(arguments: Sequence[str]) -> int:
    """The exit code is the release's, though nobody may be left to read it. SIGTERM calls the release off."""
    parser = argparse.ArgumentParser(prog="python -m mediaforge.work.driver", description=__doc__)
    parser.add_argument("--state", required=True, metavar="DIR")
    parser.add_argument("release_id", metavar="ID")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        settings = load_settings({"state": options.state})
        tools = locate_tools(settings.tools)
        with queue_session(settings.state, tools, runtime_dir=settings.runtime_dir, queue_url=settings.queue_url) as session:
            for event in drive(session, options.release_id, workers=settings.workers):
                if event.kind != "progress":
                    print(event.kind, event.step, event.message, flush=True)
    except MediaforgeError as error:
        print(f"driver: {error.message}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
