"""What the command line and the console call: start a release, drive it or leave it to a driver, look at it, cancel, retry."""

import contextlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import TimeoutError as TimedOut
from rq.job import JobStatus

from mediaforge.errors import PoisonedStep, QueueError, UnknownId
from mediaforge.steps import StepStore
from mediaforge.tools import python_module, spawn
from mediaforge.work.crew import Crew
from mediaforge.work.failure import Failure
from mediaforge.work.graph import QUEUE, finalise_id, job_states, plan_id, put_plan, remove, withdraw
from mediaforge.work.reaper import Reaper
from mediaforge.work.records import (
    Ending,
    Record,
    all_records,
    forget_record,
    load_record,
    open_run,
    record_outcome,
)
from mediaforge.work.session import Session, reaching, rejoin, shown, undisturbed
from mediaforge.work.view import Event, ReleaseState, ReleaseView, events_between, view_record
from mediaforge.work.workers import live_workers

TICK_SECONDS = 0.2
KEPT = 30  # ended releases that the queue remembers
LOSSES = 20  # how often a queue may go away, or forget everything, under one release
PATIENCE_SECONDS = 60.0  # how long a watcher waits for somebody to work: on a busy machine a worker takes long to start

_RELEASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def start(session: Session, release_id: str, *, title: str) -> None:
    """Put the release's one job, its plan, on the queue; what an earlier run left there is taken away.

    The caller holds the title's lock. Raises QueueError.
    """
    if not _RELEASE_ID.fullmatch(release_id):
        raise QueueError(f"{release_id!r} is no release id; use letters, digits, - and _")
    with reaching(session):
        earlier = load_record(session.connection, release_id)
        if earlier is not None:
            withdraw(session.connection, earlier)
            remove(session.connection, earlier)
        record = open_run(session.connection, release_id, title=title)
        put_plan(session.connection, release_id, record.run)
        _prune(session)


def drive(session: Session, release_id: str, *, workers: int, worker_argv: Sequence[str | Path] = ()) -> Iterator[Event]:
    """Work a started release off and tell what happens, until it is finished.

    Starts `workers` processes (by `worker_argv`, or this state's own workers) unless others serve the queue, replaces the
    lost ones, and gives back what they held. Raises the release's own error where it fails. Left early, by an exception or
    by Ctrl+C, it calls the release off and leaves no process; what its finished steps made is kept.
    """
    crew = Crew(session, worker_argv or _worker_argv(session), size=workers)
    reaper = Reaper(session.connection, alone=session.is_alone)
    # Registered with the session as well: nobody promises to close a generator.
    calling_off = session.leaving.enter_context(ExitStack())
    calling_off.callback(_call_off, session, release_id)
    session.leaving.callback(crew.kill)

    def tend() -> None:
        reaper.tick()
        crew.keep()

    try:
        yield from _follow(session, release_id, tend)
        calling_off.pop_all()
        crew.dismiss()
    finally:
        with undisturbed():
            crew.kill()
            calling_off.close()


def detach(session: Session, release_id: str, *, title_lock: int) -> None:
    """Leave a started release to a driver process of its own, which inherits the title's lock and outlives us."""
    log = session.state / "logs" / f"driver-{release_id}.log"
    argv = python_module("mediaforge.work.driver", "--state", str(session.state), release_id)
    spawn(argv, name="driver", log=log, detached=True, pass_fds=(title_lock,))


def watch(session: Session, release_id: str) -> Iterator[Event]:
    """Tell what happens to a release that others drive, until it is finished. Raises its own error where it fails."""
    last_seen = time.monotonic()

    def tend() -> None:
        nonlocal last_seen
        if live_workers(session.connection, QUEUE, alone=session.is_alone):
            last_seen = time.monotonic()
        elif time.monotonic() - last_seen > PATIENCE_SECONDS:
            raise QueueError(f"nobody works on {release_id}; run the release again, or start a `mediaforge worker`")

    yield from _follow(session, release_id, tend)


def jobs(session: Session) -> tuple[ReleaseView, ...]:
    """The releases that the queue remembers, the newest first."""
    with reaching(session):
        return tuple(view_record(session.connection, record) for record in all_records(session.connection))


