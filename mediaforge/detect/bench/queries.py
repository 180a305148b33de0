"""Queries out of clips: which excerpts, in which disguise, and where they truly lie. Planned purely, so a plan can be kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.bench.families import FAMILIES, MARKS, RESULT, SOURCE, Disguise, foreign
from mediaforge.media import Span
from mediaforge.record import to_json
from mediaforge.tools import FFMPEG_QUIET, media_input, run

MONTAGE = "montage"  # two pieces of a clip in the wrong order among foreign pictures
SAME_SET = "same-set"  # a later part of a clip, to be held against its earlier part: the same places at another time

_SECONDS = 10
_LEAST_SECONDS = 4  # a clip shorter than this gives no query
_LONGEST_SIDE = 640  # copies are seldom larger than what was leaked
_FOREIGN_SECONDS = 5
_PATIENCE_SECONDS = 1800


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A clip of the folder: its name is its title's id."""

    name: str
    path: Path
    seconds: Fraction
    width: int  # in square pixels
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Where a piece of the query lies in its title."""

    query: Span
    title: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query, whole: with the clip at hand the same file can be made again."""

    name: str
    clip: str
    family: str
    seed: int
    graph: str
    crf: int
    width: int
    height: int
    truths: tuple[Truth, ...]
    has_marks: bool = False


def plan_queries(clips: Sequence[Clip], families: Iterable[str], *, seed: int, each: int = 1) -> tuple[Query, ...]:
    """`each` excerpts of every clip in every family. The same seed plans the same queries, whatever other clips there are."""
    return tuple(
        _SPECIAL.get(family, _query)(clip, family, number, seed)
        for family in families
        for clip in clips
        for number in range(each)
        if clip.seconds >= (2 * _SECONDS if family in _SPECIAL else _LEAST_SECONDS)
    )


def earlier_part(clip: Clip) -> Fraction:
    """Where the part ends that the same-set query of a clip is held against."""
    return clip.seconds * Fraction(9, 20)


def make_query(query: Query, clip: Clip, folder: Path, *, ffmpeg: Path) -> Path:
    """The query's file, encoded unless it is there. Its name holds a digest of all that made it. Raises ToolError."""
    to = folder / f"{query.name}.{crc32(to_json(query)):08x}.mp4"
    if not to.exists():
        marks, draft = folder / f".{query.name}.png", folder / f".{query.name}.mp4"
        if query.has_marks:
            cv2.imwrite(str(marks), draw_marks(query.width, query.height, query.seed))
        run(query_argv(query, clip, marks, draft, ffmpeg=ffmpeg), name="ffmpeg", timeout_seconds=_PATIENCE_SECONDS)
        marks.unlink(missing_ok=True)
        draft.replace(to)
    return to


def query_argv(query: Query, clip: Clip, marks: Path, to: Path, *, ffmpeg: Path) -> list[str | Path]:
    """The ffmpeg call that makes the query; `marks` is the picture that `draw_marks` wrote."""
    argv: list[str | Path] = [ffmpeg, *FFMPEG_QUIET, "-threads", "1"]
    for truth in query.truths:
        argv += ["-ss", f"{float(truth.title.start):.3f}", "-t", f"{float(truth.title.seconds):.3f}", *media_input(clip.path)]
    if query.has_marks:
        argv += ["-i", marks]
    coder = ("-c:v", "libx264", "-preset", "veryfast", "-crf", str(query.crf), "-threads", "1", "-pix_fmt", "yuv420p")
    return [*argv, "-filter_complex", query.graph, "-map", RESULT, "-an", *coder, "-y", to]


