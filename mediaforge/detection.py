"""A detector on trial: transformed queries of a folder of clips, found or not found, beside what others would find.

Every clip is a title, and every query is held against every title. All that was made lies in a work folder and is taken from
there when the trial is run again: the plan of the queries with their seeds and filters, their files, and one line a query.
"""

import resource
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import chain
from pathlib import Path

import numpy as np

from mediaforge.detect.bench.families import HELD, TUNED
from mediaforge.detect.bench.peers import Bags, bags, phash_score, vpdq_score
from mediaforge.detect.bench.queries import MONTAGE, SAME_SET, Clip, Query, earlier_part, make_query, plan_queries
from mediaforge.detect.bench.trial import LEAST, Cost, Figures, Judged, Line, Plan, box_of, figures
from mediaforge.detect.features import Features, without
from mediaforge.detect.index import Index
from mediaforge.detect.match import PROBABLE_SCORE, Match, Verdict, find_matches
from mediaforge.detect.pointfile import PointFiles
from mediaforge.detect.references import References
from mediaforge.detect.video import MAX_SIDE, SAMPLE_FPS, fingerprint, query_fps, query_looking
from mediaforge.errors import MediaError
from mediaforge.frames import Frame, read_frames
from mediaforge.media import Span, is_id
from mediaforge.record import from_json, to_json
from mediaforge.steps import write_whole
from mediaforge.tools import Tools
from mediaforge.transcode.probe import probe

ENDINGS = frozenset({".mp4", ".webm", ".mov", ".mkv", ".mxf", ".ts"})


def find_clips(folder: Path, tools: Tools) -> tuple[Clip, ...]:
    """The clips of a folder. Raises MediaError where there are none, or one has a name that cannot be a title's id."""
    if not folder.is_dir():
        raise MediaError(folder, "is no folder; give a folder of clips")
    found = tuple(_clip(path, tools) for path in sorted(folder.iterdir()) if path.suffix.lower() in ENDINGS)
    if len(found) < 2:
        raise MediaError(folder, "holds fewer than two clips; each is held against the others")
    return found


def _clip(path: Path, tools: Tools) -> Clip:
    if not is_id(path.stem):
        raise MediaError(path, "has a name that cannot be a title's id; use ASCII letters, digits, - and _")
    master = probe(path, tools=tools)
    if master.video is None:
        raise MediaError(path, "has no picture; take it out of the folder")
    width, height = master.video.display_size
    return Clip(name=path.stem, path=path, seconds=master.video.duration or master.duration, width=width, height=height)


def plan_trial(
    clips: Sequence[Clip], families: Iterable[str], *, seed: int, each: int, same: tuple[tuple[str, ...], ...], work: Path
) -> Plan:
    """The plan of a trial, written to `plan.json`."""
    plan = Plan(seed=seed, same=same, queries=plan_queries(clips, families, seed=seed, each=each))
    write_whole(work / "plan.json", to_json(plan))
    return plan


def run_trial(
    clips: Sequence[Clip], plan: Plan, work: Path, *, tools: Tools, on_progress: Callable[[float], None] = lambda _: None
) -> Figures:
    """Run a planned trial, or what is left of it."""
    by_name = {clip.name: clip for clip in clips}
    titles = _Titles(work / "titles", clips)
    judged = []
    for number, query in enumerate(plan.queries):
        kept = work / "judged" / f"{query.name}.{_digest(query, clips)}.json"
        if not kept.exists():
            copy = make_query(query, by_name[query.clip], work / "queries", ffmpeg=tools.ffmpeg)
            write_whole(kept, to_json(_judge(query, copy, by_name[query.clip], titles)))
        judged.append(from_json(Judged, kept.read_bytes(), source=kept))
        on_progress((number + 1) / len(plan.queries))
    return figures(plan, judged, clips, titles.costs())


def _digest(query: Query, clips: Sequence[Clip]) -> str:
    names = " ".join(f"{clip.name} {clip.seconds}" for clip in clips)
    return sha256(to_json(query) + names.encode()).hexdigest()[:12]


