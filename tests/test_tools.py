import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mediaforge.confinement import Limits
from mediaforge.errors import ToolError, ToolMissing
from mediaforge.tools import INPUT_FORMATS, Tools, build_id, locate_tools, media_input, open_stream, run, spawn


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_every_tool_comes_with_the_wheels(tools: Tools) -> None:
    assert b"libx264" in run([tools.ffmpeg, "-hide_banner", "-encoders"], name="ffmpeg").stdout
    assert b"version v3." in run([tools.packager, "--version"], name="packager").stdout


def test_a_setting_names_another_binary(tmp_path: Path) -> None:
    assert locate_tools({"ffmpeg": sys.executable}).ffmpeg == Path(sys.executable)
    with pytest.raises(ToolMissing, match="is not a program"):
        locate_tools({"ffmpeg": str(tmp_path / "nothing")})
    with pytest.raises(ToolMissing, match="no program that mediaforge uses"):
        locate_tools({"mplayer": "/bin/true"})


def test_two_builds_have_two_ids(tools: Tools) -> None:
    assert build_id(tools.ffmpeg) == build_id(tools.ffmpeg) != build_id(tools.ffprobe)


def test_a_failure_brings_the_last_words_and_masks_secrets() -> None:
    program = "import sys; print('key=deadbeef is wrong', file=sys.stderr); sys.exit(3)"
    with pytest.raises(ToolError, match=r"demo: failed with exit code 3 \(key=\*\*\* is wrong\)") as caught:
        run(python(program), name="demo", secrets=("deadbeef",))
    assert "deadbeef" not in caught.value.tail


def test_lines_are_given_as_they_come() -> None:
    lines: list[str] = []
    run(python("print('one'); print('two')"), name="demo", on_line=lines.append)
    assert lines == ["one", "two"]


def test_a_silent_program_is_ended() -> None:
    begin = time.monotonic()
    with pytest.raises(ToolError, match="made no progress") as caught:
        run(python("import time; time.sleep(60)"), name="demo", watchdog_seconds=0.3)
    assert caught.value.transient and time.monotonic() - begin < 10


def test_an_exception_of_ours_ends_the_program() -> None:
    pids: list[int] = []

    def stop(line: str) -> None:
        pids.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(python("import os, time; print(os.getpid(), flush=True); time.sleep(60)"), name="demo", on_line=stop)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_stdin_reaches_the_program_and_limits_hold() -> None:
    assert run(python("import sys; print(sys.stdin.read())"), name="demo", stdin=b"secret").stdout == b"secret\n"
    with pytest.raises(ToolError, match=r"SIGXCPU|SIGKILL"):
        run(python("while True: pass"), name="demo", limits=Limits(cpu_seconds=1))
    with pytest.raises(ToolError):
        run(python("x = bytearray(1 << 30)"), name="demo", limits=Limits(memory_bytes=512 << 20))


def test_a_file_that_may_not_grow_is_a_sentence(tmp_path: Path) -> None:
    program = (
        f"import signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL); open({str(tmp_path / 'out')!r}, 'wb').write(bytes(9))"
    )
    with pytest.raises(ToolError, match=r"demo: had to write a larger file than it may; raise the limit on file sizes"):
        run(python(program), name="demo", limits=Limits(file_bytes=8))


def test_a_child_sees_no_network_unless_asked() -> None:
    program = "import socket; print([name for _, name in socket.if_nameindex() if name != 'lo'])"
    with_network = run(python(program), name="demo", limits=Limits(network=True)).stdout
    if with_network.strip() == b"[]":
        pytest.skip("this machine has no network interface to hide")
    without = run(python(program), name="demo").stdout
    if without == with_network:
        pytest.skip("this machine allows no network namespaces; `doctor` says so")
    assert without.strip() == b"[]"


def test_a_stream_left_early_ends_its_program() -> None:
    with open_stream(python("import sys\nwhile True: sys.stdout.write('x' * 4096)"), name="demo") as stream:
        assert stream.read(3) == b"xxx"


def test_children_die_with_their_starter() -> None:
    program = """
import sys, time
from mediaforge.tools import spawn
child = spawn([sys.executable, "-c", "import time; time.sleep(60)"], name="demo")
print(child.pid, flush=True)
time.sleep(60)
"""
    starter = subprocess.Popen(python(program), stdout=subprocess.PIPE)
    assert starter.stdout is not None
    child = int(starter.stdout.readline())
    starter.kill()
    starter.wait()
    for _ in range(100):
        if not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2]:
            return
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the child outlived its starter")


def test_what_cannot_be_started_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ToolMissing, match="cannot be started"):
        spawn([tmp_path / "none"], name="demo")


def test_a_disguised_playlist_does_not_open_its_neighbour(tools: Tools, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.mp4").write_bytes(clip.read_bytes())
    (tmp_path / "trap.mp4").write_text("ffconcat version 1.0\nfile secret.mp4\n")
    assert "concat" not in INPUT_FORMATS and "hls" not in INPUT_FORMATS
    with pytest.raises(ToolError):
        run([tools.ffprobe, "-v", "error", *media_input(tmp_path / "trap.mp4")], name="ffprobe")
