"""The way back: which title a suspect copy shows, where, and whose copy it was."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from mediaforge.catalogue import Catalogue
from mediaforge.context import Context
from mediaforge.detect.index import Index
from mediaforge.detect.match import Match, find_matches
from mediaforge.detect.pointfile import PointFiles
from mediaforge.detect.video import MAX_SIDE, SAMPLE_FPS, fingerprint, query_fps, query_looking
from mediaforge.errors import MediaError
from mediaforge.frames import read_frames
from mediaforge.media import Master, Variant
from mediaforge.plan import load_plan
from mediaforge.recipes import result_of
from mediaforge.release import read_release
from mediaforge.steps import digest_file
from mediaforge.transcode.encoder import rendition_name
from mediaforge.transcode.probe import probe
from mediaforge.watermark.evidence import Evidence
from mediaforge.watermark.extract import Reference, extract
from mediaforge.watermark.trace import Verdict, accuse

# What is read from a copy of nothing of ours.
_NOTHING = Evidence(segments=0, symbols=(), seconds_read=Fraction(0), alignment=None, rungs=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What a suspect copy was found to be: which title (None: none of ours), what was read from it, whom that accuses."""

    title: str | None
    evidence: Evidence
    verdict: Verdict


def add_reference(context: Context, master: Path, title: str) -> None:
    """Fingerprint a film that was not released here, so that copies of it are found too. Raises MediaError, StoreError."""
    pictures = read_frames(_film(context, master).path, fps=SAMPLE_FPS, max_side=MAX_SIDE, quick=True)
    seen = fingerprint(pictures)
    PointFiles(context.index_folder).add(title, seen.features)
    Index(context.index_folder).add(title, seen)


def identify(context: Context, copy: Path, *, address: str | None = None) -> tuple[Match, ...]:
    """The titles that a copy shows, best first; none means that it shows none of ours. Raises MediaError, StoreError.

    A title that a person rejected for this copy, or for its `address` online, is left out.
    """
    film = _film(context, copy)
    pictures = read_frames(film.path, fps=query_fps(film.duration), max_side=MAX_SIDE)
    index = Index(context.index_folder)
    points = PointFiles(context.index_folder, index.exclusions().of_titles())
    matches = find_matches(fingerprint(pictures, query_looking(film.duration)), index.load(), points)
    rejected = _rejected(index, copy, address) if matches else frozenset()
    return tuple(match for match in matches if match.title not in rejected)


def _rejected(index: Index, copy: Path, address: str | None) -> frozenset[str]:
    pairs = index.exclusions().rejected
    names = {address, digest_file(copy)} if pairs else set()
    return frozenset(title for known_by, title in pairs if known_by in names)


def _film(context: Context, path: Path) -> Master:
    master = probe(path, tools=context.tools)
    if master.video is None:
        raise MediaError(path, "has no picture; give a film file")
    return master


def trace(
    context: Context,
    copy: Path,
    title: str | None,
    *,
    false_accusation: float,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Trace:
    """Whose copy of `title` this is, at no more than this probability of accusing anybody falsely.

    Without a title it is identified first; a copy that shows none of ours is inconclusive, as is one that was never
    personalised. Raises UnknownId for a title that was not released here, MediaError for one without a watermark.
    """
    _film(context, copy)
    shown = title or _released_title(context, copy)
    if shown is None:
        return Trace(
            title=None,
            evidence=_NOTHING,
            verdict=accuse(_NOTHING, secret=b"", recipients=(), false_accusation=false_accusation),
        )
    release = read_release(context, shown)
    if release.watermark is None:
        raise MediaError(release.package, "was released with --no-watermark, so no copy can be traced")
    plan = load_plan(context, release.release_id)
    joined = result_of(context, plan, "join").folder
    references = tuple(
        Reference(
            rung=fitted.rung.name,
            a=joined / rendition_name(fitted.rung.name, Variant.A),
            b=joined / rendition_name(fitted.rung.name, Variant.B),
            step=fitted.step,
        )
        for fitted in plan.rungs
    )
    with Catalogue(context.catalogue_file) as catalogue:
        recipients = tuple((row.id, row.number) for row in catalogue.recipients())
    evidence = extract(copy, references, plan.grid, on_progress=on_progress)
    secret = context.watermark_secret(shown)
    verdict = accuse(evidence, secret=secret, recipients=recipients, false_accusation=false_accusation)
    return Trace(title=shown, evidence=evidence, verdict=verdict)


def _released_title(context: Context, copy: Path) -> str | None:
    with Catalogue(context.catalogue_file) as catalogue:
        released = {row.id for row in catalogue.titles()}
    return next((match.title for match in identify(context, copy) if match.title in released), None)
