"""`bench detect`: how well copies of one's own clips are found, beside what others would find."""

from collections.abc import Mapping
from dataclasses import asdict
from math import isfinite
from pathlib import Path

import click

from mediaforge.cli.arguments import FOLDER
from mediaforge.cli.command import Call, Group
from mediaforge.cli.progress import by_fraction, telling
from mediaforge.cli.tables import print_lines, print_table
from mediaforge.detect.bench.figures import FalsePositives, Recall
from mediaforge.detect.bench.trial import PEERS, Figures
from mediaforge.detection import ALL_FAMILIES, find_clips, plan_trial, run_trial
from mediaforge.tools import locate_tools


@click.group("bench", cls=Group)
def command() -> None:
    """Measure mediaforge on your own material.

    \b
    Example:
      mediaforge bench detect clips --work trial
    """


@command.command("detect")
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--work", type=FOLDER, required=True, help="Where queries and results are kept; run again to go on.")
@click.option("--families", metavar="A,B", help="Only these disguises. All: " + ", ".join(ALL_FAMILIES) + ".")
@click.option("--each", type=click.IntRange(1, 100), default=1, show_default=True, help="Excerpts of a clip in a family.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the excerpts and of what is done to them.")
@click.option("--same", "same", multiple=True, metavar="A,B", help="Clips that share pictures, so finding either is right.")
@click.pass_obj
def detect(
    call: Call, /, *, folder: Path, work: Path, families: str | None, each: int, seed: int, same: tuple[str, ...]
) -> None:
    """Disguise excerpts of a folder's clips, and say how many are found again.

    Every clip becomes a title of an index of its own; excerpts of 10 s are cropped, mirrored, filmed off a screen and so on
    with real encodes, and held against all titles. Thresholds are fixed on one half of the clips and measured on the other.
    What was made is kept in the work folder: the plan with all seeds and filters in plan.json.

    \b
    Example:
      mediaforge bench detect clips --work trial
      mediaforge bench detect clips --work trial --families crop-25,mirror --same take-1,take-1-branded --json
    """
    chosen = tuple(families.split(",")) if families else ALL_FAMILIES
    for family in chosen:
        if family not in ALL_FAMILIES:
            raise click.UsageError(f"{family!r} is no family; there are {', '.join(ALL_FAMILIES)}")
    tools = locate_tools(call.settings.tools)
    clips = find_clips(folder, tools)
    groups = tuple(tuple(group.split(",")) for group in same)
    for name in (name for group in groups for name in group):
        if name not in {clip.name for clip in clips}:
            raise click.UsageError(f"--same names {name!r}, which is no clip of {folder}")
    (work / "queries").mkdir(parents=True, exist_ok=True)
    plan = plan_trial(clips, chosen, seed=seed, each=each, same=groups, work=work)
    with telling(call.progress, about=folder.name) as tell:
        found = run_trial(clips, plan, work, tools=tools, on_progress=by_fraction(tell, "queries"))
    call.printer.answer(_data(found), lambda: _print(found))


def _data(found: Figures) -> dict[str, object]:
    recalls = {
        peer: {family: {**asdict(recall), "recall": round(recall.share, 4)} for family, recall in families.items()}
        for peer, families in found.recalls.items()
    }
    return {
        "queries": found.queries,
        "recall": recalls,
        "mu_ap": {peer: round(value, 4) for peer, value in found.mu_ap.items()},
        "segments": {**asdict(found.segments), "f1": found.segments.f1},
        "offset_seconds": {"median": round(found.offset_median, 3), "p95": round(found.offset_p95, 3)},
        "verdicts": {"true": found.verdicts, "wrong": found.wrong_verdicts, "same_set": found.same_set},
        "false_positives": _bounded(found.false_positives),
        "false_positives_scanned": _bounded(found.false_positives_scanned),
        "index": {
            "cpu_seconds_per_hour": round(found.index_cpu_seconds_per_hour, 1),
            "bytes_per_hour": round(found.index_bytes_per_hour),
        },
        "query": {"cpu_seconds_per_hour": round(found.query_cpu_seconds_per_hour, 1)},
    }


def _bounded(found: FalsePositives) -> dict[str, object]:
    return {**asdict(found), "at_most_per_1000_hours": _finite(found.at_most)}


def _finite(number: float) -> float | None:
    return round(number, 1) if isfinite(number) else None


def _print(found: Figures) -> None:
    families = list(found.recalls[PEERS[0]])
    rows = [(family, *(_recall(found.recalls[peer].get(family)) for peer in PEERS)) for family in families]
    rows.append(("muAP", *(f"{found.mu_ap[peer]:.3f}" for peer in PEERS)))
    print_table(("recall without false positives", *PEERS), rows, empty="")
    parts = found.segments
    print_lines(
        f"segments: precision {parts.precision:.3f}, recall {parts.recall:.3f}, F1 {parts.f1:.3f}",
        f"offset: median {found.offset_median:.2f} s, 95 % within {found.offset_p95:.2f} s",
        f"verdicts on true titles: {_words(found.verdicts)}; on wrong ones: {_words(found.wrong_verdicts)}",
        _wrong(found.false_positives, found.false_positives_scanned),
        f"the same set at another time: {_words(found.same_set)}",
        f"an hour of title: {found.index_cpu_seconds_per_hour:.0f} CPU-s, {found.index_bytes_per_hour / 1e6:.1f} MB; "
        f"an hour of queries: {found.query_cpu_seconds_per_hour:.0f} CPU-s",
    )


def _wrong(found: FalsePositives, scanned: FalsePositives) -> str:
    if not found.hours:
        return "wrong titles found: no query was held against another title"
    return (
        f"wrong titles found: {found.count} in {found.hours:.1f} h (a query's length, once for each title held against it): "
        f"at most {found.at_most:,.0f} per 1,000 h (95 %); in {scanned.hours:.2f} h of queries: at most {scanned.at_most:,.0f}"
    )


def _recall(recall: Recall | None) -> str:
    if recall is None:
        return "-"
    wrong = f", {recall.false_positives} wrong" if recall.false_positives else ""
    return f"{recall.share:.3f} ({recall.found}/{recall.queries}{wrong})"


def _words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "none"
