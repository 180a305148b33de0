"""`config show`: what is set, and where it was set."""

from urllib.parse import urlsplit, urlunsplit

import click

from mediaforge.cli.command import Call, Group
from mediaforge.cli.tables import print_table
from mediaforge.settings import KEYS, LICENCES, Settings, config_file


@click.group("config", cls=Group)
def command() -> None:
    """Say what is set, and where it was set.

    \b
    Example:
      mediaforge config show
    """


@command.command("show")
@click.pass_obj
def show(call: Call) -> None:
    """Print every setting with its value and its origin: default, the file, a variable or a flag.

    Later origins win: defaults, then the configuration file (MEDIAFORGE_CONFIG), then MEDIAFORGE_* variables, then flags.

    \b
    Example:
      mediaforge config show
      MEDIAFORGE_WORKERS=2 mediaforge config show --json
    """
    settings = call.settings
    rows = [(key, _value(settings, key), settings.origins.get(key, "default")) for key in KEYS]
    call.printer.answer(
        {"file": config_file(), "settings": [dict(zip(("key", "value", "origin"), row, strict=True)) for row in rows]},
        lambda: print_table(("setting", "value", "origin"), rows, empty=""),
    )


def _value(settings: Settings, key: str) -> str:
    if key.startswith("tools."):
        place = "the one on the PATH" if key == "tools.chromium" else "the one in the wheel"
        return settings.tools.get(key.removeprefix("tools."), place)
    if key in LICENCES:
        return settings.licences.get(key, "skd://{kid}" if key == "fairplay_uri" else "none")
    value = getattr(settings, key)
    if key == "queue_url":
        return _masked(value) if value else "embedded in the state"
    if key == "index_url":
        return _masked(value) if value else "in the state"
    if key == "s3_endpoint":
        return value or "the provider's own"
    return ", ".join(value) or "none" if isinstance(value, tuple) else str(value)


def _masked(url: str) -> str:
    """The address without its password."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user_and_host = parts.netloc.replace(f":{parts.password}@", ":***@")
    return urlunsplit(parts._replace(netloc=user_and_host))
