"""What the manifests say is what the segments are: their times, their rates, and the form players need."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import PurePosixPath

from mediaforge.checks import Check
from mediaforge.package.contents import Contents
from mediaforge.package.dash import Presentation
from mediaforge.package.hls import MasterPlaylist, MediaPlaylist
from mediaforge.package.imsc import IMSC_CODEC
from mediaforge.package.laws.timeline import shown_spans
from mediaforge.package.layout import PLAYLIST, video_folder
from mediaforge.package.rules import Rule, finding
from mediaforge.package.stream import Rate, Stream, measured_rate
from mediaforge.package.webvtt_segments import SUFFIX, checked_segment

_ROUNDING = Fraction(1, 1000)  # EXTINF has three decimals
_SOUND_FRAME = Fraction(1024, 48_000)
_HLS_VERSION = 6

DASH_TIMES = Rule(id="package.dash.times", clause="ISO/IEC 23009-1, 5.3.9.6", holds="the MPD says the segments' times")
DASH_RATES = Rule(
    id="package.dash.rates", clause="ISO/IEC 23009-1, 5.3.5.2", holds="no mix of variants needs more than the MPD says"
)
DASH_SAP = Rule(id="package.dash.sap", clause="ISO/IEC 23009-1, 5.3.7.2", holds="the MPD lets players switch at every segment")
HLS_TIMES = Rule(id="package.hls.times", clause="RFC 8216, 4.3.2.1, 4.3.3.1", holds="the playlists say the segments' times")
HLS_RATES = Rule(
    id="package.hls.rates", clause="RFC 8216, 4.3.4.2", holds="no mix of variants needs more than the master playlist says"
)
HLS_TEXT = Rule(
    id="package.hls.text",
    clause="RFC 8216, 3.5; HLS authoring, 5",
    holds="subtitles are WebVTT, and each segment has the cues that fall into it",
    advice="package the title again; players of HLS show no WebVTT in MP4",
)
HLS_FORM = Rule(
    id="package.hls.form",
    clause="RFC 8216, 4.3.3.4, 4.3.4.1, 4.3.4.2, 7",
    holds="version, init segments, text codecs, default sounds and ends are in place",
)

RULES = (DASH_TIMES, DASH_RATES, DASH_SAP, HLS_TIMES, HLS_RATES, HLS_TEXT, HLS_FORM)


def check_manifests(contents: Contents) -> Iterator[Check]:
    if contents.presentation is not None:
        yield finding(DASH_TIMES, _dash_times(contents, contents.presentation))
        yield finding(DASH_RATES, _dash_rates(contents, contents.presentation))
        yield finding(DASH_SAP, _sap(contents.presentation))
    if contents.master is not None:
        yield finding(HLS_TIMES, _hls_times(contents))
        yield finding(HLS_RATES, _hls_rates(contents, contents.master))
        yield finding(HLS_TEXT, _hls_text(contents))
        yield finding(HLS_FORM, _hls_form(contents, contents.master))


def _dash_times(contents: Contents, presentation: Presentation) -> Iterator[str]:
    for row in presentation.representations:
        stream = contents.streams.get(str(PurePosixPath(row.init).parent))
        if stream is not None:
            said = [(begin, length) for _, begin, length in row.segments]
            yield from _against(stream, said, "the MPD")
    if abs(presentation.duration - contents.record.grid.duration) > _SOUND_FRAME:
        yield f"the MPD says {float(presentation.duration):.3f} s for a title of {float(contents.record.grid.duration):.3f} s"


def _hls_times(contents: Contents) -> Iterator[str]:
    for uri, playlist in contents.playlists.items():
        stream = contents.streams.get(str(PurePosixPath(uri).parent))
        if stream is not None:
            yield from _against(stream, [(None, length) for length in playlist.seconds], uri)
        # RFC 8216bis, 4.4.3.1: a segment's length, rounded, must not exceed the target.
        if any(round(length) > playlist.target_seconds for length in playlist.seconds):
            yield f"{uri} has segments longer than its target of {playlist.target_seconds} s"


def _hls_text(contents: Contents) -> Iterator[str]:
    for stream in contents.texts():
        playlist = contents.playlists.get(f"{stream.folder}/{PLAYLIST}")
        if playlist is None or stream.track.codec != "wvtt":
            continue
        if not _is_webvtt(playlist):
            yield f"{stream.folder} is offered as WebVTT in MP4"
            continue
        for uri, span in zip(playlist.uris, shown_spans(stream), strict=False):
            path = contents.folder / stream.folder / uri
            fault = checked_segment(path, span) if path.is_file() else None  # `package.files.present` says so
            if fault is not None:
                yield f"{stream.folder}/{uri} {fault}"


def _is_webvtt(playlist: MediaPlaylist) -> bool:
    return bool(playlist.uris) and all(uri.endswith(SUFFIX) for uri in playlist.uris)


def _against(stream: Stream, said: Sequence[tuple[Fraction | None, Fraction]], place: str) -> Iterator[str]:
    found = list(shown_spans(stream))
    if len(found) != len(said):
        yield f"{place} names {len(said)} segments of {stream.folder}, and {len(found)} are there"
    for number, ((begin, length), (shown, end)) in enumerate(zip(said, found, strict=False), start=1):
        if abs(length - (end - shown)) > _ROUNDING or (begin is not None and abs(begin - shown) > _ROUNDING):
            lasts = f"{float(end - shown):.3f} s"
            yield f"{place} says {float(length):.3f} s for segment {number} of {stream.folder}, which lasts {lasts}"


def _dash_rates(contents: Contents, presentation: Presentation) -> Iterator[str]:
    rates = _rates(contents)
    for row in presentation.representations:
        needed = rates.get(str(PurePosixPath(row.init).parent))
        if needed is not None and row.bandwidth < needed.peak_bps:
            yield f"the MPD declares {row.bandwidth} bit/s for {row.init}, whose segments need {needed.peak_bps}"


def _hls_rates(contents: Contents, master: MasterPlaylist) -> Iterator[str]:
    rates = _rates(contents)
    for variant in master.variants:
        rows = [rates.get(str(PurePosixPath(variant.uri).parent))]
        for kind, group in (("AUDIO", variant.audio), ("SUBTITLES", variant.subtitles)):
            members = [row for row in master.renditions if (row.kind, row.group) == (kind, group)]
            known = [rate for row in members if (rate := rates.get(str(PurePosixPath(row.uri).parent)))]
            rows.append(max(known, key=lambda rate: rate.peak_bps, default=None))
        needed = sum(rate.peak_bps for rate in rows if rate is not None)
        if variant.bandwidth < needed:
            yield f"the master playlist declares {variant.bandwidth} bit/s for {variant.uri}, which needs {needed}"
    for row in master.iframes:
        rate = rates.get(str(PurePosixPath(row.uri).parent))
        if rate is not None and row.bandwidth < rate.peak_bps:
            yield f"the master playlist declares {row.bandwidth} bit/s for {row.uri}, which needs {rate.peak_bps}"


def _rates(contents: Contents) -> dict[str, Rate]:
    """Rates by folder of variant A, whatever variant each segment comes in."""
    rates = {folder: measured_rate(stream) for folder, stream in contents.streams.items()}
    for rung in contents.record.rungs:
        names = [video_folder(rung.name, variant) for variant in contents.record.variants]
        pair = [contents.streams[name] for name in names if name in contents.streams]
        if len(pair) == len(names) and len({len(stream.segments) for stream in pair}) == 1:
            rates[names[0]] = measured_rate(*pair)
    return rates


def _sap(presentation: Presentation) -> Iterator[str]:
    for row in presentation.representations:
        if not row.starts_with_sap:
            yield f"the MPD does not say that segments of {row.init} begin with an access point"


def _hls_form(contents: Contents, master: MasterPlaylist) -> Iterator[str]:
    if master.version < _HLS_VERSION:
        yield f"the master playlist says version {master.version}, below {_HLS_VERSION}"
    for uri, playlist in contents.playlists.items():
        if not playlist.is_ended:
            yield f"{uri} has no end, so players wait for more"
        if playlist.init is None and not _is_webvtt(playlist):
            yield f"{uri} names no init segment"
    for variant in master.variants:
        if variant.subtitles and not {"wvtt", IMSC_CODEC} & set(variant.codecs):
            yield f"the master playlist leaves the subtitles out of CODECS for {variant.uri}"
    for group in sorted({row.group for row in master.renditions if row.kind == "AUDIO"}):
        if sum(row.is_default for row in master.renditions if (row.kind, row.group) == ("AUDIO", group)) != 1:
            yield f"the master playlist has not one default sound in group {group}"
