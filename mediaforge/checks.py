"""One finding about something that must hold: the value that every verifying piece returns."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`id` is stable and dotted (`package.kid.agree`); `message` says what was found, and what to do where it failed."""

    id: str
    ok: bool
    message: str
    level: Level = Level.ERROR


def failures(checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """The checks that forbid publishing."""
    return tuple(check for check in checks if not check.ok and check.level is Level.ERROR)
