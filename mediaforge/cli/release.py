"""`release`: the main job, through the queue."""

import time
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from mediaforge.cli.arguments import FILE, ID, SIDE_FILE, ladder_option
from mediaforge.cli.command import Call, Command
from mediaforge.cli.follow import run_release
from mediaforge.cli.opening import open_context, open_session
from mediaforge.cli.output import clock, rate
from mediaforge.cli.qc import say_findings
from mediaforge.cli.shipped import open_ladder
from mediaforge.cli.tables import print_lines, print_table
from mediaforge.context import Context
from mediaforge.errors import SettingsError
from mediaforge.media import SideFile
from mediaforge.package.keysources.serverfile import load_key_source
from mediaforge.package.licences import USUAL_FAIRPLAY, Licences, check_licences
from mediaforge.package.record import Scheme, System
from mediaforge.plan import Plan, Request, load_plan, plan_release, write_request
from mediaforge.release import Release, RungName, is_done, read_release
from mediaforge.settings import LICENCES, Settings
from mediaforge.transcode.probe import probe
from mediaforge.work.dispatch import detach, start
from mediaforge.work.locks import title_lock


class SystemsType(click.ParamType[tuple[System, ...]]):
    """DRM systems separated by commas."""

    name = "systems"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[System, ...]:
        if isinstance(value, tuple):
            return value
        names = [name.strip() for name in str(value).split(",")]
        unknown = next((name for name in names if name not in list(System)), None)
        if unknown is not None:
            self.fail(f"{unknown!r} is no DRM system: choose from {', '.join(System)}", param, ctx)
        return tuple(System(name) for name in names)


@click.command("release", cls=Command)
@click.argument("master", type=FILE)
@click.option("--title", required=True, type=ID, help="The title's id: ASCII letters, digits, - and _.")
@click.option("--name", metavar="TEXT", help="The title as people read it, in any script.  [default: the id]")
@ladder_option
@click.option(
    "--scheme", type=click.Choice(["cbcs", "cenc"]), default="cbcs", show_default=True, help="How samples are encrypted."
)
@click.option("--drm", type=SystemsType(), default="widevine,playready", show_default=True, help="DRM systems to signal.")
@click.option("--fairplay-uri", metavar="skd://...", help="FairPlay's address for each label: {kid}, {uuid}, {label}, {title}.")
@click.option("--playready-url", metavar="URL", help="Where PlayReady asks for licences.")
@click.option("--widevine-url", metavar="URL", help="Where Widevine asks for licences.")
@click.option(
    "--clear-lead",
    type=click.FloatRange(min=0),
    default=0,
    metavar="SECONDS",
    help="Leave the beginning unencrypted, in whole segments, so that playback starts before the licence comes.",
)
@click.option("--keys", type=FILE, metavar="SOURCE", help="Get the content keys there: the file of a key source, or CPIX.")
@click.option("--no-drm", is_flag=True, help="Leave the package in clear.")
@click.option("--no-watermark", is_flag=True, help="One variant only: half the work, and no leak can be traced.")
@click.option("--audio", type=SIDE_FILE, multiple=True, help="A further sound track with its language; may be repeated.")
@click.option("--subtitle", type=SIDE_FILE, multiple=True, help="A subtitle file with its language; may be repeated.")
@click.option("--to", metavar="DIR|s3://...", help="Where to publish.  [default: packages/TITLE in the state]")
@click.option("--detach", "detached", is_flag=True, help="Leave the work to a process in the background; see `job watch`.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and which steps are done already.")
@click.pass_obj
def command(call: Call, /, *, master: Path, dry_run: bool, detached: bool, **words: Any) -> None:
    """Make a protected, watermarked, fingerprinted package of a master.

    Every step's result is kept: the same release again starts no encoder, and one that was stopped goes on where it was.
    Nothing is published before every check holds.

    \b
    Example:
      mediaforge release film.mov --title atlas
      mediaforge release film.mov --title atlas --name أطلس --audio film-ar.wav:ar --subtitle film-fr.srt:fr
      mediaforge release film.mov --title atlas --drm fairplay --fairplay-uri skd://licence.example.ma/{kid}
      mediaforge release film.mov --title atlas --keys speke.toml
      mediaforge release film.mov --title atlas --scheme cenc --to s3://packages/atlas --detach
    """
    context = open_context(call.settings)
    request = _request(context, master, licences=_licences(call.settings, **{key: words.pop(key) for key in LICENCES}), **words)
    _look_at(request, context)
    release_id = write_request(context, request)
    if dry_run:
        plan_release(context, release_id)
        _answer_plan(call, context, load_plan(context, release_id))
    elif detached:
        state = call.settings.state
        with title_lock(state, request.title, release_id=release_id) as lock, open_session(call.settings, context) as session:
            start(session, release_id, title=request.title)
            detach(session, release_id, title_lock=lock)
        advice = f"{request.title} is being released; watch it with `mediaforge job watch {release_id}`"
        call.printer.answer({"title": request.title, "job": release_id}, lambda: print_lines(advice))
    else:
        began = time.monotonic()
        states = run_release(call, context, request.title, release_id)
        release = read_release(context, request.title)
        seconds = time.monotonic() - began
        say_findings(call, release)
        call.printer.answer(release_data(release, states, seconds=seconds), lambda: _print(release, seconds=seconds))


