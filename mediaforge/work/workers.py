"""Which workers serve a queue: their names on the queue say which process they are."""

from typing import cast

from redis import Redis
from rq import Worker
from rq.worker_registration import REDIS_WORKER_KEYS, WORKERS_BY_QUEUE_KEY

from mediaforge.work.processes import Process

_KEY = Worker.redis_worker_namespace_prefix


def worker_name(process: Process) -> str:
    """Names a worker after its process: the reaper needs no more to see that it is dead."""
    return f"{process.pid}.{process.born}@{process.host}"


def is_lost(name: str, *, alone: bool) -> bool:
    """Whether we know that this worker is dead. Of other hosts we know nothing: there the lease decides.

    `alone`: the queue serves this host only (an embedded one does), so that a worker of another "host" is one of a
    container that is no more.
    """
    process = _process_of(name)
    if process is None or not process.is_here:
        return alone
    return not process.is_alive


def live_workers(connection: Redis, queue: str, *, alone: bool) -> tuple[str, ...]:
    """Names of the workers that serve this queue: those alive on this host, and those elsewhere whose lease runs."""
    names = [name for name in _names(connection, queue) if not is_lost(name, alone=alone)]
    with connection.pipeline() as pipe:
        for name in names:
            pipe.exists(_KEY + name)
        leased = pipe.execute()
    return tuple(name for name, lease in zip(names, leased, strict=True) if lease)


def forget_lost(connection: Redis, queue: str, *, alone: bool) -> None:
    """Take workers that are known to be dead off the queue's list."""
    lost = [_KEY + name for name in _names(connection, queue) if is_lost(name, alone=alone)]
    if lost:
        with connection.pipeline() as pipe:
            pipe.srem(WORKERS_BY_QUEUE_KEY % queue, *lost)
            pipe.srem(REDIS_WORKER_KEYS, *lost)
            pipe.delete(*lost)
            pipe.execute()


def _names(connection: Redis, queue: str) -> tuple[str, ...]:
    keys = cast(set[bytes], connection.smembers(WORKERS_BY_QUEUE_KEY % queue))
    return tuple(sorted(key.decode().removeprefix(_KEY) for key in keys))


def _process_of(name: str) -> Process | None:
    numbers, _, host = name.partition("@")
    pid, _, born = numbers.partition(".")
    if not (host and pid.isdigit() and born.isdigit()):
        return None
    return Process(host=host, pid=int(pid), born=int(born))
