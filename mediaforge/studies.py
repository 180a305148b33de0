"""The rungs of a title under a policy: its study is a step like any other, kept by its inputs; choosing takes a second."""

from collections.abc import Callable
from pathlib import Path

from mediaforge.context import Context
from mediaforge.ladder import Ladder, Policy, Screen
from mediaforge.media import Grid, Master
from mediaforge.record import to_facts
from mediaforge.steps import Step
from mediaforge.tools import build_id
from mediaforge.transcode.codecs import codec
from mediaforge.transcode.hull import TitleCurves
from mediaforge.transcode.network import Network
from mediaforge.transcode.planning import TitleLadder, choose, study
from mediaforge.transcode.quality import MODELS
from mediaforge.transcode.shapes import plan_trials, planned_shapes
from mediaforge.transcode.studyfile import load_study, save_study

_STUDY_NAME = "study.npz"


def title_ladder(
    context: Context,
    master: Master,
    ladder: Ladder,
    *,
    digest: str,
    grid: Grid,
    network: Network,
    reference: Ladder | None,
    on_progress: Callable[[float], None],
) -> TitleLadder:
    """The rungs of a policy ladder for a master; `digest` is the master's. Raises MediaError, LadderError, ToolError."""
    assert ladder.policy is not None
    curves = title_study(
        context, master, ladder.policy, screen=ladder.screen, digest=digest, grid=grid, on_progress=on_progress
    )
    return choose(curves, ladder, master, network=network, reference=reference)


def title_study(
    context: Context,
    master: Master,
    policy: Policy,
    *,
    screen: Screen,
    digest: str,
    grid: Grid,
    on_progress: Callable[[float], None],
) -> TitleCurves:
    """The curves of a master at a policy's shapes, codec and preset; `digest` is the master's. Raises MediaError, ToolError."""
    params = {
        "video": master.video,
        "grid": grid,
        "codec": policy.codec,
        "trials": plan_trials(planned_shapes(policy, master, grid), codec(policy.codec)),
        "preset": policy.preset,
        "model": MODELS[screen],
    }
    build = build_id(context.tools.ffmpeg)
    step = Step(name="study", version=11, inputs=(digest,), params=to_facts(params), tools=(build,))

    def most(share: float) -> None:
        on_progress(min(share, 0.99))  # done is what is kept

    def work(to: Path) -> None:
        save_study(study(master, grid, policy, screen=screen, tools=context.tools, on_progress=most), to / _STUDY_NAME)

    result = context.steps.run(step, work)
    curves = load_study(result.folder / _STUDY_NAME, grid)
    on_progress(1.0)
    return curves
