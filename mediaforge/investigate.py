"""The way back: which title a suspect copy shows, where, and whose copy it was."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from mediaforge.catalogue import Catalogue
from mediaforge.context import Context
from mediaforge.detect.exclusions import Exclusions
from mediaforge.detect.match import Match, find_matches
from mediaforge.detect.pointfile import PointFiles
from mediaforge.detect.sound import SoundPrint, sound_fingerprint
from mediaforge.detect.sound_index import SoundIndex
from mediaforge.detect.sound_match import SoundMatch, find_sound
from mediaforge.detect.sound_spectrum import RATE
from mediaforge.detect.tiers import Found, lay_together, not_excluded
from mediaforge.detect.video import MAX_SIDE, SAMPLE_FPS, fingerprint, query_fps, query_looking
from mediaforge.errors import MediaError
from mediaforge.frames import read_audio, read_frames
from mediaforge.media import Master, Variant
from mediaforge.plan import load_plan
from mediaforge.recipes import marks_of, result_of
from mediaforge.release import read_release
from mediaforge.steps import digest_file
from mediaforge.titlepictures import note_file
from mediaforge.transcode.encoder import rendition_name
from mediaforge.transcode.probe import probe
from mediaforge.watermark.evidence import Evidence
from mediaforge.watermark.extract import Reference, extract
from mediaforge.watermark.trace import Recipients, Verdict, accuse

# What is read from a copy of nothing of ours.
_NOTHING = Evidence(segments=0, symbols=(), seconds_read=Fraction(0), alignment=None, rungs=())


_LEAST_CPU_SECONDS, _CPU_SHARE, _MOST_CPU_SECONDS = 300, 8, 36_000  # 4K at 60 pictures a second takes three a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What a suspect copy was found to be: which title (None: none of ours), what was read from it, whom that accuses."""

    title: str | None
    evidence: Evidence
    verdict: Verdict


def add_reference(context: Context, master: Path, title: str) -> None:
    """Fingerprint a film that was not released here, picture and all its sound tracks, so that copies of it are found too.

    Raises MediaError, StoreError.
    """
    film = _film(context, master)
    tracks = [_heard(film, track) for track in range(len(film.audio))]
    pictures = read_frames(film.path, fps=SAMPLE_FPS, max_side=MAX_SIDE, quick=True)
    seen = fingerprint(pictures)
    PointFiles(context.index_folder).add(title, seen.features)
    context.index.add(title, seen)
    SoundIndex(context.sound_index_folder).add(title, tracks)
    note_file(context, title, film.path)


def identify(context: Context, copy: Path, *, address: str | None = None) -> tuple[Found, ...]:
    """The titles that a copy shows or sounds like, the surest first; none means that it is none of ours.

    A file of sound alone is identified by its sound. A title that a person rejected for this copy, or for its `address`
    online, is left out. Raises MediaError, StoreError.
    """
    master = probe(copy, tools=context.tools)
    exclusions = context.index.exclusions()
    sounds = not_excluded(_heard_in(context, master), exclusions.of_titles())
    found = lay_together(_seen_in(context, master, exclusions), sounds)
    rejected = _rejected(exclusions.rejected, copy, address) if found else frozenset()
    return tuple(each for each in found if each.title not in rejected)


def _rejected(pairs: Collection[tuple[str, str]], copy: Path, address: str | None) -> frozenset[str]:
    names = {address, digest_file(copy)} if pairs else set()
    return frozenset(title for known_by, title in pairs if known_by in names)


def _seen_in(context: Context, copy: Master, exclusions: Exclusions) -> tuple[Match, ...]:
    if copy.video is None:
        return ()
    limit = _patience(copy)
    pictures = read_frames(copy.path, fps=query_fps(copy.duration), max_side=MAX_SIDE, rough=True, cpu_seconds=limit)
    points = PointFiles(context.index_folder, exclusions.of_titles())
    return find_matches(fingerprint(pictures, query_looking(copy.duration)), context.index.load(), points)


def _heard_in(context: Context, copy: Master) -> tuple[SoundMatch, ...]:
    index = SoundIndex(context.sound_index_folder)
    if not copy.audio or not index.titles():
        return ()
    try:
        heard = sound_fingerprint(read_audio(copy.path, rate=RATE, cpu_seconds=_patience(copy)))
    except MediaError:
        if copy.video is None:
            raise
        return ()  # a film whose sound is broken is still looked at
    return find_sound(heard, index.load())


def _patience(copy: Master) -> int:
    """CPU seconds that decoding a copy may take: a small file can be made that would keep us busy for ever."""
    return min(_MOST_CPU_SECONDS, _LEAST_CPU_SECONDS + round(_CPU_SHARE * copy.duration))


def _heard(film: Master, track: int) -> SoundPrint:
    return sound_fingerprint(read_audio(film.path, rate=RATE, track=track))


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
    unmarked = {row.rung: frozenset(row.unmarked) for row in marks_of(context, plan)}
    references = tuple(
        Reference(
            rung=fitted.rung.name,
            a=joined / rendition_name(fitted.rung.name, Variant.A),
            b=joined / rendition_name(fitted.rung.name, Variant.B),
            step=fitted.step,
            unmarked=unmarked.get(fitted.rung.name, frozenset()),
        )
        for fitted in plan.rungs
    )
    evidence = extract(copy, references, plan.grid, on_progress=on_progress)
    secret = context.watermark_secret(shown)
    with Catalogue(context.catalogue_file) as catalogue:
        count = catalogue.recipient_count()
        numbers = np.arange(count, dtype=np.uint64)
        recipients = Recipients(numbers=numbers, id_at=lambda row: catalogue.recipient_at(row).id, count=count)
        verdict = accuse(evidence, secret=secret, recipients=recipients, false_accusation=false_accusation)
    return Trace(title=shown, evidence=evidence, verdict=verdict)


def _released_title(context: Context, copy: Path) -> str | None:
    with Catalogue(context.catalogue_file) as catalogue:
        released = {row.id for row in catalogue.titles()}
    return next((match.title for match in identify(context, copy) if match.title in released), None)
