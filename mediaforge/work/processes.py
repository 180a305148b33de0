"""Who runs on this host: processes told apart by pid AND start time, because pids are used again. Linux: read from /proc."""

import os
import signal
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Process:
    """`host` names the machine and the pid namespace: a container's pids mean nothing outside of it."""

    host: str
    pid: int
    born: int  # clock ticks since boot, field 22 of /proc/<pid>/stat; 0 for one that had ended when we looked

    @property
    def is_here(self) -> bool:
        return self.host == this_host()

    @property
    def is_alive(self) -> bool:
        """Whether it still runs; only meaningful where `is_here`."""
        return self.born != 0 and _born(self.pid) == self.born


def this_process() -> Process:
    return _process(os.getpid())


def this_host() -> str:
    return f"{socket.gethostname()}.{Path('/proc/self/ns/pid').stat().st_ino}"


def descendants(pids: Iterable[int]) -> tuple[Process, ...]:
    """These processes and all they have started, parents first."""
    children: dict[int, list[int]] = {}
    for pid, parent in _all_pids():
        children.setdefault(parent, []).append(pid)
    found = list(pids)
    for pid in found:  # grows while we walk it
        found.extend(children.get(pid, ()))
    return tuple(_process(pid) for pid in found)


def end(processes: Iterable[Process], *, patience_seconds: float = 5.0) -> None:
    """Kill these and wait until none of them runs any more."""
    left = [process for process in processes if process.is_alive]
    for process in left:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + patience_seconds
    while any(process.is_alive for process in left) and time.monotonic() < deadline:
        time.sleep(0.005)


def _process(pid: int) -> Process:
    return Process(host=this_host(), pid=pid, born=_born(pid))


def _born(pid: int) -> int:
    """When it was started, or 0 where it is gone or only its zombie waits to be collected.

    A zombie with threads is still dying: it holds its files and locks until the last of them has ended.
    """
    fields = _stat(pid)
    if not fields or (fields[0] in ("Z", "X") and int(fields[17]) <= 1):
        return 0
    return int(fields[19])


def _all_pids() -> Iterator[tuple[int, int]]:
    """Every process and its parent."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))):
            yield int(folder.name), int(fields[1])


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the program's name, which may hold spaces and brackets; [] where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
