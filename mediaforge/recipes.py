"""How each step of a release is made: what goes into its key, and the room that does the work."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mediaforge.checks import failures
from mediaforge.context import SOUND_FOLDER, Context
from mediaforge.detect.index import Index
from mediaforge.detect.pointfile import PointFiles
from mediaforge.detect.segments import NO_TABLES
from mediaforge.detect.sound import sound_fingerprint
from mediaforge.detect.sound_index import SoundIndex
from mediaforge.detect.sound_spectrum import RATE
from mediaforge.detect.video import MAX_SIDE, SAMPLE_FPS, fingerprint
from mediaforge.errors import CheckError, QueueError
from mediaforge.frames import Piece, join, read_audio, read_frames
from mediaforge.marking import MARKS_NAME, encode_marked
from mediaforge.media import Variant
from mediaforge.package.assembly import package
from mediaforge.package.keys import LABELS, ContentKey
from mediaforge.package.record import Scheme
from mediaforge.package.verify import verify_package
from mediaforge.packaging import PASSED_NAME, SUBTITLES_NAME, package_request
from mediaforge.plan import Plan
from mediaforge.record import from_json, to_facts, to_json
from mediaforge.steps import Result, Step
from mediaforge.tools import build_id
from mediaforge.transcode.certify import Quality, certify
from mediaforge.transcode.chunks import plan_chunks
from mediaforge.transcode.codecs.h264 import AQ_STRENGTH
from mediaforge.transcode.encoder import EncodeRequest, encode, rendition_name
from mediaforge.transcode.passthrough import PassRequest, pass_sound
from mediaforge.transcode.qc.control import Verdict, control
from mediaforge.transcode.qc.finding import USUAL
from mediaforge.transcode.quality import MODELS
from mediaforge.transcode.segments import chunk_segments
from mediaforge.transcode.sound import SoundRequest, encode_sound
from mediaforge.transcode.subtitles import convert_subtitles
from mediaforge.transcode.trick import TRICK_FILE
from mediaforge.watermark.modes import RungMarks, joined
from mediaforge.watermark.pattern import pattern_key
from mediaforge.watermark.variants import encoder_options

Progress = Callable[[float], None]

CHECKS_NAME = "checks.json"
QUALITIES_NAME = "qualities.json"
VERDICT_NAME = "verdict.json"
_FINGERPRINT_HEIGHT = 360  # the smallest rendition as high as this is fingerprinted: no further decode of the master


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    step: Step
    work: Callable[[Path, Progress], None]


def recipe(context: Context, plan: Plan, name: str) -> Recipe:
    """The recipe of a planned step. Raises QueueError where a step it builds on has no result yet."""
    kind, _, number = name.partition("-")
    if kind == "chunk":
        return _chunk(context, plan, int(number))
    if kind == "sound":
        return _sound(context, plan, int(number))
    if kind == "passed":
        return _passed(context, plan, int(number))
    if kind == "text":
        return _text(context, plan, int(number))
    made_of_all = {
        "qc": _qc,
        "join": _join,
        "fingerprint": _fingerprint,
        "certify": _certify,
        "package": _package,
        "verify": _verify,
    }
    return made_of_all[kind](context, plan)


def result_of(context: Context, plan: Plan, name: str) -> Result:
    """The result of a step that has run."""
    found = context.steps.lookup(recipe(context, plan, name).step.key)
    if found is None:
        raise QueueError(f"{plan.release_id}: step {name} has no result yet; run the release again")
    return found


def qualities_of(context: Context, plan: Plan) -> tuple[Quality, ...]:
    """The certified quality of each rung, in the plan's order, once that step has run."""
    path = result_of(context, plan, "certify").folder / QUALITIES_NAME
    return from_json(tuple[Quality, ...], path.read_bytes(), source=path)


def marks_of(context: Context, plan: Plan) -> tuple[RungMarks, ...]:
    """How each rung is marked, in the plan's order, once it is joined; none without a watermark, or before it was measured."""
    return _marks_in(result_of(context, plan, "join").folder)


def verdict_of(context: Context, plan: Plan) -> Verdict:
    """What is wrong with the master, once that step has run."""
    path = result_of(context, plan, "qc").folder / VERDICT_NAME
    return from_json(Verdict, path.read_bytes(), source=path)


def _marks_in(folder: Path) -> tuple[RungMarks, ...]:
    path = folder / MARKS_NAME
    return from_json(tuple[RungMarks, ...], path.read_bytes(), source=path) if path.is_file() else ()


def content_keys(context: Context, plan: Plan) -> tuple[ContentKey, ...]:
    """The keys of a title: one for all sound, one a size of picture (SD, HD ...) that it has; none for a clear package."""
    if plan.request.scheme is Scheme.NONE:
        return ()
    sound = ("AUDIO",) if plan.sounds else ()
    shown = {rung.label for rung in (*plan.rungs, *((plan.trick,) if plan.trick else ()))}
    picture = tuple(label for label in LABELS if label in shown)
    return context.keys.content_keys(plan.request.title, sound + picture)


