import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from mediaforge.errors import MediaError, PoisonedStep, StoreError, ToolError
from mediaforge.steps import Step, StepStore, write_whole


def step(**changes: object) -> Step:
    facts = {"name": "chunk", "version": 1, "inputs": ("aa",), "params": {"rate": 70}, "tools": ("x264",)}
    return Step(**{**facts, **changes})  # type: ignore[arg-type]


def write(text: str) -> object:
    return lambda folder: (folder / "out.txt").write_text(text)


@pytest.fixture
def steps(tmp_path: Path) -> StepStore:
    return StepStore(tmp_path / "steps")


@pytest.mark.parametrize("change", [{"version": 2}, {"inputs": ("bb",)}, {"params": {"rate": 71}}, {"tools": ("x265",)}])
def test_everything_that_goes_in_changes_the_key(change: dict[str, object]) -> None:
    assert step(**change).key != step().key


def test_the_order_of_parameters_does_not(steps: StepStore) -> None:
    assert step(params={"a": 1, "b": 2}).key == step(params={"b": 2, "a": 1}).key


def test_a_step_runs_once(steps: StepStore) -> None:
    calls = []

    def work(folder: Path) -> None:
        calls.append(folder)
        (folder / "out.txt").write_text("frames")

    first, second = steps.run(step(), work), steps.run(step(), work)
    assert len(calls) == 1
    assert (first.reused, second.reused) == (False, True)
    assert second.digest == first.digest and (second.folder / "out.txt").read_text() == "frames"


def test_a_result_that_lost_a_file_is_made_again(steps: StepStore) -> None:
    first = steps.run(step(), write("frames"))
    (first.folder / "out.txt").unlink()
    assert steps.lookup(step().key) is None
    assert steps.run(step(), write("frames")).digest == first.digest


def test_a_failed_step_leaves_nothing_and_may_run_again(steps: StepStore) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise ToolError("ffmpeg", "failed", transient=True)

    with pytest.raises(ToolError):
        steps.run(step(), fail)
    assert steps.lookup(step().key) is None
    assert not list((steps.root / "drafts").iterdir())
    assert not steps.run(step(), write("frames")).reused


def test_three_failures_of_its_own_poison_a_step_until_forgiven(steps: StepStore) -> None:
    def fail(folder: Path) -> None:
        raise MediaError("film.mov", "is damaged")

    for _ in range(3):
        with pytest.raises(MediaError):
            steps.run(step(), fail)
    with pytest.raises(PoisonedStep, match="is damaged"):
        steps.run(step(), write("frames"))
    steps.forgive(step().key)
    assert not steps.run(step(), write("frames")).reused


def test_a_killed_step_leaves_no_result_and_no_lock(steps: StepStore) -> None:
    program = f"""
import os, signal
from pathlib import Path
from mediaforge.steps import Step, StepStore
def work(folder):
    (folder / "half").write_text("x")
    os.kill(os.getpid(), signal.SIGKILL)
step = Step(name="chunk", version=1, inputs=("aa",), params={{"rate": 70}}, tools=("x264",))
StepStore(Path({str(steps.root)!r})).run(step, work)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    assert steps.lookup(step().key) is None
    result = steps.run(step(), write("frames"))
    assert sorted(path.name for path in result.folder.iterdir()) == ["out.txt"]


def test_temporary_files_of_a_step_lie_in_its_state_and_go_with_it(steps: StepStore, tmp_path: Path) -> None:
    seen: list[Path] = []

    def work(to: Path) -> None:
        seen.append(Path(tempfile.mkdtemp()))
        (to / "out").write_text("done")

    result = steps.run(step(), work)
    assert seen[0].is_relative_to(tmp_path) and not seen[0].exists()
    assert [path.name for path in result.folder.iterdir()] == ["out"]
    assert not Path(tempfile.gettempdir()).is_relative_to(tmp_path)


def test_a_tool_that_fails_on_a_full_disk_is_not_blamed(steps: StepStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path) -> None:
        raise ToolError("ffmpeg", "failed with exit code 228")

    monkeypatch.setattr("shutil.disk_usage", lambda path: shutil._ntuple_diskusage(100, 99, 1))
    for _ in range(4):
        with pytest.raises(StoreError, match="has no space left"):
            steps.run(step(), fail)


def test_a_full_disk_is_a_sentence(steps: StepStore) -> None:
    def fill(folder: Path) -> None:
        raise OSError(28, os.strerror(28))

    with pytest.raises(StoreError, match=r"No space left on device\); free space and rerun"):
        steps.run(step(), fill)


def test_a_small_file_that_cannot_be_written_is_a_sentence_and_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    write_whole(tmp_path / "ref.json", b"old")
    monkeypatch.setattr(os, "fsync", fill)
    with pytest.raises(StoreError, match=r"ref\.json: cannot be written \(No space left on device\)"):
        write_whole(tmp_path / "ref.json", b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]
