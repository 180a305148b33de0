"""A rule as a value: what must hold of a package, where that is written, how heavy a breach is, and what to do about one."""

from collections.abc import Iterable
from dataclasses import dataclass

from mediaforge.checks import Check, Level

AGAIN = "package the title again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`id` is stable; a check made for one stream adds that stream's folder to it (`package.times.video.v480`).

    `clause` names the standard that asks for it, or is "ours"; `holds` says what is so where the rule holds, and `advice` what
    to do where it does not.
    """

    id: str
    clause: str
    holds: str
    advice: str = AGAIN
    level: Level = Level.ERROR


def finding(rule: Rule, faults: Iterable[str], *, about: str = "", good: str | None = None) -> Check:
    """A check that holds if there are no faults; else its message is the first of them, and how many more there are.

    `about`: the folder of the one stream that was looked at. `good` says it with this package's numbers.
    """
    name = f"{rule.id}.{dotted(about)}" if about else rule.id
    found = list(faults)
    if not found:
        return Check(id=name, ok=True, message=good or rule.holds, level=rule.level)
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return Check(id=name, ok=False, message=f"{found[0]}{more}; {rule.advice}", level=rule.level)


def dotted(folder: str) -> str:
    """A folder's name as part of a check's id."""
    return folder.replace("/", ".")
