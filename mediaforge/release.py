"""The way out: a master becomes a published, encrypted, watermarked and fingerprinted package.

    plan -> chunks, sounds, texts, qc -> join -> fingerprint, certify, package -> verify -> publish

Every step but the last is content-addressed (recipes.py), so a release may be killed anywhere and run again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mediaforge.catalogue import Catalogue
from mediaforge.checks import Check
from mediaforge.context import SOUND_FOLDER, Context
from mediaforge.detect.index import Index
from mediaforge.detect.pointfile import PointFiles
from mediaforge.detect.sound_index import SoundIndex
from mediaforge.errors import StoreError, UnknownId
from mediaforge.package.layout import DASH_MANIFEST, HLS_MANIFEST, RECORD
from mediaforge.plan import Plan, load_plan, plan_release
from mediaforge.recipes import CHECKS_NAME, content_keys, marks_of, qualities_of, recipe, result_of, verdict_of
from mediaforge.record import from_json, to_json
from mediaforge.steps import Result
from mediaforge.store import publish
from mediaforge.transcode.qc.finding import Finding
from mediaforge.watermark.modes import Mode, RungMarks

__all__ = [
    "KeyName",
    "Manifests",
    "Release",
    "StepRecord",
    "is_done",
    "load_plan",
    "packaged_folder",
    "plan_release",
    "read_release",
    "run_planned",
]

PUBLISH = "publish"
# What makes a package visible goes last: whoever sees a manifest finds everything it names.
LAST = (RECORD, HLS_MANIFEST, DASH_MANIFEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifests:
    dash: str
    hls: str

    @classmethod
    def at(cls, package: str) -> "Manifests":
        return cls(dash=f"{package}/{DASH_MANIFEST}", hls=f"{package}/{HLS_MANIFEST}")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyName:
    """Which key a label takes; never the key."""

    label: str
    kid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkCounts:
    """How many segments of a rung are marked how (watermark/modes.py); `weakest` is the least strength of a marked one, in luma
    levels."""

    divergence: int
    pattern: int
    unmarked: int
    weakest: float | None = None

    @classmethod
    def of(cls, marks: RungMarks) -> "MarkCounts":
        marked = [mark.strength for mark in marks.segments if mark.mode is not Mode.UNMARKED]
        counts = {mode.value: marks.count(mode) for mode in Mode}
        return cls(**counts, weakest=min(marked, default=None))


@dataclass(frozen=True, slots=True, kw_only=True)
class RungName:
    """A rung as published, with its certified VMAF and the 95 % interval; a release older than certificates has none.

    `marks`: None without a watermark, and in releases of before marks were measured.
    """

    name: str
    codec: str
    width: int
    height: int
    bitrate_bps: int
    max_bitrate_bps: int
    vmaf: float | None = None
    vmaf_low: float | None = None
    vmaf_high: float | None = None
    marks: MarkCounts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundName:
    """A sound as published; `name` is its audio rung, or the codec in which it was passed through."""

    language: str
    name: str
    codec: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatermarkFacts:
    segments: int
    seconds_per_segment: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    name: str
    key: str
    digest: str
    seconds: float
    cpu_seconds: float

    @classmethod
    def of(cls, name: str, result: Result) -> "StepRecord":
        return cls(name=name, key=result.key, digest=result.digest, seconds=result.seconds, cpu_seconds=result.cpu_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What is known of a published title. The step records name every result it was made of."""

    title: str
    name: str
    release_id: str
    package: str
    manifests: Manifests
    rungs: tuple[RungName, ...]
    keys: tuple[KeyName, ...]
    watermark: WatermarkFacts | None
    fingerprint: str
    checks: tuple[Check, ...]
    steps: tuple[StepRecord, ...]
    sounds: tuple[SoundName, ...] = ()
    findings: tuple[Finding, ...] = ()  # what is wrong with the master; releases of before quality control have none


def run_planned(context: Context, release_id: str, step_name: str, on_progress: Callable[[float], None]) -> str:
    """Run one step of a plan, or find that it is done. Returns the digest of its result.

    Raises the MediaforgeError of whatever went wrong; nothing half-done is left behind.
    """
    plan = load_plan(context, release_id)
    if step_name == PUBLISH:
        return _publish(context, plan, on_progress)
    made = recipe(context, plan, step_name)
    return context.steps.run(made.step, lambda folder: made.work(folder, on_progress)).digest


