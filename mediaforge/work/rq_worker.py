"""Our RQ worker: one queue, only our own jobs, and a horse (the process that does a job) that dies with its worker."""

import ctypes
import os
import signal
from contextlib import suppress
from types import FrameType
from typing import Any

from redis import Redis
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import TimeoutError as TimedOut
from rq import Queue, Worker
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import now

from mediaforge.errors import MediaforgeError, QueueError
from mediaforge.work.corridor import Corridor
from mediaforge.work.graph import QUEUE, open_queue
from mediaforge.work.jobs import Overtaken, duties
from mediaforge.work.processes import this_process
from mediaforge.work.reaper import Reaper
from mediaforge.work.release_job import ReleaseJob
from mediaforge.work.session import Session, rejoin, shown
from mediaforge.work.workers import worker_name

RETURNS = 20  # how often a worker looks for a queue that went away under it, before it goes away too

_PR_SET_PDEATHSIG = 1


def run_worker(session: Session, corridor: Corridor, *, queue: str = QUEUE, burst: bool = False) -> None:
    """Be a worker until SIGTERM, or (`burst`) until the queue is empty. Raises QueueError where the queue stays away."""
    for _ in range(RETURNS):
        worker = ForgeWorker(session.connection, corridor, queue=queue, alone=session.is_alone)
        try:
            worker.work(burst=burst, logging_level="INFO")
        except (Disconnected, TimedOut):
            worker.log.error("the queue went away")
        if worker.is_leaving or (burst and worker.found_nothing):
            return
        rejoin(session)
    raise QueueError(f"the queue at {shown(session)} went away {RETURNS} times; look into the logs of this state")


class ForgeWorker(Worker):
    """Stays until SIGTERM: then it finishes its job and goes. A second signal takes the job down."""

    # A queue that comes back is found again after a second, however long it was away.
    exponential_backoff_factor = 1.0
    log_result_lifespan = False

    def __init__(self, connection: Redis, corridor: Corridor, *, queue: str, alone: bool) -> None:
        super().__init__(
            # Exactly one: with two, RQ pops without a net, and a job is lost where the worker dies between pop and
            # registration (facts-platform 1.3).
            [open_queue(connection, queue)],
            name=worker_name(this_process()),
            connection=connection,
            job_class=ReleaseJob,
            serializer=JSONSerializer,
            log_job_description=False,  # the id says it all, and a stranger's description may say anything
            worker_ttl=20,  # an idle worker looks around every 5 s instead of every 405
            job_monitoring_interval=5,  # a job of a lost host is given back after 65 s instead of 90
            maintenance_interval=5,
        )
        self.corridor = corridor
        self.reaper = Reaper(connection, queue=queue, alone=alone)
        self.is_leaving = False
        self.found_nothing = False

    def register_birth(self) -> None:
        """Our name is our process, so an entry of that name is our own from before the queue went away."""
        self.connection.delete(self.key)
        super().register_birth()  # type: ignore[no-untyped-call]

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.is_leaving = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def dequeue_job_and_maintain_ttl(self, timeout: int | None, max_idle_time: int | None = None) -> Any:
        self.reaper.surrender(self.name)
        found = super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
        self.found_nothing = found is None
        return found

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """In the horse: hand the job its duties."""
        assert isinstance(job, ReleaseJob)
        job.duties = duties(job, self.corridor)
        return bool(super().perform_job(job, queue, execution))

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """As RQ does it, but the horse dies with us, and both sides put it into its own process group.

        RQ's horse makes its group alone: a stop that comes before that kills the worker's group, and with it whoever
        started the worker.
        """
        worker = os.getpid()
        horse = os.fork()
        if horse == 0:
            os.setpgid(0, 0)
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != worker:  # it died between fork and prctl
                os._exit(1)
            self.main_work_horse(job, queue)
            os._exit(0)
        with suppress(PermissionError, ProcessLookupError):
            os.setpgid(horse, horse)
        self._horse_pid = horse
        self.procline(f"Forked {horse}")  # type: ignore[no-untyped-call]

    def kill_horse(self, sig: signal.Signals = signal.SIGKILL) -> None:
        """The horse and the programs in its group. RQ's own would kill our group where there is no horse yet."""
        if self.horse_pid:
            with suppress(ProcessLookupError):
                os.killpg(self.horse_pid, sig)

    def run_maintenance_tasks(self) -> None:
        """Our reaper instead of RQ's cleaning, which fails jobs that wait in its intermediate list. Called while idle."""
        self.reaper.surrender(self.name)
        self.reaper.tick()
        self.last_cleaned_at = now()  # type: ignore[assignment]

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """One line for an error that is the user's, a traceback for a bug; never the arguments, which RQ's own would log."""
        kind, error, trace = exc_info
        if kind is not None and issubclass(kind, MediaforgeError | Overtaken):
            self.log.error("job %s: %s: %s", job.id, kind.__name__, error)
        else:
            self.log.error("job %s broke", job.id, exc_info=(kind, error, trace))
