"""`ladder plan`: the rungs chosen for one title and a network, why, and what they give beside other ladders."""

from pathlib import Path

import click

from mediaforge.cli.arguments import FILE
from mediaforge.cli.command import Call, Command
from mediaforge.cli.opening import open_context
from mediaforge.cli.output import clock, rate
from mediaforge.cli.progress import by_fraction, telling
from mediaforge.cli.shipped import find_ladder, find_network, open_ladder, reference_ladders
from mediaforge.cli.tables import print_lines, print_table
from mediaforge.errors import LadderError
from mediaforge.forecast import FEATURE_SECONDS, GOOD_VMAF, Forecast
from mediaforge.ladder import Ladder
from mediaforge.ladderfile import load_ladder
from mediaforge.steps import write_whole
from mediaforge.titleplan import STATIC_CODEC, TitlePlan, plan_title
from mediaforge.tools import build_id
from mediaforge.transcode.network import load_network
from mediaforge.transcode.sessions import SESSIONS

PLANNED_LADDER = "maroc"
STATIC_LADDER = "maroc-mobile"  # what the plan is held against first


@click.command("plan", cls=Command)
@click.argument("master", type=FILE)
@click.option("--ladder", default=PLANNED_LADDER, show_default=True, metavar="NAME", help="A shipped ladder, or a TOML file.")
@click.option("--network", metavar="NAME", help="A shipped network, or a TOML file.  [default: the ladder's]")
@click.option("--codec", metavar="NAME", help="Which of the ladder's codecs to plan for.  [default: its first]")
@click.option("--report", type=FILE, metavar="FILE", help="Write a page to look at: one HTML file.")
@click.option("--sessions", type=click.IntRange(10, 5000), default=SESSIONS, show_default=True, help="Sessions to replay.")
@click.pass_obj
def command(
    call: Call, /, *, master: Path, ladder: str, network: str | None, codec: str | None, report: Path | None, sessions: int
) -> None:
    """Choose the rungs of a title for a network, and say what they give.

    MASTER is looked at once; its study stays in the state, so asking again about another ladder or network takes seconds.
    A ladder of fixed rates is not changed, only judged on this title.

    \b
    Example:
      mediaforge ladder plan film.mov --report film.html
      mediaforge ladder plan film.mov --ladder maroc-mobile --network ./ours.toml --json
    """
    opened, own_network, reference = open_ladder(ladder)
    chosen = _of_codec(opened, codec)
    policies = tuple(one for one in (opened.policy, *opened.also) if one is not None)
    planner, default_network, _ = open_ladder(PLANNED_LADDER)
    assert planner.policy is not None and default_network is not None
    others = (load_ladder(find_ladder(STATIC_LADDER)), *map(load_ladder, reference_ladders()))
    context = open_context(call.settings)
    with telling(call.progress, about=master.name) as tell:
        plan = plan_title(
            context,
            master,
            chosen,
            network=load_network(find_network(network)) if network else own_network or default_network,
            reference=reference,
            others=others,
            policy=next((one for one in policies if one.codec == STATIC_CODEC), planner.policy),
            sessions=sessions,
            on_progress=by_fraction(tell, "study"),
        )
    if report is not None:
        _write_report(plan, report, encoder=build_id(context.tools.ffmpeg))
    others_of_it = tuple(one.codec for one in policies if one != chosen.policy)
    call.printer.answer(_data(plan, report), lambda: _print(plan, report, others_of_it))


def _of_codec(ladder: Ladder, codec: str | None) -> Ladder:
    """The ladder with one of its codecs. Raises LadderError naming those it has."""
    if ladder.policy is None or codec is None:
        return ladder.by_codec[0]
    found = {one.policy.codec: one for one in ladder.by_codec if one.policy is not None}
    if codec not in found:
        raise LadderError(ladder.name, f"plans no {codec} rungs; choose {' or '.join(found)} with --codec")
    return found[codec]


def _write_report(plan: TitlePlan, to: Path, *, encoder: str) -> None:
    from mediaforge.cli.ladder_page import page  # noqa: PLC0415 - templates are loaded for those who ask for a page

    write_whole(to, page(plan, sentences=sentences(plan), encoder=encoder).encode())


