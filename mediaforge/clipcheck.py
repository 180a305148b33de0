"""For CI pipelines: encode a sample clip by a ladder, package and verify it, and hold it against the ladder's floors."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mediaforge.checks import Check
from mediaforge.context import Context
from mediaforge.errors import MediaforgeError
from mediaforge.ladder import FittedRung, Floors, Ladder
from mediaforge.media import Variant
from mediaforge.package.record import Scheme, System
from mediaforge.plan import PlannedStep, Request, load_plan, plan_release, write_request
from mediaforge.recipes import CHECKS_NAME, Recipe, qualities_of, recipe, result_of
from mediaforge.record import from_json
from mediaforge.transcode.certify import Quality
from mediaforge.transcode.encoder import rendition_name
from mediaforge.transcode.network import Network

_SKIPPED = ("fingerprint", "qc", "publish")  # a sample clip is judged, not kept
_BITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class RungReport:
    """One rung as it came out: its mean rate and its VMAF (phone model), certified between `vmaf_low` and `vmaf_high`."""

    name: str
    width: int
    height: int
    bitrate_bps: int
    declared_bps: int  # what its mean rate is held against: the rate asked for, or a planned rung's most
    measured_bps: int
    vmaf: float
    vmaf_low: float
    vmaf_high: float
    vmaf_p5: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipReport:
    clip: Path
    rungs: tuple[RungReport, ...]
    checks: tuple[Check, ...]


def check_clip(
    clip: Path,
    ladder: Ladder,
    *,
    network: Network | None,
    reference: Ladder | None,
    context: Context,
    on_progress: Callable[[str, float], None],
) -> ClipReport:
    """Judge one clip. A clip that cannot be encoded or packaged is a failed check, not an error."""
    with tempfile.TemporaryDirectory(prefix="mediaforge-check-") as folder:
        apart = Context(state=Path(folder), tools=context.tools)
        try:
            request = _request(clip, ladder, network=network, reference=reference, context=apart)
            return _report(clip, request, context=apart, on_progress=on_progress)
        except MediaforgeError as error:
            broken = Check(id="check.encode", ok=False, message=str(error))
            return ClipReport(clip=clip, rungs=(), checks=(broken,))


def _request(clip: Path, ladder: Ladder, *, network: Network | None, reference: Ladder | None, context: Context) -> Request:
    return Request(
        title="clip",
        name=clip.name,
        master=clip.absolute(),
        ladder=ladder,
        network=network,
        reference=reference,
        scheme=Scheme.CBCS,
        systems=(System.WIDEVINE, System.PLAYREADY),
        watermark=False,
        audio=(),
        subtitles=(),
        to=str(context.package_folder("clip")),
    )


def _report(clip: Path, request: Request, *, context: Context, on_progress: Callable[[str, float], None]) -> ClipReport:
    release_id = write_request(context, request)
    plan_release(context, release_id, partial(on_progress, "plan"))
    plan = load_plan(context, release_id)
    for step in _kept(plan.steps):
        made = recipe(context, plan, step.name)
        context.steps.run(made.step, partial(_work, made, on_progress=partial(on_progress, step.name)))
    joined = result_of(context, plan, "join").folder
    seconds = float(plan.grid.duration)
    reports = []
    for fitted, quality in zip(plan.rungs, qualities_of(context, plan), strict=True):
        bits = (joined / rendition_name(fitted.rung.name, Variant.A)).stat().st_size * _BITS
        reports.append(_rung_report(fitted, quality, bits=bits, seconds=seconds))
    checks_file = result_of(context, plan, "verify").folder / CHECKS_NAME
    verified = from_json(tuple[Check, ...], checks_file.read_bytes(), source=checks_file)
    return ClipReport(clip=clip, rungs=tuple(reports), checks=verified + hold_against(tuple(reports), request.ladder.floors))


def hold_against(rungs: tuple[RungReport, ...], floors: Floors) -> tuple[Check, ...]:
    """The ladder's own floors: VMAF of its ends, and every mean rate kept. Pure."""
    checks = [
        _at_least("check.vmaf.top", rungs[-1], floors.vmaf_top),
        _at_least("check.vmaf.bottom", rungs[0], floors.vmaf_bottom),
    ]
    for rung in rungs:
        most = rung.declared_bps * (1 + floors.rate_tolerance)
        message = f"{rung.name} takes {rung.measured_bps / 1000:.0f} kbit/s, at most {most / 1000:.0f} are declared"
        checks.append(Check(id=f"check.rate.{rung.name}", ok=rung.measured_bps <= most, message=message))
    return tuple(checks)


def _at_least(check_id: str, rung: RungReport, floor: float) -> Check:
    message = f"{rung.name} scores VMAF {rung.vmaf:.1f}, the floor is {floor:.1f}"
    return Check(id=check_id, ok=rung.vmaf >= floor, message=message)


def _rung_report(fitted: FittedRung, quality: Quality, *, bits: int, seconds: float) -> RungReport:
    return RungReport(
        name=fitted.rung.name,
        width=fitted.width,
        height=fitted.height,
        bitrate_bps=fitted.rung.bitrate_bps,
        declared_bps=fitted.rung.max_bitrate_bps if fitted.crfs else fitted.rung.bitrate_bps,
        measured_bps=round(bits / seconds),
        vmaf=round(quality.mean, 2),
        vmaf_low=round(quality.low, 2),
        vmaf_high=round(quality.high, 2),
        vmaf_p5=round(quality.p5, 2),
    )


def _work(made: Recipe, folder: Path, *, on_progress: Callable[[float], None]) -> None:
    made.work(folder, on_progress)


def _kept(steps: tuple[PlannedStep, ...]) -> tuple[PlannedStep, ...]:
    return tuple(step for step in steps if step.name not in _SKIPPED)
