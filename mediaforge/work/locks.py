"""Locks between processes: flock, given back by the kernel when the last holder is gone, however it went."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from mediaforge.errors import QueueError


@contextlib.contextmanager
def title_lock(state: Path, title: str, *, release_id: str) -> Iterator[int]:
    """Hold a title while it is released.

    Yields the descriptor that holds it: a process that inherits the descriptor holds the title on after we have left.
    Raises QueueError where another release of the title is under way.
    """
    with lock_file(state / "locks" / f"title-{title}.lock") as lock:
        if not take(lock, shared=False):
            holder = os.pread(lock, 256, 0).decode(errors="replace") or release_id
            raise QueueError(f"{title} is being released already; watch it with `mediaforge job watch {holder}`")
        os.ftruncate(lock, 0)
        os.pwrite(lock, release_id.encode(), 0)
        yield lock


@contextlib.contextmanager
def lock_file(path: Path) -> Iterator[int]:
    """The open descriptor of a lock file, which is made where it is missing and never removed: its name is the lock."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise QueueError(f"{path} cannot be opened ({error.strerror}); mend its folder, or choose another --state") from error
    try:
        yield lock
    finally:
        os.close(lock)


def take(lock: int, *, shared: bool, wait: bool = False) -> bool:
    """Try to hold the lock, alone or with others; True when it is held. Raises QueueError where the disk knows no locks."""
    try:
        fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        raise QueueError(
            f"the state folder's disk cannot lock files ({error.strerror}); put --state on a local disk"
        ) from error
    return True