def is_done(context: Context, release_id: str, step_name: str) -> bool:
    """Whether a step has a result that can be reused. Publishing is always done anew: what it makes lies outside."""
    if step_name == PUBLISH:
        return False
    plan = load_plan(context, release_id)
    needed = next(step.needs for step in plan.steps if step.name == step_name)
    if not all(is_done(context, release_id, need) for need in needed):
        return False
    return context.steps.lookup(recipe(context, plan, step_name).step.key) is not None


def read_release(context: Context, title: str) -> Release:
    """The release of a title. Raises UnknownId where it was never released here."""
    with Catalogue(context.catalogue_file) as catalogue:
        row = catalogue.title(title)
    if not row.record:
        raise UnknownId("release of title", title, "release it first with `mediaforge release`")
    return from_json(Release, row.record, source=context.catalogue_file)


def packaged_folder(context: Context, release: Release) -> Path:
    """The package of a release as it was made here, or where it was published if that is gone. Raises StoreError.

    The step's result, because a bucket cannot be read from and a published folder belongs to whoever serves it.
    """
    digest = next((step.digest for step in release.steps if step.name == "package"), "")
    made = context.steps.result_folder(digest)
    if (made / RECORD).is_file():
        return made
    if "://" not in release.package and (Path(release.package) / RECORD).is_file():
        return Path(release.package)
    raise StoreError(made, f"is gone, and {release.package} is no folder with the package; release {release.title} again")


def _publish(context: Context, plan: Plan, on_progress: Callable[[float], None]) -> str:
    packaged = result_of(context, plan, "package")
    publish(
        packaged.folder,
        plan.request.to,
        last=LAST,
        endpoint_url=context.s3_endpoint,
        on_progress=lambda done, total: on_progress(done / max(1, total)),
    )
    seen = result_of(context, plan, "fingerprint").folder
    PointFiles(context.index_folder).adopt(plan.request.title, PointFiles(seen))
    context.index.adopt(plan.request.title, Index(seen))
    SoundIndex(context.sound_index_folder).adopt(plan.request.title, SoundIndex(seen / SOUND_FOLDER))
    release = _describe(context, plan)
    with Catalogue(context.catalogue_file) as catalogue:
        catalogue.put_title(plan.request.title, plan.request.name, master_digest=plan.master_digest, record=to_json(release))
    return packaged.digest


def _describe(context: Context, plan: Plan) -> Release:
    made = {step.name: result_of(context, plan, step.name) for step in plan.steps if step.name != PUBLISH}
    to = plan.request.to.rstrip("/")
    marks = {row.rung: MarkCounts.of(row) for row in marks_of(context, plan)}
    checks_file = made["verify"].folder / CHECKS_NAME
    return Release(
        title=plan.request.title,
        name=plan.request.name,
        release_id=plan.release_id,
        package=to,
        manifests=Manifests.at(to),
        rungs=tuple(
            RungName(
                name=fitted.rung.name,
                codec=fitted.rung.codec,
                width=fitted.width,
                height=fitted.height,
                bitrate_bps=fitted.rung.bitrate_bps,
                max_bitrate_bps=fitted.rung.max_bitrate_bps,
                vmaf=round(quality.mean, 2),
                vmaf_low=round(quality.low, 2),
                vmaf_high=round(quality.high, 2),
                marks=marks.get(fitted.rung.name),
            )
            for fitted, quality in zip(plan.rungs, qualities_of(context, plan), strict=True)
        ),
        keys=tuple(KeyName(label=key.label, kid=key.kid.hex()) for key in content_keys(context, plan)),
        watermark=WatermarkFacts(segments=plan.grid.segments, seconds_per_segment=float(plan.grid.segment_seconds))
        if plan.request.watermark
        else None,
        fingerprint=made["fingerprint"].digest,
        checks=from_json(tuple[Check, ...], checks_file.read_bytes(), source=checks_file),
        steps=tuple(StepRecord.of(name, result) for name, result in made.items()),
        sounds=tuple(_sound_names(plan)),
        findings=verdict_of(context, plan).findings if "qc" in made else (),
    )


def _sound_names(plan: Plan) -> Iterator[SoundName]:
    for sound in plan.sounds:
        for rung in plan.request.ladder.audio:
            yield SoundName(language=sound.language, name=rung.name, codec=rung.codec)
    for sound in plan.passed:
        codec = sound.passed_codec or ""
        yield SoundName(language=sound.language, name=codec, codec=codec)
