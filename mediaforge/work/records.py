"""What the queue remembers of a release, beside RQ's own jobs: its title, its steps, and how it ended.

One hash a release. A release may be started again, so what belongs to one run carries the run's number in its name: a
straggler of an earlier run writes where nobody reads.
"""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from redis import Redis

from mediaforge.work.failure import Failure

RELEASES = "mediaforge:releases"


class Ending(StrEnum):
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended. The first to say so is right; `failure` only for FAILED."""

    ending: Ending
    at: float
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedStep:
    """A step of the plan; `reused` where its result was there before the run began, so that it has no job."""

    name: str
    reused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """`run` is the millisecond at which the run began; `steps` is None until the plan is made; times are seconds since 1970."""

    release_id: str
    title: str
    run: int
    created: float
    steps: tuple[RecordedStep, ...] | None
    outcome: Outcome | None


def open_run(connection: Redis, release_id: str, *, title: str) -> Record:
    """Begin a new run of a release, known or not."""
    created = time.time()
    # A time, not a counter: a queue that lost its files must not give a number a second time while a straggler has it.
    run = int(created * 1000)
    with connection.pipeline() as pipe:
        pipe.delete(_key(release_id))
        pipe.hset(_key(release_id), mapping={"title": title, "created": created, "run": run})
        pipe.zadd(RELEASES, {release_id: created})
        pipe.execute()
    return Record(release_id=release_id, title=title, run=run, created=created, steps=None, outcome=None)


def load_record(connection: Redis, release_id: str) -> Record | None:
    """The latest run, or None where the queue knows no such release (or was lost)."""
    fields = cast(dict[bytes, bytes], connection.hgetall(_key(release_id)))
    if b"run" not in fields or b"title" not in fields:
        return None
    run = int(fields[b"run"])
    steps = fields.get(f"steps:{run}".encode())
    outcome = fields.get(f"outcome:{run}".encode())
    return Record(
        release_id=release_id,
        title=fields[b"title"].decode(),
        run=run,
        created=float(fields[b"created"]),
        steps=tuple(RecordedStep(name=name, reused=reused) for name, reused in json.loads(steps)) if steps else None,
        outcome=_outcome(json.loads(outcome)) if outcome else None,
    )


def is_over(connection: Redis, release_id: str, run: int) -> bool:
    """Whether this run has ended, or was overtaken by a later one."""
    current, outcome = cast(list[bytes | None], connection.hmget(_key(release_id), "run", f"outcome:{run}"))
    return current is None or int(current) != run or outcome is not None


def record_steps(connection: Redis, release_id: str, run: int, steps: Iterable[RecordedStep]) -> None:
    connection.hset(_key(release_id), f"steps:{run}", json.dumps([(step.name, step.reused) for step in steps]))


def record_outcome(connection: Redis, release_id: str, run: int, ending: Ending, *, failure: Failure | None = None) -> bool:
    """Say how the run ended; False where someone said it before, which then stands."""
    facts = {"ending": ending, "at": time.time(), "failure": failure.to_json() if failure else None}
    return bool(connection.hsetnx(_key(release_id), f"outcome:{run}", json.dumps(facts)))


def all_records(connection: Redis) -> tuple[Record, ...]:
    """Every release the queue remembers, the newest first."""
    ids = cast(list[bytes], connection.zrange(RELEASES, 0, -1, desc=True))
    found = (load_record(connection, release_id.decode()) for release_id in ids)
    return tuple(record for record in found if record is not None)


def forget_record(connection: Redis, release_id: str) -> None:
    connection.zrem(RELEASES, release_id)
    connection.delete(_key(release_id))


def _key(release_id: str) -> str:
    return f"mediaforge:release:{release_id}"


def _outcome(facts: dict[str, Any]) -> Outcome:
    failure = Failure.from_json(facts["failure"]) if facts["failure"] else None
    return Outcome(ending=Ending(facts["ending"]), at=facts["at"], failure=failure)
