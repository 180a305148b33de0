"""A recipient's own copy, stitched from the two variants of every segment; nothing is encoded again."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from mediaforge.catalogue import Catalogue, CopyKind
from mediaforge.context import Context
from mediaforge.errors import MediaError, StoreError, UnknownId
from mediaforge.frames import Piece, stitch
from mediaforge.media import Grid, Variant
from mediaforge.package.layout import segment_name, video_folder
from mediaforge.package.record import PackageRecord, load_record, save_record
from mediaforge.package.stream import read_stream
from mediaforge.plan import Plan, load_plan
from mediaforge.recipes import marks_of, result_of
from mediaforge.release import packaged_folder, read_release
from mediaforge.store import publish
from mediaforge.transcode.encoder import rendition_name
from mediaforge.transcode.visible import write_name
from mediaforge.watermark.sequence import as_text, code


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What was made for whom. `segments` counts those that are marked, in a package on any rung."""

    title: str
    recipient: str
    path: Path
    segments: int


def sequence(context: Context, title: str, recipient: str) -> str:
    """The variant of every segment of a title for a recipient, as "ABBA...". Raises UnknownId, MediaError."""
    plan = _marked_plan(context, title)
    with Catalogue(context.catalogue_file) as catalogue:
        number = catalogue.recipient(recipient).number
    return as_text(code(context.watermark_secret(title), number, plan.grid.segments))


def personalise_file(
    context: Context,
    title: str,
    recipient: str,
    *,
    folder: Path,
    rung: str | None = None,
    visible: bool = False,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Copy:
    """One clear MP4 for a recipient: the best rung (or the one named) and the best sound of the first language.

    `visible` writes the recipient's name over the picture, which encodes it again; `on_progress` tells how far that is.
    """
    plan = _marked_plan(context, title)
    letters = sequence(context, title, recipient)
    name = rung or plan.rungs[-1].rung.name
    if name not in {fitted.rung.name for fitted in plan.rungs}:
        known = ", ".join(fitted.rung.name for fitted in plan.rungs)
        raise UnknownId("rung", name, f"{title} has {known}")
    joined = result_of(context, plan, "join").folder
    step = next(fitted.step for fitted in plan.rungs if fitted.rung.name == name)
    pieces = tuple(_pieces(plan.grid.every(step), letters, joined, name))
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{title}-{recipient}.mp4"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".mediaforge-") as draft:
        made = Path(draft) / target.name
        stitch(pieces, made, audio=_best_sound(context, plan), title=plan.request.name)
        if visible:
            plain = made.rename(made.with_suffix(".plain.mp4"))
            with Catalogue(context.catalogue_file) as catalogue:
                shown = catalogue.recipient(recipient).name
            write_name(plain, made, shown, grid=plan.grid.every(step), tools=context.tools, on_progress=on_progress)
        made.replace(target)
    marked = plan.grid.segments - len(_unmarked(context, plan).get(name, ()))
    return _recorded(context, Copy(title=title, recipient=recipient, path=target, segments=marked), kind="file")


def personalise_package(
    context: Context, title: str, recipient: str, *, folder: Path, on_progress: Callable[[float], None]
) -> Copy:
    """A whole package for a recipient: the same manifests, keys and init segments, each segment the chosen variant."""
    plan = _marked_plan(context, title)
    letters = sequence(context, title, recipient)
    packaged = packaged_folder(context, read_release(context, title))
    target = folder / f"{title}-{recipient}"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".mediaforge-") as draft:
        made = Path(draft) / "package"
        try:
            shutil.copytree(packaged, made, ignore=lambda path, _: [Variant.B.value] if Path(path) == packaged else [])
            for fitted in plan.rungs:
                for number, letter in enumerate(letters, start=1):
                    if letter == "B":
                        segment = segment_name(number)
                        marked = packaged / video_folder(fitted.rung.name, Variant.B) / segment
                        shutil.copyfile(marked, made / video_folder(fitted.rung.name) / segment)
        except OSError as error:
            raise StoreError(folder, f"cannot be written ({error.strerror}); free space or choose another --to") from error
        save_record(_single_variant(made), made)
        publish(made, str(target), last=(), on_progress=lambda done, total: on_progress(done / max(1, total)))
    silent = _unmarked(context, plan)
    nowhere = set.intersection(*(silent.get(fitted.rung.name, set()) for fitted in plan.rungs))
    count = plan.grid.segments - len(nowhere)
    return _recorded(context, Copy(title=title, recipient=recipient, path=target, segments=count), kind="package")


def _marked_plan(context: Context, title: str) -> Plan:
    release = read_release(context, title)
    if release.watermark is None:
        raise MediaError(release.package, "was released with --no-watermark, so all copies are alike; release it again without")
    return load_plan(context, release.release_id)


def _unmarked(context: Context, plan: Plan) -> dict[str, set[int]]:
    """By rung, the segments that say nothing."""
    return {row.rung: set(row.unmarked) for row in marks_of(context, plan)}


def _pieces(grid: Grid, letters: str, folder: Path, rung: str) -> list[Piece]:
    """Runs of segments of one variant, so that a long film needs few pieces; `grid` is the rung's own."""
    pieces = []
    first = 0
    for letter, run in groupby(letters):
        last = first + len(list(run))
        frames = min(last * grid.gop_frames, grid.frames) - first * grid.gop_frames
        path = folder / rendition_name(rung, Variant.A if letter == "A" else Variant.B)
        pieces.append(Piece(path=path, first_frame=first * grid.gop_frames, frames=frames))
        first = last
    return pieces


def _best_sound(context: Context, plan: Plan) -> Path | None:
    """AAC plays everywhere, so a file gets the best AAC rung; Opus only where a ladder has nothing else."""
    if not plan.sounds:
        return None
    best = max(plan.request.ladder.audio, key=lambda rung: (rung.codec == "aac", rung.bitrate_bps))
    return result_of(context, plan, "sound-0").folder / f"{best.name}.mp4"


def _single_variant(package: Path) -> PackageRecord:
    """The record of a package whose segments were exchanged: one variant to the eye, new digests of the picture."""
    record = load_record(package)
    folders = [video_folder(rung.name) for rung in record.rungs]
    marked = {folder: read_stream(package, folder, init_folder=folder).digest for folder in folders}
    kept = {folder: digest for folder, digest in record.digests.items() if not folder.startswith(f"{Variant.B.value}/")}
    rungs = tuple(replace(rung, unmarked=()) for rung in record.rungs)  # a recipient need not know where the mark is not
    return replace(record, rungs=rungs, variants=(Variant.A,), digests={**kept, **marked})


def _recorded(context: Context, copy: Copy, *, kind: CopyKind) -> Copy:
    with Catalogue(context.catalogue_file) as catalogue:
        catalogue.record_copy(copy.title, copy.recipient, kind=kind, path=copy.path.absolute())
    return copy
