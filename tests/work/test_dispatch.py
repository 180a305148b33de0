import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from rq.job import JobStatus

from mediaforge.errors import MediaError, PoisonedStep, QueueError, ToolError, UnknownId
from mediaforge.tools import spawn
from mediaforge.work.dispatch import KEPT, cancel, job, jobs, retry, start, watch
from mediaforge.work.graph import QUEUE, job_states, open_queue, plan_id
from mediaforge.work.processes import descendants, end
from mediaforge.work.records import RELEASES, Ending, load_record, open_run, record_outcome
from mediaforge.work.session import Session
from mediaforge.work.view import Event, EventKind, ReleaseState, StepState
from mediaforge.work.workers import live_workers
from tests.work.fake_home import Home, make_home, wait_until

DIAMOND = ({"name": "a", "seconds": 0.2}, {"name": "b", "seconds": 0.2}, {"name": "c", "needs": ["a", "b"], "seconds": 0.2})


def kinds(events: list[Event], step: str) -> list[EventKind]:
    return [event.kind for event in events if event.step == step and event.kind is not EventKind.PROGRESS]


@pytest.fixture(scope="module")
def served() -> Iterator[Home]:
    """A home whose queue is served by two workers that belong to nobody: no test has to wait for workers to start."""
    home = make_home()
    with home.session() as session:
        for _ in range(2):
            spawn(home.worker_argv, name="worker", log=home.state / "logs" / "standing.log")
        wait_until(lambda: len(live_workers(session.connection, QUEUE, alone=True)) == 2)
        try:
            yield home
        finally:
            end(descendants(home.pids("fake_worker")))
    shutil.rmtree(home.path)


@contextmanager
def started(home: Home, release_id: str) -> Iterator[Session]:
    with home.session() as session:
        start(session, release_id, title="atlas")
        yield session


def test_a_release_runs_in_the_order_of_its_needs_and_only_once(home: Home) -> None:
    home.plan("r1", *DIAMOND)
    events = home.release("r1")
    assert [event.kind for event in events if not event.step] == [EventKind.PLANNED, EventKind.DONE]
    for step in "abc":
        assert kinds(events, step) == [EventKind.STARTED, EventKind.FINISHED]
    assert events[-1].overall == 1.0
    assert events[-1].steps_done == 3
    notes = home.corridor.notes()
    assert sorted(notes) == ["begin a", "begin b", "begin c", "end a", "end b", "end c"]
    assert notes[-2:] == ["begin c", "end c"]
    assert home.pids() == ()

    again = home.release("r1", workers=1)
    assert home.corridor.notes() == notes
    assert [kinds(again, step) for step in "abc"] == [[EventKind.FINISHED]] * 3
    with home.session() as session:
        assert [view.state for view in jobs(session)] == [ReleaseState.FINISHED]
        assert {step.state for step in job(session, "r1").steps} == {StepState.REUSED}


def test_a_step_that_fails_ends_the_release_at_once_with_its_own_error(home: Home) -> None:
    home.plan(
        "r1",
        {"name": "slow", "act": "child"},
        {"name": "bad", "act": "fail"},
        {"name": "next", "needs": ["bad"]},
        {"name": "last", "needs": ["slow", "next"]},
    )
    with started(home, "r1") as session:
        events: list[Event] = []
        begun = time.monotonic()
        with pytest.raises(ToolError) as caught:
            for event in home.drive(session, "r1"):
                events.append(event)
                begun = time.monotonic() if event.step == "bad" else begun
        assert time.monotonic() - begun < 5
        assert str(caught.value) == "ffmpeg: failed with exit code 187 (No space left)"
        assert (caught.value.exit_code, caught.value.code, caught.value.tail) == (4, 187, "frame 7\nNo space left")
        view = job(session, "r1")
        assert view.state is ReleaseState.FAILED
        assert view.failure is not None and view.failure.step == "bad"
        states = {step.name: step.state for step in view.steps}
        assert states["bad"] is StepState.FAILED
        assert states["next"] is states["last"] is StepState.CANCELLED
        assert open_queue(session.connection).deferred_job_registry.count == 0
        assert home.corridor.notes().count("begin bad") == 1
    assert home.pids() == ()


def test_a_master_that_cannot_be_planned_fails_with_its_sentence(served: Home) -> None:
    with started(served, "none") as session, pytest.raises(MediaError, match=r"film.mov: is not there"):
        list(served.drive(session, "none"))


def test_a_bug_in_a_step_comes_back_with_its_traceback(served: Home) -> None:
    served.plan("bug", {"name": "a", "act": "crash"}, {"name": "b", "needs": ["a"]})
    with (
        started(served, "bug") as session,
        pytest.raises(RuntimeError, match=r"(?s)step a broke.*fake_worker.py.*one over none"),
    ):
        list(served.drive(session, "bug"))