def _chunk(context: Context, plan: Plan, number: int) -> Recipe:
    secret = context.watermark_secret(plan.request.title)
    variants = plan.request.variants
    differing = {
        variant: encoder_options(variant, secret, number, aq_strength=AQ_STRENGTH) if len(variants) > 1 else {}
        for variant in variants
    }
    request = EncodeRequest(
        master=plan.master,
        grid=plan.grid,
        chunk=plan_chunks(plan.grid)[number],
        rungs=plan.rungs,
        differing=differing,
        trick=plan.trick,
    )
    key = pattern_key(secret)
    params = {
        "grid": plan.grid,
        "chunk": request.chunk,
        "rungs": plan.rungs,
        "differing": differing,
        "pattern": hashlib.sha256(key).hexdigest() if len(variants) > 1 else "",
        "video": plan.master.video,
        **({"trick": plan.trick} if plan.trick else {}),
    }
    step = Step(
        name="chunk",
        version=5,
        inputs=(plan.master_digest,),
        params=to_facts(params),
        tools=(build_id(context.tools.ffmpeg),),
    )

    def work(to: Path, progress: Progress) -> None:
        if len(variants) > 1:
            encode_marked(request, to, key=key, tools=context.tools, on_progress=progress)
        else:
            encode(request, to, tools=context.tools, on_progress=progress)

    return Recipe(step=step, work=work)


def _sound(context: Context, plan: Plan, number: int) -> Recipe:
    sound = plan.sounds[number]
    request = SoundRequest(
        path=sound.path,
        track=sound.track,
        offset=sound.offset,
        duration=plan.grid.duration,
        rungs=plan.request.ladder.audio,
    )
    params = {"track": sound.track, "offset": sound.offset, "duration": request.duration, "rungs": request.rungs}
    step = Step(
        name="sound", version=1, inputs=(sound.digest,), params=to_facts(params), tools=(build_id(context.tools.ffmpeg),)
    )
    return Recipe(step=step, work=lambda to, progress: encode_sound(request, to, tools=context.tools, on_progress=progress))


def _passed(context: Context, plan: Plan, number: int) -> Recipe:
    sound = plan.passed[number]
    request = PassRequest(path=sound.path, track=sound.track, offset=sound.offset, duration=plan.grid.duration)
    params = {"track": sound.track, "offset": sound.offset, "duration": request.duration}
    step = Step(
        name="passed", version=1, inputs=(sound.digest,), params=to_facts(params), tools=(build_id(context.tools.ffmpeg),)
    )
    return Recipe(
        step=step, work=lambda to, progress: pass_sound(request, to / PASSED_NAME, tools=context.tools, on_progress=progress)
    )


def _text(context: Context, plan: Plan, number: int) -> Recipe:
    text = plan.texts[number]
    step = Step(
        name="text",
        version=1,
        inputs=(text.digest,),
        params=to_facts({"duration": plan.grid.duration}),
        tools=(build_id(context.tools.ffmpeg),),
    )

    def work(to: Path, progress: Progress) -> None:
        convert_subtitles(text.path, to / SUBTITLES_NAME, duration=plan.grid.duration, tools=context.tools)

    return Recipe(step=step, work=work)


def _qc(context: Context, plan: Plan) -> Recipe:
    """What it finds never fails the step: an operator may have reasons to publish it all the same."""
    params = {"video": plan.master.video, "audio": plan.master.audio[:1], "limits": USUAL}
    build = build_id(context.tools.ffmpeg)
    step = Step(name="qc", version=1, inputs=(plan.master_digest,), params=to_facts(params), tools=(build,))

    def work(to: Path, progress: Progress) -> None:
        (to / VERDICT_NAME).write_bytes(to_json(control(plan.master, tools=context.tools, on_progress=progress)))

    return Recipe(step=step, work=work)


