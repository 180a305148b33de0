"""What a command says: data on stdout, as a table for people or as one JSON object for scripts; talk on stderr."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from enum import Enum
from fractions import Fraction
from pathlib import PurePath

import click


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Printer:
    """Either one JSON object on stdout, or words and tables for people."""

    as_json: bool

    def answer(self, data: Mapping[str, object], people: Callable[[], None], *, ok: bool = True) -> None:
        """Print a command's result: `data` for scripts, whatever `people` draws for the others."""
        if self.as_json:
            print_object({"ok": ok, **data})
        else:
            people()

    def say(self, sentence: str) -> None:
        """Talk: never data."""
        click.echo(sentence, err=True)


def print_object(data: Mapping[str, object]) -> None:
    click.echo(json.dumps(data, default=plain, indent=2))


def clock(seconds: Fraction | float) -> str:
    """`1:02:03.4`: how people name a place in a film."""
    tenths = round(float(seconds) * 10)
    hours, minutes = tenths // 36_000, tenths // 600 % 60
    rest = f"{tenths % 600 / 10:04.1f}"
    return f"{hours}:{minutes:02}:{rest}" if hours else f"{minutes}:{rest}"


def printable(words: object) -> str:
    """Words from outside (a file's name, a stream's) for a terminal: what would steer it, or is no text, is shown as \ufffd."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in str(words))


def size(count: int) -> str:
    """`1.5 MB`: bytes in powers of a thousand, as disks and tariffs count."""
    number = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def rate(bits_per_second: float) -> str:
    return f"{bits_per_second / 1000:.0f} kbit/s"


def one_in(probability: float) -> str:
    """`1 in 40 million`: a small probability as people say it."""
    if probability <= 0:
        return "less than can be computed"
    chances = 1 / probability
    if chances < 999_500:
        return f"1 in {chances:,.0f}"
    for name, unit in (("million", 1e6), ("billion", 1e9), ("trillion", 1e12)):
        if chances < unit * 999.5:
            return f"1 in {chances / unit:.0f} {name}"
    return "less than 1 in 999 trillion"


def plain(value: object) -> object:
    """How a value that JSON does not know is written: times as seconds, paths and choices as text."""
    if isinstance(value, Fraction):
        return round(float(value), 6)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
