"""A state with a made-up corridor, and what tests ask of it."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from mediaforge.work.dispatch import drive, start
from mediaforge.work.session import Session
from mediaforge.work.view import Event
from tests.work.fake_worker import FakeCorridor, session_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A state with a made-up corridor, under a short path of its own."""

    path: Path

    @property
    def state(self) -> Path:
        return self.path / "state"

    @property
    def corridor(self) -> FakeCorridor:
        return FakeCorridor(folder=self.path / "fake", state=self.state)

    @property
    def worker_argv(self) -> list[str]:
        return run_as_main("tests.work.fake_worker", str(self.path))

    def plan(self, release_id: str, *steps: dict[str, object]) -> None:
        (self.path / "fake" / f"{release_id}.json").write_text(json.dumps(steps))

    def session(self) -> AbstractContextManager[Session]:
        return session_at(self.path)

    def drive(self, session: Session, release_id: str, *, workers: int = 2) -> Iterator[Event]:
        return drive(session, release_id, workers=workers, worker_argv=self.worker_argv)

    def release(self, release_id: str, *, workers: int = 2) -> list[Event]:
        with self.session() as session:
            start(session, release_id, title="atlas")
            return list(self.drive(session, release_id, workers=workers))

    def pids(self, word: str = "") -> tuple[int, ...]:
        """Living processes that have to do with this home and have this word in their command line, but not the test itself."""
        return tuple(pid for pid, line in self._living() if word in line and pid != os.getpid())

    def _living(self) -> Iterator[tuple[int, str]]:
        for folder in Path("/proc").iterdir():
            try:
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                inside = str(self.path) in line or str((folder / "cwd").readlink()).startswith(str(self.path))
            except OSError:
                continue
            if folder.name.isdigit() and inside:
                yield int(folder.name), line


def run_as_main(module: str, *arguments: str) -> list[str]:
    """The argv that runs one of these modules from any working directory."""
    root = Path(__file__).parents[2]
    code = f"import runpy, sys; sys.path.insert(0, {str(root)!r}); runpy.run_module({module!r}, run_name='__main__')"
    return [sys.executable, "-c", code, *arguments]


def make_home() -> Home:
    # Not tmp_path: a socket's name must be short.
    home = Home(path=Path(tempfile.mkdtemp(prefix="mf-")))
    home.state.mkdir()
    (home.path / "fake").mkdir()
    return home


def wait_until(holds: Callable[[], object], *, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
