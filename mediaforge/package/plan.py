"""What becomes a package: the values a caller fills in, and what they say of the package before it is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mediaforge.errors import MediaError, SettingsError
from mediaforge.media import Grid, Variant
from mediaforge.package.layout import audio_folder, text_folder
from mediaforge.package.licences import USUAL, Licences, check_licences
from mediaforge.package.record import (
    AUDIO_LABEL,
    AudioRecord,
    PackageRecord,
    RungRecord,
    Scheme,
    System,
    TextForm,
    TextRecord,
    TrickRecord,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoInput:
    """One rung's clear renditions (MP4, closed GOPs on the grid). `b` is None for a title without a watermark.

    `step` 2: they show every second frame of the grid. `unmarked`: the segments (from 0) of which both variants are one encode.
    """

    rung: str
    label: str
    width: int
    height: int
    bitrate_bps: int
    max_bitrate_bps: int
    a: Path
    b: Path | None = None
    step: int = 1
    unmarked: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrickInput:
    """The clear pictures for trick play (MP4): the first of each segment, which lasts as long as that."""

    label: str
    width: int
    height: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioInput:
    """One sound rendition. `name` tells apart those of one language (opus24, aac64) and becomes the HLS group."""

    name: str
    language: str
    codec: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class TextInput:
    """Subtitles as WebVTT, and what they become; or as segments in the folder `made`, which are taken as they are (`path` then
    says nothing)."""

    language: str
    path: Path
    made: Path | None = None
    form: TextForm = TextForm.WVTT

    @property
    def folder(self) -> str:
        return text_folder(self.language, self.form)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageRequest:
    """What becomes one package. The first sound's language is the one players begin with.

    `clear_segments`: how many segments of every stream come in clear before the encrypted ones (the clear lead).
    """

    title: str
    grid: Grid
    scheme: Scheme
    systems: tuple[System, ...]
    video: tuple[VideoInput, ...]
    audio: tuple[AudioInput, ...] = ()
    text: tuple[TextInput, ...] = ()
    licences: Licences = USUAL
    clear_segments: int = 0
    trick: TrickInput | None = None

    @property
    def variants(self) -> tuple[Variant, ...]:
        return (Variant.A, Variant.B) if all(row.b for row in self.video) else (Variant.A,)

    @property
    def labels(self) -> tuple[str, ...]:
        """The keys that the package needs; none in clear."""
        if self.scheme is Scheme.NONE:
            return ()
        pictures = (*self.video, *((self.trick,) if self.trick else ()))
        return ((AUDIO_LABEL,) if self.audio else ()) + tuple(dict.fromkeys(row.label for row in pictures))


def check_request(request: PackageRequest) -> None:
    """Refuse what cannot become a package that plays. Raises SettingsError or MediaError."""
    if request.scheme is Scheme.CENC and System.FAIRPLAY in request.systems:
        raise SettingsError("FairPlay plays cbcs only: use `--scheme cbcs`, or leave fairplay out of `--drm`")
    check_licences(request.licences)
    if not 0 <= request.clear_segments < request.grid.segments:
        what = f"a clear lead of {request.clear_segments} segments leaves nothing of {request.title} to encrypt"
        raise SettingsError(f"{what}; it has {request.grid.segments} in all")
    if not request.video:
        raise SettingsError(f"title {request.title} has no rung to package; give a ladder with a rung that fits")
    halves = [row for row in request.video if row.b is None]
    if halves and len(halves) != len(request.video):
        raise MediaError(halves[0].a, "has no variant B while other rungs do; encode all rungs in both variants")
    for rows, kind in ((request.audio, "sound"), (request.text, "subtitles")):
        folders = [_folder(row) for row in rows]
        twice = next((row for row in rows if folders.count(_folder(row)) > 1), None)
        if twice is not None:
            raise MediaError(twice.path, f"is a second {kind} in {twice.language!r}; give each language once")


def plan_record(request: PackageRequest, digests: Mapping[str, str]) -> PackageRecord:
    """What the package will say of itself; `digests` by folder."""
    trick = request.trick
    return PackageRecord(
        title=request.title,
        scheme=request.scheme,
        systems=request.systems if request.labels else (),
        grid=request.grid,
        rungs=tuple(
            RungRecord(
                name=row.rung,
                width=row.width,
                height=row.height,
                bitrate_bps=row.bitrate_bps,
                max_bitrate_bps=row.max_bitrate_bps,
                label=row.label,
                step=row.step,
                unmarked=row.unmarked,
            )
            for row in request.video
        ),
        audio=tuple(AudioRecord(name=row.name, language=row.language, codec=row.codec) for row in request.audio),
        text=tuple(TextRecord(language=row.language, form=row.form) for row in request.text),
        variants=request.variants,
        digests=digests,
        licences=request.licences,
        clear_segments=request.clear_segments if request.labels else 0,
        trick=TrickRecord(width=trick.width, height=trick.height, label=trick.label) if trick else None,
    )


def _folder(row: AudioInput | TextInput) -> str:
    return audio_folder(row.language, row.name) if isinstance(row, AudioInput) else row.folder
