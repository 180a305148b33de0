import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from redis import Redis

from mediaforge.errors import QueueError
from mediaforge.tools import Tools
from mediaforge.work import place, server
from mediaforge.work.place import SOCKET_BYTES, filesystem, queue_folder, socket_path
from mediaforge.work.server import ensure_server, is_running, stop_server
from tests.work.fake_home import Home, wait_until

# Children of these tests are forked: they need no imports, and so really race.
forked = multiprocessing.get_context("fork")


def server_pids(home: Home) -> tuple[int, ...]:
    return home.pids("valkey")


def kill_server(home: Home) -> None:
    (pid,) = server_pids(home)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not server_pids(home))


def test_twelve_who_come_at_once_share_one_server(home: Home, tools: Tools) -> None:
    answers = forked.Queue()
    barrier = forked.Barrier(12)

    def join() -> None:
        barrier.wait()
        answers.put(ensure_server(home.state, tools, home.path / "run"))

    racers = [forked.Process(target=join) for _ in range(12)]
    for racer in racers:
        racer.start()
    urls = {answers.get(timeout=20) for _ in racers}
    for racer in racers:
        racer.join()
    assert len(urls) == 1
    assert len(server_pids(home)) == 1


def test_what_was_written_survives_a_killed_and_a_stopped_server(home: Home, tools: Tools) -> None:
    Redis.from_url(ensure_server(home.state, tools, home.path / "run")).set("a", 1)
    kill_server(home)
    assert not is_running(home.state)
    Redis.from_url(ensure_server(home.state, tools, home.path / "run")).incr("a")
    stop_server(home.state)
    assert not server_pids(home)
    assert Redis.from_url(ensure_server(home.state, tools, home.path / "run")).get("a") == b"2"


def test_a_server_is_joined_whatever_runtime_folder_one_has(home: Home, tools: Tools) -> None:
    assert ensure_server(home.state, tools, home.path / "run") == ensure_server(home.state, tools, home.path / "other")


def test_two_states_have_two_servers(home: Home, tools: Tools) -> None:
    first = Redis.from_url(ensure_server(home.state, tools, home.path / "run"))
    second = Redis.from_url(ensure_server(home.path / "state2", tools, home.path / "run"))
    first.set("a", 1)
    assert second.get("a") is None


def test_a_server_that_lost_its_socket_is_never_doubled(home: Home, tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_server(home.state, tools, home.path / "run")
    socket_path(home.state, home.path / "run").unlink()
    monkeypatch.setattr(server, "START_SECONDS", 0.2)
    with pytest.raises(QueueError, match=f"process {server_pids(home)[0]}.*does not answer"):
        ensure_server(home.state, tools, home.path / "run")
    assert len(server_pids(home)) == 1


def test_files_of_a_newer_version_are_refused(home: Home, tools: Tools) -> None:
    ensure_server(home.state, tools, home.path / "run")
    stop_server(home.state)
    (home.state / "queue" / "VERSION").write_text("99")
    with pytest.raises(QueueError, match="written by Valkey 99"):
        ensure_server(home.state, tools, home.path / "run")


def test_damaged_files_give_a_sentence_and_no_process(home: Home, tools: Tools) -> None:
    Redis.from_url(ensure_server(home.state, tools, home.path / "run")).set("a", "b" * 100)
    stop_server(home.state)
    for file in (home.state / "queue" / "data").rglob("*.incr.aof"):
        content = file.read_bytes()
        file.write_bytes(b"*3\r\n$oops" + content)
    with pytest.raises(QueueError, match="no results"):
        ensure_server(home.state, tools, home.path / "run")
    assert not server_pids(home)


def test_the_queue_is_open_to_nobody_else(home: Home, tools: Tools) -> None:
    home.path.chmod(0o755)
    ensure_server(home.state, tools, home.path / "run")
    assert (home.state / "queue").stat().st_mode & 0o077 == 0
    socket = socket_path(home.state, home.path / "run")
    assert socket.parent.stat().st_mode & 0o077 == 0
    assert socket.stat().st_mode & 0o077 == 0


def test_a_runtime_folder_that_someone_laid_out_is_refused(home: Home) -> None:
    (home.path / "theirs").mkdir()
    (home.path / "run").symlink_to(home.path / "theirs")
    with pytest.raises(QueueError, match="belongs to someone else"):
        socket_path(home.state, home.path / "run")


def test_a_long_runtime_folder_gives_a_short_socket(home: Home) -> None:
    assert len(os.fsencode(socket_path(home.state, home.path / ("long" * 30)))) <= SOCKET_BYTES


def test_a_state_on_a_network_disk_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "filesystem", lambda path: "nfs4")
    with pytest.raises(QueueError, match=r"nfs4.*local disk"):
        queue_folder(home.state)


def test_the_disk_under_a_path_is_known_before_the_path_exists() -> None:
    assert filesystem(Path("/proc/self")) == "proc"
    assert filesystem(Path("/nowhere/at/all")) == filesystem(Path("/"))
