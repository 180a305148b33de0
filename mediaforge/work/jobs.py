"""What our jobs do: `plan` decides a release's steps and puts them on the queue, `step` makes one, `finalise` closes it.

A job carries ids, never objects; what it makes lies in the state folder. All three may be killed at any moment and run
again. An error of the step itself ends the release at once; a lost process only costs the job one of its lives.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from redis import RedisError
from rq.job import JobStatus

from mediaforge.errors import MediaforgeError, QueueError
from mediaforge.work.corridor import Corridor
from mediaforge.work.failure import Failure
from mediaforge.work.graph import (
    FINALISE,
    LIVES,
    PLAN,
    STEP,
    finalise_id,
    job_ids,
    job_states,
    open_queue,
    put_finalise,
    put_step,
    remove,
    step_id,
    withdraw,
)
from mediaforge.work.records import Ending, RecordedStep, is_over, load_record, record_outcome, record_steps
from mediaforge.work.release_job import ReleaseJob

# Seconds to wait before a transient error (a store that does not answer, a program that hangs) is tried again.
PAUSES = (1.0, 5.0, 25.0)
PROGRESS_SECONDS = 1.0
# How long a job is kept whose run was over when it began: its release may have been cleared away already.
OVERTAKEN_SECONDS = 3600


class Overtaken(Exception):
    """The run this job belongs to has ended or was started again: there is nothing left to do."""


def duties(job: ReleaseJob, corridor: Corridor) -> Mapping[str, Callable[..., None]]:
    """What the words on the queue mean for this job, in a worker with this corridor."""
    return {
        PLAN: partial(plan_job, job, corridor),
        STEP: partial(step_job, job, corridor),
        FINALISE: partial(finalise_job, job, corridor),
    }


def plan_job(job: ReleaseJob, corridor: Corridor, release_id: str, run: int) -> None:
    """Plan the release and put its steps, those whose result is not there yet, in an order that knows every need."""
    with _answering(job, release_id, run, step=PLAN):
        report = _Progress(job, release_id, run)
        _patiently(lambda: corridor.plan_release(release_id, report))
        plan = corridor.load_plan(release_id)
        record = load_record(job.connection, release_id)
        if record is None:
            raise Overtaken(release_id)
        if record.steps is None:
            steps = tuple(RecordedStep(name=step.name, reused=corridor.is_done(release_id, step.name)) for step in plan.steps)
            record_steps(job.connection, release_id, run, steps)
            record = replace(record, steps=steps)
        ids = job_ids(record)
        there = {job_id for job_id, state in job_states(job.connection, ids).items() if state.status}  # by an earlier life
        todo = [step.name for step in record.steps or () if not step.reused]
        needs = {step.name: [need for need in step.needs if need in todo] for step in plan.steps}
        queue = open_queue(job.connection, job.origin)
        for name in todo:
            if step_id(release_id, run, name) not in there:
                put_step(queue, release_id, run, name, needs=needs[name])
        if finalise_id(release_id, run) not in there:
            put_finalise(queue, release_id, run, steps=todo)
        if is_over(job.connection, release_id, run):  # called off while we put them
            remove(job.connection, record)
            raise Overtaken(release_id)


def step_job(job: ReleaseJob, corridor: Corridor, release_id: str, run: int, step: str) -> None:
    """Make one step's result."""
    with _answering(job, release_id, run, step=step):
        planned = next((planned for planned in corridor.load_plan(release_id).steps if planned.name == step), None)
        if planned is None:
            raise QueueError(f"step {step} is not in the plan of release {release_id}; run the release again")
        _check_made(job, corridor, release_id, run, steps=planned.needs)
        report = _Progress(job, release_id, run)
        _patiently(lambda: corridor.run_planned(release_id, step, report))


def finalise_job(job: ReleaseJob, corridor: Corridor, release_id: str, run: int) -> None:
    """Say that the release is finished, or which step is missing. Runs when no step is left to run, however they ended."""
    with _answering(job, release_id, run, step=FINALISE):
        _check_made(job, corridor, release_id, run, steps=[step.name for step in corridor.load_plan(release_id).steps])
        record_outcome(job.connection, release_id, run, Ending.FINISHED)


@contextlib.contextmanager
def _answering(job: ReleaseJob, release_id: str, run: int, *, step: str) -> Iterator[None]:
    """Turn an error into the end of the release; it is final, so that RQ must not try the job again."""
    try:
        if is_over(job.connection, release_id, run):
            raise Overtaken(release_id)
        yield
    except RedisError:
        raise  # the queue went away, not the step wrong: RQ tries again
    except Overtaken:
        job.retries_left = 0
        job.failure_ttl = OVERTAKEN_SECONDS
        job.meta["overtaken"] = True  # so that nobody takes it for the step that failed
        with contextlib.suppress(RedisError):
            job.save_meta()  # type: ignore[no-untyped-call]
        raise
    except Exception as error:
        job.retries_left = 0
        record_outcome(job.connection, release_id, run, Ending.FAILED, failure=Failure.of(step, error))
        record = load_record(job.connection, release_id)
        if record is not None and record.run == run:
            withdraw(job.connection, record, but=job.id)
        raise


def _patiently(call: Callable[[], object]) -> None:
    for pause in (*PAUSES, None):
        try:
            call()
            return
        except MediaforgeError as error:
            if pause is None or not error.transient:
                raise
            time.sleep(pause)


def _check_made(job: ReleaseJob, corridor: Corridor, release_id: str, run: int, *, steps: Sequence[str]) -> None:
    """Look again at what should be there: RQ takes a parent that is gone for one that is done, and lets failed ones pass."""
    ids = [step_id(release_id, run, step) for step in steps]
    states = job_states(job.connection, ids)
    for step, name in zip(steps, ids, strict=True):
        if states[name].status is JobStatus.FINISHED or corridor.is_done(release_id, step):
            continue
        killed = states[name].status is JobStatus.FAILED
        why = f"its process was ended {LIVES + 1} times (is there enough memory?)" if killed else "its result is gone"
        raise QueueError(f"step {step} of release {release_id} was not made: {why}; run the release again")


class _Progress:
    """Writes how far a step is into its job, once a second, and leaves a step whose release has ended meanwhile."""

    def __init__(self, job: ReleaseJob, release_id: str, run: int) -> None:
        self._job = job
        self._release_id = release_id
        self._run = run
        self._next = 0.0

    def __call__(self, fraction: float) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + PROGRESS_SECONDS
        self._job.meta["fraction"] = round(min(1.0, max(0.0, fraction)), 4)
        with contextlib.suppress(RedisError):  # a number on a display is not worth a step
            self._job.save_meta()  # type: ignore[no-untyped-call]
            if is_over(self._job.connection, self._release_id, self._run):
                raise Overtaken(self._release_id)
