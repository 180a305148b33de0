import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from rq.executions import Execution
from rq.job import Job, JobStatus

from mediaforge.work import reaper as reaper_module
from mediaforge.work.graph import QUEUE, finalise_id, job_states, open_queue, plan_id, put_finalise, put_plan, put_step, step_id
from mediaforge.work.processes import Process, this_process
from mediaforge.work.reaper import Reaper
from mediaforge.work.records import Ending, RecordedStep, open_run, record_outcome, record_steps
from mediaforge.work.session import Session
from mediaforge.work.workers import live_workers, worker_name
from tests.work.fake_home import Home

DEAD = replace(this_process(), born=1)
ALIVE = this_process()
ELSEWHERE = Process(host="other.4026531836", pid=DEAD.pid, born=1)
PLAN = plan_id("r1", 1)


@pytest.fixture
def session(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A queue that holds one plan job."""
    with home.session() as session:
        with monkeypatch.context() as patch:
            patch.setattr(time, "time", lambda: 0.001)  # so that the run is number 1
            open_run(session.connection, "r1", title="atlas")
        put_plan(session.connection, "r1", 1)
        yield session


def begin(session: Session, job_id: str, worker: Process) -> None:
    """Bring a job to where it is when its horse has just begun."""
    job = fetch(session, job_id)
    with session.connection.pipeline() as pipe:
        Execution.create(job, 90, pipeline=pipe, worker_name=worker_name(worker))
        job.prepare_for_execution(worker_name(worker), pipeline=pipe)
        pipe.lrem(open_queue(session.connection).key, 1, job_id)
        pipe.execute()


def fetch(session: Session, job_id: str) -> Job:
    job = open_queue(session.connection).fetch_job(job_id)
    assert job is not None
    return job


def queued(session: Session) -> list[str]:
    return list(open_queue(session.connection).job_ids)


def status(session: Session, job_id: str) -> JobStatus | None:
    return job_states(session.connection, [job_id])[job_id].status


def sweep(session: Session, *, seconds: float = 0.15, alone: bool = False) -> tuple[str, ...]:
    """Tick often enough for a stray to count as one."""
    reaper = Reaper(session.connection, alone=alone)
    found: tuple[str, ...] = ()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found += reaper.tick()
        time.sleep(0.01)
    return found


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaper_module, "STRAY_SECONDS", 0.05)
    monkeypatch.setattr(reaper_module, "SWEEP_SECONDS", 0.0)


def test_what_a_dead_worker_held_is_queued_in_one_tick(session: Session) -> None:
    begin(session, PLAN, DEAD)
    assert Reaper(session.connection, alone=True).tick() == (PLAN,)
    assert queued(session) == [PLAN]
    assert status(session, PLAN) is JobStatus.QUEUED


def test_what_a_live_worker_or_another_host_holds_is_left_alone(session: Session) -> None:
    for worker in (ALIVE, ELSEWHERE):
        begin(session, PLAN, worker)
        assert sweep(session) == ()
        assert status(session, PLAN) is JobStatus.STARTED
        open_queue(session.connection).push_job_id(PLAN)


def test_what_is_booked_on_a_worker_without_work_is_given_back(session: Session) -> None:
    """Its horse ended while the queue was away, so that nobody could say so."""
    begin(session, PLAN, ALIVE)
    reaper = Reaper(session.connection, alone=True)
    reaper.surrender(worker_name(DEAD))
    reaper.tick()
    assert queued(session) == []
    reaper.surrender(worker_name(ALIVE))
    reaper.tick()
    assert queued(session) == [PLAN]


def test_a_queue_of_this_host_alone_knows_no_workers_elsewhere(session: Session) -> None:
    """They were in a container that is no more; their lease would cost more than a minute."""
    begin(session, PLAN, ELSEWHERE)
    assert sweep(session, alone=True) == (PLAN,)


def test_a_job_whose_lives_are_used_up_fails_and_what_waits_for_it_may_run(session: Session) -> None:
    queue = open_queue(session.connection)
    record_steps(session.connection, "r1", 1, [RecordedStep(name="a", reused=False), RecordedStep(name="b", reused=False)])
    put_step(queue, "r1", 1, "a", needs=())
    put_step(queue, "r1", 1, "b", needs=["a"])
    first, second = step_id("r1", 1, "a"), step_id("r1", 1, "b")
    session.connection.hset(Job.key_for(first), "retries_left", 0)
    begin(session, first, DEAD)
    Reaper(session.connection, alone=True).tick()
    assert status(session, first) is JobStatus.FAILED
    assert queued(session) == [PLAN, second]


def test_a_job_popped_by_a_worker_that_died_before_it_began_goes_back(session: Session) -> None:
    queue = open_queue(session.connection)
    session.connection.lmove(queue.key, queue.intermediate_queue_key)
    assert sweep(session) == (PLAN,)
    assert queued(session) == [PLAN]
    assert session.connection.llen(queue.intermediate_queue_key) == 0


def test_a_job_that_stands_in_no_list_goes_back(session: Session) -> None:
    queue = open_queue(session.connection)
    for said in (JobStatus.QUEUED, JobStatus.STARTED):
        session.connection.delete(queue.key)
        fetch(session, PLAN).set_status(said)
        assert sweep(session) == (PLAN,)
        assert queued(session) == [PLAN]


def test_a_job_that_waits_for_nothing_any_more_is_queued(session: Session) -> None:
    queue = open_queue(session.connection)
    record_steps(session.connection, "r1", 1, [RecordedStep(name="a", reused=False)])
    put_step(queue, "r1", 1, "a", needs=())
    put_finalise(queue, "r1", 1, steps=["a"])
    assert sweep(session) == ()
    session.connection.delete(queue.key)
    fetch(session, PLAN).set_status(JobStatus.FINISHED)
    fetch(session, step_id("r1", 1, "a")).set_status(JobStatus.FAILED)  # and its worker died before it told anybody
    assert sweep(session) == (finalise_id("r1", 1),)
    assert queued(session) == [finalise_id("r1", 1)]
    assert queue.deferred_job_registry.count == 0


def test_jobs_in_their_place_are_never_pushed_twice(session: Session) -> None:
    assert sweep(session, seconds=0.3) == ()
    assert queued(session) == [PLAN]


def test_an_ended_release_is_left_to_its_end(session: Session) -> None:
    record_outcome(session.connection, "r1", 1, Ending.CANCELLED)
    session.connection.delete(open_queue(session.connection).key)
    assert sweep(session) == ()


def test_dead_workers_are_taken_off_the_list(session: Session) -> None:
    for worker in (ALIVE, DEAD, ELSEWHERE):
        key = f"rq:worker:{worker_name(worker)}"
        session.connection.hset(key, "birth", "now")
        session.connection.sadd(f"rq:workers:{QUEUE}", key)
    assert set(live_workers(session.connection, QUEUE, alone=False)) == {worker_name(ALIVE), worker_name(ELSEWHERE)}
    assert set(live_workers(session.connection, QUEUE, alone=True)) == {worker_name(ALIVE)}
    sweep(session)
    assert session.connection.scard(f"rq:workers:{QUEUE}") == 2


def test_two_reapers_take_turns(session: Session) -> None:
    begin(session, PLAN, DEAD)
    session.connection.set("mediaforge:reaper", "someone", ex=10)
    assert Reaper(session.connection, alone=True).tick() == ()
    session.connection.delete("mediaforge:reaper")
    assert Reaper(session.connection, alone=True).tick() == (PLAN,)
