import os
import platform
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from mediaforge.work.processes import descendants, end, this_process
from tests.work.fake_home import wait_until

SYS_EXIT = {"x86_64": 60, "aarch64": 93}[platform.machine()]


def test_a_pid_that_is_used_again_is_another_process() -> None:
    assert this_process().is_alive
    assert not replace(this_process(), born=this_process().born - 1).is_alive


def test_ending_waits_for_children_and_grandchildren() -> None:
    shell = subprocess.Popen(["sh", "-c", "sleep 60 & sleep 60"])
    wait_until(lambda: len(descendants([shell.pid])) == 3)
    family = descendants([shell.pid])
    assert family[0].pid == shell.pid
    end(family)
    assert not any(process.is_alive for process in family)
    shell.wait()


def test_the_dead_are_not_waited_for() -> None:
    child = subprocess.Popen(["true"])
    wait_until(lambda: not descendants([child.pid])[0].is_alive)
    zombie = descendants([child.pid])
    child.wait()
    begun = time.monotonic()
    end(zombie)
    assert time.monotonic() - begun < 1


def test_a_process_that_still_has_threads_is_not_dead_though_it_looks_like_a_zombie() -> None:
    """It holds its locks: whoever takes it for dead may not get them."""
    code = (
        "import ctypes, threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        f"ctypes.CDLL(None).syscall({SYS_EXIT}, 0)"
    )
    child = subprocess.Popen([sys.executable, "-c", code])

    def state() -> str:
        return Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0]

    wait_until(lambda: state() == "Z")
    (process,) = descendants([child.pid])
    assert process.is_alive
    os.kill(child.pid, signal.SIGKILL)
    wait_until(lambda: not process.is_alive)
    child.wait()
