"""Runs as a process of its own and becomes Chromium: `python -m mediaforge.package.player_child READ WRITE CHROMIUM ...`.

Chromium is driven through two pipes that it expects as descriptors 3 and 4 (`--remote-debugging-pipe`). A port would be open
to every user of the machine, and with it the keys on the page. It gets a process group of its own, so that all its processes
can be ended at once, and so that Ctrl+C reaches only us, who then end it.
"""

import fcntl
import os
import sys


def main() -> None:
    commands, answers, *argv = sys.argv[1:]
    os.setpgid(0, 0)
    # First out of the way of 3 and 4: each may be the other's place.
    high = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in (commands, answers)]
    for number, place in zip(high, (3, 4), strict=True):
        os.dup2(number, place, inheritable=True)
    os.closerange(5, 256)
    os.execv(argv[0], argv)  # noqa: S606 - this process was started to become that one


if __name__ == "__main__":
    main()
