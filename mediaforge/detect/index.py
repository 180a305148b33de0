"""The reference index: a folder of immutable segments, and a manifest that says which of them count.

A title is added by writing a segment and then a manifest that names it; when both are on the disk it is acknowledged. Many
small segments are merged into a larger one in the same way. Writers take turns by a lock on the folder; readers need none.
"""

import contextlib
import fcntl
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mediaforge.detect.commons import learn_commons
from mediaforge.detect.exclusions import Exclusions, read_exclusions, write_exclusions
from mediaforge.detect.manifest import NAME as MANIFEST
from mediaforge.detect.manifest import Listed, Manifest, read_manifest, write_manifest
from mediaforge.detect.oldfile import SUFFIX as OLD_SUFFIX
from mediaforge.detect.oldfile import read_old
from mediaforge.detect.references import EXACT_CODES, Hits, References, gather
from mediaforge.detect.segments import (
    TABLES_FROM,
    Extent,
    Reference,
    Segment,
    check_segment,
    damaged,
    in_memory,
    open_segment,
    write_segment,
)
from mediaforge.detect.tables import MOST_CODES
from mediaforge.detect.video import REFERENCE_CROPS, Fingerprint
from mediaforge.errors import StoreError, UnknownId
from mediaforge.media import is_id

__all__ = ["Hits", "Index", "Reference", "References"]

_SUFFIX = ".mfs"
# So many segments of one size become one of the next: a title is written again only a few times in a catalogue's life.
_FAN = 8
_SMALLEST_CODES = 1 << 16
_ATTEMPTS = 20  # to open what a manifest names, while others merge segments under our hands


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _View:
    """The index at a moment: its segments, and where the titles that count lie in them."""

    manifest: Manifest
    segments: tuple[Segment, ...]
    old: tuple[Path, ...]  # files of version 1; their titles are in one more segment, the last
    live: tuple[tuple[int, Extent], ...]  # sorted by title

    def place(self, title: str) -> tuple[int, Extent]:
        for number, extent in self.live:
            if extent.title == title:
                return number, extent
        raise unknown(title)


