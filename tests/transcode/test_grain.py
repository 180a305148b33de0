"""Film grain is measured where picture detail is not, and only what has it and can show it gets it back."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mediaforge.frames import read_frames
from mediaforge.ladder import FittedRung, Rung
from mediaforge.media import Chunk, Grid, Variant
from mediaforge.tools import Tools
from mediaforge.transcode.encoder import EncodeRequest, encode
from mediaforge.transcode.grain import grain_level, grain_sigma, with_grain
from mediaforge.transcode.probe import probe
from mediaforge.transcode.quality import score_frames

GRID = Grid(fps=Fraction(25), gop_frames=48, frames=48)


def rung(codec: str, kbps: int, grain: int = 0) -> FittedRung:
    target = Rung(
        name=f"{codec}-{kbps}",
        box_width=640,
        box_height=360,
        bitrate_bps=kbps * 1000,
        max_bitrate_bps=20_000_000,
        buffer_bits=20_000_000,
        preset="12" if codec == "av1" else "veryfast",
        codec=codec,
    )
    return FittedRung(rung=target, width=640, height=360, crfs=(40.0,), grain=grain)


@pytest.fixture(scope="module")
def grainy(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Callable[..., None]) -> Path:
    """A smooth moving picture with grain of about 4 levels, losslessly."""
    path = tmp_path_factory.mktemp("grain") / "grainy.mkv"
    picture = "gradients=size=640x360:rate=25:duration=2:speed=0.02:seed=5,format=yuv420p,noise=c0s=12:c0f=t:all_seed=3"
    ffmpeg("-f", "lavfi", "-i", picture, "-c:v", "libx264", "-qp", "0", "-preset", "ultrafast", path)
    return path


def test_grain_is_measured_through_detail() -> None:
    rng = np.random.default_rng(1)
    detail = np.tile(np.linspace(60, 180, 320), (192, 1)) + 30 * (np.indices((192, 320)).sum(0) // 16 % 2)
    for sigma in (0.0, 2.0, 5.0):
        first, second = (np.clip(detail + sigma * rng.standard_normal(detail.shape), 0, 255).round() for _ in range(2))
        found = grain_sigma([(first.astype(np.uint8), second.astype(np.uint8))], 320, 192)
        assert found == pytest.approx(sigma, abs=0.35)


def test_nothing_can_be_said_of_black() -> None:
    black = np.zeros((192, 320), np.uint8)
    assert grain_sigma([(black, black)], 320, 192) == 0


def test_levels_follow_the_grain_and_end_somewhere() -> None:
    assert [grain_level(sigma) for sigma in (0.0, 0.9, 1.5, 2.9, 9.0)] == [0, 0, 15, 29, 50]


def test_only_rungs_that_can_pay_for_grain_get_it(grainy: Path, tools: Tools) -> None:
    film = probe(grainy, tools=tools)
    rungs = (rung("h264", 900), rung("av1", 300), rung("av1", 900))
    levels = [one.grain for one in with_grain(rungs, film, GRID)]
    assert levels[:2] == [0, 0] and levels[2] > 20


def test_a_clean_title_gets_none(clip: Path, tools: Tools, tmp_path: Path, ffmpeg: Callable[..., None]) -> None:
    clean = tmp_path / "clean.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=2", "-c:v", "libx264", "-qp", "0", clean)
    assert [one.grain for one in with_grain((rung("av1", 900),), probe(clean, tools=tools), GRID)] == [0]


def test_decoders_show_the_grain_that_the_rate_could_not_hold(grainy: Path, tools: Tools, tmp_path: Path) -> None:
    film = probe(grainy, tools=tools)
    (fitted,) = with_grain((rung("av1", 900),), film, GRID)
    found = {}
    for name, one in (("without", rung("av1", 900)), ("with", fitted)):
        folder = tmp_path / name
        folder.mkdir()
        chunk = Chunk(index=0, first_frame=0, frames=48)
        request = EncodeRequest(master=film, grid=GRID, chunk=chunk, rungs=(one,), differing={Variant.A: {}})
        encode(request, folder, tools=tools, on_progress=lambda _: None)
        found[name] = _sigma(folder / "av1-900.a.mp4")
    scores = [
        score_frames([tmp_path / name / "av1-900.a.mp4"], film, [range(48)], fps=GRID.fps, tools=tools)[0] for name in found
    ]
    assert np.abs(scores[0] - scores[1]).max() < 0.5  # certified is the picture under the grain
    was = _sigma(grainy)
    assert found["without"] < 0.4 * was
    assert found["with"] == pytest.approx(was, rel=0.35)


def _sigma(path: Path) -> float:
    pictures = [frame.image for frame in read_frames(path)]
    return grain_sigma([(pictures[at], pictures[at + 1]) for at in (5, 20, 35)], 640, 360)
