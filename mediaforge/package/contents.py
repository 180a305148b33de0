"""A package folder read back whole: the record, every stream, every manifest. What cannot be read becomes a finding."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mediaforge.checks import Check
from mediaforge.errors import MediaError
from mediaforge.media import Variant
from mediaforge.package.dash import Presentation, read_mpd
from mediaforge.package.hls import MasterPlaylist, MediaPlaylist, read_master, read_playlist
from mediaforge.package.layout import DASH_MANIFEST, HLS_MANIFEST, TRICK_FOLDER, audio_folder, video_folder
from mediaforge.package.record import AUDIO_LABEL, PackageRecord, RungRecord, load_record
from mediaforge.package.rules import Rule, dotted
from mediaforge.package.stream import Stream, read_stream

READABLE = Rule(
    id="package.readable",
    clause="ISO/IEC 14496-12, 4.2, 8.8",
    holds="every init and media segment of a stream can be read whole",
)
DASH_READABLE = Rule(id="package.dash.readable", clause="ISO/IEC 23009-1, 5.2", holds="the MPD can be read")
HLS_READABLE = Rule(id="package.hls.readable", clause="RFC 8216, 4.1", holds="every playlist can be read")

RULES = (READABLE, DASH_READABLE, HLS_READABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """`streams` by folder and `playlists` by URI hold what could be read; the rest stands in `damage`."""

    folder: Path
    record: PackageRecord
    streams: Mapping[str, Stream]
    presentation: Presentation | None
    master: MasterPlaylist | None
    playlists: Mapping[str, MediaPlaylist]
    damage: tuple[Check, ...]

    def rungs(self) -> Iterator[tuple[RungRecord, Variant, Stream]]:
        """Every rung and variant that could be read."""
        for rung in self.record.rungs:
            for variant in self.record.variants:
                stream = self.streams.get(video_folder(rung.name, variant))
                if stream is not None:
                    yield rung, variant, stream

    @property
    def trick(self) -> Stream | None:
        """The pictures for trick play, where there are some that could be read."""
        return self.streams.get(TRICK_FOLDER)

    def pictures(self) -> Iterator[tuple[str, Stream]]:
        """Every stream that has pictures, under its key's label: the rungs in their variants, and trick play."""
        yield from ((rung.label, stream) for rung, _, stream in self.rungs())
        if self.record.trick is not None and self.trick is not None:
            yield self.record.trick.label, self.trick

    def sounds(self) -> Iterator[Stream]:
        yield from self._named(tuple(audio_folder(row.language, row.name) for row in self.record.audio))

    def texts(self) -> Iterator[Stream]:
        yield from self._named(tuple(row.folder for row in self.record.text))

    def encrypted(self) -> Iterator[tuple[str, Stream]]:
        """Every stream that has a key, under the key's label."""
        yield from self.pictures()
        yield from ((AUDIO_LABEL, stream) for stream in self.sounds())

    def _named(self, folders: tuple[str, ...]) -> Iterator[Stream]:
        yield from (self.streams[folder] for folder in folders if folder in self.streams)


def read_contents(folder: Path) -> Contents:
    """Read a package. Raises MediaError only where there is no record, so that nothing is known of it."""
    record = load_record(folder)
    damage: list[Check] = []
    streams = {}
    for name in record.folders:
        try:
            streams[name] = read_stream(folder, name, init_folder=name.removeprefix(f"{Variant.B.value}/"))
        except MediaError as error:
            damage.append(_damaged(READABLE, error, about=name))
    presentation, master = None, None
    playlists = {}
    try:
        presentation = read_mpd(folder / DASH_MANIFEST)
    except MediaError as error:
        damage.append(_damaged(DASH_READABLE, error))
    try:
        master = read_master(folder / HLS_MANIFEST)
        for uri in master.uris:
            playlists[uri] = read_playlist(folder / uri)
    except MediaError as error:
        damage.append(_damaged(HLS_READABLE, error))
    return Contents(
        folder=folder,
        record=record,
        streams=streams,
        presentation=presentation,
        master=master,
        playlists=playlists,
        damage=tuple(damage),
    )


def _damaged(rule: Rule, error: MediaError, *, about: str = "") -> Check:
    """The error's own words: they name the file, and what to do."""
    return Check(id=f"{rule.id}.{dotted(about)}" if about else rule.id, ok=False, message=str(error), level=rule.level)
