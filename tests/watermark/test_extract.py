"""From encodes to an accusation, small but real: two rungs of a made-up film, a stitched copy, a re-encoded leak."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mediaforge.frames import Piece, stitch
from mediaforge.media import Grid, Variant
from mediaforge.tools import FFMPEG_QUIET, Tools, run
from mediaforge.watermark.evidence import Alignment, Evidence, Symbol
from mediaforge.watermark.extract import Reference, extract, follow_rungs
from mediaforge.watermark.geometry import Matrix, Pixels
from mediaforge.watermark.reading import Reader, Shown
from mediaforge.watermark.sequence import code
from mediaforge.watermark.steady import Steadied, steady
from mediaforge.watermark.trace import accuse
from mediaforge.watermark.variants import encoder_options

SECRET = bytes(range(32))
GRID = Grid(fps=Fraction(25), gop_frames=25, frames=225)  # nine segments of a second
PIRATE = 4
RUNGS = {"low": (192, 108, 90), "top": (320, 180, 300)}
Encode = Callable[..., Path]


def film(seed: int) -> Iterator[bytes]:
    """Gray pictures of 320x180: every 2.4 s another textured place, over which the camera moves, with grain."""
    rng = np.random.default_rng(seed)
    for number in range(GRID.frames):
        if number % 60 == 0:
            layers = [cv2.GaussianBlur(rng.normal(size=(260, 480)), (0, 0), blur) for blur in (1.2, 4, 14)]
            place = 120 + 22 * sum(layer / layer.std() for layer in layers)
            step = rng.uniform(-1.2, 1.2, 2)
        shift = np.array([[1, 0, -60 - step[0] * (number % 60)], [0, 1, -40 - step[1] * (number % 60)]])
        picture = cv2.warpAffine(place, shift, (320, 180), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        yield np.clip(picture + rng.normal(0, 3, picture.shape), 16, 235).astype(np.uint8).tobytes()


@pytest.fixture(scope="module")
def encode(tmp_path_factory: pytest.TempPathFactory, tools: Tools) -> Encode:
    """Encode a made-up film, or a file, to a named file."""
    folder = tmp_path_factory.mktemp("watermark")

    def call(source: int | Path, name: str, *arguments: str) -> Path:
        raw = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", "320x180", "-r", "25", "-i", "-"]
        opened = raw if isinstance(source, int) else ["-i", str(source)]
        pictures = b"".join(film(source)) if isinstance(source, int) else None
        argv = [tools.ffmpeg, *FFMPEG_QUIET, "-y", *opened, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-threads", "1"]
        run([*argv, *arguments, folder / name], name="ffmpeg", stdin=pictures, timeout_seconds=600)
        return folder / name

    return call


@pytest.fixture(scope="module")
def references(encode: Encode) -> tuple[Reference, ...]:
    """Both rungs in both variants, encoded as the ladder's are."""
    made = []
    for rung, (width, height, kbps) in RUNGS.items():
        paths = {}
        for variant in Variant:
            settings = {"keyint": 25, "min-keyint": 25, "scenecut": 0, "open-gop": 0, "stitchable": 1}
            settings |= encoder_options(variant, SECRET, 0, aq_strength=1.0).get("h264", {})
            paths[variant] = encode(
                *(1, f"{rung}.{variant}.mp4", "-vf", f"scale={width}:{height}", "-preset", "veryfast"),
                *("-b:v", f"{kbps}k", "-maxrate", f"{kbps * 1.25}k", "-bufsize", f"{kbps * 1.25}k"),
                *("-x264-params", ":".join(f"{key}={value}" for key, value in settings.items())),
                *("-bsf:v", "filter_units=remove_types=6"),
            )
        made.append(Reference(rung=rung, a=paths[Variant.A], b=paths[Variant.B]))
    return tuple(made)


