"""`key`: the content keys of this state. A key itself is shown only where it is asked for by --reveal."""

from typing import Any

import click

from mediaforge.cli import key_change, key_cpix, key_fetch, key_serve, key_token
from mediaforge.cli.command import Call, Group
from mediaforge.cli.opening import open_context
from mediaforge.cli.tables import print_lines, print_table
from mediaforge.errors import UnknownId
from mediaforge.package.keys import KEY_BYTES, KeyRecord, KeyStore

_HEAD = ("key id", "title", "label", "generation", "from")


class KidType(click.ParamType[bytes]):
    """A key id as 32 hex digits, with or without the hyphens of a UUID."""

    name = "kid"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        try:
            kid = bytes.fromhex(str(value).replace("-", ""))
        except ValueError:
            kid = b""
        if len(kid) != KEY_BYTES:
            self.fail(f"{value!r} is no key id: give {2 * KEY_BYTES} hex digits", param, ctx)
        return kid


@click.group("key", cls=Group)
def command() -> None:
    """List, show, renew and exchange content keys.

    \b
    Example:
      mediaforge key list
      mediaforge key show 0d4f8b6e1c2a4e5f9a7b3c2d1e0f9a8b
    """


@command.command("list")
@click.pass_obj
def list_keys(call: Call) -> None:
    """Name the keys of this state, without the keys themselves.

    \b
    Example:
      mediaforge key list --json
    """
    records = _store(call).keys()
    rows = [(row.kid.hex(), row.title, row.label, _age(row), row.origin) for row in records]
    call.printer.answer(
        {"keys": [_data(record) for record in records]},
        lambda: print_table(
            ("key id", "title", "label", "generation", "from"), rows, empty="No title has keys yet; `release` makes them."
        ),
    )


@command.command("show")
@click.argument("kid", type=KidType())
@click.option("--reveal", is_flag=True, help="Print the key itself, in clear. Mind who sees your terminal and its history.")
@click.pass_obj
def show(call: Call, /, *, kid: bytes, reveal: bool) -> None:
    """Show what a key is for.

    \b
    Example:
      mediaforge key show 0d4f8b6e1c2a4e5f9a7b3c2d1e0f9a8b
      mediaforge key show 0d4f8b6e-1c2a-4e5f-9a7b-3c2d1e0f9a8b --reveal --json
    """
    store = _store(call)
    records = store.keys()
    record = next((record for record in records if record.kid == kid), None)
    if record is None:
        raise UnknownId("key", kid.hex(), "`key list` names those it holds")
    data = _data(record)
    if reveal:
        data["key"] = store.reveal(kid).key.hex()
    call.printer.answer(data, lambda: print_lines(*(f"{name}: {value}" for name, value in data.items())))


def _store(call: Call) -> KeyStore:
    return open_context(call.settings).keys


def _age(record: KeyRecord) -> str:
    return f"{record.generation}" if record.current else f"{record.generation} (former)"


def _data(record: KeyRecord) -> dict[str, object]:
    return {
        "kid": record.kid.hex(),
        "title": record.title,
        "label": record.label,
        "generation": record.generation,
        "current": record.current,
        "origin": record.origin,
    }


for _command in (
    key_change.rotate,
    key_change.rekey,
    key_change.forget,
    key_fetch.fetch,
    key_cpix.export_keys,
    key_cpix.import_keys,
    key_token.token,
    key_serve.serve,
):
    command.add_command(_command)