def _join(context: Context, plan: Plan) -> Recipe:
    chunks = plan_chunks(plan.grid)
    parts = [result_of(context, plan, f"chunk-{chunk.index:04}") for chunk in chunks]
    counts = {
        rendition_name(rung.rung.name, variant): [chunk.frames // rung.step for chunk in chunks]
        for rung in plan.rungs
        for variant in plan.request.variants
    }
    if plan.trick:
        counts[TRICK_FILE] = [len(chunk_segments(chunk, plan.grid)) for chunk in chunks]

    def work(to: Path, progress: Progress) -> None:
        for number, (name, frames) in enumerate(counts.items(), start=1):
            paths = [part.folder / name for part in parts]
            join([Piece(path=path, first_frame=0, frames=count) for path, count in zip(paths, frames, strict=True)], to / name)
            progress(number / len(counts))
        marks = [_marks_in(part.folder) for part in parts]
        if any(marks):
            (to / MARKS_NAME).write_bytes(to_json(joined(marks)))

    step = Step(name="join", version=2, inputs=tuple(part.digest for part in parts), params={"names": list(counts)})
    return Recipe(step=step, work=work)


def _fingerprint(context: Context, plan: Plan) -> Recipe:
    joined = result_of(context, plan, "join")
    tall = next((rung for rung in plan.rungs if min(rung.width, rung.height) >= _FINGERPRINT_HEIGHT), plan.rungs[-1])
    name = rendition_name(tall.rung.name, Variant.A)
    sounds = [result_of(context, plan, f"sound-{number}") for number in range(len(plan.sounds))]
    audio_rung = plan.request.ladder.audio[0].name if sounds else ""

    def work(to: Path, progress: Progress) -> None:
        pictures = read_frames(joined.folder / name, fps=SAMPLE_FPS, max_side=MAX_SIDE, quick=True)
        seen = fingerprint(pictures)
        PointFiles(to).add(plan.request.title, seen.features)
        Index(to, tables_from=NO_TABLES).add(plan.request.title, seen)
        progress(0.9)
        tracks = [sound_fingerprint(read_audio(sound.folder / f"{audio_rung}.mp4", rate=RATE)) for sound in sounds]
        SoundIndex(to / SOUND_FOLDER).add(plan.request.title, tracks)

    params = {"title": plan.request.title, "rendition": name, "sound": audio_rung}
    inputs = (joined.digest, *(sound.digest for sound in sounds))
    return Recipe(step=Step(name="fingerprint", version=4, inputs=inputs, params=params), work=work)


def _certify(context: Context, plan: Plan) -> Recipe:
    joined = result_of(context, plan, "join")
    screen = plan.request.ladder.screen
    # Variant A stands for both: they differ in one setting of the encoder that nobody can see (watermark/variants.py).
    names = [rendition_name(fitted.rung.name, Variant.A) for fitted in plan.rungs]

    def work(to: Path, progress: Progress) -> None:
        renditions = [joined.folder / name for name in names]
        qualities = certify(renditions, plan.master, grid=plan.grid, screen=screen, tools=context.tools, on_progress=progress)
        (to / QUALITIES_NAME).write_bytes(to_json(qualities))

    step = Step(
        name="certify",
        version=2,
        inputs=(plan.master_digest, joined.digest),
        params=to_facts({"names": names, "grid": plan.grid, "video": plan.master.video, "model": MODELS[screen]}),
        tools=(build_id(context.tools.ffmpeg),),
    )
    return Recipe(step=step, work=work)


def _package(context: Context, plan: Plan) -> Recipe:
    joined = result_of(context, plan, "join")
    sounds = [result_of(context, plan, f"sound-{number}") for number in range(len(plan.sounds))]
    passed = [result_of(context, plan, f"passed-{number}") for number in range(len(plan.passed))]
    texts = [result_of(context, plan, f"text-{number}") for number in range(len(plan.texts))]
    keys = content_keys(context, plan)
    request = package_request(
        plan,
        joined=joined.folder,
        sounds=[result.folder for result in sounds],
        passed=[result.folder for result in passed],
        texts=[result.folder for result in texts],
        unmarked={row.rung: row.unmarked for row in marks_of(context, plan)},
    )
    inputs = tuple(result.digest for result in (joined, *sounds, *passed, *texts))
    params = {
        "title": request.title,
        "scheme": request.scheme,
        "systems": request.systems,
        "licences": request.licences,
        "clear_segments": request.clear_segments,
        "kids": [key.kid.hex() for key in keys],
        "rungs": plan.rungs,
        "languages": [*(sound.language for sound in plan.sounds), *(text.language for text in plan.texts)],
        "grid": plan.grid,
        "subtitles": plan.request.ladder.subtitles,
        **({"trick": plan.trick} if plan.trick else {}),
        **({"passed": [(sound.language, sound.passed_codec) for sound in plan.passed]} if plan.passed else {}),
    }
    step = Step(name="package", version=6, inputs=inputs, params=to_facts(params), tools=(build_id(context.tools.packager),))

    def work(to: Path, progress: Progress) -> None:
        made = package(request, keys, to, tools=context.tools, on_progress=progress)
        context.keys.spend_ivs(made.iv_uses)

    return Recipe(step=step, work=work)


def verify_recipe(packaged: Result, keys: tuple[ContentKey, ...], *, title: str) -> Recipe:
    """Hold a package against all that must be true of it, opened with its keys."""
    by_kid = {key.kid: key.key for key in keys}

    def work(to: Path, progress: Progress) -> None:
        checks = verify_package(packaged.folder, keys=by_kid, on_progress=progress)
        broken = failures(checks)
        if broken:
            raise CheckError(f"the package of {title} must not be published: {broken[0].message}")
        (to / CHECKS_NAME).write_bytes(to_json(checks))

    return Recipe(step=Step(name="verify", version=1, inputs=(packaged.digest,), params={}), work=work)


def _verify(context: Context, plan: Plan) -> Recipe:
    return verify_recipe(result_of(context, plan, "package"), content_keys(context, plan), title=plan.request.title)
