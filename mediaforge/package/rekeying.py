"""Other keys, or another scheme, for a package that is there: opened and packaged again in one go, without encoding.

The packager opens what it encrypted and encrypts it anew, so the result is the package that the renditions would have given.
Its inputs are the package's own streams, each put together as one file.
"""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mediaforge.errors import MediaError
from mediaforge.media import Variant
from mediaforge.package.assembly import Package, package
from mediaforge.package.keys import ContentKey
from mediaforge.package.layout import INIT, TRICK_FOLDER, audio_folder, segment_name, segment_numbers, video_folder
from mediaforge.package.licences import Licences
from mediaforge.package.plan import AudioInput, PackageRequest, TextInput, TrickInput, VideoInput
from mediaforge.package.record import PackageRecord, Scheme, System, load_record
from mediaforge.package.track import read_track
from mediaforge.tools import Tools

_OPENED = ".streams"  # inside the new package's folder while it is made
_AT_ONCE = 1 << 20  # bytes
_NO_TEXT = "WEBVTT\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What shall become of a package: its scheme, the systems signalled, and where they ask for licences."""

    scheme: Scheme
    systems: tuple[System, ...]
    licences: Licences
    clear_segments: int


def rekey_package(
    source: Path,
    to: Path,
    *,
    opening: tuple[ContentKey, ...],
    keys: tuple[ContentKey, ...],
    protection: Protection,
    tools: Tools,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Package:
    """Make the package `source`, which `opening` opens, anew in the empty folder `to`, under `keys`.

    Raises MediaError where `source` is not as it was packaged, and whatever `package` raises. `source` stays as it is.
    """
    record = load_record(source)
    streams = to / _OPENED
    streams.mkdir(parents=True)
    request = rekey_request(record, source, streams=streams, protection=protection)
    digests = {}
    inputs = _inputs(record)
    for done, folder in enumerate(inputs, start=1):
        digests[_stream_file(streams, folder)] = _put_together(source, folder, _stream_file(streams, folder), record)
        on_progress(done / len(inputs) / 3)  # a copy costs about half of what opening and encrypting does
    (streams / "none.vtt").write_text(_NO_TEXT, encoding="utf-8")
    made = package(
        request,
        keys,
        to,
        tools=tools,
        opening=opening,
        digests=digests,
        on_progress=lambda share: on_progress((1 + 2 * share) / 3),
    )
    shutil.rmtree(streams)
    return made


def package_kids(folder: Path, record: PackageRecord) -> dict[str, bytes]:
    """The KID of every encrypted stream, by folder of variant A, as the init segments say it. Raises MediaError."""
    tracks = {name: read_track(folder / name / INIT) for name in record.folders if not name.startswith(f"{Variant.B.value}/")}
    return {name: track.protection.default_kid for name, track in tracks.items() if track.protection is not None}


def rekey_request(record: PackageRecord, source: Path, *, streams: Path, protection: Protection) -> PackageRequest:
    """What a package's record asks for, if its streams were renditions in the folder `streams`. Pure."""
    is_marked = Variant.B in record.variants
    return PackageRequest(
        title=record.title,
        grid=record.grid,
        scheme=protection.scheme,
        systems=protection.systems,
        video=tuple(
            VideoInput(
                rung=rung.name,
                label=rung.label,
                width=rung.width,
                height=rung.height,
                bitrate_bps=rung.bitrate_bps,
                max_bitrate_bps=rung.max_bitrate_bps,
                a=_stream_file(streams, video_folder(rung.name)),
                b=_stream_file(streams, video_folder(rung.name, Variant.B)) if is_marked else None,
                step=rung.step,
                unmarked=rung.unmarked,
            )
            for rung in record.rungs
        ),
        audio=tuple(
            AudioInput(
                name=row.name,
                language=row.language,
                codec=row.codec,
                path=_stream_file(streams, audio_folder(row.language, row.name)),
            )
            for row in record.audio
        ),
        text=tuple(
            TextInput(language=row.language, path=streams / "none.vtt", made=source / row.folder, form=row.form)
            for row in record.text
        ),
        licences=protection.licences,
        clear_segments=protection.clear_segments,
        trick=_trick(record, streams),
    )


def _trick(record: PackageRecord, streams: Path) -> TrickInput | None:
    if record.trick is None:
        return None
    return TrickInput(
        label=record.trick.label,
        width=record.trick.width,
        height=record.trick.height,
        path=_stream_file(streams, TRICK_FOLDER),
    )


def _inputs(record: PackageRecord) -> tuple[str, ...]:
    texts = {row.folder for row in record.text}
    return tuple(folder for folder in record.folders if folder not in texts)


def _stream_file(streams: Path, folder: str) -> Path:
    return streams / f"{folder.replace('/', '-')}.mp4"


def _put_together(source: Path, folder: str, to: Path, record: PackageRecord) -> str:
    """A stream as one file, init segment first; its digest, which must be that of the record. Raises MediaError."""
    init_folder = folder.removeprefix(f"{Variant.B.value}/")
    digest = hashlib.sha256()
    try:
        init = (source / init_folder / INIT).read_bytes()
        if folder == init_folder:
            digest.update(init)
        with to.open("wb") as file:
            file.write(init)
            for number in segment_numbers(source / folder):
                with (source / folder / segment_name(number)).open("rb") as segment:
                    while piece := segment.read(_AT_ONCE):
                        digest.update(piece)
                        file.write(piece)
    except OSError as error:
        raise MediaError(source / folder, f"cannot be read ({error.strerror}); release the title again") from error
    if digest.hexdigest() != record.digests.get(folder):
        raise MediaError(source / folder, "is not as it was packaged, so it is not opened; release the title again")
    return digest.hexdigest()