@pytest.fixture(scope="module")
def leak(references: tuple[Reference, ...], encode: Encode, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pirate's copy of the top rung: trimmed, re-encoded, another size."""
    copy = tmp_path_factory.mktemp("copy") / "copy.mp4"
    paths = {1: references[1].a, 0: references[1].b}
    bits = code(SECRET, PIRATE, GRID.segments)
    stitch([Piece(path=paths[int(bit)], first_frame=25 * index, frames=25) for index, bit in enumerate(bits)], copy)
    cut = "trim=start_frame=9,setpts=PTS-STARTPTS,scale=256:144"
    return encode(copy, "leak.mp4", "-vf", cut, "-preset", "veryfast", "-crf", "26")


@pytest.fixture(scope="module")
def evidence(references: tuple[Reference, ...], leak: Path) -> Evidence:
    return extract(leak, references, GRID)


def headers(path: Path) -> bytes:
    """The avcC box: SPS and PPS."""
    content = path.read_bytes()
    at = content.index(b"avcC")
    return content[at : at + int.from_bytes(content[at - 4 : at], "big") - 4]


def test_both_variants_have_one_header(references: tuple[Reference, ...]) -> None:
    for reference in references:
        assert headers(reference.a) == headers(reference.b)
        assert reference.a.read_bytes() != reference.b.read_bytes()


def test_the_leak_is_laid_over_the_title_to_the_frame(evidence: Evidence) -> None:
    assert evidence.alignment is not None
    assert evidence.alignment.offset == pytest.approx(9 / 25, abs=0.01)
    assert evidence.alignment.speed == pytest.approx(1, abs=1e-3)
    assert evidence.alignment.matrix == pytest.approx((1, 0, 0, 0, 1, 0, 0, 0, 1), abs=0.01)


def test_every_segment_reads_as_the_pirate_got_it_on_the_rung_he_had(evidence: Evidence) -> None:
    bits = code(SECRET, PIRATE, GRID.segments)
    assert [symbol.segment for symbol in evidence.symbols] == list(range(9))
    for symbol in evidence.symbols:
        assert symbol.rung == "top"
        assert (symbol.z if bits[symbol.segment] else -symbol.z) > 3
    scores = {score.rung: score.median_z for score in evidence.rungs}
    assert scores["top"] > 3 * scores["low"]


def test_rungs_that_answered_are_asked_first_and_others_where_they_are_silent(
    references: tuple[Reference, ...], leak: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[tuple[str, ...], tuple[int, ...]]] = []
    glance = Reader.glance

    def watched(reader: Reader, rungs: Sequence[Reference], segments: tuple[int, ...], heads: Sequence[Shown]) -> list[Symbol]:
        answers = glance(reader, rungs, segments, heads)
        asked.append((tuple(rung.rung for rung in rungs), segments))
        loud = [symbol.rung == "top" and symbol.segment not in (4, 6, 7) for symbol in answers]
        return [replace(symbol, z=30.0 if clear else 1.0) for symbol, clear in zip(answers, loud, strict=True)]

    monkeypatch.setattr(Reader, "glance", watched)
    monkeypatch.setattr("mediaforge.watermark.extract._FIRST", 3)
    read = extract(leak, references, GRID)
    assert asked == [(("low", "top"), (0, 1, 2)), (("top",), (3, 4, 5, 6, 7, 8)), (("low",), (6, 7))]
    assert {symbol.rung for symbol in read.symbols} == {"top"}
    assert [symbol.segment for symbol in read.symbols] == list(range(9))
    # What was silent at a glance was read whole: as loud as before, not 1.
    assert all(abs(symbol.z) > 4 for symbol in read.symbols)


def test_nothing_is_read_in_unmarked_segments(references: tuple[Reference, ...]) -> None:
    """The copy is A throughout, so each marked segment answers; the one that is said to be unmarked is not asked."""
    same = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    placed = Alignment(offset=0.0, speed=1.0, begin=0.0, end=9.0, matrix=same, likeness=1.0)
    reader = Reader(leak=references[1].a, piece=placed, grid=GRID, size=(320, 180))
    partly = replace(references[1], unmarked=frozenset({3}))

    def glance(rungs: Sequence[Reference], segments: tuple[int, ...]) -> list[Symbol]:
        return reader.glance(rungs, segments, reader.head_pictures(segments))

    for read in (glance, reader.read):
        assert [symbol.segment for symbol in read([references[1]], (2, 3, 4))] == [2, 3, 4]
        symbols = read([partly], (2, 3, 4))
        assert [symbol.segment for symbol in symbols] == [2, 4]
        assert all(symbol.z > 10 for symbol in symbols)


def test_a_trembling_picture_is_laid_over_once_for_all_rungs(
    references: tuple[Reference, ...], leak: Path, evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid = []

    def watched(image: NDArray[Any], matrix: Matrix, wanted: Pixels) -> Steadied:
        laid.append(wanted)
        return steady(image, matrix, wanted)

    monkeypatch.setattr("mediaforge.watermark.reading.CLEAR_Z", 1000.0)  # nothing is read quickly
    monkeypatch.setattr("mediaforge.watermark.reading.steady", watched)
    assert evidence.alignment is not None
    reader = Reader(leak=leak, piece=evidence.alignment, grid=GRID, size=(320, 180))
    assert [symbol.rung for symbol in reader.read(references, (2, 3))] == ["top", "top", "low", "low"]
    both = len(laid)
    reader.read(references[1:], (2, 3))
    assert both == len(laid) - both > 20


def test_the_pirate_is_accused_and_nobody_else(evidence: Evidence) -> None:
    verdict = accuse(evidence, secret=SECRET, recipients=[("a", 3), ("pirate", PIRATE), ("b", 5)], false_accusation=0.1)
    assert [accusation.recipient for accusation in verdict.accusations] == ["pirate"]


def test_another_film_is_not_laid_over_this_one(references: tuple[Reference, ...], encode: Encode) -> None:
    other = extract(encode(2, "other.mp4", "-preset", "ultrafast", "-crf", "30"), references, GRID)
    assert other.alignment is None
    assert other.symbols == ()


def test_a_player_is_followed_from_rung_to_rung_and_chance_is_not() -> None:
    top = [9, 8, 1.5, 9, 0.5, 0.3, 1, 0.6]  # the third segment is quiet, and the other rung answers there by chance
    low = [0.5, 1, 2.5, 0.3, 8, 9, 7, 8]
    readings = [
        Symbol(segment=number, rho=0, sigma=1, z=(-1) ** number * z, rung=rung)
        for rung, values in (("low", low), ("top", top))
        for number, z in enumerate(values)
    ]
    assert [symbol.rung for symbol in follow_rungs(readings)] == ["top"] * 4 + ["low"] * 4
    assert follow_rungs([]) == []


def test_one_loud_segment_on_another_rung_is_chance_and_so_are_two_after_a_window_that_was_read() -> None:
    top, low = [12, 9, 1.5, 11], [2, 1, 40, 0.5]
    assert _followed(top=top, low=low) == ["top"] * 4
    assert _followed(top=top[2:], low=[6, 0.5]) == ["top"] * 2
    top, low = [1, 1.5, 12, 9], [6, 6, 2, 1]
    assert _followed(top=top, low=low) == ["low", "low", "top", "top"]
    assert _followed(top=top, low=low, before=["top"]) == ["top"] * 4


def _followed(*, top: list[float], low: list[float], before: Sequence[str] = ()) -> list[str]:
    readings = [
        Symbol(segment=number, rho=0, sigma=1, z=z, rung=rung)
        for rung, values in (("low", low), ("top", top))
        for number, z in enumerate(values)
    ]
    return [symbol.rung for symbol in follow_rungs(readings, before=before)]


def test_a_spliced_copy_is_read_where_it_is_of_this_title_only(
    references: tuple[Reference, ...], encode: Encode, tools: Tools, tmp_path: Path
) -> None:
    """Another film's three seconds first, then the copy's second half, then its first: what is read is the right part's."""
    bits = code(SECRET, PIRATE, GRID.segments)
    copy, paths = tmp_path / "copy.mp4", {1: references[1].a, 0: references[1].b}
    stitch([Piece(path=paths[int(bit)], first_frame=25 * index, frames=25) for index, bit in enumerate(bits)], copy)
    other = encode(2, "other-short.mp4", "-preset", "ultrafast", "-crf", "20")
    cut = "[0]trim=end_frame=75,setpts=PTS-STARTPTS[x];[1]split[p][q];[p]trim=start_frame=100,setpts=PTS-STARTPTS[y];"
    cut += "[q]trim=end_frame=100,setpts=PTS-STARTPTS[z];[x][y][z]concat=n=3"
    leak = tmp_path / "leak.mp4"
    encoder = ["-filter_complex", cut, "-c:v", "libx264", "-threads", "1", "-preset", "veryfast", "-crf", "24", leak]
    run([tools.ffmpeg, *FFMPEG_QUIET, "-i", other, "-i", copy, *encoder], name="ffmpeg", timeout_seconds=600)
    read = extract(leak, references, GRID)
    assert len(read.further) == 1
    assert {round(piece.offset, 1) for piece in (read.alignment, *read.further) if piece is not None} == {1.0, -8.0}
    assert len(read.symbols) >= 7
    for symbol in read.symbols:
        assert abs(symbol.z) < 6 or (symbol.z > 0) == bool(bits[symbol.segment])
    strangers = [(f"stranger-{number}", number) for number in range(10, 200)]
    assert not accuse(read, secret=SECRET, recipients=strangers, false_accusation=1e-3).accusations


def test_three_seconds_and_another_encode_name_nobody(references: tuple[Reference, ...], encode: Encode) -> None:
    everybody = [(f"recipient-{number}", number) for number in range(200)]
    third = encode(1, "third.mp4", "-preset", "veryfast", "-crf", "28")
    short = encode(references[1].a, "short.mp4", "-ss", "3", "-t", "3", "-preset", "veryfast", "-crf", "26")
    for leak in (third, short):
        read = extract(leak, references, GRID)
        assert not accuse(read, secret=SECRET, recipients=everybody, false_accusation=1e-6).accusations