def _request(
    context: Context,
    master: Path,
    *,
    title: str,
    name: str | None,
    ladder: str,
    scheme: str,
    drm: tuple[System, ...],
    clear_lead: float,
    keys: Path | None,
    no_drm: bool,
    no_watermark: bool,
    audio: tuple[SideFile, ...],
    subtitle: tuple[SideFile, ...],
    to: str | None,
    licences: Licences,
) -> Request:
    if keys is not None:
        if no_drm:
            raise SettingsError("--keys brings keys and --no-drm leaves the package in clear; give one of both")
        load_key_source(keys)  # what makes no sense is said here, before it becomes a job
    chosen, network, reference = open_ladder(ladder)
    return Request(
        title=title,
        name=name or title,
        master=master.absolute(),
        ladder=chosen,
        network=network,
        reference=reference,
        scheme=Scheme.NONE if no_drm else Scheme(scheme),
        systems=() if no_drm else drm,
        watermark=not no_watermark,
        audio=tuple(SideFile(path=side.path.absolute(), language=side.language) for side in audio),
        subtitles=tuple(SideFile(path=side.path.absolute(), language=side.language) for side in subtitle),
        to=to if to and "://" in to else str(Path(to).absolute() if to else context.package_folder(title)),
        licences=licences,
        clear_lead=Fraction(clear_lead).limit_denominator(1000),
        keys=keys.absolute() if keys else None,
    )


def _licences(settings: Settings, *, fairplay_uri: str | None, playready_url: str | None, widevine_url: str | None) -> Licences:
    """What the command line says, else what the settings say. Raises SettingsError before any work is done."""
    said = settings.licences
    licences = Licences(
        fairplay=fairplay_uri or said.get("fairplay_uri") or USUAL_FAIRPLAY,
        playready=playready_url or said.get("playready_url", ""),
        widevine=widevine_url or said.get("widevine_url", ""),
    )
    check_licences(licences)
    return licences


def _look_at(request: Request, context: Context) -> None:
    """A file that is missing or is no film says so here, before it becomes a job. The plan looks closer."""
    probe(request.master, tools=context.tools)
    for side in request.audio:
        probe(side.path, tools=context.tools)


def _answer_plan(call: Call, context: Context, plan: Plan) -> None:
    done = {step.name: is_done(context, plan.release_id, step.name) for step in plan.steps}
    steps = [{"name": name, "state": "reused" if there else "waiting"} for name, there in done.items()]
    rows = [(name, "there already" if there else "to do") for name, there in done.items()]
    data = {"title": plan.request.title, "package": plan.request.to, "rungs": plan.rungs, "steps": steps}
    call.printer.answer(data, lambda: print_table(("step", "result"), rows, empty=""))


def release_data(release: Release, states: Mapping[str, str], *, seconds: float) -> dict[str, object]:
    return {
        "title": release.title,
        "name": release.name,
        "package": release.package,
        "manifests": release.manifests,
        "rungs": release.rungs,
        "sounds": release.sounds,
        "keys": release.keys,
        "watermark": release.watermark,
        "fingerprint": release.fingerprint,
        "checks": release.checks,
        "findings": release.findings,
        "steps": [
            {
                "name": step.name,
                "key": step.key,
                "state": states.get(step.name, "finished"),
                "seconds": step.seconds,
                "cpu_seconds": step.cpu_seconds,
            }
            for step in release.steps
        ],
        "seconds": round(seconds, 3),
    }


def _print(release: Release, *, seconds: float) -> None:
    print_lines(f"{release.name} is published at {release.package} ({clock(seconds)}, {len(release.checks)} checks held)")
    rungs = [
        (rung.name, f"{rung.width}x{rung.height}", rate(rung.bitrate_bps), _certificate(rung), _marks(rung))
        for rung in release.rungs
    ]
    print_table(("rung", "picture", "mean rate", "VMAF", "marked"), rungs, empty="")
    print_lines(*(f"sound {sound.language}: {sound.name}" for sound in release.sounds))
    print_lines(*(f"key {key.label}: {key.kid}" for key in release.keys))
    if release.watermark:
        mark = release.watermark
        print_lines(f"watermark: {mark.segments} segments of {mark.seconds_per_segment:.2f} s in two variants")
    print_lines(f"DASH: {release.manifests.dash}", f"HLS: {release.manifests.hls}")


def _marks(rung: RungName) -> str:
    """How its segments are marked, where not all are by divergence alone."""
    if rung.marks is None:
        return ""
    others = [(rung.marks.pattern, "by pattern"), (rung.marks.unmarked, "not")]
    return ", ".join([str(rung.marks.divergence), *(f"{count} {how}" for count, how in others if count)])


def _certificate(rung: RungName) -> str:
    return "" if rung.vmaf is None else f"{rung.vmaf:.1f} ({rung.vmaf_low:.1f} to {rung.vmaf_high:.1f})"
