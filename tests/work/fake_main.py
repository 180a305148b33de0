"""A command that drives a release, as the command line would; its arguments are the home and the release."""

import signal
import sys
from pathlib import Path

from mediaforge.work.dispatch import start
from tests.work.fake_home import Home

if __name__ == "__main__":
    # A shell's background jobs ignore Ctrl+C, and so would we where the tests are one; a command at a terminal does not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    home = Home(path=Path(sys.argv[1]))
    try:
        with home.session() as session:
            start(session, sys.argv[2], title="atlas")
            for event in home.drive(session, sys.argv[2], workers=1):
                print(event.kind, event.step, flush=True)
    except KeyboardInterrupt:
        sys.exit(130)
