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


@dataclass(frozen=True)
class Answer:
    code: int
    data: dict[str, Any]
    talk: str


Mediaforge = Callable[..., Answer]


def command(state: Path, *words: str | Path) -> list[str]:
    return [sys.executable, "-m", "mediaforge.cli.main", *map(str, words), "--state", str(state), "--json"]


def call(state: Path, *words: str | Path, seconds: float = 900) -> Answer:
    done = subprocess.run(command(state, *words), capture_output=True, text=True, timeout=seconds, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return Answer(code=done.returncode, data=json.loads(done.stdout) if done.stdout.strip() else {}, talk=done.stderr)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def processes_of(state: Path) -> list[str]:
    """The command lines of all processes that name this state."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(state) in line:
            found.append(line)
    return found
