import os
import pickle
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from rq import Callback, Queue
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.webhook import Webhook

from mediaforge.tools import spawn
from mediaforge.work.graph import QUEUE, open_queue
from mediaforge.work.session import Session
from tests.work.fake_home import Home


@pytest.fixture
def session(home: Home) -> Iterator[Session]:
    with home.session() as session:
        yield session


def put(session: Session, func: str, *args: object, **options: Any) -> Job:
    """A job as anybody who can write to the queue might put it there."""
    queue = Queue(QUEUE, connection=session.connection, serializer=JSONSerializer)
    return queue.enqueue_call(func=func, args=args, **options)


def work_off(home: Home) -> None:
    log = home.state / "logs" / "burst.log"
    assert spawn([*home.worker_argv, "--burst"], name="worker", log=log).wait(timeout=60) == 0, log.read_text()


def test_only_our_own_words_run_and_nothing_else_is_called(home: Home, session: Session) -> None:
    trap = home.path / "trap"
    called: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            called.append(self.path)

        do_POST = do_GET  # noqa: N815

    listener = HTTPServer(("127.0.0.1", 0), Listener)
    Thread(target=listener.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{listener.server_port}/"
    webhooks = [Webhook(url, job_status=status) for status in ("finished", "failed")]
    told = Callback("builtins.print")  # would leave the connection it is given in the worker's log
    foreign = {
        "a function of the system": put(session, "os.system", f"touch {trap}"),
        "one of ours by its path": put(session, "mediaforge.work.jobs.plan_job", "r1", 1),
        "a bound method": put(session, "plan", "r1", 1),
        "keyword arguments": put(session, "plan", kwargs={"release_id": "r1", "run": 1}),
        "arguments that are no ids": put(session, "plan", {"release_id": "r1"}, 1),
        "a callback": put(session, "plan", "r1", 1, on_failure=told, on_success=told, on_stopped=told),
        "a webhook": put(session, "plan", "r1", 1, webhooks=webhooks),
        "pickled data": put(session, "plan", "r1", 1),
    }
    tampered = foreign["a bound method"]
    data = JSONSerializer.dumps(("plan", "instance", ["r1", 1], {}))
    session.connection.hset(tampered.key, "data", data)
    session.connection.hset(foreign["pickled data"].key, "data", pickle.dumps((Bomb(trap), None, (), {})))
    work_off(home)
    listener.shutdown()
    statuses = {what: session.connection.hget(job.key, "status") for what, job in foreign.items()}
    assert statuses == dict.fromkeys(foreign, JobStatus.FAILED.value.encode())
    assert not trap.exists()
    assert not called
    assert len(open_queue(session.connection)) == 0
    log = (home.state / "logs" / "burst.log").read_text()
    assert "redis.client.Redis" not in log
    assert str(trap) not in log
    assert [what for what, job in foreign.items() if f"job {job.id} is refused" not in log] == ["pickled data"]
    assert "DeserializationError" in log


class Bomb:
    def __init__(self, trap: Path) -> None:
        self.trap = trap

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.trap),)
