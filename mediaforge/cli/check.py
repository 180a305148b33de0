"""`check`: sample clips held against a ladder's floors, for CI pipelines."""

from pathlib import Path

import click

from mediaforge.checks import failures
from mediaforge.cli.arguments import FILE, ladder_option
from mediaforge.cli.command import Call, Command
from mediaforge.cli.junit import write_junit
from mediaforge.cli.opening import open_context
from mediaforge.cli.output import rate
from mediaforge.cli.progress import steps_of, telling
from mediaforge.cli.shipped import open_ladder
from mediaforge.cli.tables import print_checks, print_lines, print_table
from mediaforge.clipcheck import ClipReport, check_clip
from mediaforge.context import Context
from mediaforge.ladder import Ladder
from mediaforge.transcode.network import Network


@click.command("check", cls=Command)
@click.argument("clips", type=FILE, nargs=-1, required=True)
@ladder_option
@click.option("--junit", type=FILE, metavar="F.xml", help="Write the checks for a CI system as well.")
@click.pass_context
def command(ctx: click.Context, clips: tuple[Path, ...], ladder: str, junit: Path | None) -> None:
    """Encode sample clips and hold them against a ladder's floors, for CI pipelines.

    Each clip is encoded, packaged and verified as a release would be; then the VMAF of the best and the lowest rung and
    every mean rate are held against [floors] in the ladder. Exits with 1 where something does not hold.

    \b
    Example:
      mediaforge check samples/*.mp4 --ladder maroc-mobile
      mediaforge check clip.mp4 --ladder ./ours.toml --junit build/ladder.xml --json
    """
    call: Call = ctx.obj
    wanted, context = open_ladder(ladder), open_context(call.settings)
    reports = [_check(call, clip, *wanted, context=context) for clip in clips]
    if junit is not None:
        write_junit({str(report.clip): report.checks for report in reports}, junit)
    checks = tuple(check for report in reports for check in report.checks)
    ok = not failures(checks)
    call.printer.answer({"clips": reports, "checks": checks}, lambda: _print(reports), ok=ok)
    ctx.exit(0 if ok else 1)


def _check(
    call: Call, clip: Path, ladder: Ladder, network: Network | None, reference: Ladder | None, *, context: Context
) -> ClipReport:
    with telling(call.progress, about=clip.name) as tell:
        return check_clip(clip, ladder, network=network, reference=reference, context=context, on_progress=steps_of(tell))


def _print(reports: list[ClipReport]) -> None:
    for report in reports:
        print_lines(str(report.clip))
        rows = [
            (
                rung.name,
                f"{rung.width}x{rung.height}",
                rate(rung.bitrate_bps),
                rate(rung.measured_bps),
                f"{rung.vmaf:.1f} ({rung.vmaf_low:.1f} to {rung.vmaf_high:.1f})",
                f"{rung.vmaf_p5:.1f}",
            )
            for rung in report.rungs
        ]
        if rows:
            print_table(("rung", "picture", "asked", "measured", "VMAF", "VMAF p5"), rows, empty="")
        print_checks(report.checks)
