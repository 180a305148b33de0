"""Where the pictures of a title of the index can still be looked at: its released renditions, or the file it was made from.

The index holds codes, no pictures. Of a file given to `fingerprint add` the path, size and time are noted, so that a file
that has changed since is never shown as the title.
"""

from dataclasses import dataclass
from pathlib import Path

from mediaforge.context import Context
from mediaforge.errors import MediaforgeError, UnknownId
from mediaforge.media import Variant
from mediaforge.plan import load_plan
from mediaforge.recipes import result_of
from mediaforge.record import from_json, to_json
from mediaforge.release import read_release
from mediaforge.steps import write_whole
from mediaforge.transcode.encoder import rendition_name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Noted:
    path: Path
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """A file that shows the title, or why there is none."""

    path: Path | None
    why_none: str = ""


def note_file(context: Context, title: str, path: Path) -> None:
    """Remember from which file a title was fingerprinted. Raises StoreError."""
    now = path.stat()
    noted = _Noted(path=path.absolute(), size_bytes=now.st_size, modified_ns=now.st_mtime_ns)
    write_whole(_note(context, title), to_json(noted))


def forget_file(context: Context, title: str) -> None:
    """The title is no longer in the index."""
    _note(context, title).unlink(missing_ok=True)


def pictures_of(context: Context, title: str) -> Pictures:
    """Where this title can be looked at now: the file that was fingerprinted last, else its release."""
    note = _note(context, title)
    if note.exists():
        noted = from_json(_Noted, note.read_bytes(), source=note)
        if not noted.path.is_file():
            return Pictures(
                path=None, why_none=f"the file that was fingerprinted, {noted.path.name}, is no longer where it was"
            )
        now = noted.path.stat()
        if (now.st_size, now.st_mtime_ns) != (noted.size_bytes, noted.modified_ns):
            return Pictures(path=None, why_none=f"the file that was fingerprinted, {noted.path.name}, has changed since")
        return Pictures(path=noted.path)
    try:
        plan = load_plan(context, read_release(context, title).release_id)
        best = result_of(context, plan, "join").folder / rendition_name(plan.rungs[-1].rung.name, Variant.A)
    except UnknownId:
        return Pictures(path=None, why_none="only its fingerprint is in this state, not the film itself")
    except MediaforgeError as error:
        return Pictures(path=None, why_none=f"its release cannot be opened ({error.message})")
    return Pictures(path=best) if best.is_file() else Pictures(path=None, why_none="its renditions are no longer in this state")


def _note(context: Context, title: str) -> Path:
    return context.index_folder / "files" / f"{title}.json"
