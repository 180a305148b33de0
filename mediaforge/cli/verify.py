"""`verify`: everything that must hold of a package before it is published."""

from collections.abc import Mapping
from pathlib import Path

import click

from mediaforge.checks import Check, failures
from mediaforge.cli.arguments import FILE
from mediaforge.cli.command import Call, Command
from mediaforge.cli.junit import write_junit
from mediaforge.cli.opening import open_context
from mediaforge.cli.progress import by_fraction, telling
from mediaforge.cli.tables import print_checks, print_lines
from mediaforge.package.keys import KeyStore
from mediaforge.package.record import load_record
from mediaforge.package.verify import verify_package


@click.command("verify", cls=Command)
@click.argument("package", type=FILE)
@click.option("--junit", type=FILE, metavar="F.xml", help="Write the checks for a CI system as well.")
@click.pass_context
def command(ctx: click.Context, package: Path, junit: Path | None) -> None:
    """Hold a package against everything that must be true before it is published.

    Decrypts and decodes every rung and variant with the keys of this state; without them the structure alone is checked.
    Exits with 1 where something does not hold.

    \b
    Example:
      mediaforge verify packages/atlas
      mediaforge verify packages/atlas --junit build/atlas.xml --json
    """
    call: Call = ctx.obj
    keys = _keys(open_context(call.settings).keys, load_record(package).title)
    with telling(call.progress, about=package.name) as tell:
        checks = verify_package(package, keys=keys, on_progress=by_fraction(tell, "decode"))
    if junit is not None:
        write_junit({str(package): checks}, junit)
    broken = failures(checks)
    call.printer.answer({"package": package, "checks": checks}, lambda: _print(checks), ok=not broken)
    ctx.exit(1 if broken else 0)


def _keys(store: KeyStore, title: str) -> Mapping[bytes, bytes] | None:
    """The title's keys by KID; None where this state has none of them."""
    records = store.keys()
    return {record.kid: store.reveal(record.kid).key for record in records if record.title == title} or None


def _print(checks: tuple[Check, ...]) -> None:
    print_checks(checks)
    broken = failures(checks)
    verdict = f"{len(broken)} must be mended before it is published" if broken else "the package may be published"
    print_lines(f"{sum(check.ok for check in checks)} of {len(checks)} checks hold: {verdict}")
