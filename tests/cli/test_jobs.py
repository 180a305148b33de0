"""`job`: what is said of a release in the queue."""

import json
from contextlib import nullcontext
from pathlib import Path

import pytest

from mediaforge.cli import job as job_command
from mediaforge.cli.main import run
from mediaforge.work.failure import Failure
from mediaforge.work.view import ReleaseState, ReleaseView, StepState, StepView

POISON = Failure(step="chunk-0001", kind="PoisonedStep", message="step chunk failed three times", facts={"key": "ab" * 32})
STEPS = (
    StepView(name="chunk-0000", state=StepState.REUSED, fraction=1.0, begun=None, seconds=0.0),
    StepView(name="chunk-0001", state=StepState.RUNNING, fraction=0.5, begun=1.0, seconds=None),
)


def view(**changes: object) -> ReleaseView:
    facts: dict[str, object] = {
        "release_id": "atlas-1",
        "title": "atlas",
        "state": ReleaseState.RUNNING,
        "run": 1,
        "created": 0.0,
        "steps": STEPS,
        "failure": None,
    }
    return ReleaseView(**(facts | changes))  # type: ignore[arg-type]


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> list[ReleaseView]:
    views = [view()]
    monkeypatch.setattr(job_command, "open_session", lambda *_: nullcontext())
    monkeypatch.setattr(job_command.dispatch, "jobs", lambda _: tuple(views))
    monkeypatch.setattr(job_command.dispatch, "job", lambda *_: views[0])
    return views


def test_a_running_job_says_how_far_it_is(queue: list[ReleaseView], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["job", "list", "--json", "--state", str(tmp_path)]) == 0
    wanted = {"id": "atlas-1", "title": "atlas", "state": "running", "progress": 0.75, "step": "chunk-0001", "error": None}
    assert json.loads(capsys.readouterr().out)["jobs"] == [wanted]
    assert run(["job", "show", "atlas-1", "--state", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "chunk-0001" in said
    assert "reused" in said


@pytest.mark.parametrize("name", ["atlas-1", "ab" * 32])
def test_a_retry_forgives_the_step_that_was_set_aside(
    name: str, queue: list[ReleaseView], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue[0] = view(state=ReleaseState.FAILED, failure=POISON)
    ran = []
    attempts = tmp_path / "steps" / "refs" / f"{'ab' * 32}.attempts"
    attempts.parent.mkdir(parents=True)
    attempts.touch()
    monkeypatch.setattr(job_command, "run_release", lambda call, context, title, release_id: ran.append((title, release_id)))
    assert run(["job", "retry", name, "--state", str(tmp_path)]) == 0
    assert ran == [("atlas", "atlas-1")]
    assert not attempts.exists()


def test_down_does_not_stop_a_queue_that_is_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["down", "--json", "--state", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "stopped": False}
    monkeypatch.setenv("MEDIAFORGE_QUEUE_URL", "redis://queue:6379/0")
    assert run(["down", "--state", str(tmp_path)]) == 2
