"""Why a release failed, on its way from a worker's exception through the queue to the one who waits for it."""

import json
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mediaforge import errors
from mediaforge.errors import MediaforgeError


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """`kind` names a class of mediaforge.errors, or is "" for a bug: then `message` is its traceback."""

    step: str
    kind: str
    message: str
    facts: Mapping[str, Any]

    @classmethod
    def of(cls, step: str, error: BaseException) -> "Failure":
        kind = next((base.__name__ for base in type(error).__mro__ if base in _known()), "")
        if not kind:
            return cls(step=step, kind="", message="".join(traceback.format_exception(error)), facts={})
        return cls(step=step, kind=kind, message=str(error), facts=_plain(vars(error)))

    def to_error(self) -> Exception:
        """The exception as it was raised in the worker: its type, message and facts."""
        kind = next((known for known in _known() if known.__name__ == self.kind), None)
        if kind is None:
            return RuntimeError(f"step {self.step} broke in its worker:\n{self.message}")
        error = kind.__new__(kind, self.message)  # not __init__: it would build the message a second time
        vars(error).update({name: tuple(fact) if isinstance(fact, list) else fact for name, fact in self.facts.items()})
        return error

    @property
    def sentence(self) -> str:
        """One line for a list of jobs."""
        return self.message if self.kind else (self.message.strip().splitlines() or ["unknown"])[-1]

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> "Failure":
        return cls(**json.loads(text))


def _known() -> tuple[type[MediaforgeError], ...]:
    """Only these are ever made again from what the queue says."""
    return tuple(kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, MediaforgeError))


def _plain(facts: Mapping[str, object]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name, fact in facts.items():
        if fact is None or isinstance(fact, str | int | float):
            plain[name] = fact
        elif isinstance(fact, tuple) and all(isinstance(part, str) for part in fact):
            plain[name] = list(fact)
    return plain
