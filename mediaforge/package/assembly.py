"""From clear renditions to one encrypted package folder that is ready to be verified."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mediaforge.errors import CheckError
from mediaforge.media import Variant
from mediaforge.package.counters import iv_uses
from mediaforge.package.finish import finish_manifests
from mediaforge.package.keys import ContentKey
from mediaforge.package.layout import (
    DASH_MANIFEST,
    HLS_MANIFEST,
    INIT,
    TRICK_FOLDER,
    audio_folder,
    segment_name,
    segment_numbers,
    video_folder,
)
from mediaforge.package.ledger import IvUse
from mediaforge.package.plan import PackageRequest, plan_record
from mediaforge.package.pyshaka import run_packager
from mediaforge.package.record import PackageRecord, TextForm, save_record
from mediaforge.package.runs import INPUTS, plan_links, plan_runs, text_source
from mediaforge.package.signalling import dash_addresses, fairplay_addresses, finish_inits
from mediaforge.package.stpp import write_imsc
from mediaforge.package.stream import Rate, Stream, measured_rate, read_stream
from mediaforge.package.webvtt import fitted_webvtt
from mediaforge.package.webvtt_segments import DIGEST, segments_digest, take_segments, write_segments
from mediaforge.steps import digest_file
from mediaforge.tools import Tools


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A finished package folder. `keys`: (label, KID), never a key. `iv_uses`: the cenc counters it used, for
    KeyStore.spend_ivs before it is published."""

    folder: Path
    record: PackageRecord
    dash: Path
    hls: Path
    keys: tuple[tuple[str, bytes], ...]
    iv_uses: tuple[IvUse, ...]


def package(
    request: PackageRequest,
    keys: tuple[ContentKey, ...],
    to: Path,
    *,
    tools: Tools,
    opening: tuple[ContentKey, ...] = (),
    digests: Mapping[Path, str] | None = None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Package:
    """Make the package in the empty folder `to`; equal renditions and keys give equal bytes.

    `opening` are the keys of renditions that are encrypted themselves; `digests` of renditions, where they are known already.
    `on_progress` gets the share done, 0 to 1. Raises SettingsError, MediaError, ToolError, or CheckError where variants A
    and B cannot share init segments. What stands in `to` after an error is for the caller to throw away.
    """
    links = plan_links(request)
    digests = digests or {path: digest_file(path) for path in links.values()}
    runs = plan_runs(request, keys, digests=digests, opening=opening)
    _lay_out_inputs(request, to)
    for done, packaging in enumerate(runs, start=1):
        run_packager(packaging, folder=to, tools=tools)
        on_progress(done / (len(runs) + 1))
    texts = {row.folder: (to / text_source(row)).read_text(encoding="utf-8") for row in request.text}
    shutil.rmtree(to / INPUTS)
    for row in request.text:
        if row.form is TextForm.IMSC and row.made is None:
            write_imsc(to, row.folder, texts[row.folder], language=row.language)
    _take_texts(request, to)
    _share_inits(request, to)
    replaced = finish_inits(to, {key.kid for key in keys}, request.licences) | fairplay_addresses(keys, request.licences)
    streams = _read_back(request, to)
    finish_manifests(
        to,
        rates=_rates(request, streams),
        replaced=replaced,
        gop_frames=request.grid.gop_frames,
        licences=dash_addresses(request.systems, request.licences),
    )
    subtitles = _offer_webvtt(request, to, texts, streams)
    manifests = {path.relative_to(to).as_posix(): digest_file(path) for path in _manifests(to)}
    record = plan_record(request, {folder: stream.digest for folder, stream in streams.items()} | subtitles | manifests)
    save_record(record, to)
    on_progress(1.0)
    return Package(
        folder=to,
        record=record,
        dash=to / DASH_MANIFEST,
        hls=to / HLS_MANIFEST,
        keys=tuple((key.label, key.kid) for key in keys if key.label in request.labels),
        iv_uses=iv_uses(request, streams, digests=digests),
    )


def _offer_webvtt(request: PackageRequest, to: Path, texts: Mapping[str, str], streams: Mapping[str, Stream]) -> dict[str, str]:
    """Give HLS its subtitles; the digests of what was written. What is IMSC already is left as it is."""
    digests = {}
    for row in request.text:
        if row.form is not TextForm.WVTT:
            continue
        stream = streams[row.folder]
        write_segments(to / row.folder, texts[row.folder], [stream.seconds(segment) for segment in stream.segments])
        if row.made is not None:
            take_segments(row.made, to / row.folder)
        digests[f"{row.folder}/{DIGEST}"] = segments_digest(to / row.folder) or ""
    return digests


def _manifests(folder: Path) -> list[Path]:
    return [folder / DASH_MANIFEST, *sorted(folder.rglob("*.m3u8"))]


def _lay_out_inputs(request: PackageRequest, to: Path) -> None:
    (to / INPUTS).mkdir(parents=True)
    for source, path in plan_links(request).items():
        (to / source).symlink_to(path.absolute())
    for row in request.text:
        (to / text_source(row)).write_text(fitted_webvtt(row.path, request.grid.duration), encoding="utf-8")


def _take_texts(request: PackageRequest, to: Path) -> None:
    """Subtitles that were segments before: the packager reads none, but describes those of the same length in its manifests."""
    for row in request.text:
        if row.made is None:
            continue
        folder = to / row.folder
        names = [INIT, *map(segment_name, segment_numbers(row.made))]
        for name in names:
            if not (folder / name).exists():
                raise CheckError(f"the subtitles in {row.language!r} have a segment {name} too many; package the title again")
            shutil.copyfile(row.made / name, folder / name)


def _share_inits(request: PackageRequest, to: Path) -> None:
    """Drop B's init segments, which must be those of A: a player takes one init segment and segments of both."""
    if Variant.B not in request.variants:
        return
    for row in request.video:
        init, rival = (to / video_folder(row.rung, variant) / INIT for variant in (Variant.A, Variant.B))
        if init.read_bytes() != rival.read_bytes():
            raise CheckError(
                f"variants A and B of rung {row.rung} need different init segments, so their segments cannot be mixed; "
                "encode both with the same codec settings (the same SPS and PPS) and the same length"
            )
        rival.unlink()


def _read_back(request: PackageRequest, to: Path) -> dict[str, Stream]:
    streams = {}
    for row in request.video:
        init_folder = video_folder(row.rung)
        for variant in request.variants:
            folder = video_folder(row.rung, variant)
            streams[folder] = read_stream(to, folder, init_folder=init_folder)
    others = [audio_folder(row.language, row.name) for row in request.audio] + [row.folder for row in request.text]
    others += [TRICK_FOLDER] if request.trick else []
    return streams | {folder: read_stream(to, folder, init_folder=folder) for folder in others}


def _rates(request: PackageRequest, streams: dict[str, Stream]) -> dict[str, Rate]:
    """What a viewer needs at most, whatever variants the segments come in."""
    rates = {folder: measured_rate(stream) for folder, stream in streams.items()}
    for row in request.video:
        pair = [streams[video_folder(row.rung, variant)] for variant in request.variants]
        if len({len(stream.segments) for stream in pair}) == 1:  # else `verify` says so with all the others
            rates[video_folder(row.rung)] = measured_rate(*pair)
    return rates
