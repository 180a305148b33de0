"""How a release stands, as a value: read from the queue, compared with how it stood before, told as events."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from redis import Redis
from rq.job import JobStatus

from mediaforge.work.failure import Failure
from mediaforge.work.graph import JobState, job_states, step_id
from mediaforge.work.records import Ending, Record, RecordedStep


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
    """`run` tells two runs of the release apart; `steps` is empty until the plan is made; `created` is seconds since 1970."""

    release_id: str
    title: str
    run: int
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


def view_record(connection: Redis, record: Record, *, before: ReleaseView | None = None) -> ReleaseView:
    """How a release stands. `before`, an earlier look, saves asking about steps that had ended by then."""
    known = {step.name: step for step in before.steps if step.is_done} if before and before.run == record.run else {}
    names = [step.name for step in record.steps or () if not step.reused and step.name not in known]
    ids = [step_id(record.release_id, record.run, name) for name in names]
    states = dict(zip(names, job_states(connection, ids).values(), strict=True))
    return ReleaseView(
        release_id=record.release_id,
        title=record.title,
        run=record.run,
        state=_release_state(record),
        created=record.created,
        steps=tuple(known.get(step.name) or _step(step, states.get(step.name)) for step in record.steps or ()),
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


def _step(step: RecordedStep, job: JobState | None) -> StepView:
    """`job` is None for a step that has none because its result was there before."""
    if job is None:
        return StepView(name=step.name, state=StepState.REUSED, fraction=1.0, begun=None, seconds=0.0)
    state = StepState.CANCELLED if job.overtaken else _step_state(job.status)
    fraction = {StepState.FINISHED: 1.0, StepState.RUNNING: job.fraction}.get(state, 0.0)
    seconds = job.ended - job.started if state is StepState.FINISHED and job.started and job.ended else None
    return StepView(name=step.name, state=state, fraction=fraction, begun=job.started, seconds=seconds)


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
