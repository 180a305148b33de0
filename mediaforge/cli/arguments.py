"""The kinds of words a command line takes: ids, side files, ladders. What makes no sense is a usage error here."""

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from mediaforge.media import SideFile, is_id, is_language

DEFAULT_LADDER = "maroc"
FILE = click.Path(path_type=Path)
FOLDER = click.Path(path_type=Path, file_okay=False)
_CLOCK = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)")


class IdType(click.ParamType[str]):
    """The id of a title or a recipient."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not is_id(value):
            self.fail(
                f"{value!r} is no id: take 1 to 64 ASCII letters, digits, hyphens and underscores, a letter or digit first "
                "(a name in any script goes into --name)",
                param,
                ctx,
            )
        return str(value)


class SideFileType(click.ParamType[SideFile]):
    """`FILE:LANGUAGE`, such as film-ar.srt:ar."""

    name = "file:lang"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> SideFile:
        if isinstance(value, SideFile):
            return value
        path, _, language = str(value).rpartition(":")
        if not path or not is_language(language):
            self.fail(f"{value!r} is not FILE:LANGUAGE with a language tag such as ar, fr or zgh", param, ctx)
        return SideFile(path=Path(path), language=language)


class TimeType(click.ParamType[Fraction]):
    """A place in a film: seconds, or as `identify` prints it, such as 1:02:03.4."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        if isinstance(value, Fraction):
            return value
        found = _CLOCK.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r} is no time; give seconds, or 1:02:03.4", param, ctx)
        hours, minutes, seconds = (Fraction(part or 0) for part in found.groups())
        return hours * 3600 + minutes * 60 + seconds


ID = IdType()
SIDE_FILE = SideFileType()
TIME = TimeType()

ladder_option = click.option(
    "--ladder", default=DEFAULT_LADDER, show_default=True, metavar="NAME", help="A shipped ladder, or a path to a TOML file."
)
