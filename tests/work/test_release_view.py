from mediaforge.work.failure import Failure
from mediaforge.work.view import EventKind, ReleaseState, ReleaseView, StepState, StepView, events_between


def view(
    *states: StepState,
    release: ReleaseState = ReleaseState.RUNNING,
    fraction: float = 0.0,
    begun: float = 1.0,
    failure: str = "",
) -> ReleaseView:
    """Steps a, b, c... in these states."""
    done = (StepState.FINISHED, StepState.REUSED)
    steps = tuple(
        StepView(name=name, state=state, fraction=1.0 if state in done else fraction, begun=begun, seconds=None)
        for name, state in zip("abcdef", states, strict=False)
    )
    cause = Failure(step=failure, kind="QueueError", message="too bad", facts={}) if failure else None
    return ReleaseView(release_id="r", title="atlas", run=1, state=release, created=0.0, steps=steps, failure=cause)


def told(old: ReleaseView | None, new: ReleaseView) -> list[tuple[EventKind, str]]:
    return [(event.kind, event.step) for event in events_between(old, new)]


W, R, F = StepState.WAITING, StepState.RUNNING, StepState.FINISHED


def test_the_first_look_tells_the_plan() -> None:
    assert told(None, view(W, W)) == [(EventKind.PLANNED, "")]
    assert told(view(release=ReleaseState.PLANNING), view(R)) == [(EventKind.PLANNED, ""), (EventKind.STARTED, "a")]


def test_nothing_new_tells_nothing() -> None:
    assert told(view(W, R, F), view(W, R, F)) == []


def test_a_step_that_began_and_ended_between_two_looks_tells_both() -> None:
    assert told(view(W), view(F)) == [(EventKind.STARTED, "a"), (EventKind.FINISHED, "a")]
    assert told(view(R), view(F)) == [(EventKind.FINISHED, "a")]


def test_progress_is_told_when_there_is_some() -> None:
    (event,) = events_between(view(R, F, fraction=0.2), view(R, F, fraction=0.6))
    assert (event.kind, event.step, event.fraction) == (EventKind.PROGRESS, "a", 0.6)
    assert (event.overall, event.steps_done, event.steps) == (0.8, 1, 2)


def test_a_lost_worker_is_told() -> None:
    assert told(view(R), view(W)) == [(EventKind.REQUEUED, "a")]
    assert told(view(R), view(R, begun=2.0)) == [(EventKind.REQUEUED, "a"), (EventKind.STARTED, "a")]


def test_reused_steps_are_finished_without_having_started() -> None:
    assert told(None, view(StepState.REUSED)) == [(EventKind.PLANNED, ""), (EventKind.FINISHED, "a")]


def test_a_failed_step_says_why_and_cancelled_ones_say_nothing() -> None:
    new = view(StepState.FAILED, StepState.CANCELLED, release=ReleaseState.FAILED, failure="a")
    (event,) = events_between(view(R, W), new)
    assert (event.kind, event.step, event.message) == (EventKind.FAILED, "a", "too bad")


def test_the_end_is_told_once() -> None:
    finished = view(F, release=ReleaseState.FINISHED)
    assert told(view(F), finished) == [(EventKind.DONE, "")]
    assert told(finished, finished) == []
