"""A worker with a made-up corridor; its argument is the home. Steps sleep, fail or crash as their plan says."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mediaforge.errors import MediaError, ToolError
from mediaforge.steps import Step, StepStore
from mediaforge.tools import locate_tools, run
from mediaforge.work.rq_worker import run_worker
from mediaforge.work.session import Session, queue_session


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeStep:
    """`act`: sleep, fail, crash (a bug), transient (once), die (kill -9 of itself), child (a program that takes a minute)."""

    name: str
    needs: tuple[str, ...] = ()
    act: str = "sleep"
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FakePlan:
    steps: tuple[FakeStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeCorridor:
    """Its folder holds <release>.json (the plan) and log, a line for every begin and end of a step; results are real ones."""

    folder: Path
    state: Path

    def plan_release(self, release_id: str, on_progress: Callable[[float], None]) -> None:
        if not (self.folder / f"{release_id}.json").exists():
            raise MediaError("film.mov", "is not there")

    def load_plan(self, release_id: str) -> FakePlan:
        steps = json.loads((self.folder / f"{release_id}.json").read_text())
        return FakePlan(steps=tuple(FakeStep(**{**step, "needs": tuple(step.get("needs", ()))}) for step in steps))

    def is_done(self, release_id: str, step_name: str) -> bool:
        return self._store.lookup(self._step(release_id, step_name).key) is not None

    def run_planned(self, release_id: str, step_name: str, on_progress: Callable[[float], None]) -> None:
        planned = next(step for step in self.load_plan(release_id).steps if step.name == step_name)
        for need in planned.needs:
            assert self.is_done(release_id, need), f"{step_name} runs before {need}"

        def work(folder: Path) -> None:
            self.note(f"begin {step_name} {os.getpid()} {os.getppid()}")
            self._act(planned, on_progress)
            (folder / "made").touch()

        if not self._store.run(self._step(release_id, step_name), work).reused:
            self.note(f"end {step_name}")

    def _act(self, step: FakeStep, on_progress: Callable[[float], None]) -> None:
        match step.act:
            case "fail":
                raise ToolError("ffmpeg", "failed with exit code 187", code=187, tail="frame 7\nNo space left")
            case "crash":
                raise ZeroDivisionError("one over none")
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "child":
                run(["sleep", "60"], name="sleep", cwd=self.folder)
            case "transient":
                if self.notes().count(f"begin {step.name}") == 1:
                    raise ToolError("ffmpeg", "made no progress", transient=True)
        begin = time.monotonic()
        while (passed := time.monotonic() - begin) < step.seconds:
            on_progress(passed / step.seconds)
            time.sleep(0.02)

    def note(self, line: str) -> None:
        with (self.folder / "log").open("a") as log:
            log.write(line + "\n")

    def notes(self) -> list[str]:
        """What was noted, without the pids."""
        return [" ".join(line.split()[:2]) for line in self.lines()]

    def lines(self) -> list[str]:
        log = self.folder / "log"
        return log.read_text().splitlines() if log.exists() else []

    @property
    def _store(self) -> StepStore:
        return StepStore(self.state / "steps")

    def _step(self, release_id: str, step_name: str) -> Step:
        return Step(name=step_name, version=1, inputs=(), params={"release": release_id})


@contextmanager
def session_at(home: Path) -> Iterator[Session]:
    with queue_session(home / "state", locate_tools({}), runtime_dir=home / "run") as session:
        yield session


if __name__ == "__main__":
    with session_at(Path(sys.argv[1])) as session:
        corridor = FakeCorridor(folder=Path(sys.argv[1]) / "fake", state=session.state)
        run_worker(session, corridor, burst="--burst" in sys.argv)