class Index:
    """The reference titles under a folder."""

    def __init__(self, folder: Path, *, tables_from: int = TABLES_FROM) -> None:
        self.folder = folder
        self._tables_from = tables_from

    def add(self, title: str, seen: Fingerprint) -> None:
        """Keep a title's fingerprint, in place of an earlier one. Raises StoreError where it cannot be written."""
        self.put(Reference(title=title, seconds=seen.seconds, times=seen.times, codes=seen.reference_codes))

    def adopt(self, title: str, other: "Index") -> None:
        """Take over a title from another index, after checking it. Raises UnknownId and StoreError as `read` and `add`."""
        self.put(other.read(title))

    def put(self, *references: Reference) -> None:
        """Add titles together: all of them are there after this, or none. Raises StoreError."""
        for each in references:
            if not is_id(each.title):
                raise StoreError(self.folder, f"{each.title!r} cannot name a title; use ASCII letters, digits, - and _")
        with self._writing() as manifest:
            grown = self._append(manifest, in_memory(references, crops=len(REFERENCE_CROPS)))
            for each in references:
                self._old_path(each.title).unlink(missing_ok=True)
            self._learn(tuple(each.title for each in references))
            self._merge(grown)

    def remove(self, title: str) -> None:
        """Forget a title: a mark in the manifest, until its segment is merged. Raises UnknownId where it is not there."""
        with self._writing() as manifest:
            if self._old_path(title).exists():
                self._old_path(title).unlink()
            else:
                self._view().place(title)
            write_manifest(self.folder, _without(manifest, self.folder, frozenset({title})))
            self._learn((title,))
            self._merge(read_manifest(self.folder))

    def titles(self) -> tuple[str, ...]:
        """The ids of all titles, sorted."""
        return tuple(extent.title for _, extent in self._view().live)

    def size_bytes(self, title: str) -> int:
        """What a title takes on disk: its part of its segment."""
        view = self._view()
        number, extent = view.place(title)
        segment = view.segments[number]
        tables = segment.tables.entries.nbytes + segment.tables.offsets.nbytes if segment.tables else 0
        total = segment.times.nbytes + segment.codes.nbytes + tables
        return total * (extent.end - extent.begin) // max(1, len(segment.times))

    def read(self, title: str) -> Reference:
        """One title. Raises UnknownId where it is not there, StoreError where its file is damaged."""
        view = self._view()
        number, extent = view.place(title)
        return view.segments[number].reference(extent)

    def references(self) -> tuple[Reference, ...]:
        """All titles, mapped and not yet read."""
        view = self._view()
        return tuple(view.segments[number].reference(extent) for number, extent in view.live)

    def load(self, *, everything: bool = False, exact_codes: int = EXACT_CODES) -> References:
        """All titles, ready to be searched, without what is excluded unless `everything` is wanted.

        With at most `exact_codes` codes every one is compared. Raises StoreError naming the file that is damaged.
        """
        view = self._view()
        excluded = {} if everything else self.exclusions().of_titles()
        return gather(view.segments, view.live, excluded, exact_codes=exact_codes)

    def check(self) -> None:
        """Read every byte against its checksum. Raises StoreError naming the file that is damaged."""
        self._view()
        for each in read_manifest(self.folder).segments:
            with contextlib.suppress(FileNotFoundError):  # merged since
                check_segment(self.folder / each.file)

    def exclusions(self) -> Exclusions:
        """What never counts. Raises StoreError."""
        return read_exclusions(self.folder)

    def change_exclusions(self, change: Callable[[Exclusions], Exclusions]) -> None:
        """Change what never counts, while no other writer does. Raises StoreError."""
        with self._writing():
            write_exclusions(self.folder, change(self.exclusions()))

    def _view(self) -> _View:
        for _ in range(_ATTEMPTS):
            manifest = read_manifest(self.folder)
            try:
                segments = [open_segment(self.folder / each.file) for each in manifest.segments]
                old = tuple(sorted(path for path in self.folder.glob(f"*{OLD_SUFFIX}") if is_id(path.stem)))
                late = in_memory([read_old(path) for path in old], crops=len(REFERENCE_CROPS))
            except FileNotFoundError as error:  # merged or taken over since the manifest was read
                missing = Path(error.filename)
                continue
            dead = [each.dead for each in manifest.segments]
            named = {extent.title for segment, gone in zip(segments, dead, strict=True) for extent in _living(segment, gone)}
            dead.append(frozenset(named))  # what was added since the first version counts more than its old file
            segments.append(late)
            live = [(number, extent) for number, segment in enumerate(segments) for extent in _living(segment, dead[number])]
            live.sort(key=lambda each: each[1].title)
            return _View(manifest=manifest, segments=tuple(segments), old=old, live=tuple(live))
        raise damaged(missing, "is missing though the index names it")

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Manifest]:
        """The manifest as it stays until this writer is done. What killed writers left is taken away."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.folder, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                manifest = read_manifest(self.folder)
                self._sweep(manifest)
                yield manifest
            finally:
                os.close(handle)
        except OSError as error:
            raise StoreError(self.folder, f"cannot be written ({error.strerror}); mend permissions or free space") from error

    def _sweep(self, manifest: Manifest) -> None:
        named = {each.file for each in manifest.segments}
        for path in (*self.folder.glob(f"*{_SUFFIX}*"), *self.folder.glob(f".{MANIFEST}.*")):
            if path.name not in named:
                path.unlink(missing_ok=True)

    def _append(self, manifest: Manifest, segment: Segment) -> Manifest:
        """Write one more segment; its titles in others are dead from then on."""
        name = f"{manifest.written + 1:08d}{_SUFFIX}"
        write_segment(self.folder / name, segment, tables_from=self._tables_from)
        others = _without(manifest, self.folder, frozenset(extent.title for extent in segment.extents))
        grown = Manifest(segments=(*others.segments, Listed(file=name)), written=manifest.written + 1)
        write_manifest(self.folder, grown)
        return grown

    def _learn(self, titles: tuple[str, ...]) -> None:
        """Learn again what these titles share with others. As with merging, the change itself is acknowledged already."""
        with contextlib.suppress(StoreError, FileNotFoundError):
            before = self.exclusions()
            references = self.load(everything=True)
            after = before.forget(frozenset(titles))
            for title in titles:
                if title in references.titles:
                    after = after.learn(learn_commons(references, title))
            if after != before:
                write_exclusions(self.folder, after)

    def _merge(self, manifest: Manifest) -> None:
        """Merge what is worth it, and take old files over. The change is acknowledged already: what fails here is tried
        again after the next, and a damaged file is named by whoever reads it."""
        with contextlib.suppress(StoreError, FileNotFoundError):
            self._take_over(manifest)
            while (chosen := self._worth_merging(manifest := read_manifest(self.folder))) is not None:
                self._replace(manifest, chosen)

    def _take_over(self, manifest: Manifest) -> None:
        view = self._view()
        if not view.old:
            return
        last = view.segments[-1]
        names = frozenset(extent.title for number, extent in view.live if number == len(view.segments) - 1)
        kept = [last.reference(extent) for extent in last.extents if extent.title in names]
        if kept:
            self._append(manifest, in_memory(kept, crops=len(REFERENCE_CROPS)))
        for path in view.old:
            path.unlink(missing_ok=True)

    def _worth_merging(self, manifest: Manifest) -> tuple[Listed, ...] | None:
        """Eight segments of about one size, or one of which most is dead."""
        sizes: dict[Listed, int] = {}
        for each in manifest.segments:
            segment = open_segment(self.folder / each.file)
            total = len(segment.times) * segment.codes.shape[1]
            sizes[each] = sum(extent.end - extent.begin for extent in _living(segment, each.dead)) * segment.codes.shape[1]
            if each.dead and 2 * sizes[each] <= total:
                return (each,)
        tiers = {each: _tier(codes) for each, codes in sizes.items()}
        for tier, count in Counter(tiers.values()).items():
            alike = tuple(each for each in manifest.segments if tiers[each] == tier)[:_FAN]
            if count >= _FAN and sum(sizes[each] for each in alike) <= MOST_CODES:
                return alike
        return None

    def _replace(self, manifest: Manifest, chosen: tuple[Listed, ...]) -> None:
        kept = []
        for each in chosen:
            check_segment(self.folder / each.file)  # what is damaged must not get a good checksum
            segment = open_segment(self.folder / each.file)
            kept += [segment.reference(extent) for extent in _living(segment, each.dead)]
        rest = replace(manifest, segments=tuple(each for each in manifest.segments if each not in chosen))
        if kept:
            self._append(rest, in_memory(kept, crops=len(REFERENCE_CROPS)))
        else:
            write_manifest(self.folder, rest)
        for each in chosen:
            (self.folder / each.file).unlink(missing_ok=True)

    def _old_path(self, title: str) -> Path:
        return self.folder / f"{title}{OLD_SUFFIX}"


def unknown(title: str) -> UnknownId:
    return UnknownId("fingerprint of title", title, "`fingerprint list` names those there are")


def _living(segment: Segment, dead: frozenset[str]) -> tuple[Extent, ...]:
    return tuple(extent for extent in segment.extents if extent.title not in dead)


def _without(manifest: Manifest, folder: Path, titles: frozenset[str]) -> Manifest:
    """The manifest in which these titles are dead, wherever they are."""
    listed = []
    for each in manifest.segments:
        there = {extent.title for extent in open_segment(folder / each.file).extents}
        listed.append(replace(each, dead=each.dead | (titles & there)))
    return replace(manifest, segments=tuple(listed))


def _tier(codes: int) -> int:
    """0 up to 65,536 codes, and one more for each eightfold."""
    tier = 0
    while codes > _SMALLEST_CODES * _FAN**tier:
        tier += 1
    return tier
