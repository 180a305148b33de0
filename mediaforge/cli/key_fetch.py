"""`key fetch`: a title's keys from a key server (SPEKE, Widevine) or from a PlayReady key seed."""

from pathlib import Path
from typing import Any, Literal

import click

from mediaforge.cli.arguments import FILE, ID
from mediaforge.cli.command import Call, Command
from mediaforge.cli.opening import open_context
from mediaforge.cli.tables import print_lines
from mediaforge.package.keys import LABELS
from mediaforge.package.keysources.serverfile import load_key_source
from mediaforge.package.keysources.source import fetch_keys

USUAL_LABELS = "AUDIO,SD,HD"


class LabelsType(click.ParamType[tuple[str, ...]]):
    """`AUDIO,SD,HD`."""

    name = "labels"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        labels = tuple(str(value).split(","))
        if not set(labels) <= set(LABELS) or len(set(labels)) != len(labels):
            self.fail(f"{value!r} is no list of labels; choose from {','.join(LABELS)}, each once", param, ctx)
        return labels


@click.command("fetch", cls=Command)
@click.argument("title", type=ID)
@click.option("--from", "server", type=FILE, required=True, metavar="TOML", help="The server or seed: a file of mode 0600.")
@click.option("--labels", type=LabelsType(), default=USUAL_LABELS, show_default=True, help="What to get keys for.")
@click.option("--scheme", type=click.Choice(["cbcs", "cenc"]), default="cbcs", show_default=True, help="What they encrypt.")
@click.pass_obj
def fetch(call: Call, /, *, title: str, server: Path, labels: tuple[str, ...], scheme: Literal["cbcs", "cenc"]) -> None:
    """Get the keys of a title from a key server; its next release uses them.

    The file says which server, and holds the credentials (docs/keys.md shows its forms). Asking again gives the same
    keys.

    \b
    Example:
      mediaforge key fetch atlas --from speke.toml
    """
    source = load_key_source(server)
    keys = fetch_keys(open_context(call.settings).keys, source, title, labels, scheme=scheme)
    call.printer.answer(
        {"title": title, "origin": source.origin, "keys": [{"kid": key.kid.hex(), "label": key.label} for key in keys]},
        lambda: print_lines(*(f"{key.label}: {key.kid.hex()}" for key in keys)),
    )
