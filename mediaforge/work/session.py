"""A command's or worker's time with the queue: it joins (or starts) the server, and whoever leaves last stops it.

Every user of an embedded queue holds state/queue/users.lock shared. A server is stopped only by one who holds it alone, and
a newcomer waits for that before it looks for a server: so no command leaves a process behind, and none is cut off. After
a kill -9 of all users the server stays; the next user joins it and stops it at its end.
"""

import contextlib
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from redis import ConnectionPool, Redis, RedisError
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as TimedOut
from redis.retry import Retry

from mediaforge.errors import QueueError
from mediaforge.tools import Tools
from mediaforge.work.locks import lock_file, take
from mediaforge.work.place import queue_folder
from mediaforge.work.server import ensure_server, socket_of, stop_server

ANSWER_SECONDS = 15.0  # the longest a queue may take to answer one command


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """`queue_url` None means the embedded server of the state. `leaving` holds what must be taken down before we go."""

    state: Path
    tools: Tools
    runtime_dir: Path
    queue_url: str | None = field(repr=False)
    connection: Redis = field(repr=False)
    leaving: ExitStack = field(repr=False)

    @property
    def is_alone(self) -> bool:
        """Whether nobody but this host can use the queue."""
        return self.queue_url is None


@contextlib.contextmanager
def queue_session(state: Path, tools: Tools, *, runtime_dir: Path, queue_url: str | None = None) -> Iterator[Session]:
    """Be a user of this state's queue. Raises QueueError where there is none and none can be started."""
    with _closed_in_peace() as stack:
        if queue_url is None:
            stack.enter_context(_among_users(state))
            url = ensure_server(state, tools, runtime_dir)
        else:
            url = queue_url
        connection = stack.enter_context(_connected(url))
        leaving = stack.enter_context(ExitStack())
        session = Session(
            state=state, tools=tools, runtime_dir=runtime_dir, queue_url=queue_url, connection=connection, leaving=leaving
        )
        with reaching(session):
            connection.ping()
        yield session


def rejoin(session: Session) -> None:
    """Find the queue again after it went away: start the embedded server anew, or wait for the other one. Raises QueueError."""
    pool = session.connection.connection_pool
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        pool.disconnect()
        if session.queue_url is None:
            pool.connection_kwargs["path"] = socket_of(ensure_server(session.state, session.tools, session.runtime_dir))
        try:
            session.connection.ping()
            return
        except (Disconnected, TimedOut) as error:
            if time.monotonic() > deadline:
                raise _out_of_reach(session, error) from error
            time.sleep(0.2)


@contextlib.contextmanager
def reaching(session: Session) -> Iterator[None]:
    """Turn what the queue's client raises into a QueueError with one sentence."""
    try:
        yield
    except ResponseError as error:
        if str(error).startswith("MISCONF"):
            raise QueueError("the queue cannot write its files, the disk is full; free some space, then run again") from error
        raise QueueError(f"the queue at {shown(session)} refuses ({error}); check the rights of its user") from error
    except RedisError as error:
        raise _out_of_reach(session, error) from error


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """No Ctrl+C or SIGTERM while we clean up: it takes seconds at most, and half of it would leave processes behind."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def shut_down(state: Path) -> bool:
    """Stop the embedded server of a state; False where none runs. Raises QueueError where someone uses it."""
    with lock_file(queue_folder(state) / "users.lock") as users:
        if not take(users, shared=False):
            raise QueueError(f"commands or workers are using the queue of {state}; end them first")
        return stop_server(state)


def shown(session: Session) -> str:
    """The queue's address without its password."""
    if session.queue_url is None:
        return str(session.state)
    parts = urlsplit(session.queue_url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@contextlib.contextmanager
def _closed_in_peace() -> Iterator[ExitStack]:
    stack = ExitStack()
    try:
        yield stack
    finally:
        with undisturbed():
            stack.close()


@contextlib.contextmanager
def _among_users(state: Path) -> Iterator[None]:
    with lock_file(queue_folder(state) / "users.lock") as users:
        take(users, shared=True, wait=True)  # waits only while the last user stops the server
        try:
            yield
        finally:
            # Never both: of two who leave at once, only one can hold it alone.
            if take(users, shared=False):
                stop_server(state)


@contextlib.contextmanager
def _connected(url: str) -> Iterator[Redis]:
    pool = ConnectionPool.from_url(
        url,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        # No silent second try: a BLMOVE or RPUSH that was sent twice is a job that runs twice.
        retry=Retry(NoBackoff(), 0),
    )
    with Redis(connection_pool=pool) as connection:
        try:
            yield connection
        finally:
            pool.disconnect()


def _out_of_reach(session: Session, error: Exception) -> QueueError:
    advice = "run again" if session.queue_url is None else "check that it runs and that its address is right"
    return QueueError(f"the queue at {shown(session)} does not answer ({error}); {advice}")
