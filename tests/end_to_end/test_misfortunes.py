"""What goes wrong around a release: one sentence, the right exit code, nobody left running, nothing half-made at the end."""

import resource
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.canary import LADDER
from tests.end_to_end.conftest import call, command, processes_of


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Callable[..., None]) -> tuple[str | Path, ...]:
    """A release of some seconds of noise: a chunk of a megabyte or two that takes a while."""
    folder = tmp_path_factory.mktemp("noise")
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=size=416x234:rate=25:duration=12,noise=alls=40:allf=t:all_seed=7"),
        *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=12", "-shortest"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-crf", "30", "-pix_fmt", "yuv420p", "-c:a", "aac", folder / "noise.mp4"),
    )
    ladder = folder / "ladder.toml"
    ladder.write_text(LADDER.replace("160", "416").replace("90", "234").replace("bitrate_kbps = 60", "bitrate_kbps = 1800"))
    return ("release", folder / "noise.mp4", "--title", "noise", "--ladder", ladder, "--no-watermark")


def results(state: Path) -> list[str]:
    return sorted(path.name for path in (state / "packages").glob("**/*")) if (state / "packages").exists() else []


def one_sentence(talk: str) -> str:
    """The last line of what was said: the error, and no traceback anywhere."""
    assert "Traceback" not in talk
    line = talk.rstrip().splitlines()[-1]
    assert line.startswith("mediaforge: ")
    return line


def wait_for(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def is_encoding(state: Path) -> bool:
    return any("ffmpeg" in line and "-progress" in line for line in processes_of(state))


def test_a_disk_that_takes_no_more_is_said(words: tuple[str | Path, ...], state: Path) -> None:
    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    argv = command(state, *words)
    done = subprocess.run(argv, capture_output=True, text=True, preexec_fn=no_large_files, timeout=300, check=False)
    assert done.returncode == 4, done.stderr
    assert "had to write a larger file than it may; raise the limit" in one_sentence(done.stderr)
    assert results(state) == []
    assert processes_of(state) == []


def test_a_title_is_released_by_one_at_a_time(words: tuple[str | Path, ...], state: Path) -> None:
    with subprocess.Popen(command(state, *words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as first:
        wait_for(lambda: is_encoding(state))
        second = call(state, *words)
        assert second.code == 4
        assert "noise is being released already; watch it with `mediaforge job watch" in one_sentence(second.talk)
        assert first.wait(300) == 0
    assert processes_of(state) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_release_that_is_stopped_leaves_nothing_and_goes_on_later(
    number: signal.Signals, words: tuple[str | Path, ...], state: Path
) -> None:
    with subprocess.Popen(
        command(state, *words),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # A job in the background is born to ignore SIGINT.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # noqa: PLW1509 - this test has no other thread
    ) as release:
        wait_for(lambda: is_encoding(state))
        release.send_signal(number)
        _, talk = release.communicate(timeout=60)
    assert release.returncode in (130, 143), talk
    one_sentence(talk)
    wait_for(lambda: processes_of(state) == [])
    assert results(state) == []
    if number is signal.SIGTERM:
        assert call(state, *words).code == 0
