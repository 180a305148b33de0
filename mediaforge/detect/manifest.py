"""What belongs to an index at a moment: its segments, and which of their titles are no longer meant.

One small file, replaced as a whole: whoever reads it sees the index before a change or after it. What it does not name was
left by a process that was killed.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from mediaforge.errors import StoreError
from mediaforge.steps import write_whole

NAME = "index.json"
VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A segment by the name of its file. `dead` titles were removed, or added again since."""

    file: str
    dead: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """`written` counts the segments that ever were, so that no name comes back."""

    segments: tuple[Listed, ...] = ()
    written: int = 0


def read_manifest(folder: Path) -> Manifest:
    """An index that was never written is empty. Raises StoreError where the manifest is damaged."""
    path = folder / NAME
    try:
        signed = json.loads(path.read_bytes())
        content = signed["index"]
        if hashlib.sha256(_bytes(content)).hexdigest() != signed["sha256"]:
            raise StoreError(path, f"is damaged (its checksum disagrees); {_ADVICE}")
        if content["version"] != VERSION:
            raise StoreError(path, f"was written by another mediaforge (version {content['version']}); update mediaforge")
    except FileNotFoundError:
        return Manifest()
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(path, f"is damaged; {_ADVICE}") from error
    except OSError as error:
        raise StoreError(path, f"cannot be read ({error.strerror}); mend permissions") from error
    listed = (Listed(file=each["file"], dead=frozenset(each["dead"])) for each in content["segments"])
    return Manifest(segments=tuple(listed), written=content["written"])


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put a manifest in the place of the former. Raises StoreError."""
    segments = [{"file": each.file, "dead": sorted(each.dead)} for each in manifest.segments]
    content = {"version": VERSION, "written": manifest.written, "segments": segments}
    signed = {"index": content, "sha256": hashlib.sha256(_bytes(content)).hexdigest()}
    write_whole(folder / NAME, json.dumps(signed, indent=1).encode())


_ADVICE = "restore it from a backup, or move the folder away and add the titles again"


def _bytes(content: object) -> bytes:
    return json.dumps(content, sort_keys=True).encode()