def draw_marks(width: int, height: int, seed: int) -> NDArray[np.uint8]:
    """A logo in a corner and two lines of subtitles, (h, w, 4) BGRA; the rest can be seen through."""
    rng = np.random.default_rng(seed)
    marks = np.zeros((height, width, 4), np.uint8)
    side = round(min(width, height) * 0.16)
    left = rng.choice([round(width * 0.04), round(width * 0.96) - side])
    top = round(height * 0.05)
    cv2.rectangle(marks, (left, top), (left + side, top + side), (*(int(c) for c in rng.integers(60, 255, 3)), 230), -1)
    cv2.circle(marks, (left + side // 2, top + side // 2), side // 3, (255, 255, 255, 255), -1)
    size = height / 500 * min(1.0, width / height)
    for line in range(2):
        words = " ".join("abdelmnorsu"[i : i + 4] for i in rng.integers(0, 8, 5))
        place = (round(width * 0.14), round(height * (0.86 + 0.08 * line)))
        cv2.putText(marks, words, place, cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0, 255), 4, cv2.LINE_AA)
        cv2.putText(marks, words, place, cv2.FONT_HERSHEY_SIMPLEX, size, (255, 255, 255, 255), 2, cv2.LINE_AA)
    return marks


def _query(clip: Clip, family: str, number: int, seed: int) -> Query:
    own_seed = crc32(f"{seed} {clip.name} {family} {number}".encode())
    rng = np.random.default_rng(own_seed)
    width, height = _size(clip)
    look = FAMILIES[family](rng, width, height)
    seconds = min(_SECONDS * look.speed, clip.seconds - Fraction(1, 10))
    start = _moment(rng, clip.seconds - seconds)
    truth = Truth(
        query=Span(start=Fraction(0), end=seconds / look.speed),
        title=Span(start=start, end=start + seconds),
    )
    return Query(
        name=f"{clip.name}.{family}.{number}",
        clip=clip.name,
        family=family,
        seed=own_seed,
        graph=_graph(look, width, height),
        crf=look.crf,
        width=width,
        height=height,
        truths=(truth,),
        has_marks=look.has_marks,
    )


def _graph(look: Disguise, width: int, height: int) -> str:
    graph = look.graph.replace(MARKS, "[1:v]")
    return f"[0:v]scale={width}:{height},setsar=1[clip];{graph.replace(SOURCE, '[clip]')}"


def _same_set(clip: Clip, family: str, number: int, seed: int) -> Query:
    """An excerpt from a second after the earlier part ends."""
    own_seed = crc32(f"{seed} {clip.name} {family} {number}".encode())
    width, height = _size(clip)
    begin = earlier_part(clip) + 1
    start = begin + _moment(np.random.default_rng(own_seed), clip.seconds - _SECONDS - begin)
    span = Span(start=start, end=min(start + _SECONDS, clip.seconds - Fraction(1, 10)))
    look = Disguise(graph=f"{SOURCE}null{RESULT}")
    return Query(
        name=f"{clip.name}.{family}.{number}",
        clip=clip.name,
        family=family,
        seed=own_seed,
        graph=_graph(look, width, height),
        crf=look.crf,
        width=width,
        height=height,
        truths=(Truth(query=Span(start=Fraction(0), end=span.seconds), title=span),),
    )


def _montage(clip: Clip, family: str, number: int, seed: int) -> Query:
    """Foreign, the later piece, foreign, the earlier piece."""
    own_seed = crc32(f"{seed} {clip.name} {family} {number}".encode())
    rng = np.random.default_rng(own_seed)
    width, height = _size(clip)
    half = clip.seconds / 2
    early = _moment(rng, half - 8)
    late = half + _moment(rng, half - 9)
    gap = _FOREIGN_SECONDS
    truths = (
        Truth(query=Span(start=Fraction(gap), end=Fraction(gap + 8)), title=Span(start=late, end=late + 8)),
        Truth(query=Span(start=Fraction(2 * gap + 8), end=Fraction(2 * gap + 15)), title=Span(start=early, end=early + 7)),
    )
    parts = [f"{foreign(rng, width, height)}:rate=25,trim=duration={gap},format=yuv420p,setsar=1[f{i}]" for i in (0, 1)]
    parts += [f"[{i}:v]scale={width}:{height},fps=25,format=yuv420p,setsar=1[p{i}]" for i in (0, 1)]
    graph = ";".join([*parts, f"[f0][p0][f1][p1]concat=n=4{RESULT}"])
    return Query(
        name=f"{clip.name}.{family}.{number}",
        clip=clip.name,
        family=family,
        seed=own_seed,
        graph=graph,
        crf=28,
        width=width,
        height=height,
        truths=truths,
    )


def _size(clip: Clip) -> tuple[int, int]:
    scale = min(1.0, _LONGEST_SIDE / max(clip.width, clip.height))
    return 2 * round(clip.width * scale / 2), 2 * round(clip.height * scale / 2)


def _moment(rng: np.random.Generator, longest: Fraction) -> Fraction:
    return Fraction(round(float(rng.uniform(0, max(0.0, float(longest)))) * 1000), 1000)


_SPECIAL = {MONTAGE: _montage, SAME_SET: _same_set}
