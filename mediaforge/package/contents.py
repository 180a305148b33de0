"""A package folder read back whole: the record, every stream, every manifest. What cannot be read becomes a finding."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mediaforge.checks import Check
from mediaforge.errors import MediaError
from mediaforge.media import Variant
from mediaforge.package.dash import Presentation, read_mpd
from mediaforge.package.hls import MasterPlaylist, MediaPlaylist, read_master, read_playlist
from mediaforge.package.layout import DASH_MANIFEST, HLS_MANIFEST, audio_folder, text_folder, video_folder
from mediaforge.package.record import AUDIO_LABEL, PackageRecord, RungRecord, load_record
from mediaforge.package.stream import Stream, read_stream


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

    def sounds(self) -> Iterator[Stream]:
        yield from self._named(tuple(audio_folder(row.language, row.name) for row in self.record.audio))

    def texts(self) -> Iterator[Stream]:
        yield from self._named(tuple(text_folder(row.language) for row in self.record.text))

    def encrypted(self) -> Iterator[tuple[str, Stream]]:
        """Every stream that has a key, under the key's label."""
        yield from ((rung.label, stream) for rung, _, stream in self.rungs())
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
            damage.append(_damaged(f"package.readable.{dotted(name)}", error))
    presentation, master = None, None
    playlists = {}
    try:
        presentation = read_mpd(folder / DASH_MANIFEST)
    except MediaError as error:
        damage.append(_damaged("package.dash.readable", error))
    try:
        master = read_master(folder / HLS_MANIFEST)
        for uri in master.uris:
            playlists[uri] = read_playlist(folder / uri)
    except MediaError as error:
        damage.append(_damaged("package.hls.readable", error))
    return Contents(
        folder=folder,
        record=record,
        streams=streams,
        presentation=presentation,
        master=master,
        playlists=playlists,
        damage=tuple(damage),
    )


def dotted(folder: str) -> str:
    """A folder's name as part of a check's id."""
    return folder.replace("/", ".")


def finding(name: str, faults: Iterable[str], good: str, *, advice: str = "package the title again") -> Check:
    """A check that holds if there are no faults; else its message is the first of them, and how many more there are."""
    found = list(faults)
    if not found:
        return Check(id=name, ok=True, message=good)
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return Check(id=name, ok=False, message=f"{found[0]}{more}; {advice}")


def _damaged(name: str, error: MediaError) -> Check:
    return Check(id=name, ok=False, message=str(error))
