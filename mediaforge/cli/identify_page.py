"""What was found in a copy, as a page for those who have to judge it: where it lies, beside the title, and what says so."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
from markupsafe import Markup

from mediaforge import __version__
from mediaforge.catalogue import Catalogue
from mediaforge.cli.pictures import frames_at, spread
from mediaforge.cli.span_chart import Numbered, draw_matches
from mediaforge.cli.templating import template
from mediaforge.context import Context
from mediaforge.detect.tiers import Found
from mediaforge.errors import MediaforgeError
from mediaforge.media import Span
from mediaforge.steps import digest_file
from mediaforge.titlepictures import pictures_of
from mediaforge.tools import build_id
from mediaforge.transcode.probe import probe

_PAIRS = 3  # moments of each match
_MOST_SHOWN = 8  # matches whose moments are shown: a copy in a hundred pieces is told by its table


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The same moment in both, as JPEG; `title` None where its pictures are not there."""

    number: int  # of the match
    copy: bytes | None
    title: bytes | None
    copy_seconds: float
    title_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TitlePart:
    """What a page tells of one title."""

    id: str
    name: str
    seconds: float
    fingerprint: str  # SHA-256 of its codes, by which it can be said against which fingerprint the copy was held
    excluded: tuple[Span, ...]
    matches: tuple[Numbered, ...]
    moments: tuple[Moment, ...] = ()
    why_no_pictures: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that a page tells."""

    copy: str  # the name of the file, or the address
    seconds: float
    size_bytes: int
    sha256: str
    titles_known: int
    parts: tuple[TitlePart, ...]
    builds: Mapping[str, str] = field(default_factory=dict)
    why_no_copy: str = ""

    @property
    def surest(self) -> Found | None:
        return self.parts[0].matches[0].found if self.parts else None


def make_report(context: Context, copy: Path, found: Sequence[Found], *, address: str | None = None) -> Report:
    """Gather what the page of a copy needs. Raises MediaError, StoreError."""
    master = probe(copy, tools=context.tools)
    numbered = [Numbered(number=place + 1, found=each) for place, each in enumerate(found)]
    shown = numbered[:_MOST_SHOWN]
    why, ours = "", {}
    if master.video is None:
        why = "The copy is sound alone."
    else:
        try:
            ours = frames_at(copy, [at for one in shown for at, _ in _moments(one.found)])
        except MediaforgeError as error:
            why = f"The copy's pictures cannot be shown: {error.message}."
    titles = list(dict.fromkeys(one.found.title for one in numbered))
    known = context.index.titles()
    return Report(
        copy=address or copy.name,
        seconds=float(master.duration),
        size_bytes=master.size_bytes,
        sha256=digest_file(copy),
        titles_known=len(known),
        parts=tuple(_part(context, title, numbered, shown, ours) for title in titles),
        builds={"mediaforge": __version__, "ffmpeg": build_id(context.tools.ffmpeg)},
        why_no_copy=why,
    )


def _part(
    context: Context, title: str, numbered: Sequence[Numbered], shown: Sequence[Numbered], ours: Mapping[float, bytes]
) -> TitlePart:
    own = tuple(one for one in numbered if one.found.title == title)
    reference = context.index.read(title)
    pictures = pictures_of(context, title)
    why, theirs = pictures.why_none, {}
    pairs = [(one.number, at, there) for one in shown if one.found.title == title for at, there in _moments(one.found)]
    if pictures.path is not None and ours:
        try:
            theirs = frames_at(pictures.path, [there for _, _, there in pairs])
        except MediaforgeError as error:
            why = error.message
    return TitlePart(
        id=title,
        name=_name(context, title),
        seconds=float(reference.seconds),
        fingerprint=sha256(np.ascontiguousarray(reference.codes).tobytes()).hexdigest(),
        excluded=context.index.exclusions().of_titles().get(title, ()),
        matches=own,
        moments=tuple(
            Moment(number=number, copy=ours.get(at), title=theirs.get(there), copy_seconds=at, title_seconds=there)
            for number, at, there in pairs
            if at in ours
        ),
        why_no_pictures=why,
    )


def _moments(found: Found) -> Iterator[tuple[float, float]]:
    """Moments of a span, in the copy and in the title."""
    # By sound alone another picture may lie over it, and that is worth seeing too: once.
    count = 1 if found.picture is None else _PAIRS
    for at in spread(float(found.query.start), float(found.query.end), count=count):
        yield at, float(found.reference.start) + float(found.speed) * (at - float(found.query.start))


def _name(context: Context, title: str) -> str:
    """The name that people know it by, where it was released with one."""
    with Catalogue(context.catalogue_file) as catalogue:
        return next((row.name for row in catalogue.titles() if row.id == title), title)


def identify_page(report: Report) -> str:
    charts = {
        part.id: Markup(  # noqa: S704 - our own markup; every word in it is escaped by svg.py
            draw_matches(part.matches, copy=report.seconds, title=part.seconds, excluded=part.excluded)
        )
        for part in report.parts
    }
    return template("identify.html.j2").render(report=report, charts=charts)
