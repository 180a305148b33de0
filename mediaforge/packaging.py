"""A plan's results as what goes into its package. Pure: files are named, none is opened."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mediaforge.ladder import FittedRung
from mediaforge.media import Grid, Variant
from mediaforge.package.plan import AudioInput, PackageRequest, TextInput, TrickInput, VideoInput
from mediaforge.package.record import TextForm
from mediaforge.plan import Plan, clear_segments
from mediaforge.transcode.encoder import rendition_name
from mediaforge.transcode.trick import TRICK_FILE, TrickRung

PASSED_NAME = "sound.mp4"
SUBTITLES_NAME = "subtitles.vtt"


def package_request(
    plan: Plan,
    *,
    joined: Path,
    sounds: Sequence[Path],
    passed: Sequence[Path],
    texts: Sequence[Path],
    unmarked: Mapping[str, tuple[int, ...]],
) -> PackageRequest:
    """From the folders of the steps' results, in the plan's order; `unmarked` segments by rung."""
    return PackageRequest(
        title=plan.request.title,
        grid=plan.grid,
        scheme=plan.request.scheme,
        systems=plan.request.systems,
        video=tuple(
            _video(rung, plan.grid, joined, plan.request.variants, unmarked.get(rung.rung.name, ())) for rung in plan.rungs
        ),
        audio=(*_encoded(plan, sounds), *_passed(plan, passed)),
        text=tuple(
            TextInput(language=text.language, path=folder / SUBTITLES_NAME, form=TextForm(form))
            for text, folder in zip(plan.texts, texts, strict=True)
            for form in plan.request.ladder.subtitles
        ),
        licences=plan.request.licences,
        clear_segments=clear_segments(plan.request, plan.grid),
        trick=_trick(plan.trick, joined) if plan.trick else None,
    )


def _video(
    fitted: FittedRung, grid: Grid, folder: Path, variants: tuple[Variant, ...], unmarked: tuple[int, ...]
) -> VideoInput:
    rung = fitted.rung
    return VideoInput(
        rung=rung.name,
        label=fitted.label,
        step=fitted.step,
        width=fitted.width,
        height=fitted.height,
        bitrate_bps=rung.bitrate_bps,
        max_bitrate_bps=_segment_most_bps(fitted, grid),
        a=folder / rendition_name(rung.name, Variant.A),
        b=folder / rendition_name(rung.name, Variant.B) if Variant.B in variants else None,
        unmarked=unmarked,
    )


def _encoded(plan: Plan, folders: Sequence[Path]) -> Iterator[AudioInput]:
    for sound, folder in zip(plan.sounds, folders, strict=True):
        for rung in plan.request.ladder.audio:
            path = folder / f"{rung.name}.mp4"
            yield AudioInput(name=rung.name, language=sound.language, codec=rung.codec, path=path)


def _passed(plan: Plan, folders: Sequence[Path]) -> Iterator[AudioInput]:
    for sound, folder in zip(plan.passed, folders, strict=True):
        codec = sound.passed_codec or ""
        yield AudioInput(name=codec, language=sound.language, codec=codec, path=folder / PASSED_NAME)


def _trick(trick: TrickRung, folder: Path) -> TrickInput:
    return TrickInput(label=trick.label, width=trick.width, height=trick.height, path=folder / TRICK_FILE)


def _segment_most_bps(fitted: FittedRung, grid: Grid) -> int:
    """The most a segment may take: what was planned for it, or what the encoder's buffer lets through, full at its start."""
    rung = fitted.rung
    return rung.max_bitrate_bps + (0 if fitted.crfs else round(rung.buffer_bits / grid.segment_seconds))
