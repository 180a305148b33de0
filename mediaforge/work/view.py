"""How a release stands, as a value: read from the queue, compared with how it stood before, told as events."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from redis import Redis
from rq.job import JobStatus

from mediaforge.work.failure import Failure
from mediaforge.work.graph import JobState, job_ids, job_states, step_id
from mediaforge.work.records import Ending, Record, load_record


class StepState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    REUSED = "reused"  # its result was there before this run
    FAILED = "failed"
    CANCELLED = "cancelled"


class ReleaseState(StrEnum):
    PLANNING = "planning"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class EventKind(StrEnum):
    PLANNED = "planned"
    STARTED = "started"
    PROGRESS = "progress"
    REQUEUED = "requeued"  # its worker was lost; it will run again
    FINISHED = "finished"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """`fraction` is 0 to 1; `begun` is seconds since 1970, `seconds` what the step took, once it has ended."""

    name: str
    state: StepState
    fraction: float
    begun: float | None
    seconds: float | None

    @property
    def is_done(self) -> bool:
        return self.state in (StepState.FINISHED, StepState.REUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseView:
    """`steps` is empty until the plan is made. `created` is seconds since 1970."""

    release_id: str
    title: str
    state: ReleaseState
    created: float
    steps: tuple[StepView, ...]
    failure: Failure | None

    @property
    def fraction(self) -> float:
        if self.state is ReleaseState.FINISHED:
            return 1.0
        return sum(step.fraction for step in self.steps) / len(self.steps) if self.steps else 0.0

    @property
    def running(self) -> tuple[str, ...]:
        """The steps at work now."""
        return tuple(step.name for step in self.steps if step.state is StepState.RUNNING)

    @property
    def is_over(self) -> bool:
        return self.state in (ReleaseState.FINISHED, ReleaseState.FAILED, ReleaseState.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What has happened. `fraction` is the step's, `overall` the release's, both 0 to 1; `step` is "" for PLANNED and DONE."""

    kind: EventKind
    step: str
    fraction: float
    overall: float
    steps_done: int
    steps: int
    seconds: float | None = None
    message: str = ""


def view_release(connection: Redis, release_id: str) -> ReleaseView | None:
    """How the latest run of a release stands; None where the queue does not know it."""
    record = load_record(connection, release_id)
    return None if record is None else view_record(connection, record)


def view_record(connection: Redis, record: Record) -> ReleaseView:
    states = job_states(connection, job_ids(record))
    return ReleaseView(
        release_id=record.release_id,
        title=record.title,
        state=_release_state(record),
        created=record.created,
        steps=tuple(_steps(record, states)),
        failure=record.outcome.failure if record.outcome else None,
    )


def events_between(old: ReleaseView | None, new: ReleaseView) -> Iterator[Event]:
    """What happened between two looks at a release, in the order of the plan."""
    known = {step.name: step for step in old.steps} if old else {}
    if new.steps and not known:
        yield _event(EventKind.PLANNED, new)
    for step in new.steps:
        before = known.get(step.name)
        for kind in _changes(before, step):
            failure = new.failure if kind is EventKind.FAILED and new.failure and new.failure.step == step.name else None
            yield _event(kind, new, step=step, message=failure.sentence if failure else "")
    if new.state is ReleaseState.FINISHED and (old is None or not old.is_over):
        yield _event(EventKind.DONE, new)


_NEWS: Mapping[StepState, tuple[EventKind, ...]] = MappingProxyType(
    {
        StepState.WAITING: (EventKind.REQUEUED,),
        StepState.RUNNING: (EventKind.STARTED,),
        StepState.FINISHED: (EventKind.FINISHED,),
        StepState.REUSED: (EventKind.FINISHED,),
        StepState.FAILED: (EventKind.FAILED,),
        StepState.CANCELLED: (),
    }
)


def _changes(old: StepView | None, new: StepView) -> Sequence[EventKind]:
    before = old.state if old else StepState.WAITING
    if old is not None and before is new.state is StepState.RUNNING:
        if old.begun != new.begun:  # its horse was lost, and another one has it already
            return (EventKind.REQUEUED, EventKind.STARTED)
        return (EventKind.PROGRESS,) if new.fraction > old.fraction else ()
    if before is new.state:
        return ()
    # A step may begin and end between two looks.
    unseen = before is StepState.WAITING and new.state in (StepState.FINISHED, StepState.FAILED)
    return (EventKind.STARTED, *_NEWS[new.state]) if unseen else _NEWS[new.state]


def _event(kind: EventKind, view: ReleaseView, *, step: StepView | None = None, message: str = "") -> Event:
    return Event(
        kind=kind,
        step=step.name if step else "",
        fraction=step.fraction if step else view.fraction,
        overall=view.fraction,
        steps_done=sum(step.is_done for step in view.steps),
        steps=len(view.steps),
        seconds=step.seconds if step else None,
        message=message,
    )


def _release_state(record: Record) -> ReleaseState:
    if record.outcome is None:
        return ReleaseState.PLANNING if record.steps is None else ReleaseState.RUNNING
    return {
        Ending.FINISHED: ReleaseState.FINISHED,
        Ending.FAILED: ReleaseState.FAILED,
        Ending.CANCELLED: ReleaseState.CANCELLED,
    }[record.outcome.ending]


def _steps(record: Record, states: dict[str, JobState]) -> Iterator[StepView]:
    for step in record.steps or ():
        if step.reused:
            yield StepView(name=step.name, state=StepState.REUSED, fraction=1.0, begun=None, seconds=0.0)
            continue
        job = states[step_id(record.release_id, record.run, step.name)]
        state = _step_state(job.status)
        ended = state is StepState.FINISHED and job.started is not None and job.ended is not None
        yield StepView(
            name=step.name,
            state=state,
            fraction=1.0 if state is StepState.FINISHED else job.fraction if state is StepState.RUNNING else 0.0,
            begun=job.started,
            seconds=round(job.ended - job.started, 3) if ended else None,  # type: ignore[operator]
        )


def _step_state(status: JobStatus | None) -> StepState:
    match status:
        case JobStatus.STARTED:
            return StepState.RUNNING
        case JobStatus.FINISHED:
            return StepState.FINISHED
        case JobStatus.FAILED:
            return StepState.FAILED
        case JobStatus.CANCELED | JobStatus.STOPPED:
            return StepState.CANCELLED
        case _:
            return StepState.WAITING
