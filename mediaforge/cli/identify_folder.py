"""`identify FOLDER`: every media file below a folder, one after the other; what cannot be looked at is said and left."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mediaforge.cli.command import Call
from mediaforge.cli.matches import match_data
from mediaforge.cli.output import clock, printable
from mediaforge.cli.progress import Note, telling
from mediaforge.cli.tables import print_lines, print_table
from mediaforge.context import Context
from mediaforge.detect.folder import list_media
from mediaforge.detect.tiers import Found
from mediaforge.errors import MediaError, MediaforgeError
from mediaforge.investigate import identify


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What one file showed. `error` where it could not be looked at."""

    path: Path
    matches: tuple[Found, ...] = ()
    error: MediaforgeError | None = None

    @property
    def verdict(self) -> str:
        if self.error is not None:
            return "failed"
        return self.matches[0].verdict.value if self.matches else "none"


def identify_folder(call: Call, context: Context, folder: Path, *, most: int) -> None:
    """Look at each and answer. Only where not one could be looked at does the command fail, with the first one's error."""
    listing = list_media(folder, most=most)
    if not listing.files:
        raise MediaError(folder, f"holds no media files ({listing.others} others); give another folder, or a file itself")
    looked = []
    with telling(call.progress, about=printable(folder.name)) as tell:
        for number, path in enumerate(listing.files):
            name = printable(path.relative_to(folder))
            tell(Note(event="started", step=name, fraction=0, overall=number / len(listing.files)))
            one = _look(context, path)
            looked.append(one)
            done = (number + 1) / len(listing.files)
            said = printable(one.error.message) if one.error else ""
            tell(Note(event="failed" if one.error else "finished", step=name, fraction=1, overall=done, message=said))
    errors = [one.error for one in looked if one.error is not None]
    if len(errors) == len(looked):
        raise errors[0]
    if listing.left:
        call.printer.say(f"{listing.left} more files were not looked at; --most {most + listing.left} looks at all")
    data = {"folder": folder, "files": [_data(one) for one in looked], "others": listing.others, "left": listing.left}
    call.printer.answer(data, lambda: _print(folder, looked))


def _look(context: Context, path: Path) -> Looked:
    try:
        return Looked(path=path, matches=identify(context, path))
    except MediaforgeError as error:  # one broken file among many must not hide what the others show
        return Looked(path=path, error=error)


def _data(one: Looked) -> dict[str, object]:
    return {
        "path": one.path,
        "verdict": one.verdict,
        "title": one.matches[0].title if one.matches else None,
        "matches": [match_data(match) for match in one.matches],
        "error": one.error.message if one.error else None,
    }


def _print(folder: Path, looked: Sequence[Looked]) -> None:
    rows = []
    for one in looked:
        name = printable(one.path.relative_to(folder))
        if not one.matches:
            rows.append((name, one.verdict, "-", "-", "-"))
        rows += [
            (
                name if number == 0 else "",
                match.verdict.value,
                match.title,
                f"{clock(match.query.start)} to {clock(match.query.end)}",
                f"{clock(match.reference.start)} to {clock(match.reference.end)}",
            )
            for number, match in enumerate(one.matches)
        ]
    print_table(("file", "verdict", "title", "in the file", "in the title"), rows, empty="")
    broken = [one for one in looked if one.error is not None]
    if broken:
        print_lines(f"{len(broken)} of {len(looked)} files could not be looked at:")
        print_lines(*(f"  {printable(one.error.message)}" for one in broken if one.error))
