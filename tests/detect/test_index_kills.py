"""An index under kill -9: what was acknowledged is there, whole, and the next writer goes on."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mediaforge.detect.index import Index
from tests.detect.test_index import made_up

APPENDS = 200
WRITER = """
import sys
from pathlib import Path
from mediaforge.detect.index import Index
from tests.detect.test_index import made_up

index = Index(Path(sys.argv[1]))
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    index.add(f"film-{number:03d}", made_up(4 + number % 3, seed=number))
    print(number, flush=True)
"""


def is_whole(index: Index, numbers: range) -> None:
    index.check()
    titles = index.titles()
    for number in numbers:
        assert f"film-{number:03d}" in titles
    found = {each.title: each.codes for each in index.references()}
    for title, codes in found.items():
        number = int(title[5:])
        assert (codes == made_up(4 + number % 3, seed=number).reference_codes).all()


def test_a_writer_killed_again_and_again_over_200_appends_loses_nothing_acknowledged(tmp_path: Path) -> None:
    index = Index(tmp_path / "index")
    draw = np.random.default_rng(1)
    done = 0
    while done < APPENDS:
        end = min(APPENDS, done + int(draw.integers(25, 60)))
        argv = [sys.executable, "-c", WRITER, str(index.folder), str(done), str(APPENDS)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as writer:
            assert writer.stdout is not None
            for line in writer.stdout:  # it writes the next title, or merges, while we kill it
                done = int(line) + 1
                if done == end:
                    writer.kill()
            assert writer.wait() in (0, -signal.SIGKILL)
        is_whole(index, range(done))
    assert len(list(index.folder.glob("*.mfs"))) < 24


def dying(index: Index, at: int, act: Callable[[Index], None], acknowledged: Any) -> None:
    """Do it in this process, and die by SIGKILL just before the disk is touched for the time numbered `at`."""
    touched = count()

    def mortal(call: Callable[..., Any]) -> Callable[..., Any]:
        def touch(*args: Any, **kwargs: Any) -> Any:
            if next(touched) == at:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **kwargs)

        return touch

    os.fsync = mortal(os.fsync)
    Path.replace = mortal(Path.replace)  # type: ignore[method-assign]
    Path.unlink = mortal(Path.unlink)  # type: ignore[method-assign]
    act(index)
    acknowledged.set()


def add_eighth(index: Index) -> None:
    index.add("film-007", made_up(5, seed=7))


def remove_most(index: Index) -> None:
    index.remove("film-007")


@pytest.mark.parametrize(("act", "title", "stays"), [(add_eighth, "film-007", True), (remove_most, "film-007", False)])
def test_a_kill_before_any_touch_of_the_disk_leaves_the_index_as_before_or_after(
    tmp_path: Path, act: Callable[[Index], None], title: str, stays: bool
) -> None:
    """The eighth add merges all segments; the removal halves a segment, which is written anew."""
    fork = multiprocessing.get_context("fork")
    first = Index(tmp_path / "first")
    for number in range(7):
        first.add(f"film-{number:03d}", made_up(4 + number % 3, seed=number))
    if not stays:
        add_eighth(first)
        for number in (3, 4, 5):
            first.remove(f"film-{number:03d}")
    before = set(first.titles())
    after = before | {title} if stays else before - {title}
    for at in count():
        index = Index(tmp_path / f"index-{at}")
        shutil.copytree(first.folder, index.folder)
        acknowledged = fork.Event()
        child = fork.Process(target=dying, args=(index, at, act, acknowledged))
        child.start()
        child.join()
        is_whole(index, range(3))
        assert set(index.titles()) in ([after] if acknowledged.is_set() else [before, after])
        if (title in index.titles()) != stays:
            act(index)
        index.add("film-100", made_up(4 + 100 % 3, seed=100))
        assert set(index.titles()) == after | {"film-100"}
        assert not list(index.folder.glob(".*"))  # what the killed one left was taken away
        if child.exitcode == 0:
            break
    assert at > 8