def job(session: Session, release_id: str) -> ReleaseView:
    """How one release stands. Raises UnknownId."""
    with reaching(session):
        return view_record(session.connection, _known(session, release_id))


def cancel(session: Session, release_id: str) -> bool:
    """Call a release off wherever it runs; False where it had ended already. Raises UnknownId."""
    with reaching(session):
        record = _known(session, release_id)
        if not record_outcome(session.connection, release_id, record.run, Ending.CANCELLED):
            return False
        withdraw(session.connection, record)
        return True


def retry(session: Session, release_id: str) -> None:
    """Start an ended release again, under the title's lock as `start`; a poisoned step gets another chance.

    Raises UnknownId, and QueueError while the release runs.
    """
    with reaching(session):
        record = _known(session, release_id)
    if record.outcome is None:
        raise QueueError(f"{release_id} has not ended; watch it with `mediaforge job watch {release_id}`")
    failure = record.outcome.failure
    if failure is not None and failure.kind == PoisonedStep.__name__:
        StepStore(session.state / "steps").forgive(str(failure.facts["key"]))
    start(session, release_id, title=record.title)


def _follow(session: Session, release_id: str, tend: Callable[[], None]) -> Iterator[Event]:
    old: ReleaseView | None = None
    losses = 0
    while old is None or not old.is_over:
        with reaching(session):
            try:
                record = load_record(session.connection, release_id) or _begin_again(session, release_id, old)
                new = view_record(session.connection, record, before=old)
                if not new.is_over:
                    tend()
                    _end_if_stuck(session, record)
            except (Disconnected, TimedOut) as error:
                losses += 1
                if losses > LOSSES:
                    raise QueueError(f"the queue at {shown(session)} went away {LOSSES} times; run again") from error
                rejoin(session)
                continue
        yield from events_between(old, new)
        old = new
        if not new.is_over:
            time.sleep(TICK_SECONDS)
    if old.state is ReleaseState.CANCELLED:
        raise QueueError(f"{release_id} was cancelled; the same release again goes on from here")
    if old.failure is not None:
        raise old.failure.to_error()


def _begin_again(session: Session, release_id: str, old: ReleaseView | None) -> Record:
    """The queue has forgotten the release: its files were removed. That costs a plan, no results."""
    if old is None:
        raise _unknown(release_id)
    start(session, release_id, title=old.title)
    return _known(session, release_id)


def _end_if_stuck(session: Session, record: Record) -> None:
    """Fail a release whose plan or last job has used up its lives: nothing else would ever end it."""
    ids = {plan_id(record.release_id, record.run): "plan", finalise_id(record.release_id, record.run): "finalise"}
    for job_id, state in job_states(session.connection, tuple(ids)).items():
        if state.status is JobStatus.FAILED:
            error = QueueError(f"the process of {ids[job_id]} was ended again and again (is there enough memory?); run again")
            failure = Failure.of(ids[job_id], error)
            record_outcome(session.connection, record.release_id, record.run, Ending.FAILED, failure=failure)


def _call_off(session: Session, release_id: str) -> None:
    """Say that nobody drives the release any more, and take its jobs off the queue, if the queue can be reached."""
    with contextlib.suppress(QueueError), reaching(session):
        record = load_record(session.connection, release_id)
        if record is not None:
            record_outcome(session.connection, release_id, record.run, Ending.CANCELLED)
            # What our dead workers held is given back first, so that it can be withdrawn.
            Reaper(session.connection, alone=session.is_alone).tick()
            withdraw(session.connection, record)


def _prune(session: Session) -> None:
    ended = [record for record in all_records(session.connection) if record.outcome is not None]
    for record in ended[KEPT:]:
        remove(session.connection, record)
        forget_record(session.connection, record.release_id)


def _known(session: Session, release_id: str) -> Record:
    record = load_record(session.connection, release_id)
    if record is None:
        raise _unknown(release_id)
    return record


def _unknown(release_id: str) -> UnknownId:
    return UnknownId("job", release_id, "see `mediaforge job list`")


def _worker_argv(session: Session) -> Sequence[str | Path]:
    return python_module("mediaforge.work.worker", "--state", str(session.state))
