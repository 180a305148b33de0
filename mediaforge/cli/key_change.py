"""`key rotate`, `key rekey`, `key forget`: new keys around the keys, new keys for a title, and old ones gone."""

import click

from mediaforge.cli.arguments import ID
from mediaforge.cli.command import Call, Command
from mediaforge.cli.opening import open_context
from mediaforge.cli.tables import print_lines


@click.command("rotate", cls=Command)
@click.pass_obj
def rotate(call: Call, /) -> None:
    """Wrap all keys of this state under a new key-encryption key.

    Packages stay as they are. The old key-encryption key opens nothing afterwards, so make a new backup of both files.

    \b
    Example:
      mediaforge key rotate
    """
    store = open_context(call.settings).keys
    count = store.rotate()
    call.printer.answer(
        {"keys": count, "folder": store.folder},
        lambda: print_lines(f"{count} keys are under a new key-encryption key; back up {store.folder} anew."),
    )


@click.command("rekey", cls=Command)
@click.argument("title", type=ID)
@click.pass_obj
def rekey(call: Call, /, *, title: str) -> None:
    """Give a title new keys, for its next release or `mediaforge rekey`. What is published stays readable with the old ones.

    \b
    Example:
      mediaforge key rekey atlas
    """
    store = open_context(call.settings).keys
    everything = store.keys()
    outside = next((row.origin for row in everything if row.title == title and row.current and row.origin != "seed"), None)
    keys = store.rekey(title)
    if outside is not None:
        call.printer.say(
            f"the former keys came from outside ({outside}), the new ones are this store's own: `key fetch` or `key import` "
            "others where a licence server must know them"
        )
    call.printer.answer(
        {"title": title, "keys": [{"kid": key.kid.hex(), "label": key.label} for key in keys]},
        lambda: print_lines(
            *(f"{key.label}: {key.kid.hex()}" for key in keys), f"`mediaforge rekey {title}` puts them into its package."
        ),
    )


@click.command("forget", cls=Command)
@click.argument("title", type=ID)
@click.option("--generation", type=click.IntRange(1), required=True, help="Which of the title's former keys (`key list`).")
@click.pass_obj
def forget(call: Call, /, *, title: str, generation: int) -> None:
    """Remove keys that a title had before a rekey. No package with them can be opened again; their KIDs stay taken.

    Keys that came from outside are gone for good. Those made here come from this state's seed: only without the seed and
    its backups are they gone.

    \b
    Example:
      mediaforge key forget atlas --generation 1
    """
    count = open_context(call.settings).keys.forget(title, generation)
    call.printer.answer(
        {"title": title, "generation": generation, "keys": count},
        lambda: print_lines(f"{count} keys of {title}, generation {generation}, are forgotten."),
    )
