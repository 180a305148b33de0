"""What a release will do, decided before anything is encoded: from a request and a probed master to named steps."""

import hashlib
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from mediaforge.context import Context
from mediaforge.errors import LadderError, MediaError, SettingsError, StoreError, UnknownId
from mediaforge.ladder import FittedRung, Ladder, fit_rungs
from mediaforge.media import Grid, Master, SideFile, Variant
from mediaforge.package.licences import USUAL, Licences
from mediaforge.package.record import Scheme, System
from mediaforge.record import from_json, to_json
from mediaforge.soundtracks import Sound, find_sounds, sounds_to_encode, sounds_to_pass
from mediaforge.steps import digest_file, write_whole
from mediaforge.studies import title_ladder
from mediaforge.titlekeys import obtain_keys, possible_labels
from mediaforge.transcode.chunks import plan_chunks, plan_grid
from mediaforge.transcode.grain import with_grain
from mediaforge.transcode.network import Network
from mediaforge.transcode.probe import probe, read_timeline
from mediaforge.transcode.trick import TrickRung, fit_trick

# Chunks, joined renditions, the package and its published copy lie on the disk side by side.
_COPIES = 4
_BITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asked for. The ladder is here as a value: a file changed later does not change this release.

    `network` and `reference` are those that a ladder with a policy names. `clear_lead`: seconds at the beginning that are not
    encrypted, rounded up to whole segments. `keys`: the file of a key source (docs/keys.md); None leaves them to the store.
    """

    title: str
    name: str
    master: Path
    ladder: Ladder
    network: Network | None = None
    reference: Ladder | None = None
    scheme: Scheme
    systems: tuple[System, ...]
    watermark: bool
    audio: tuple[SideFile, ...]
    subtitles: tuple[SideFile, ...]
    to: str
    licences: Licences = USUAL
    clear_lead: Fraction = Fraction(0)
    keys: Path | None = None

    @property
    def variants(self) -> tuple[Variant, ...]:
        return (Variant.A, Variant.B) if self.watermark else (Variant.A,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    language: str
    path: Path
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    name: str
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that is decided about a release. `steps` stand in an order in which they can run."""

    release_id: str
    request: Request
    master: Master
    master_digest: str
    grid: Grid
    rungs: tuple[FittedRung, ...]
    sounds: tuple[Sound, ...]
    texts: tuple[Text, ...]
    steps: tuple[PlannedStep, ...]
    trick: TrickRung | None = None  # releases of before trick play have none
    passed: tuple[Sound, ...] = ()


def clear_segments(request: Request, grid: Grid) -> int:
    """The clear lead in segments. Raises SettingsError where nothing would be left to encrypt."""
    if request.scheme is Scheme.NONE:
        return 0
    segments = math.ceil(request.clear_lead / grid.segment_seconds)
    if segments >= grid.segments:
        what = f"a clear lead of {float(request.clear_lead):g} s leaves nothing of {request.title} to encrypt"
        raise SettingsError(f"{what}, which lasts {float(grid.duration):.2f} s; give a shorter --clear-lead")
    return segments


def write_request(context: Context, request: Request) -> str:
    """Keep a request and name its release: the same request has the same id, so a rerun goes on where the last one ended."""
    text = to_json(request)
    release_id = f"{request.title}-{hashlib.sha256(text).hexdigest()[:10]}"
    write_whole(context.release_folder(release_id) / "request.json", text)
    return release_id


def read_request(context: Context, release_id: str) -> Request:
    path = context.release_folder(release_id) / "request.json"
    if not path.is_file():
        raise UnknownId("release", release_id, "`job list` shows those that are there")
    return from_json(Request, path.read_bytes(), source=path)


def plan_release(context: Context, release_id: str, on_progress: Callable[[float], None] = lambda _: None) -> None:
    """Probe the master, get its keys where a source is named, study it where rungs are to be chosen, write the plan.

    Raises MediaError, LadderError, StoreError, and what a key source raises: before anything is encoded.
    """
    plan = make_plan(read_request(context, release_id), context, release_id=release_id, on_progress=on_progress)
    _check_space(context.state, plan)
    write_whole(context.release_folder(release_id) / "plan.json", to_json(plan))


def load_plan(context: Context, release_id: str) -> Plan:
    path = context.release_folder(release_id) / "plan.json"
    if not path.is_file():
        raise UnknownId("plan of release", release_id, "run the release again")
    return from_json(Plan, path.read_bytes(), source=path)


