"""The command line as its users call it: in a process of its own, on a state of its own."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
SAMPLE = HERE.parent.parent / "samples" / "atlas-720p25.mp4"
LADDER = HERE / "small.toml"
MEDIAFORGE = Path(sys.executable).with_name("mediaforge")


@dataclass(frozen=True)
class Answer:
    code: int
    data: dict[str, Any]
    talk: str


Mediaforge = Callable[..., Answer]


def command(state: Path, *words: str | Path) -> list[str]:
    return [str(MEDIAFORGE), *map(str, words), "--state", str(state), "--json"]


def call(state: Path, *words: str | Path, seconds: float = 900) -> Answer:
    done = subprocess.run(command(state, *words), capture_output=True, text=True, timeout=seconds, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return Answer(code=done.returncode, data=json.loads(done.stdout) if done.stdout.strip() else {}, talk=done.stderr)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def processes_of(state: Path) -> list[str]:
    """The command lines of all processes that name this state, or have a file of it open (the queue server renames itself)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            files = [str(file.readlink()) for file in (process / "fd").iterdir()]
        except OSError:  # it has just ended
            continue
        if str(state) in line or any(file.startswith(str(state)) for file in files):
            found.append(line)
    return found
