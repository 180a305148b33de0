"""From a request to packager runs. Pure: which stream gets which folder, key, IV and name.

Run A makes variant A, the pictures for trick play, the sound, the subtitles and the manifests. Run B makes variant B's picture
under the same keys; its init segments must come out as those of A, so they are compared and dropped.
"""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from mediaforge.errors import SettingsError
from mediaforge.media import Variant
from mediaforge.package.keys import ContentKey, stream_iv
from mediaforge.package.languages import known_language, language_name
from mediaforge.package.layout import TEXT_GROUPS, TRICK_FOLDER, audio_folder, video_folder
from mediaforge.package.plan import AudioInput, PackageRequest, TextInput, VideoInput, check_request
from mediaforge.package.pyshaka import PackagerKey, PackagerRun, PackagerStream
from mediaforge.package.record import AUDIO_LABEL, Scheme, TextForm

_FORMER = "former"
INPUTS = ".inputs"  # links to the renditions, inside the package folder while it is made
_TRICK_SOURCE = f"{INPUTS}/{TRICK_FOLDER}.mp4"


def plan_runs(
    request: PackageRequest,
    keys: tuple[ContentKey, ...],
    *,
    digests: Mapping[Path, str],
    opening: tuple[ContentKey, ...] = (),
) -> tuple[PackagerRun, ...]:
    """The runs of a request, A first. `digests` names the content of every picture and sound file; `opening` are the keys of
    files that are encrypted themselves.

    Raises SettingsError or MediaError where the request cannot become a package that plays.
    """
    check_request(request)
    missing = set(request.labels) - {key.label for key in keys}
    if missing:
        raise SettingsError(f"title {request.title} needs a key for {min(missing)}; ask the key store for all its labels")
    return tuple(
        PackagerRun(
            name=f"{request.title}, variant {variant.value}",
            streams=_video(request, variant) + (_shared(request) if variant is Variant.A else ()),
            scheme=request.scheme,
            systems=request.systems,
            keys=_keys(request, keys, variant, digests),
            segment_seconds=request.grid.segment_seconds,
            language=known_language(request.audio[0].language) if request.audio else None,
            opening=_openers(opening),
            clear_segments=request.clear_segments,
            manifests=variant is Variant.A,
        )
        for variant in request.variants
    )


def _openers(keys: tuple[ContentKey, ...]) -> tuple[PackagerKey, ...]:
    """Keys that only open inputs, under labels that no stream has."""
    rows = enumerate(keys)
    return tuple(PackagerKey(label=f"{_FORMER}.{number}", kid=key.kid, key=key.key, iv=key.iv) for number, key in rows)


def plan_links(request: PackageRequest) -> dict[str, Path]:
    """Which file stands behind each source name of the runs. Every stream has a name of its own: the packager gives the
    language of one stream to all that read the same path, and commas in a path end its descriptor."""
    links: dict[str, Path] = {}
    for row in request.video:
        links[_video_source(row, Variant.A)] = row.a
        if row.b is not None:
            links[_video_source(row, Variant.B)] = row.b
    if request.trick is not None:
        links[_TRICK_SOURCE] = request.trick.path
    for sound in request.audio:
        links[_audio_source(sound)] = sound.path
    return links


def text_source(row: TextInput) -> str:
    return f"{INPUTS}/{PurePosixPath(row.folder).name}.vtt"


def _video(request: PackageRequest, variant: Variant) -> tuple[PackagerStream, ...]:
    return tuple(
        PackagerStream(
            source=_video_source(row, variant),
            kind="video",
            folder=video_folder(row.rung, variant),
            label=_label(request, row.label, row.rung),
        )
        for row in request.video
    )


def _shared(request: PackageRequest) -> tuple[PackagerStream, ...]:
    """What all viewers get alike."""
    return _trick(request) + _audio(request) + _text(request)


def _trick(request: PackageRequest) -> tuple[PackagerStream, ...]:
    if request.trick is None:
        return ()
    label = _label(request, request.trick.label, TRICK_FOLDER)
    return (PackagerStream(source=_TRICK_SOURCE, kind="video", folder=TRICK_FOLDER, label=label, is_trick=True),)


def _audio(request: PackageRequest) -> tuple[PackagerStream, ...]:
    return tuple(
        PackagerStream(
            source=_audio_source(row),
            kind="audio",
            folder=audio_folder(row.language, row.name),
            label=_label(request, AUDIO_LABEL, f"{row.language}-{row.name}"),
            language=known_language(row.language),
            group=row.name,
            name=language_name(row.language),
        )
        for row in request.audio
    )


def _text(request: PackageRequest) -> tuple[PackagerStream, ...]:
    return tuple(
        PackagerStream(
            source=text_source(row),
            kind="text",
            folder=row.folder,
            text_format="ttml+mp4" if row.form is TextForm.IMSC else "vtt+mp4",
            language=known_language(row.language),
            group=TEXT_GROUPS[row.form],
            name=language_name(row.language),
        )
        for row in request.text
    )


def _video_source(row: VideoInput, variant: Variant) -> str:
    return f"{INPUTS}/{row.rung}-{variant.value}.mp4"


def _audio_source(row: AudioInput) -> str:
    return f"{INPUTS}/{row.language}-{row.name}.mp4"


def _label(request: PackageRequest, label: str, stream: str) -> str | None:
    """cbcs: one label a key, its IV constant, so that A and B share init segments. cenc: one label a stream, because the
    packager starts every stream of a label at the same IV, which would repeat the key stream."""
    if request.scheme is Scheme.NONE:
        return None
    return label if request.scheme is Scheme.CBCS else f"{label}.{stream}"


def _keys(
    request: PackageRequest, keys: tuple[ContentKey, ...], variant: Variant, digests: Mapping[Path, str]
) -> tuple[PackagerKey, ...]:
    """Every run gets every label: the pssh boxes list all of a run's keys, and those of A and B must be equal."""
    by_label = {key.label: key for key in keys}
    if request.scheme is Scheme.NONE:
        return ()
    if request.scheme is Scheme.CBCS:
        held = [by_label[label] for label in request.labels]
        return tuple(PackagerKey(label=key.label, kid=key.kid, key=key.key, iv=key.iv) for key in held)
    streams = [(AUDIO_LABEL, f"{row.language}-{row.name}", row.path) for row in request.audio]
    if request.trick is not None:
        streams.append((request.trick.label, TRICK_FOLDER, request.trick.path))
    for row in request.video:
        streams.append((row.label, row.rung, row.a if variant is Variant.A or row.b is None else row.b))
    # Behind a clear lead another sample is the first to be encrypted, so the same content counts from another IV.
    lead = [f"lead {request.clear_segments}"] if request.clear_segments else []
    return tuple(
        PackagerKey(
            label=f"{label}.{stream}",
            kid=by_label[label].kid,
            key=by_label[label].key,
            iv=stream_iv(by_label[label], stream, variant.value, digests[path], *lead),
        )
        for label, stream, path in streams
    )
