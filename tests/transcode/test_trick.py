from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from mediaforge.frames import Piece, decode_all, join, read_frames
from mediaforge.media import Chunk, Grid, Variant
from mediaforge.steps import digest_file
from mediaforge.tools import Tools, run
from mediaforge.transcode.encoder import EncodeRequest, encode, encode_argv
from mediaforge.transcode.probe import probe
from mediaforge.transcode.trick import TRICK_FILE, TrickRung, fit_trick
from tests.transcode.test_encoder import DIVERGING, rung
from tests.transcode.values import master

SMALL = TrickRung(width=160, height=90)


@pytest.mark.parametrize(
    ("picture", "size"),
    [((1920, 1080), (320, 180)), ((1080, 1920), (180, 320)), ((160, 90), (160, 90)), ((1998, 1080), (320, 172))],
)
def test_pictures_fit_their_box_and_are_never_enlarged(picture: tuple[int, int], size: tuple[int, int]) -> None:
    fitted = fit_trick(*picture)
    assert (fitted.width, fitted.height, fitted.label) == (*size, "SD")


def test_pictures_come_from_the_one_decode_and_in_one_variant(tools: Tools) -> None:
    grid = Grid(fps=Fraction(25), gop_frames=48, frames=96)
    chunk = Chunk(index=0, first_frame=0, frames=96)
    rungs = (rung("v", 320, 180, 100),)
    request = EncodeRequest(master=master(), grid=grid, chunk=chunk, rungs=rungs, differing=DIVERGING, trick=SMALL)
    argv = encode_argv(request, Path("/out"), tools=tools)
    assert argv.count("-i") == 1
    assert [word for word in argv if word.endswith(".mp4")] == ["/out/v.a.mp4", "/out/v.b.mp4", f"/out/{TRICK_FILE}"]
    plain = encode_argv(replace(request, trick=None), Path("/out"), tools=tools)
    assert not any(TRICK_FILE in word for word in plain)


@pytest.mark.parametrize("codecs", [("h264",), ("av1",), ("h264", "av1")])
def test_each_segment_gives_its_first_picture_and_all_of_its_time(
    codecs: tuple[str, ...], clip: Path, tools: Tools, tmp_path: Path
) -> None:
    """Over chunks joined, and with a short last segment; whatever encodes the rungs."""
    film = probe(clip, tools=tools)
    assert film.video is not None
    grid = Grid(fps=film.video.fps, gop_frames=20, frames=50)
    rungs = tuple(
        replace(one, rung=replace(one.rung, codec=name, preset="12" if name == "av1" else "veryfast"), crfs=(40.0, 40.0, 40.0))
        for name in codecs
        for one in (rung(name, 64, 36, 900),)
    )
    chunks = (Chunk(index=0, first_frame=0, frames=40), Chunk(index=1, first_frame=40, frames=10))
    pieces = []
    for chunk in chunks:
        folder = tmp_path / str(chunk.index)
        folder.mkdir()
        request = EncodeRequest(master=film, grid=grid, chunk=chunk, rungs=rungs, differing={Variant.A: {}}, trick=SMALL)
        encode(request, folder, tools=tools, on_progress=lambda _: None)
        pieces.append(Piece(path=folder / TRICK_FILE, first_frame=0, frames=-(-chunk.frames // 20)))
    whole = tmp_path / "whole.mp4"
    join(pieces, whole)
    rows = packets(whole, tools)
    assert [seconds for seconds, _ in rows] == [0, 20 / grid.fps, 40 / grid.fps]
    assert [length for _, length in rows] == [20 / grid.fps, 20 / grid.fps, 10 / grid.fps]
    assert decode_all(whole, kind="video").error_lines == ()
    firsts = [frame.image for frame in read_frames(clip, size=(160, 90)) if frame.seconds * grid.fps in (0, 20, 40)]
    for shown, expected in zip(read_frames(whole), firsts, strict=True):
        assert abs(shown.image.astype(int) - expected.astype(int)).mean() < 6


def test_the_same_pictures_are_the_same_bytes(clip: Path, tools: Tools, tmp_path: Path) -> None:
    film = probe(clip, tools=tools)
    assert film.video is not None
    grid = Grid(fps=film.video.fps, gop_frames=20, frames=40)
    digests = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        chunk = Chunk(index=0, first_frame=0, frames=40)
        rungs = (rung("v", 64, 36, 50),)
        request = EncodeRequest(master=film, grid=grid, chunk=chunk, rungs=rungs, differing={Variant.A: {}}, trick=SMALL)
        encode(request, tmp_path / name, tools=tools, on_progress=lambda _: None)
        digests.add(digest_file(tmp_path / name / TRICK_FILE))
    assert len(digests) == 1


def packets(path: Path, tools: Tools) -> list[tuple[Fraction, Fraction]]:
    """When each picture is shown, and for how long, in seconds."""
    argv = [tools.ffprobe, "-v", "error", "-of", "csv=p=0", "-show_entries", "packet=pts_time,duration_time", path]
    rows = run(argv, name="ffprobe").stdout.decode().split()
    return [(round_(begin), round_(length)) for begin, length in (row.split(",")[:2] for row in rows)]


def round_(seconds: str) -> Fraction:
    return Fraction(round(Fraction(seconds) * 1000), 1000)
