"""Whatever is killed, whenever: a release goes on, no finished step runs again, and nothing is left running."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from mediaforge.errors import QueueError, UnknownId
from mediaforge.work.dispatch import detach, drive, start, watch
from mediaforge.work.locks import title_lock
from mediaforge.work.session import Session
from mediaforge.work.view import EventKind
from tests.work.fake_home import Home, run_as_main, wait_until

# Two steps that are over at once, two that take a while, one behind all.
FILM = (
    {"name": "a"},
    {"name": "b"},
    {"name": "c", "needs": ["a"], "seconds": 1.0},
    {"name": "d", "needs": ["b"], "seconds": 1.0},
    {"name": "e", "needs": ["c", "d"]},
)


def pids_of(home: Home, step: str) -> tuple[int, int]:
    """The horse that began this step last, and its worker."""
    _, _, horse, worker = next(line for line in reversed(home.corridor.lines()) if line.startswith(f"begin {step} ")).split()
    return int(horse), int(worker)


def kill_worker(home: Home, session: Session) -> None:
    os.kill(pids_of(home, "c")[1], signal.SIGKILL)


def kill_horse(home: Home, session: Session) -> None:
    os.kill(pids_of(home, "c")[0], signal.SIGKILL)


def kill_both(home: Home, session: Session) -> None:
    for pid in pids_of(home, "c"):
        os.kill(pid, signal.SIGKILL)


def kill_server(home: Home, session: Session) -> None:
    os.kill(home.pids("valkey")[0], signal.SIGKILL)


def lose_the_queue(home: Home, session: Session) -> None:
    session.connection.flushall()


@pytest.mark.parametrize("blows", [(kill_horse, kill_worker), (kill_both, kill_server), (lose_the_queue,)])
def test_a_release_survives(home: Home, blows: tuple[Callable[[Home, Session], None], ...]) -> None:
    """Each blow falls when step c begins, so that c begins again after it."""
    home.plan("r1", *FILM)
    falling = list(blows)
    with home.session() as session:
        start(session, "r1", title="atlas")
        for event in home.drive(session, "r1"):
            if (event.kind, event.step) == (EventKind.STARTED, "c") and falling:
                falling.pop(0)(home, session)
                struck = time.monotonic()
    assert event.kind is EventKind.DONE
    assert not falling
    assert time.monotonic() - struck < 30  # RQ alone takes 73 s at its best
    notes = home.corridor.notes()
    for step in "abcde":
        assert notes.count(f"end {step}") == 1
        assert f"begin {step}" not in notes[notes.index(f"end {step}") :]
    assert home.pids() == ()


def test_control_c_leaves_nothing_running_and_a_rerun_goes_on(home: Home) -> None:
    home.plan("r1", {"name": "quick"}, {"name": "long", "needs": ["quick"], "act": "child"})
    main = run_main(home, "r1")
    wait_until(lambda: home.pids("sleep"))
    main.send_signal(signal.SIGINT)
    assert main.wait(timeout=60) == 130
    assert home.pids() == ()
    home.plan("r1", {"name": "quick"}, {"name": "long", "needs": ["quick"]})
    assert home.release("r1", workers=1)[-1].kind is EventKind.DONE
    assert home.corridor.notes().count("begin quick") == 1


def test_a_killed_command_takes_its_workers_along_and_the_next_one_cleans_up(home: Home) -> None:
    home.plan("r1", {"name": "quick"}, {"name": "long", "needs": ["quick"], "act": "child"})
    main = run_main(home, "r1")
    wait_until(lambda: home.pids("sleep"))
    main.kill()
    main.wait()
    wait_until(lambda: not home.pids("sleep") and not home.pids("fake_worker"), seconds=5)
    (server,) = home.pids("valkey")
    home.plan("r1", {"name": "quick"}, {"name": "long", "needs": ["quick"]})
    with home.session() as session:
        assert home.pids("valkey") == (server,)
        start(session, "r1", title="atlas")
        assert [*home.drive(session, "r1", workers=1)][-1].kind is EventKind.DONE
    assert home.corridor.notes().count("begin quick") == 1
    assert home.pids() == ()


def test_a_drive_that_is_dropped_half_way_leaves_nothing_running(home: Home) -> None:
    home.plan("r1", {"name": "long", "act": "child"})
    with home.session() as session:
        start(session, "r1", title="atlas")
        events = home.drive(session, "r1", workers=1)
        assert next(event for event in events if event.kind is EventKind.STARTED).step == "long"
        wait_until(lambda: home.pids("sleep"))
    assert home.pids() == ()
    with home.session() as session, pytest.raises(QueueError, match="r1 was cancelled"):
        list(watch(session, "r1"))


def test_a_release_is_taken_over_when_the_workers_of_another_leave(home: Home) -> None:
    home.plan("first", {"name": "a"})
    home.plan("second", {"name": "b"}, {"name": "c", "needs": ["b"], "seconds": 30})
    with home.session() as session:
        start(session, "first", title="atlas")
        start(session, "second", title="rif")
        theirs, ours = home.drive(session, "first", workers=1), home.drive(session, "second", workers=1)
        assert [*theirs][-1].kind is EventKind.DONE  # its worker may be at our step c by now: it is sent home
        home.plan("second", {"name": "b"}, {"name": "c", "needs": ["b"]})
        assert [*ours][-1].kind is EventKind.DONE
    assert home.corridor.notes().count("end b") == home.corridor.notes().count("end c") == 1


def test_workers_that_cannot_begin_are_not_started_for_ever(home: Home) -> None:
    with home.session() as session:
        start(session, "r1", title="atlas")
        with pytest.raises(QueueError, match=r"workers end as soon as they are started.*worker-1\.log"):
            list(drive(session, "r1", workers=2, worker_argv=[sys.executable, "-c", "exit(1)"]))


def test_a_detached_driver_holds_the_title_and_leaves_nothing_behind(home: Home) -> None:
    """The driver and its worker are the real ones; the release is not there, so it fails as soon as it is planned."""
    with home.session() as session:
        with title_lock(home.state, "atlas", release_id="ghost-1") as lock:
            start(session, "ghost-1", title="atlas")
            detach(session, "ghost-1", title_lock=lock)
        with (
            pytest.raises(QueueError, match=r"atlas is being released already.*watch ghost-1"),
            title_lock(home.state, "atlas", release_id="ghost-2"),
        ):
            pass
        with pytest.raises(UnknownId, match="no release 'ghost-1'"):
            list(watch(session, "ghost-1"))
        wait_until(lambda: not home.pids("mediaforge.work"), seconds=30)
        assert "no release 'ghost-1'" in (home.state / "logs" / "driver-ghost-1.log").read_text()
    wait_until(lambda: is_free(home), seconds=30)  # a process that ends lets go of its lock last
    assert home.pids() == ()


def is_free(home: Home) -> bool:
    try:
        with title_lock(home.state, "atlas", release_id="ghost-2"):
            return True
    except QueueError:
        return False


def run_main(home: Home, release_id: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(run_as_main("tests.work.fake_main", str(home.path), release_id), stdout=subprocess.DEVNULL)
