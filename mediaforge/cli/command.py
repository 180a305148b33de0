"""What all commands share: --state, --json and --progress before or after the command's name, and the call they make."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import click

from mediaforge.cli.output import Printer

if TYPE_CHECKING:
    from mediaforge.settings import Settings

_KEPT = "mediaforge."  # where the common options wait in click's own store until the command runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One invocation: the settings it runs under and how it speaks."""

    settings: "Settings"
    printer: Printer
    progress: Literal["auto", "json"]


class Command(click.Command):
    """A command that takes the common options and gets a Call as its click object."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(common_options())

    def invoke(self, ctx: click.Context) -> Any:
        ctx.obj = _call(ctx)
        return super().invoke(ctx)


class Group(click.Group):
    """A group of such commands."""

    command_class = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(common_options())


def common_options() -> tuple[click.Option, ...]:
    return (
        click.Option(
            ["--state"], metavar="DIR", help="Folder of the queue, catalogue, keys and step results.", **_keep("state")
        ),
        click.Option(["--json"], is_flag=True, help="Print one JSON object on stdout.", **_keep("json")),
        click.Option(
            ["--progress"],
            type=click.Choice(["auto", "json"]),
            help="Progress on stderr: a bar on a terminal, or one JSON event a line.",
            **_keep("progress"),
        ),
    )


def _keep(name: str) -> dict[str, Any]:
    """Said once, an option holds wherever it stood; the last word wins."""

    def callback(ctx: click.Context, param: click.Parameter, value: object) -> None:
        if value:
            ctx.meta[_KEPT + name] = value

    return {"callback": callback, "expose_value": False}


def _call(ctx: click.Context) -> Call:
    from mediaforge.settings import load_settings  # noqa: PLC0415 - --help needs no settings, and shall be quick

    return Call(
        settings=load_settings({"state": ctx.meta.get(_KEPT + "state")}),
        printer=Printer(as_json=bool(ctx.meta.get(_KEPT + "json"))),
        progress=ctx.meta.get(_KEPT + "progress", "auto"),
    )
