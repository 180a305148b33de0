"""A chunk is marked by what was measured: as it is where its variants differ, with a pattern where not, not at all in black."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mediaforge.frames import decode_all, read_frames
from mediaforge.ladder import FittedRung, Mark, Rung
from mediaforge.marking import MARKS_NAME, encode_marked
from mediaforge.media import Grid, Variant
from mediaforge.record import from_json
from mediaforge.steps import digest_file
from mediaforge.tools import Tools
from mediaforge.transcode.chunks import plan_chunks
from mediaforge.transcode.encoder import EncodeRequest, rendition_name
from mediaforge.transcode.probe import probe
from mediaforge.watermark.modes import Mode, RungMarks
from mediaforge.watermark.strength import whole_strengths
from mediaforge.watermark.variants import encoder_options

KEY = bytes(range(32))
GOP = 24
GRID = Grid(fps=Fraction(12), gop_frames=GOP, frames=3 * GOP)
SIZE = (160, 90)


@pytest.fixture(scope="module")
def film(ffmpeg: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds in which much moves, two of a soft picture that stands still, two of black."""
    path = tmp_path_factory.mktemp("marking") / "film.mkv"
    size = f"{SIZE[0]}x{SIZE[1]}"
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=12,noise=alls=16:allf=t:all_seed=7,trim=end_frame={GOP}"),
        *("-f", "lavfi", "-i", f"gradients=size={size}:rate=12:seed=3:speed=0.00001:nb_colors=4,trim=end_frame={GOP}"),
        *("-f", "lavfi", "-i", f"color=black:size={size}:rate=12,trim=end_frame={GOP}"),
        *("-filter_complex", "[0][1][2]concat=n=3,format=yuv420p"),
        *("-c:v", "libx264", "-crf", "4", "-preset", "ultrafast"),
        path,
    )
    return path


def rung(
    name: str, *, crf: float | None = None, kbps: int = 300, mark: Mark = Mark.MEASURED, codec: str = "h264"
) -> FittedRung:
    target = Rung(
        name=name,
        box_width=SIZE[0],
        box_height=SIZE[1],
        bitrate_bps=kbps * 1000,
        max_bitrate_bps=kbps * 4000,
        buffer_bits=kbps * 8000,
        preset={"h264": "veryfast", "av1": "12"}[codec],
        codec=codec,
        mark=mark,
    )
    crfs = () if crf is None else (crf,) * GRID.segments
    return FittedRung(rung=target, width=SIZE[0], height=SIZE[1], crfs=crfs)


def marked(film: Path, to: Path, tools: Tools, *rungs: FittedRung) -> dict[str, RungMarks]:
    (chunk,) = plan_chunks(GRID)
    differing = {variant: encoder_options(variant, KEY, 0, aq_strength=0.5) for variant in Variant}
    request = EncodeRequest(master=probe(film, tools=tools), grid=GRID, chunk=chunk, rungs=rungs, differing=differing)
    to.mkdir()
    seen: list[float] = []
    encode_marked(request, to, key=KEY, tools=tools, on_progress=seen.append)
    assert seen == sorted(seen) and seen[-1] == 1.0
    path = to / MARKS_NAME
    return {row.rung: row for row in from_json(tuple[RungMarks, ...], path.read_bytes(), source=path)}


def modes(marks: RungMarks) -> list[Mode]:
    return [mark.mode for mark in marks.segments]


def segment(path: Path, number: int) -> np.ndarray:
    span = GRID.segment_span(number)
    frames = read_frames(path, start=float(span.start) - 0.01, end=float(span.end) - 0.01)
    return np.stack([frame.image for frame in frames]).astype(int)


@pytest.fixture(scope="module")
def coarse_and_fine(film: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, RungMarks]]:
    to = tmp_path_factory.mktemp("marks") / "made"
    rungs = (rung("mean", kbps=500), rung("planned", crf=20.0), rung("av1", crf=32.0, codec="av1"))
    return to, marked(film, to, tools, *rungs)


@pytest.mark.parametrize("name", ["mean", "planned", "av1"])
def test_a_segment_is_marked_by_what_its_variants_are_worth(
    name: str, coarse_and_fine: tuple[Path, dict[str, RungMarks]], tools: Tools
) -> None:
    folder, marks = coarse_and_fine
    assert modes(marks[name]) == [Mode.DIVERGENCE, Mode.PATTERN, Mode.UNMARKED]
    a, b = (folder / rendition_name(name, variant) for variant in Variant)
    for number, strength in whole_strengths(a, b, GRID, (0, 1)).items():
        assert marks[name].segments[number].strength == pytest.approx(strength, rel=(0.5, 0.05)[number])  # first pictures; all
    assert (segment(a, 2) == segment(b, 2)).all()
    for path in (a, b):
        decoded = decode_all(path, kind="video")
        assert (decoded.frames, decoded.error_lines, decoded.last) == (GRID.frames, (), Fraction(GRID.frames - 1, 12))


def test_only_renditions_and_marks_are_left(coarse_and_fine: tuple[Path, dict[str, RungMarks]]) -> None:
    folder, marks = coarse_and_fine
    assert {path.name for path in folder.iterdir()} == {MARKS_NAME, *(f"{name}.{v}.mp4" for name in marks for v in "ab")}


def test_a_pattern_fades_away_where_variants_may_meet(film: Path, tools: Tools, tmp_path: Path) -> None:
    """At a fine rung that asks for it: nothing at a segment's ends, and the two variants lie to either side of the picture."""
    marks = marked(film, tmp_path / "made", tools, rung("fine", crf=8.0, mark=Mark.PATTERN))["fine"]
    assert modes(marks) == [Mode.PATTERN, Mode.PATTERN, Mode.UNMARKED]
    a, b = (segment(tmp_path / "made" / rendition_name("fine", variant), 0) for variant in Variant)
    cells = (a - b).reshape(GOP, 18, 5, 32, 5).mean(axis=(2, 4))  # what the pattern is made of; the coding noise is finer
    apart = np.sqrt(np.square(cells).mean(axis=(1, 2)))
    assert max(apart[0], apart[-1]) < 0.4 * np.median(apart)
    assert abs((a - b).mean()) < 0.1


def test_a_rung_alone_gives_the_bytes_that_it_gives_among_others(
    coarse_and_fine: tuple[Path, dict[str, RungMarks]], film: Path, tools: Tools, tmp_path: Path
) -> None:
    folder, marks = coarse_and_fine
    assert marked(film, tmp_path / "made", tools, rung("planned", crf=20.0))["planned"] == marks["planned"]
    for name in (rendition_name("planned", variant) for variant in Variant):
        assert digest_file(tmp_path / "made" / name) == digest_file(folder / name)
