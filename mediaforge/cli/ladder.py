"""`ladder list`, `ladder show`: the ladders shipped, and what is in one; `plan` and `network` have files of their own."""

import click

from mediaforge.cli import ladder_plan, network
from mediaforge.cli.command import Call, Group
from mediaforge.cli.output import rate
from mediaforge.cli.shipped import find_ladder, shipped_ladders
from mediaforge.cli.tables import print_lines, print_table
from mediaforge.ladder import Ladder, Policy
from mediaforge.ladderfile import load_ladder


@click.group("ladder", cls=Group)
def command() -> None:
    """List the ladders, show what is in one, and plan a title's own.

    \b
    Example:
      mediaforge ladder list
      mediaforge ladder show maroc-mobile
      mediaforge ladder plan film.mov --report film.html
    """


command.add_command(network.command)
command.add_command(ladder_plan.command)


@command.command("list")
@click.pass_obj
def list_ladders(call: Call) -> None:
    """Name the ladders that are shipped.

    \b
    Example:
      mediaforge ladder list --json
    """
    ladders = [load_ladder(path) for path in shipped_ladders()]
    rows = [(ladder.name, str(_most_rungs(ladder)), ladder.description) for ladder in ladders]
    call.printer.answer(
        {
            "ladders": [
                {"name": ladder.name, "description": ladder.description, "rungs": _most_rungs(ladder)} for ladder in ladders
            ]
        },
        lambda: print_table(("ladder", "rungs", "for whom"), rows, empty="No ladder is shipped."),
    )


@command.command("show")
@click.argument("name")
@click.pass_obj
def show(call: Call, name: str) -> None:
    """Show the rungs of a ladder.

    NAME is a shipped ladder or a path to a TOML file; the file is checked as a release would.

    \b
    Example:
      mediaforge ladder show maroc-mobile
      mediaforge ladder show ./ours.toml --json
    """
    ladder = load_ladder(find_ladder(name))
    call.printer.answer(_data(ladder), lambda: _print(ladder))


def _most_rungs(ladder: Ladder) -> int:
    """As many as it has, or as its policy allows a title."""
    return len(ladder.rungs) if ladder.policy is None else ladder.policy.most_rungs


def _data(ladder: Ladder) -> dict[str, object]:
    rungs = [
        {
            "name": rung.name,
            "codec": rung.codec,
            "width": rung.box_width,
            "height": rung.box_height,
            "bitrate_bps": rung.bitrate_bps,
            "max_bitrate_bps": rung.max_bitrate_bps,
            "buffer_bits": rung.buffer_bits,
            "preset": rung.preset,
        }
        for rung in ladder.rungs
    ]
    return {
        "name": ladder.name,
        "description": ladder.description,
        "rungs": rungs,
        "screen": ladder.screen,
        "policy": ladder.policy,
        "also": ladder.also,
        "audio": ladder.audio,
        "floors": ladder.floors,
    }


def _print(ladder: Ladder) -> None:
    print_lines(f"{ladder.name}: {ladder.description}")
    rungs = [
        (
            rung.name,
            rung.codec,
            f"{rung.box_width}x{rung.box_height}",
            rate(rung.bitrate_bps),
            rate(rung.max_bitrate_bps),
            rung.preset,
        )
        for rung in ladder.rungs
    ]
    planned = "" if ladder.policy is None else _policy_sentence(ladder.policy, *ladder.also)
    print_table(("rung", "codec", "box", "mean rate", "at most", "preset"), rungs, empty=planned)
    audio = [(target.name, target.codec, rate(target.bitrate_bps)) for target in ladder.audio]
    print_table(("sound", "codec", "rate"), audio, empty="")


def _policy_sentence(policy: Policy, *also: Policy) -> str:
    sizes = ", ".join(f"{width}x{height}" for width, height in policy.boxes)
    codecs = " and ".join(f"{one.codec} (preset {one.preset})" for one in (policy, *also))
    return (
        f"Each title gets its own rungs (`ladder plan FILM`): at most {policy.most_rungs} of {codecs}, "
        f"for network {policy.network}, out of {sizes}."
    )
