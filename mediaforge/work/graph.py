"""A release's jobs on RQ's queue: their names, how they are put there with their needs, looked at, and taken away."""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from redis import Redis
from redis.client import Pipeline
from rq import Queue, Retry
from rq.command import send_stop_job_command
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.executions import ExecutionRegistry
from rq.job import Dependency, JobStatus
from rq.results import Result
from rq.serializers import JSONSerializer
from rq.utils import str_to_date

from mediaforge.work.records import Record
from mediaforge.work.release_job import ReleaseJob

QUEUE = "normal"
PLAN = "plan"
STEP = "step"
FINALISE = "finalise"

# How often a job may lose its process (a kill, a crash, no memory) before its release fails. Errors of a step's own are
# never tried again this way.
LIVES = 10

NOT_BEGUN = (JobStatus.CREATED, JobStatus.QUEUED, JobStatus.DEFERRED, JobStatus.READY_TO_ENQUEUE, JobStatus.SCHEDULED)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """What the queue says of a job. `status` None: it knows no such job. `needs` are job ids; times are seconds since 1970.

    `overtaken`: its run was over when it ran, which RQ can only call a failure.
    """

    status: JobStatus | None
    fraction: float
    overtaken: bool
    started: float | None
    ended: float | None
    needs: tuple[str, ...]


def open_queue(connection: Redis, name: str = QUEUE) -> Queue:
    return Queue(name, connection=connection, job_class=ReleaseJob, serializer=JSONSerializer)


def plan_id(release_id: str, run: int) -> str:
    return f"{release_id}--{run}--{PLAN}"


def step_id(release_id: str, run: int, step: str) -> str:
    """Readable, and different for any two names: RQ allows only letters, digits, - and _ in an id."""
    return f"{release_id}--{run}--{re.sub('[^A-Za-z0-9_]+', '-', step)}-{hashlib.sha256(step.encode()).hexdigest()[:8]}"


def finalise_id(release_id: str, run: int) -> str:
    return f"{release_id}--{run}--{FINALISE}"


def job_ids(record: Record) -> tuple[str, ...]:
    """All jobs of a run, as far as they are known, in the order in which they were put."""
    steps = (step_id(record.release_id, record.run, step.name) for step in record.steps or () if not step.reused)
    return (plan_id(record.release_id, record.run), *steps, finalise_id(record.release_id, record.run))


def put_plan(connection: Redis, release_id: str, run: int) -> None:
    _put(open_queue(connection), PLAN, (release_id, run), job_id=plan_id(release_id, run), what="plan", needs=())


def put_step(queue: Queue, release_id: str, run: int, step: str, *, needs: Iterable[str]) -> None:
    """Put a step behind the steps it needs; the caller leaves out needs that have no job because their results were there."""
    ids = [step_id(release_id, run, need) for need in needs]
    _put(queue, STEP, (release_id, run, step), job_id=step_id(release_id, run, step), what=f"step {step}", needs=ids)


def put_finalise(queue: Queue, release_id: str, run: int, *, steps: Iterable[str]) -> None:
    ids = [step_id(release_id, run, step) for step in steps]
    _put(queue, FINALISE, (release_id, run), job_id=finalise_id(release_id, run), what="finalise", needs=ids)


def job_states(connection: Redis, ids: Sequence[str]) -> dict[str, JobState]:
    """One consistent look at these jobs."""
    with connection.pipeline() as pipe:
        ask_states(pipe, ids)
        return read_states(ids, pipe.execute())


def ask_states(pipe: Pipeline, ids: Sequence[str]) -> None:
    for job_id in ids:
        pipe.hmget(ReleaseJob.key_for(job_id), "status", "meta", "started_at", "ended_at", "dependency_ids")


def read_states(ids: Sequence[str], answers: Sequence[Sequence[bytes | None]]) -> dict[str, JobState]:
    return {job_id: _state(*answer) for job_id, answer in zip(ids, answers, strict=True)}


def withdraw(connection: Redis, record: Record, *, but: str = "") -> None:
    """Cancel what has not begun and stop what runs, in any worker; `but` names the job that asks for it."""
    ids = [job_id for job_id in job_ids(record) if job_id != but]
    states = job_states(connection, ids)
    _cancel(connection, [job_id for job_id in ids if states[job_id].status in NOT_BEGUN])
    for job_id in ids:
        if states[job_id].status is JobStatus.STARTED:
            try:
                send_stop_job_command(connection, job_id, serializer=JSONSerializer)
            except (NoSuchJobError, InvalidJobOperation):
                continue  # it has just ended


def remove(connection: Redis, record: Record) -> None:
    """Take every trace of a run's jobs out of the queue."""
    queue = open_queue(connection)
    ids = job_ids(record)
    with connection.pipeline() as pipe:
        _drop(pipe, queue, ids)
        for registry in (queue.finished_job_registry, queue.failed_job_registry, queue.canceled_job_registry):
            pipe.zrem(registry.key, *ids)
        for job_id in ids:
            job = ReleaseJob(job_id, connection=connection, serializer=JSONSerializer)
            pipe.delete(job.key, job.dependents_key, job.dependencies_key, Result.get_key(job_id))  # type: ignore[no-untyped-call]
            pipe.delete(ExecutionRegistry(job_id, connection).key)
        pipe.execute()


def _put(queue: Queue, word: str, arguments: tuple[str | int, ...], *, job_id: str, what: str, needs: Sequence[str]) -> None:
    queue.enqueue_call(
        func=word,
        args=arguments,
        job_id=job_id,
        description=f"release {arguments[0]}: {what}",  # else RQ writes the arguments into the queue and the logs in clear
        timeout=-1,  # a step's programs have watchdogs of their own, and nobody knows how long a film is
        # Kept until the release is started again or pruned: RQ takes a parent that has expired for one that is done.
        result_ttl=-1,
        failure_ttl=-1,
        retry=Retry(max=LIVES),
        # A failed parent must not leave its dependents waiting for ever: they run, find its result missing, and say so.
        depends_on=Dependency(jobs=needs, allow_failure=True) if needs else None,
    )


def _state(
    status: bytes | None, meta: bytes | None, started: bytes | None, ended: bytes | None, needs: bytes | None
) -> JobState:
    notes = json.loads(meta) if meta else {}
    return JobState(
        status=JobStatus(status.decode()) if status else None,
        fraction=float(notes.get("fraction", 0.0)),
        overtaken=bool(notes.get("overtaken", False)),
        started=_seconds(started),
        ended=_seconds(ended),
        needs=tuple(json.loads(needs)) if needs else (),
    )


def _seconds(text: bytes | None) -> float | None:
    return str_to_date(text).timestamp() if text else None


def _cancel(connection: Redis, ids: Sequence[str]) -> None:
    with connection.pipeline() as pipe:
        _drop(pipe, open_queue(connection), ids)
        for job_id in ids:
            pipe.hset(ReleaseJob.key_for(job_id), "status", JobStatus.CANCELED)
        pipe.execute()


def _drop(pipe: Pipeline, queue: Queue, ids: Sequence[str]) -> None:
    """Out of every list a worker takes jobs from, or from which RQ would put them there."""
    for job_id in ids:
        pipe.lrem(queue.key, 0, job_id)
        pipe.lrem(queue.intermediate_queue_key, 0, job_id)
        pipe.zrem(queue.deferred_job_registry.key, job_id)
        pipe.zrem(queue.ready_job_registry.key, job_id)
