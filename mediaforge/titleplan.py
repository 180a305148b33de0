"""The plan of one title: its rungs for a network, what they give the viewers, and what other ladders would have given them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mediaforge.context import Context
from mediaforge.errors import LadderError
from mediaforge.forecast import Forecast, forecast
from mediaforge.ladder import FittedRung, Ladder, Policy, fit_rungs
from mediaforge.media import Grid, Master, Shape
from mediaforge.steps import digest_file
from mediaforge.studies import title_study
from mediaforge.transcode.chunks import plan_grid
from mediaforge.transcode.expect import PATIENCE
from mediaforge.transcode.hull import TitleCurves
from mediaforge.transcode.network import Network
from mediaforge.transcode.planning import choose, static_offers
from mediaforge.transcode.probe import probe, read_timeline
from mediaforge.transcode.shapes import planned_shapes

STATIC_CODEC = "h264"  # ladders of fixed rates have no other


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The policy's bounds as the title allowed them (planning.TitleLadder)."""

    floor_bps: float
    slack_vmaf: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TitlePlan:
    """`rungs` and `ours` are the ladder asked for, low to high; `curves` at `shapes` are what it was chosen from."""

    master: Master
    grid: Grid
    ladder: Ladder
    network: Network
    curves: TitleCurves
    shapes: tuple[Shape, ...]
    rungs: tuple[FittedRung, ...]
    ours: Forecast
    others: tuple[Forecast, ...]
    kept: Kept | None = None  # None: the ladder has fixed rates

    @property
    def seconds(self) -> float:
        return float(self.grid.duration)


def plan_title(
    context: Context,
    path: Path,
    ladder: Ladder,
    *,
    network: Network,
    reference: Ladder | None,
    others: Sequence[Ladder],
    policy: Policy,
    sessions: int,
    on_progress: Callable[[float], None],
) -> TitlePlan:
    """Study a title, choose its rungs, judge them beside `others`.

    `reference` is the ladder that the policy owes something to. `policy` says how ladders of fixed rates are studied, the one
    asked for or the others. Raises MediaError, LadderError, ToolError.
    """
    master = probe(path, tools=context.tools)
    timeline = read_timeline(master, tools=context.tools)
    video = master.video
    assert video is not None  # read_timeline has refused it else
    _check_asked(ladder, network)
    grid = plan_grid(fps=video.fps, seconds=timeline.last - timeline.first + 1 / video.fps)
    digest = digest_file(path)
    studied = ladder.policy or policy
    parts = 1 if studied.codec == STATIC_CODEC else 2

    def study(under: Policy, part: int) -> TitleCurves:
        return title_study(
            context,
            master,
            under,
            screen=ladder.screen,
            digest=digest,
            grid=grid,
            on_progress=lambda share: on_progress((part + share) / parts),
        )

    curves = study(studied, 0)
    fixed = curves if parts == 1 else study(policy, 1)
    if ladder.policy is None:
        rungs, offers = fit_rungs(ladder, *video.display_size), static_offers(fixed, ladder, master)
        kept = None
    else:
        chosen = choose(curves, ladder, master, network=network, reference=reference)
        rungs, offers = chosen.rungs, chosen.offers
        kept = Kept(floor_bps=chosen.floor_bps, slack_vmaf=chosen.slack_vmaf)
    ours = forecast(ladder.name, offers, network, grid, sessions=sessions)
    if ours.expected.seeing_nothing >= 1:
        raise _nobody(ladder, network, offers[0].mean_bps)
    return TitlePlan(
        master=master,
        grid=grid,
        ladder=ladder,
        network=network,
        curves=curves,
        shapes=planned_shapes(studied, master, grid),
        rungs=rungs,
        ours=ours,
        kept=kept,
        others=tuple(
            forecast(other.name, static_offers(fixed, other, master), network, grid, sessions=sessions)
            for other in others
            if other.name != ladder.name
        ),
    )


def _check_asked(ladder: Ladder, network: Network) -> None:
    """What no session can play by its own words needs no study of the title."""
    if ladder.rungs and PATIENCE * ladder.rungs[0].bitrate_bps > float(network.rate_at(1.0)):
        raise _nobody(ladder, network, ladder.rungs[0].bitrate_bps)


def _nobody(ladder: Ladder, network: Network, bps: float) -> LadderError:
    fastest = float(network.rate_at(1.0)) / 1000
    what = (
        f"no session of network {network.name} can play its lowest rung ({bps / 1000:.0f} kbit/s, the fastest session has "
        f"{fastest:.0f}); add a lower rung or name another --network"
    )
    return LadderError(ladder.name, what)
