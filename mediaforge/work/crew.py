"""The worker processes of one command: started when nobody else serves the queue, replaced when they are lost, taken down."""

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mediaforge.errors import QueueError
from mediaforge.tools import spawn
from mediaforge.work.graph import QUEUE
from mediaforge.work.processes import descendants, end
from mediaforge.work.session import Session
from mediaforge.work.workers import live_workers

if TYPE_CHECKING:
    from subprocess import Popen

STILLBORN_SECONDS = 3.0  # a worker that is gone sooner could not even begin
STILLBIRTHS = 6
EARLY_KILLS = 60  # somebody else's doing, such as a system out of memory: worth more patience
DISMISSAL_SECONDS = 2.0  # for idle workers to leave by themselves


class Crew:
    """Up to `size` workers of our own. `keep` often; leaving the context leaves none of them, nor what they started."""

    def __init__(self, session: Session, argv: Sequence[str | Path], *, size: int) -> None:
        self._session = session
        self._argv = argv
        self._size = size
        self._workers: list[_Hand] = []
        self._early_ends: list[int] = []

    def keep(self) -> None:
        """See to it that somebody works. Raises QueueError where workers die as soon as they are born."""
        lost = [hand for hand in self._workers if hand.process.poll() is not None]
        for hand in lost:
            self._workers.remove(hand)
            self._note_death(hand)
        if not self._workers and live_workers(self._session.connection, QUEUE, alone=self._session.is_alone):
            return  # others serve this queue; should they leave, we take over
        while len(self._workers) < self._size:
            self._workers.append(self._hire())

    def dismiss(self) -> None:
        """Let the workers end: those without work by themselves, the others by force. Their steps are not lost."""
        for hand in self._workers:
            hand.process.terminate()
        deadline = time.monotonic() + DISMISSAL_SECONDS
        while any(hand.process.poll() is None for hand in self._workers) and time.monotonic() < deadline:
            time.sleep(0.01)
        self.kill()

    def kill(self) -> None:
        """End the workers, their horses and their programs, and wait until all are gone."""
        alive = [hand.process.pid for hand in self._workers if hand.process.poll() is None]
        if alive:
            end(descendants(alive))
        for hand in self._workers:
            hand.process.wait()
        self._workers.clear()

    def _hire(self) -> "_Hand":
        # One log a slot and not one a process, so that a long-lived state does not fill up with them.
        log = self._session.state / "logs" / f"worker-{len(self._workers) + 1}.log"
        return _Hand(process=spawn(self._argv, name="worker", log=log), born=time.monotonic())

    def _note_death(self, hand: "_Hand") -> None:
        if time.monotonic() - hand.born > STILLBORN_SECONDS:
            self._early_ends.clear()
            return
        self._early_ends.append(hand.process.returncode)
        killed = self._early_ends.count(-signal.SIGKILL)
        if killed >= EARLY_KILLS or len(self._early_ends) - killed >= STILLBIRTHS:
            log = self._session.state / "logs"
            raise QueueError(f"workers end as soon as they are started; the reason stands in {log}/worker-1.log")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hand:
    process: "Popen[bytes]"
    born: float