class _Titles:
    """The clips as titles of an index, fingerprinted when they are first asked for."""

    def __init__(self, folder: Path, clips: Sequence[Clip]) -> None:
        self.folder = folder
        self.clips = clips
        self._bags: dict[str, Bags] = {}
        self._loaded: References | None = None

    def references(self) -> References:
        if self._loaded is None:
            for clip in self.clips:
                self._add(clip)
            self._loaded = Index(self.folder).load()
        return self._loaded

    def points(self) -> PointFiles:
        return PointFiles(self.folder)

    def earlier(self, clip: Clip) -> tuple[References, Mapping[str, Features]]:
        """An index of nothing but the beginning of one clip."""
        until = earlier_part(clip)
        whole = Index(self.folder).read(clip.name)
        count = int(np.searchsorted(whole.times, float(until * 1000)))
        index = Index(self.folder / "earlier" / clip.name)
        index.put(replace(whole, seconds=until, times=whole.times[:count], codes=whole.codes[:count]))
        later = Span(start=until, end=clip.seconds + 1)
        return index.load(), {clip.name: without(self.points()[clip.name], (later,))}

    def bags(self, title: str) -> Bags:
        if title not in self._bags:
            path = next(clip.path for clip in self.clips if clip.name == title)
            self._bags[title] = bags(read_frames(path, fps=1, max_side=MAX_SIDE))
        return self._bags[title]

    def costs(self) -> tuple[Cost, ...]:
        self.references()
        return tuple(from_json(Cost, path.read_bytes(), source=path) for path in sorted(self.folder.glob("*.cost.json")))

    def _add(self, clip: Clip) -> None:
        note = self.folder / f"{clip.name}.cost.json"
        if note.exists():
            return
        before = _cpu_seconds()
        seen = fingerprint(read_frames(clip.path, fps=SAMPLE_FPS, max_side=MAX_SIDE, quick=True))
        cost = _cpu_seconds() - before
        index, points = Index(self.folder), self.points()
        index.add(clip.name, seen)
        points.add(clip.name, seen.features)
        size = index.size_bytes(clip.name) + points.size_bytes(clip.name)
        write_whole(note, to_json(Cost(cpu_seconds=cost, seconds=float(clip.seconds), bytes=size)))


def _judge(query: Query, copy: Path, clip: Clip, titles: _Titles) -> Judged:
    length = query.truths[-1].query.end
    references = titles.references()
    before = _cpu_seconds()
    kept: list[Frame] = []
    seen = fingerprint(_noting(read_frames(copy, fps=query_fps(length), max_side=MAX_SIDE), kept), query_looking(length))
    points: Mapping[str, Features] = titles.points()
    if query.family == SAME_SET:
        references, points = titles.earlier(clip)
    matches = find_matches(seen, references, points, least=LEAST)
    cost = _cpu_seconds() - before
    theirs = bags(kept)
    lines = tuple(_line(query, title, matches, theirs, titles) for title in references.titles)
    return Judged(query=query.name, family=query.family, clip=query.clip, cpu_seconds=cost, lines=lines)


def _noting(frames: Iterable[Frame], kept: list[Frame]) -> Iterable[Frame]:
    """The same frames; the first of each second is kept for the peers, who look no closer."""
    for frame in frames:
        if frame.seconds >= len(kept):
            kept.append(frame)
        yield frame


def _line(query: Query, title: str, matches: tuple[Match, ...], theirs: Bags, titles: _Titles) -> Line:
    own = [match for match in matches if match.title == title]
    told = [match for match in own if match.score >= PROBABLE_SCORE]
    return Line(
        title=title,
        scores=(
            max((match.score for match in own), default=0.0),
            vpdq_score(theirs, titles.bags(title)),
            phash_score(theirs, titles.bags(title)),
        ),
        verdict=own[0].verdict if own else Verdict.NONE,
        boxes=tuple(box_of(match.query.start, match.query.end, match.reference.start, match.reference.end) for match in told),
        offset_error=_offset_error(query, told[0]) if told and title == query.clip else None,
    )


def _offset_error(query: Query, match: Match) -> float:
    """Seconds between where the middle of the found span is said to lie and where it truly lies."""
    middle = (match.query.start + match.query.end) / 2
    said = match.reference.start + (match.reference.end - match.reference.start) / 2
    true = [
        truth.title.start + (middle - truth.query.start) * truth.title.seconds / truth.query.seconds for truth in query.truths
    ]
    return min(abs(float(said - moment)) for moment in true)


def _cpu_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


ALL_FAMILIES = tuple(chain(TUNED, (MONTAGE, SAME_SET), HELD))
