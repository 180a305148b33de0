"""Workers are killed in mid-release: the package is that of an undisturbed release, and no finished step is made again."""

import os
import random
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mediaforge.tools import Tools
from tests.end_to_end.conftest import LADDER, call, command, processes_of
from tests.trees import tree

KILLS = 5
WORKER = "mediaforge.work.worker"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Callable[..., None]) -> Path:
    """Forty seconds: three chunks, encoded slowly enough that a kill meets them at work."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=40,noise=alls=20:allf=t:all_seed=7"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-crf", "24", "-pix_fmt", "yuv420p"),
        path,
    )
    return path


def diary_of(tools: Tools, folder: Path) -> tuple[Path, Path]:
    """A program that is ffmpeg and keeps a diary: a line for every start."""
    diary, program = folder / "diary.txt", folder / "ffmpeg"
    program.write_text(f'#!/bin/sh\necho start >> {diary}\nexec {tools.ffmpeg} "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    diary.touch()
    return program, diary


def results_of(state: Path) -> dict[str, int]:
    """The published results by key, each with its file's inode: a result made a second time has another."""
    return {path.name: path.stat().st_ino for path in (state / "steps" / "refs").glob("*.json")}


def test_five_kills_change_nothing(film: Path, tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, diary = diary_of(tools, tmp_path)
    monkeypatch.setenv("MEDIAFORGE_FFMPEG", str(program))
    words = ("release", film, "--title", "film", "--ladder", LADDER)
    calm, stormy = tmp_path / "calm", tmp_path / "stormy"
    undisturbed = call(calm, *words)
    assert undisturbed.code == 0, undisturbed.talk
    # The same keys: package bytes depend on them.
    stormy.mkdir(mode=0o700)
    shutil.copytree(calm / "keys", stormy / "keys")

    dice = random.Random(20261122)
    release = subprocess.Popen(command(stormy, *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    kills, finished = 0, {}
    while kills < KILLS and release.poll() is None:
        time.sleep(dice.uniform(0.5, 2.5))
        victims = workers_of(stormy)
        if victims:
            finished |= results_of(stormy)
            os.kill(dice.choice(victims), signal.SIGKILL)
            kills += 1
    _, talk = release.communicate(timeout=600)
    assert release.returncode in (0, 4), talk.decode()
    starts = len(diary.read_text().splitlines())
    again = call(stormy, *words)
    assert again.code == 0, again.talk

    assert kills >= 3, "the release was over before it could be disturbed"
    assert tree(stormy / "packages" / "film") == tree(calm / "packages" / "film")
    assert results_of(stormy).items() >= finished.items(), "a finished step was made again"
    if release.returncode == 0:
        assert len(diary.read_text().splitlines()) == starts, "a repeated release started ffmpeg"
    assert processes_of(stormy) == []


def workers_of(state: Path) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if WORKER in words and str(state) in words:
            found.append(int(entry.parent.name))
    return found