def test_a_transient_error_is_tried_again(served: Home) -> None:
    served.plan("flaky", {"name": "flaky", "act": "transient"})
    events = []
    with started(served, "flaky") as session:
        events = list(served.drive(session, "flaky"))
    assert events[-1].kind is EventKind.DONE
    assert served.corridor.notes().count("begin flaky") == 2


def test_a_step_that_kills_its_process_every_time_ends_the_release(served: Home) -> None:
    served.plan("deadly", {"name": "deadly", "act": "die"}, {"name": "after", "needs": ["deadly"]}, {"name": "beside"})
    with started(served, "deadly") as session, pytest.raises(QueueError, match=r"step deadly .* was ended 11 times"):
        list(served.drive(session, "deadly"))
    assert served.corridor.notes().count("begin deadly") == 11
    assert "begin after" not in served.corridor.notes()


def test_a_poisoned_step_gets_another_chance_by_a_retry_and_by_nothing_else(served: Home) -> None:
    served.plan("poison", {"name": "poison", "act": "fail"})
    for kind in (ToolError, ToolError, ToolError, PoisonedStep):
        with started(served, "poison") as session, pytest.raises(kind):
            list(watch(session, "poison"))
    assert served.corridor.notes().count("begin poison") == 3
    served.plan("poison", {"name": "poison"})
    with served.session() as session:
        retry(session, "poison")
        assert [*watch(session, "poison")][-1].kind is EventKind.DONE


def test_a_release_called_off_elsewhere_stops_and_can_be_retried(served: Home) -> None:
    served.plan(
        "off", {"name": "quick"}, {"name": "long", "needs": ["quick"], "seconds": 60}, {"name": "end", "needs": ["long"]}
    )
    with started(served, "off") as session, served.session() as other:
        with pytest.raises(QueueError, match="off was cancelled"):
            for event in watch(session, "off"):
                if (event.kind, event.step) == (EventKind.STARTED, "long"):
                    with pytest.raises(QueueError, match="has not ended"):
                        retry(other, "off")
                    assert cancel(other, "off")
                    assert not cancel(other, "off")
        wait_until(lambda: StepState.RUNNING not in {step.state for step in job(session, "off").steps}, seconds=5)
        assert [step.state for step in job(session, "off").steps] == [
            StepState.FINISHED,
            StepState.CANCELLED,
            StepState.CANCELLED,
        ]
        served.plan("off", {"name": "quick"}, {"name": "long", "needs": ["quick"]}, {"name": "end", "needs": ["long"]})
        retry(session, "off")
        assert [*watch(session, "off")][-1].kind is EventKind.DONE
        assert served.corridor.notes().count("begin quick") == 1
        assert job(session, "off").state is ReleaseState.FINISHED


def test_what_an_earlier_run_left_is_cleared_away(served: Home) -> None:
    served.plan("twice", {"name": "one"}, {"name": "two", "needs": ["one"], "seconds": 60}, {"name": "three", "needs": ["two"]})
    with started(served, "twice") as session:
        wait_until(lambda: "begin two" in served.corridor.notes())
        earlier = load_record(session.connection, "twice").run
        planned = plan_id("twice", earlier)
        wait_until(lambda: job_states(session.connection, [planned])[planned].status is JobStatus.FINISHED)
    # Its driver is gone without a word. A later one starts the same release, whose plan is another by now.
    served.plan("twice", {"name": "one"}, {"name": "three", "needs": ["one"]})
    with started(served, "twice") as session:
        assert [*served.drive(session, "twice")][-1].kind is EventKind.DONE
        assert not {key for key in session.connection.keys(f"rq:job:twice--{earlier}--*") if b"--two-" not in key}
    assert served.corridor.notes().count("begin one") == 1


def test_a_release_that_nobody_knows_is_named(served: Home) -> None:
    with served.session() as session:
        for look in (job, cancel, retry):
            with pytest.raises(UnknownId, match="no job 'ghost'"):
                look(session, "ghost")
        with pytest.raises(UnknownId, match="no job 'ghost'"):
            list(watch(session, "ghost"))
        with pytest.raises(QueueError, match="no release id"):
            start(session, "../x", title="atlas")


def test_the_queue_remembers_a_bounded_number_of_ended_releases(home: Home) -> None:
    with home.session() as session:
        for number in range(KEPT + 5):
            run = open_run(session.connection, f"old-{number}", title="atlas").run
            record_outcome(session.connection, f"old-{number}", run, Ending.FINISHED)
        start(session, "new", title="atlas")
        assert session.connection.zcard(RELEASES) == KEPT + 1
        assert jobs(session)[0].release_id == "new"
        assert len(jobs(session)) == KEPT + 1
