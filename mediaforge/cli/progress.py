"""How far something is, on stderr: a bar on a terminal, a JSON event a line with `--progress json`, else a few plain lines."""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import click


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that happened. `event`: planned, started, progress, finished, failed, requeued, done.

    `fraction` is the step's and `overall` the whole task's, both 0 to 1; `seconds` is what a
    finished step took, 0 where its result was there already.
    """

    event: str
    step: str
    fraction: float
    overall: float
    seconds: float | None = None
    message: str = ""


Tell = Callable[[Note], None]


@contextmanager
def telling(progress: Literal["auto", "json"], *, about: str) -> Iterator[Tell]:
    """A place to tell notes to while the block runs. `about` names the task: a title, a file."""
    if progress == "json":
        yield lambda note: _tell_json(note, about)
    elif sys.stderr.isatty():
        with _bar(about) as tell:
            yield tell
    else:
        yield lambda note: _tell_plainly(note, about)


def by_fraction(tell: Tell, step: str) -> Callable[[float], None]:
    """For work that reports how far it is as one number."""

    report = steps_of(tell)
    return lambda fraction: report(step, fraction)


def steps_of(tell: Tell) -> Callable[[str, float], None]:
    """For work that reports the name of its step and how far that one is; the number of steps to come is unknown."""

    def report(step: str, fraction: float) -> None:
        event = "finished" if fraction >= 1 else "progress"
        tell(Note(event=event, step=step, fraction=fraction, overall=fraction))

    return report


def _tell_json(note: Note, about: str) -> None:
    facts = {"about": about, **dataclasses.asdict(note)}
    click.echo(json.dumps({name: fact for name, fact in facts.items() if fact not in (None, "")}), err=True)


def _tell_plainly(note: Note, about: str) -> None:
    """Only what ends: a log wants to know what was done, not every per cent on the way."""
    share = f"{note.overall:4.0%}"
    if note.event == "finished" and note.step:
        took = "" if note.seconds is None else f" in {note.seconds:.1f} s" if note.seconds else " was there already"
        click.echo(f"{about} {share}  {note.step}{took}", err=True)
    elif note.event in ("failed", "requeued"):
        click.echo(f"{about} {share}  {note.step} {note.event}" + (f": {note.message}" if note.message else ""), err=True)


@contextmanager
def _bar(about: str) -> Iterator[Tell]:
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.fields[about]}", style="bold", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[running]}", style="dim", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0, about=about, running="")
        running: dict[str, None] = {}  # a set that keeps its order

        def tell(note: Note) -> None:
            if note.event in ("started", "progress") and note.step:
                running[note.step] = None
            else:
                running.pop(note.step, None)
            bar.update(task, completed=note.overall, running=" ".join(running))

        yield tell
