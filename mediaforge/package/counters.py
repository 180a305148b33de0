"""Which cenc counters a package's streams use, as its segments say it: for the ledger, before the package is published."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from mediaforge.media import Variant
from mediaforge.package.layout import TRICK_FOLDER, audio_folder, video_folder
from mediaforge.package.ledger import IV_BYTES, IvUse
from mediaforge.package.plan import PackageRequest
from mediaforge.package.record import Scheme
from mediaforge.package.stream import Stream


def iv_uses(request: PackageRequest, streams: Mapping[str, Stream], *, digests: Mapping[Path, str]) -> tuple[IvUse, ...]:
    """One use an encrypted stream; none in cbcs, whose IVs count nothing. `streams` by folder, `digests` by source file."""
    if request.scheme is not Scheme.CENC:
        return ()
    return tuple(
        use
        for folder, path in _sources(request)
        if (use := _use(streams[folder], digests[path], lead=request.clear_segments)) is not None
    )


def _sources(request: PackageRequest) -> Iterator[tuple[str, Path]]:
    """The folder of every encrypted stream and the file that it was made of."""
    for row in request.video:
        yield video_folder(row.rung), row.a
        if row.b is not None:
            yield video_folder(row.rung, Variant.B), row.b
    if request.trick is not None:
        yield TRICK_FOLDER, request.trick.path
    for sound in request.audio:
        yield audio_folder(sound.language, sound.name), sound.path


def _use(stream: Stream, digest: str, *, lead: int) -> IvUse | None:
    """The content is what was encrypted: behind a clear lead that begins with another sample."""
    ivs = [segment.fragment.ivs for segment in stream.segments if segment.fragment.ivs]
    if not ivs or stream.track.protection is None:
        return None
    return IvUse(
        kid=stream.track.protection.default_kid,
        first_iv=int.from_bytes(ivs[0][:IV_BYTES], "big"),
        samples=sum(len(row) for row in ivs) // IV_BYTES,
        content=f"{digest}+{lead}" if lead else digest,
    )
