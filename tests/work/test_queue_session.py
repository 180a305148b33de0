import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from mediaforge.errors import QueueError
from mediaforge.tools import Tools
from mediaforge.work.locks import title_lock
from mediaforge.work.server import ensure_server, is_running
from mediaforge.work.session import queue_session, rejoin, shown, shut_down
from tests.work.fake_home import Home, wait_until

forked = multiprocessing.get_context("fork")


def test_the_last_user_stops_the_server(home: Home) -> None:
    with home.session():
        with home.session() as second:
            assert second.connection.ping()
        assert is_running(home.state)
    assert not is_running(home.state)
    assert not home.pids("valkey")


def test_users_who_come_and_go_at_once_always_have_a_server_and_leave_none(home: Home) -> None:
    def come_and_go() -> None:
        for number in range(8):
            with home.session() as session:
                session.connection.incr("visits")
                assert session.connection.ping(), number

    users = [forked.Process(target=come_and_go) for _ in range(4)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert [user.exitcode for user in users] == [0] * 4
    assert not home.pids("valkey")
    with home.session() as session:
        assert session.connection.get("visits") == b"32"


def test_a_server_left_by_a_killed_user_is_joined_and_stopped_by_the_next(home: Home) -> None:
    def stay() -> None:
        with home.session():
            signal.pause()

    user = forked.Process(target=stay)
    user.start()
    wait_until(lambda: is_running(home.state))
    (pid,) = home.pids("valkey")
    user.kill()
    user.join()
    assert home.pids("valkey") == (pid,)
    with home.session():
        assert home.pids("valkey") == (pid,)
    assert not home.pids("valkey")


def test_a_killed_server_is_started_again_for_those_who_use_it(home: Home) -> None:
    with home.session() as session:
        session.connection.set("a", 1)
        os.kill(home.pids("valkey")[0], signal.SIGKILL)
        rejoin(session)
        assert session.connection.get("a") == b"1"


def test_a_queue_in_use_is_not_shut_down(home: Home) -> None:
    with home.session(), pytest.raises(QueueError, match="using the queue"):
        shut_down(home.state)
    assert not shut_down(home.state)


def test_another_server_is_used_by_its_address_alone(home: Home, tools: Tools) -> None:
    url = ensure_server(home.path / "elsewhere", tools, home.path / "run")
    with queue_session(home.state, tools, runtime_dir=home.path / "run", queue_url=url) as session:
        session.connection.set("a", 1)
    assert not (home.state / "queue").exists()
    assert is_running(home.path / "elsewhere")


def test_a_queue_out_of_reach_is_named_without_its_password(home: Home, tools: Tools) -> None:
    url = "redis://user:hunter2@127.0.0.1:1/0"
    with pytest.raises(QueueError) as caught, queue_session(home.state, tools, runtime_dir=home.path, queue_url=url) as session:
        shown(session)
    assert "redis://127.0.0.1:1/0 does not answer" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_title_is_released_by_one_at_a_time(tmp_path: Path) -> None:
    with title_lock(tmp_path, "atlas", release_id="atlas-1"):
        with (
            pytest.raises(QueueError, match=r"atlas is being released already; .*job watch atlas-1`"),
            title_lock(tmp_path, "atlas", release_id="atlas-2"),
        ):
            pass
        with title_lock(tmp_path, "rif", release_id="rif-1"):
            pass
    with title_lock(tmp_path, "atlas", release_id="atlas-2"):
        pass


def test_a_title_stays_held_by_whoever_inherits_its_lock(tmp_path: Path) -> None:
    with title_lock(tmp_path, "atlas", release_id="atlas-1"):
        heir = forked.Process(target=signal.pause)
        heir.start()
    with pytest.raises(QueueError), title_lock(tmp_path, "atlas", release_id="atlas-2"):
        pass
    heir.kill()
    heir.join()
    with title_lock(tmp_path, "atlas", release_id="atlas-2"):
        pass
