"""The embedded queue server: one Valkey for a state, on a unix socket, started by whoever comes first and joined by all.

The server itself holds state/queue/server.lock (it inherits the descriptor of its starter), so that the lock is held
exactly as long as a server lives: two servers never write the same files, not even where the socket was removed.
"""

import contextlib
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from mediaforge.errors import QueueError
from mediaforge.steps import write_whole
from mediaforge.tools import Tools, run, spawn
from mediaforge.work.locks import lock_file, take
from mediaforge.work.place import queue_folder, socket_path

START_SECONDS = 60.0  # a server reads its whole append-only file before it answers, on a busy machine at that


def ensure_server(state: Path, tools: Tools, runtime_dir: Path) -> str:
    """The address of this state's server, which is started where none runs. Raises QueueError."""
    folder = queue_folder(state)
    deadline = time.monotonic() + START_SECONDS
    with lock_file(folder / "server.lock") as lock:
        while not _answers(socket := _last_socket(folder)):
            if take(lock, shared=False):
                socket = socket_path(state, runtime_dir)
                if _start(state, folder, tools, socket=socket, lock=lock):
                    break  # to look again would be wrong: the lock is the server's now, and to us it seems free
            if time.monotonic() > deadline:
                raise QueueError(
                    f"the queue server {_pid(folder)} of {state} does not answer; end that process, then run again"
                )
            time.sleep(0.01)  # someone else starts it just now
        return f"unix://{quote(str(socket))}"


def is_running(state: Path) -> bool:
    """Whether a server of this state answers."""
    return _answers(_last_socket(state / "queue"))


def stop_server(state: Path) -> bool:
    """End the server, wait until it has closed its files, and say True; False where none runs.

    Nothing is lost: the next server goes on from the files.
    """
    folder = state / "queue"
    deadline = time.monotonic() + START_SECONDS
    with lock_file(folder / "server.lock") as lock:
        if take(lock, shared=False):
            return False
        while not take(lock, shared=False):
            if time.monotonic() > deadline:
                raise QueueError(f"the queue server {_pid(folder)} of {state} does not end; end that process yourself")
            socket = _last_socket(folder)
            if socket is not None:
                with contextlib.suppress(redis.RedisError), _client(socket) as client:
                    client.shutdown(force=True)  # flushes its file first, and goes even where the disk is full
            time.sleep(0.005)
    return True


def _start(state: Path, folder: Path, tools: Tools, *, socket: Path, lock: int) -> bool:
    """Start the server with the lock in hand and wait until it answers; False where somebody killed it before it did."""
    data = folder / "data"
    data.mkdir(exist_ok=True, mode=0o700)
    _check_version(folder, tools)
    _note(folder / "socket", os.fsencode(socket))
    socket.unlink(missing_ok=True)  # left by a killed server; we hold the lock, so nobody listens there
    log = state / "logs" / "queue-server.log"
    process = spawn(
        _argv(tools, data=data, socket=socket, folder=folder), name="valkey", log=log, detached=True, pass_fds=(lock,)
    )
    deadline = time.monotonic() + START_SECONDS
    while not _answers(socket):
        if process.poll() == -signal.SIGKILL:
            return False
        if process.returncode is not None or time.monotonic() > deadline:
            process.kill()
            raise QueueError(
                f"the queue server does not start ({_last_line(log)}); if its files in {data} are damaged, remove them:"
                " only waiting jobs are lost, no results"
            )
        time.sleep(0.005)
    return True


def _argv(tools: Tools, *, data: Path, socket: Path, folder: Path) -> list[str]:
    options = {
        "port": "0",  # no network at all: who may open the socket is decided by the folder it lies in
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "everysec",  # always: 300 pushes a second instead of 15,000 (facts-platform 1.5)
        "save": "",  # the append-only file is enough
        "maxmemory-policy": "noeviction",  # a queue must refuse, never forget
        "shutdown-timeout": "0",  # there are no replicas to wait for
        "pidfile": str(folder / "server.pid"),
        "daemonize": "no",
    }
    return [str(tools.valkey), *(part for name, value in options.items() for part in (f"--{name}", value))]


def _check_version(folder: Path, tools: Tools) -> None:
    """Refuse files of a newer major version: an older server need not be able to read them."""
    said = run([tools.valkey, "--version"], name="valkey").stdout.decode(errors="replace")
    found = re.search(r"v=(\d+)\.", said)
    if found is None:
        raise QueueError(f"{tools.valkey} does not say its version; point MEDIAFORGE_VALKEY at a Valkey of 8 or later")
    file = folder / "VERSION"
    with contextlib.suppress(FileNotFoundError):
        written = file.read_text().strip()
        if written.isdigit() and int(written) > int(found[1]):
            raise QueueError(
                f"{folder / 'data'} was written by Valkey {written} and {tools.valkey} is {found[1]};"
                " use the newer one, or remove the folder (only waiting jobs are lost)"
            )
    _note(file, found[1].encode())


def _note(file: Path, content: bytes) -> None:
    """Most starts find it written already, and need not wait for the disk."""
    if not file.exists() or file.read_bytes() != content:
        write_whole(file, content)


def _last_socket(folder: Path) -> Path | None:
    """Where the last server of this state listens: noted by its starter, whose runtime folder may differ from ours."""
    try:
        return Path(os.fsdecode((folder / "socket").read_bytes()))
    except (FileNotFoundError, NotADirectoryError):
        return None


def socket_of(url: str) -> str:
    """The path in a unix:// address."""
    return unquote(urlsplit(url).path)


def _answers(socket: Path | None) -> bool:
    if socket is None or not socket.exists():
        return False
    try:
        with _client(socket) as client:
            return bool(client.ping())
    except redis.RedisError:  # not there, or still reading its files
        return False


@contextlib.contextmanager
def _client(socket: Path) -> Iterator["redis.Redis"]:
    client = redis.Redis(unix_socket_path=str(socket), socket_timeout=2, retry=Retry(NoBackoff(), 0))
    try:
        yield client
    finally:
        client.close()


def _pid(folder: Path) -> str:
    try:
        return f"(process {(folder / 'server.pid').read_text().strip()})"
    except FileNotFoundError:
        return "(process unknown)"


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return lines[-1].strip() if lines else "it said nothing"
