"""A command that drives a release, as the command line would; its arguments are the home and the release."""

import sys
from pathlib import Path

from mediaforge.work.dispatch import start
from tests.work.fake_home import Home

if __name__ == "__main__":
    home = Home(path=Path(sys.argv[1]))
    try:
        with home.session() as session:
            start(session, sys.argv[2], title="atlas")
            for event in home.drive(session, sys.argv[2], workers=1):
                print(event.kind, event.step, flush=True)
    except KeyboardInterrupt:
        sys.exit(130)
