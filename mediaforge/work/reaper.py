"""The reaper: gives back, within a second, what dead workers held. RQ alone needs 73 s to 14 minutes (facts-platform 1.2).

Four kinds of jobs get lost: executions of a worker that is dead; jobs popped by a worker that died before it began them
(RQ keeps those in its intermediate list); jobs that are queued, started or ready on paper but stand in no list; jobs that
still wait though all they need has ended. Workers of other hosts are left to their lease of 65 s.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from redis import Redis
from rq.executions import Execution
from rq.job import JobStatus
from rq.registry import ReadyJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer

from mediaforge.work.graph import QUEUE, JobState, ask_states, job_ids, open_queue, read_states
from mediaforge.work.records import all_records
from mediaforge.work.release_job import ReleaseJob
from mediaforge.work.workers import forget_lost, is_lost

STRAY_SECONDS = 2.0  # how long a job may be nowhere: between pop and registration a slow worker needs some milliseconds
SWEEP_SECONDS = 1.0  # it looks at every job of every open release

_LOCK = "mediaforge:reaper"
_LOCK_SECONDS = 10
_ENDED = (JobStatus.FINISHED, JobStatus.FAILED)


class Reaper:
    """Remembers since when a job is a stray. Call `tick` often; several reapers take turns. `alone` as in workers.is_lost."""

    def __init__(self, connection: Redis, *, alone: bool, queue: str = QUEUE) -> None:
        self._connection = connection
        self._alone = alone
        self._queue = open_queue(connection, queue)
        self._started = StartedJobRegistry(queue, connection=connection, job_class=ReleaseJob, serializer=JSONSerializer)
        self._ready = ReadyJobRegistry(queue, connection=connection, job_class=ReleaseJob, serializer=JSONSerializer)
        self._strays: dict[str, float] = {}
        self._next_sweep = 0.0

    def tick(self) -> tuple[str, ...]:
        """Give back what can be given back now; the ids of those jobs."""
        if not self._connection.set(_LOCK, "1", nx=True, ex=_LOCK_SECONDS):
            return ()
        try:
            found = self._reap_dead()
            if time.monotonic() >= self._next_sweep:
                self._next_sweep = time.monotonic() + SWEEP_SECONDS
                forget_lost(self._connection, self._queue.name, alone=self._alone)
                self._ready.cleanup()
                found += self._push_strays()
            return found
        finally:
            self._connection.delete(_LOCK)

    def surrender(self, worker: str) -> None:
        """Give back what is booked on a worker that has nothing in hand: a horse ended while the queue was away.

        RQ then only logs that it could not say so, and the job would wait for its lease.
        """
        self._end_leases([execution for execution in self._executions() if execution.worker_name == worker])

    def _reap_dead(self) -> tuple[str, ...]:
        """Let the leases of dead workers end now; RQ's own cleanup then gives the jobs back or fails them."""
        lost = [execution for execution in self._executions() if is_lost(execution.worker_name, alone=self._alone)]
        self._end_leases(lost)
        self._started.cleanup()
        return tuple(execution.job_id for execution in lost)

    def _end_leases(self, executions: Sequence[Execution]) -> None:
        if executions:
            self._connection.zadd(self._started.key, {execution.composite_key: 1 for execution in executions}, xx=True)

    def _executions(self) -> tuple[Execution, ...]:
        keys = cast(list[bytes], self._connection.zrange(self._started.key, 0, -1))
        executions = [Execution.from_composite_key(key.decode(), self._connection) for key in keys]
        with self._connection.pipeline() as pipe:
            for execution in executions:
                pipe.hget(execution.key, "worker_name")
            for execution, name in zip(executions, pipe.execute(), strict=True):
                execution.worker_name = name.decode() if name else ""
        return tuple(executions)

    def _push_strays(self) -> tuple[str, ...]:
        """Jobs that have been strays for long enough go back to the head of the queue."""
        now = time.monotonic()
        strays = self._find_strays()
        self._strays = {job_id: self._strays.get(job_id, now) for job_id in strays}
        pushed = tuple(job_id for job_id, since in self._strays.items() if now - since >= STRAY_SECONDS)
        for job_id in pushed:
            del self._strays[job_id]
            self._push(job_id)
        return pushed

    def _find_strays(self) -> tuple[str, ...]:
        """One consistent look at all jobs of open releases and at all lists they may stand in."""
        open_records = [record for record in all_records(self._connection) if record.outcome is None]
        ids = [job_id for record in open_records for job_id in job_ids(record)]
        with self._connection.pipeline() as pipe:
            pipe.lrange(self._queue.key, 0, -1)
            pipe.lrange(self._queue.intermediate_queue_key, 0, -1)
            pipe.zrange(self._started.key, 0, -1)
            ask_states(pipe, ids)
            queued, popped, executions, *answers = pipe.execute()
        started = {key.decode().partition(":")[0] for key in executions}
        waiting = {job_id.decode() for job_id in queued}
        stuck = {job_id.decode() for job_id in popped} - started
        return (*stuck, *_nowhere(read_states(ids, answers), waiting=waiting | stuck, started=started))

    def _push(self, job_id: str) -> None:
        job = self._queue.fetch_job(job_id)
        with self._connection.pipeline() as pipe:
            pipe.lrem(self._queue.intermediate_queue_key, 0, job_id)
            if job is not None:
                self._queue._enqueue_job(job, pipeline=pipe, at_front=True)
            pipe.execute()


def _nowhere(states: Mapping[str, JobState], *, waiting: Iterable[str], started: Iterable[str]) -> tuple[str, ...]:
    """Jobs whose status says that somebody has them, but nobody does; and those that wait for nothing any more."""
    return tuple(
        job_id
        for job_id, state in states.items()
        if (state.status is JobStatus.QUEUED and job_id not in waiting and job_id not in started)
        or (state.status is JobStatus.STARTED and job_id not in started)
        or (state.status is JobStatus.DEFERRED and all(states[need].status in _ENDED for need in state.needs if need in states))
    )
