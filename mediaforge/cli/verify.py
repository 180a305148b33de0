"""`verify`: everything that must hold of a package before it is published."""

from collections.abc import Callable, Mapping
from pathlib import Path

import click

from mediaforge.checks import Check, failures
from mediaforge.cli.arguments import FILE
from mediaforge.cli.command import Call, Command
from mediaforge.cli.junit import write_junit
from mediaforge.cli.opening import open_context
from mediaforge.cli.progress import Note, Tell, by_fraction, telling
from mediaforge.cli.tables import print_checks, print_lines, print_table
from mediaforge.cli.verify_page import Report, write_report
from mediaforge.errors import SettingsError
from mediaforge.package.keys import KeyStore
from mediaforge.package.player import Played, play_package
from mediaforge.package.record import PackageRecord, Scheme, load_record
from mediaforge.package.rulebook import RULES, rule_of
from mediaforge.package.verify import verify_package
from mediaforge.tools import locate_chromium


@click.command("verify", cls=Command)
@click.argument("package", type=FILE, required=False)
@click.option("--list", "listed", is_flag=True, help="Print the rules instead: id, level, clause, and what must be so.")
@click.option("--play", is_flag=True, help="Play it in Chromium with shaka-player, dash.js and hls.js as well.")
@click.option("--screenshots", type=FILE, metavar="DIR", help="Keep a picture of every player, with --play.")
@click.option("--report", type=FILE, metavar="F.html", help="Write a page to look at as well.")
@click.option("--junit", type=FILE, metavar="F.xml", help="Write the checks for a CI system as well.")
@click.pass_context
def command(  # noqa: PLR0917 - click hands options over by name
    ctx: click.Context,
    package: Path | None,
    listed: bool,
    play: bool,
    screenshots: Path | None,
    report: Path | None,
    junit: Path | None,
) -> None:
    """Hold a package against everything that must be true before it is published.

    Decrypts and decodes every rung and variant with the keys of this state; without them the structure alone is checked.
    With --play, Chromium plays both manifests through EME: to the end, with a seek and switches up and down, variants A and B
    mixed, and with a wrong key, which must fail. Exits with 1 where something does not hold.

    \b
    Example:
      mediaforge verify packages/atlas
      mediaforge verify packages/atlas --play --screenshots build/played
      mediaforge verify packages/atlas --report build/atlas.html --junit build/atlas.xml --json
      mediaforge verify --list
    """
    call: Call = ctx.obj
    if listed:
        call.printer.answer({"rules": RULES}, _print_rules)
        return
    if package is None:
        raise click.UsageError("Missing argument 'PACKAGE'; or print the rules with --list.", ctx)
    if screenshots is not None and not play:
        raise click.UsageError("--screenshots keeps what --play shows; add --play.", ctx)
    chromium = locate_chromium(call.settings.tools) if play else None
    record = load_record(package)
    keys = _keys(open_context(call.settings).keys, record.title)
    if play:
        _check_playable(record, keys)
    played: tuple[Played, ...] = ()
    with telling(call.progress, about=package.name) as tell:
        checks = verify_package(package, keys=keys, on_progress=by_fraction(tell, "decode"))
        if chromium is not None:
            on_cell = _telling_cells(tell)
            played = play_package(package, keys=keys or {}, chromium=chromium, screenshots=screenshots, on_cell=on_cell)
            checks += tuple(row.check for row in played)
    if junit is not None:
        write_junit({str(package): checks}, junit)
    if report is not None:
        write_report(Report(package=package, record=record, checks=checks, played=played, pictures=screenshots), report)
    broken = failures(checks)
    data = {"package": package, "checks": [_row(check) for check in checks]}
    data |= {"played": [_facts(row) for row in played]} if play else {}
    call.printer.answer(data, lambda: _print(checks), ok=not broken)
    ctx.exit(1 if broken else 0)


def _row(check: Check) -> dict[str, object]:
    """A check for scripts, with the clause of its rule."""
    clause = rule_of(check.id).clause
    return {"id": check.id, "ok": check.ok, "message": check.message, "level": check.level, "clause": clause}


def _print_rules() -> None:
    rows = [(rule.id, rule.level.value, rule.clause, rule.holds) for rule in RULES]
    print_table(("rule", "level", "clause", "what must be so"), rows, empty="")


def _keys(store: KeyStore, title: str) -> Mapping[bytes, bytes] | None:
    """The title's keys by KID; None where this state has none of them."""
    records = store.keys()
    return {record.kid: store.reveal(record.kid).key for record in records if record.title == title} or None


def _check_playable(record: PackageRecord, keys: Mapping[bytes, bytes] | None) -> None:
    if keys is None and record.scheme is not Scheme.NONE:
        raise SettingsError(f"--play needs the keys of {record.title}, and this state has none; name its --state")


def _telling_cells(tell: Tell) -> Callable[[Played, int, int], None]:
    """A line for each cell as it is done."""

    def on_cell(row: Played, number: int, cells: int) -> None:
        event = "finished" if row.check.ok else "failed"
        words = row.take.cell.words
        message = "" if row.check.ok else row.check.message.removeprefix(f"{words}: ")
        tell(Note(event=event, step=words, fraction=1, overall=number / cells, seconds=row.take.seconds, message=message))

    return on_cell


def _facts(row: Played) -> dict[str, object]:
    """A cell for scripts. `pictures` were decoded, `dropped` of them never shown."""
    last = row.take.seen[-1] if row.take.seen else None
    return {
        "id": row.check.id,
        "ok": row.check.ok,
        "seconds": round(row.take.seconds, 3),
        "player": last.version if last else "",
        "pictures": last.frames if last else 0,
        "dropped": last.dropped if last else 0,
        "errors": row.take.errors,
    }


def _print(checks: tuple[Check, ...]) -> None:
    print_checks(checks)
    broken = failures(checks)
    verdict = f"{len(broken)} must be mended before it is published" if broken else "the package may be published"
    print_lines(f"{sum(check.ok for check in checks)} of {len(checks)} checks hold: {verdict}")