def make_plan(request: Request, context: Context, *, release_id: str, on_progress: Callable[[float], None]) -> Plan:
    """The plan of a request; reads the master and the side files, and keeps nothing but a title's study and its keys."""
    tools = context.tools
    master = probe(request.master, tools=tools)
    timeline = read_timeline(master, tools=tools)
    video = master.video
    assert video is not None  # read_timeline has refused it else
    grid = plan_grid(fps=video.fps, seconds=timeline.last - timeline.first + 1 / video.fps)
    clear_segments(request, grid)  # refused here rather than after the encodes
    digest = digest_file(master.path)
    found = find_sounds(master, request.audio, digest=digest, tools=tools)
    sounds = sounds_to_encode(found, request.ladder.passthrough)
    passed = sounds_to_pass(found, request.ladder.passthrough)
    texts = tuple(_text(side) for side in request.subtitles)
    if request.keys is not None:
        width, height = video.display_size
        labels = possible_labels(request.ladder, width=width, height=height, has_sound=bool(sounds))
        obtain_keys(context, request.title, labels, source=request.keys, scheme=request.scheme)
    return Plan(
        release_id=release_id,
        request=request,
        master=master,
        master_digest=digest,
        grid=grid,
        rungs=_rungs(request, context, master, digest=digest, grid=grid, on_progress=on_progress),
        sounds=sounds,
        texts=texts,
        steps=_steps(chunks=len(plan_chunks(grid)), sounds=len(sounds), passed=len(passed), texts=len(texts)),
        trick=fit_trick(*video.display_size) if request.ladder.trick_play else None,
        passed=passed,
    )


def _rungs(
    request: Request, context: Context, master: Master, *, digest: str, grid: Grid, on_progress: Callable[[float], None]
) -> tuple[FittedRung, ...]:
    """The ladder's rungs as they fit the picture, or those that its policy chooses for this title."""
    assert master.video is not None
    if request.ladder.policy is None:
        return fit_rungs(request.ladder, *master.video.display_size)
    if request.network is None:
        raise LadderError(request.ladder.name, "plans rungs but no network came with it; run the release again")
    ladders = request.ladder.by_codec
    rungs: list[FittedRung] = []
    for number, ladder in enumerate(ladders):
        chosen = title_ladder(
            context,
            master,
            ladder,
            digest=digest,
            grid=grid,
            network=request.network,
            reference=request.reference,
            on_progress=_part(on_progress, number, len(ladders)),
        )
        rungs += with_grain(chosen.rungs, master, grid)
    return tuple(rungs)


def _part(on_progress: Callable[[float], None], number: int, of: int) -> Callable[[float], None]:
    return lambda share: on_progress((number + share) / of)


def _text(side: SideFile) -> Text:
    if not side.path.is_file():
        raise MediaError(side.path, "is not there; check the path given with --subtitle")
    return Text(language=side.language, path=side.path.absolute(), digest=digest_file(side.path))


def _steps(*, chunks: int, sounds: int, passed: int, texts: int) -> tuple[PlannedStep, ...]:
    chunk_names = tuple(f"chunk-{index:04}" for index in range(chunks))
    side_counts = {"sound": sounds, "passed": passed, "text": texts}
    side_names = tuple(f"{kind}-{index}" for kind, count in side_counts.items() for index in range(count))
    return (
        # Looking at the master comes when all chunks are taken: on a machine with one worker it keeps none of them waiting.
        *(PlannedStep(name=name, needs=()) for name in (*chunk_names, *side_names, "qc")),
        PlannedStep(name="join", needs=chunk_names),
        PlannedStep(name="fingerprint", needs=("join", *(name for name in side_names if name.startswith("sound-")))),
        PlannedStep(name="certify", needs=("join",)),
        PlannedStep(name="package", needs=("join", *side_names)),
        PlannedStep(name="verify", needs=("package",)),
        PlannedStep(name="publish", needs=("verify", "fingerprint", "certify", "qc")),
    )


def _check_space(state: Path, plan: Plan) -> None:
    bits_per_second = sum(rung.rung.bitrate_bps for rung in plan.rungs) * len(plan.request.variants)
    needed = int(plan.grid.duration * bits_per_second / _BITS) * _COPIES
    free = shutil.disk_usage(state).free
    if free < needed:
        what = f"has {free / 1e6:,.1f} MB free, this release needs about {needed / 1e6:,.1f}; free space or use another --state"
        raise StoreError(state, what)
