"""`ladder network`: the networks that ladders are made for, and one's own out of a player log."""

import datetime
from pathlib import Path

import click

from mediaforge.cli.arguments import FILE
from mediaforge.cli.command import Call, Group
from mediaforge.cli.output import rate
from mediaforge.cli.shipped import find_network, shipped_networks
from mediaforge.cli.tables import print_lines, print_table
from mediaforge.transcode.network import Network, load_network, save_network
from mediaforge.transcode.playerlog import import_log, network_of_log

DEFAULT_NETWORK = "maroc-2025"


@click.group("network", cls=Group)
def command() -> None:
    """List the networks that ladders are made for, show one, make one of a player log.

    \b
    Example:
      mediaforge ladder network list
      mediaforge ladder network import players.csv --to ours.toml
    """


@command.command("list")
@click.pass_obj
def list_networks(call: Call) -> None:
    """Name the networks that are shipped.

    \b
    Example:
      mediaforge ladder network list --json
    """
    networks = [load_network(path) for path in shipped_networks()]
    rows = [
        (network.name, rate(float(network.rate_at(0.5))), str(network.sessions), network.description) for network in networks
    ]
    call.printer.answer(
        {"networks": [{"name": network.name, "description": network.description} for network in networks]},
        lambda: print_table(("network", "median", "sessions", "where and when"), rows, empty="No network is shipped."),
    )


@command.command("show")
@click.argument("name")
@click.pass_obj
def show(call: Call, name: str) -> None:
    """Show how fast the sessions of a network are.

    NAME is a shipped network or a path to a TOML file.

    \b
    Example:
      mediaforge ladder network show maroc-2025
      mediaforge ladder network show ./ours.toml --json
    """
    network = load_network(find_network(name))
    call.printer.answer({"network": _data(network)}, lambda: _print(network))


@command.command("import")
@click.argument("log", type=FILE)
@click.option("--to", type=FILE, required=True, metavar="FILE", help="The network file to write, a TOML file.")
@click.option(
    "--base", default=DEFAULT_NETWORK, show_default=True, metavar="NAME", help="Network whose access classes and price hold."
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.pass_obj
def import_(call: Call, /, *, log: Path, to: Path, base: str, force: bool) -> None:
    """Make a network of a player log.

    LOG is a CSV file with a header row: throughput in kbit/s in a column throughput_kbps or mtp (CMCD), and where they
    are known the session (session, sid) and how long a measurement took (duration_s, or d in milliseconds).

    \b
    Example:
      mediaforge ladder network import players.csv --to ours.toml
      mediaforge ladder network import players.csv --to ours.toml --base maroc-2024 --force
    """
    measured = import_log(log)
    date = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    ours = network_of_log(measured, load_network(find_network(base)), name=to.stem, source=f"player log {log.name}", date=date)
    save_network(ours, to, replace=force)
    network = load_network(to)
    skipped = f", {measured.rubbish} of {measured.rows} rows were no measurement" if measured.rubbish else ""
    call.printer.answer(
        {"file": str(to), "rows": measured.rows, "rubbish": measured.rubbish, "network": _data(network)},
        lambda: print_lines(
            f"{to}: {measured.sessions} sessions, half of them below {rate(float(network.rate_at(0.5)))}{skipped}"
        ),
    )


def _data(network: Network) -> dict[str, object]:
    return {
        "name": network.name,
        "description": network.description,
        "source": network.source,
        "licence": network.licence,
        "date": network.date,
        "sessions": network.sessions,
        "throughput_bps": _by_percent(network.throughput.percent, network.throughput.values),
        "price": network.price,
        "classes": network.classes,
    }


def _by_percent(percent: tuple[float, ...], values: tuple[float, ...]) -> dict[str, float]:
    return {f"p{at:g}": value for at, value in zip(percent, values, strict=True)}


def _print(network: Network) -> None:
    print_lines(f"{network.name}: {network.description}", f"{network.sessions} sessions; {network.source}")
    speeds = _by_percent(network.throughput.percent, network.throughput.values)
    print_table(("sessions", "below"), [(f"{at[1:]} %", rate(value)) for at, value in speeds.items()], empty="")
    classes = [
        (kind.name, f"{kind.weight:.1%}", rate(kind.median_bps), f"{kind.round_trip_ms:.0f} ms") for kind in network.classes
    ]
    print_table(("access", "sessions", "median", "round trip"), classes, empty="")
    print_lines(f"{network.price.per_gigabyte:g} {network.price.currency} a gigabyte")