def _data(plan: TitlePlan, report: Path | None) -> dict[str, object]:
    price = plan.network.price
    rungs = [
        {
            "name": fitted.rung.name,
            "codec": fitted.rung.codec,
            "width": fitted.width,
            "height": fitted.height,
            "fps": round(float(plan.grid.fps / fitted.step), 3),
            "bitrate_bps": fitted.rung.bitrate_bps,
            "max_bitrate_bps": fitted.rung.max_bitrate_bps,
            "vmaf": round(offer.vmaf, 2),
            "mean_bps": round(offer.mean_bps),
            "declared_bps": round(offer.declared_bps),
            "viewers": round(share, 4),
        }
        for fitted, offer, share in zip(plan.rungs, plan.ours.offers, plan.ours.expected.audience, strict=True)
    ]
    return {
        "master": plan.master.path,
        "ladder": plan.ladder.name,
        "screen": plan.ladder.screen,
        "network": plan.network.name,
        "currency": price.currency,
        "seconds": round(plan.seconds, 3),
        "rungs": rungs,
        "audio": plan.ladder.audio,
        "kept": plan.kept,
        "expected": _expected(plan, plan.ours),
        "compared": {other.name: _expected(plan, other) for other in plan.others},
        "report": report,
    }


def _expected(plan: TitlePlan, of: Forecast) -> dict[str, object]:
    """`mad_*` are in the network's currency; the names are the contract's."""
    title, feature = of.price(GOOD_VMAF, plan.seconds), of.price(GOOD_VMAF, FEATURE_SECONDS)
    return {
        "vmaf": round(of.expected.vmaf, 2),
        "vmaf_p10": round(of.report.p10_vmaf, 2),
        "stall_ratio": round(of.report.stall_ratio, 5),
        "gb_per_hour": round(of.gigabytes_per_hour, 4),
        "mad_per_hour": round(of.price_per_hour, 3),
        "delivered_bps": round(of.expected.delivered_bps),
        "seeing_nothing": round(of.expected.seeing_nothing, 4),
        "mad_per_title": None if title is None else round(title, 3),
        "mad_per_film": None if feature is None else round(feature, 3),
        "simulated_vmaf": round(of.report.mean_vmaf, 2),
        "start_seconds": round(of.start_seconds, 3),
        "switches_per_minute": round(of.report.switches_per_minute, 3),
    }


def _print(plan: TitlePlan, report: Path | None, others: tuple[str, ...]) -> None:
    print_lines(f"{plan.master.path.name}, {clock(plan.seconds)}: {plan.ladder.name} for {plan.network.name}")
    rows = [
        (
            fitted.rung.name,
            f"{fitted.width}x{fitted.height}" + (f" at {float(plan.grid.fps / fitted.step):g} fps" if fitted.step > 1 else ""),
            rate(offer.mean_bps),
            rate(offer.declared_bps),
            f"{offer.vmaf:.1f}",
            f"{share:.1%}",
        )
        for fitted, offer, share in zip(plan.rungs, plan.ours.offers, plan.ours.expected.audience, strict=True)
    ]
    print_table(("rung", "picture", "mean rate", "declared", "VMAF", "viewers"), rows, empty="")
    print_lines(*sentences(plan))
    print_lines(*(f"Beside these it has rungs of {codec}: see `--codec {codec}`." for codec in others))
    if report is not None:
        print_lines(f"Look at {report}")


def sentences(plan: TitlePlan) -> tuple[str, ...]:
    """What a viewer gets, what a film costs him, and what the static ladder would have given."""
    ours, currency = plan.ours, plan.network.price.currency
    nothing = ours.expected.seeing_nothing
    everybody = "everybody can watch" if nothing < 0.0005 else f"{nothing:.1%} see nothing"
    film = ours.price(GOOD_VMAF, FEATURE_SECONDS)
    film_words = f"it never reaches VMAF {GOOD_VMAF:.0f}" if film is None else f"{film:.2f} {currency} at VMAF {GOOD_VMAF:.0f}"
    told: tuple[str, ...] = (
        f"A viewer gets VMAF {ours.expected.vmaf:.1f} on average, one in ten below {ours.report.p10_vmaf:.1f}; {everybody}.",
        f"An hour costs him {ours.price_per_hour:.2f} {currency} on average; a film of 100 minutes: {film_words}.",
    )
    policy = plan.ladder.policy
    if policy is not None and plan.kept is not None and plan.kept.floor_bps > policy.floor_bps:
        told = (*told, f"The title is hard: it is for viewers from {plan.kept.floor_bps / 1000:.0f} kbit/s on.")
    if policy is not None and plan.kept is not None and plan.kept.slack_vmaf != policy.slack_vmaf:
        loss = "more" if plan.kept.slack_vmaf is None else f"up to {plan.kept.slack_vmaf:.1f} VMAF"
        told = (*told, f"Somebody loses {loss} against {policy.reference}: no rungs keep the policy's {policy.slack_vmaf:.1f}.")
    static = next((other for other in plan.others if other.name == STATIC_LADDER), None)
    return told if static is None else (*told, _against(ours, static))


def _against(ours: Forecast, other: Forecast) -> str:
    gained = ours.expected.vmaf - other.expected.vmaf
    ratio = ours.expected.delivered_bps / other.expected.delivered_bps
    return f"Against {other.name}: VMAF {gained:+.1f} with {ratio:.2f} times the data."
