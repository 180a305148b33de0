"""Which files of a folder are looked at when all of it is to be identified."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mediaforge.errors import MediaError, StoreError

PICTURE_ENDINGS = frozenset(
    {".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mxf", ".ogv", ".ts", ".vob", ".webm"}
)
SOUND_ENDINGS = frozenset({".aac", ".ac3", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav"})
MOST_ENTRIES = 1_000_000  # a folder of more names is no collection of films, and its list would fill the memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The media files below a folder, sorted by path. `others` counts files that are none by their ending, `left` those beyond
    the limit."""

    files: tuple[Path, ...]
    others: int
    left: int


def list_media(folder: Path, *, most: int) -> Listing:
    """The first `most` media files below a folder. Links to folders are not followed: they may lead in circles.

    Raises StoreError where a folder cannot be read, MediaError where it holds too many names.
    """
    found: list[Path] = []
    others = 0
    for path in _walk(folder):
        if path.suffix.lower() in PICTURE_ENDINGS | SOUND_ENDINGS:
            found.append(path)
        else:
            others += 1
        if len(found) + others > MOST_ENTRIES:
            raise MediaError(folder, f"holds more than {MOST_ENTRIES:,} files; give a folder within it")
    found.sort()
    return Listing(files=tuple(found[:most]), others=others, left=max(0, len(found) - most))


def _walk(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise StoreError(error.filename, f"cannot be read ({error.strerror}); mend permissions") from error

    for place, _, names in os.walk(folder, onerror=refuse):
        for name in names:
            yield Path(place, name)
