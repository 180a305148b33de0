"""A name over the picture: in every script, faint, elsewhere after a while; the sound stays as it was."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mediaforge.frames import decode_all, read_frames
from mediaforge.media import Grid
from mediaforge.tools import Tools
from mediaforge.transcode.visible import FONT, write_name

GRID = Grid(fps=Fraction(5), gop_frames=10, frames=20)


@pytest.fixture(scope="module")
def gray(ffmpeg: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of even gray with a tone."""
    path = tmp_path_factory.mktemp("visible") / "gray.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "color=gray:size=320x180:rate=5:duration=4"),
        *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=4"),
        *("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2"),
        path,
    )
    return path


def drawn(gray: Path, to: Path, name: str, tools: Tools) -> np.ndarray:
    """Where the picture is lighter than the gray, frame by frame."""
    seen: list[float] = []
    write_name(gray, to, name, grid=GRID, tools=tools, on_progress=seen.append)
    assert seen[-1] == 1.0
    frames = np.stack([frame.image for frame in read_frames(to)]).astype(int)
    assert len(frames) == GRID.frames
    return frames - int(np.median(frames))


def test_an_arabic_name_is_shaped_and_faint_and_the_sound_is_the_same(gray: Path, tools: Tools, tmp_path: Path) -> None:
    letters = drawn(gray, tmp_path / "arabic.mp4", "مهرجان أكادير", tools)
    assert 20 < letters.max() < 80  # to be read, and to be looked past
    assert decode_all(tmp_path / "arabic.mp4", kind="audio").digest == decode_all(gray, kind="audio").digest
    apart = drawn(gray, tmp_path / "apart.mp4", " ".join("مهرجان أكادير"), tools)
    # Joined letters are narrower than the same ones each for itself.
    joined_width, apart_width = (np.ptp(np.flatnonzero((rows[0] > 10).any(axis=0))) for rows in (letters, apart))
    assert joined_width < 0.75 * apart_width


def test_a_name_with_the_filter_s_own_characters_is_just_a_name(gray: Path, tools: Tools, tmp_path: Path) -> None:
    assert drawn(gray, tmp_path / "odd.mp4", r"%{pts}:'\,[x]=; Tifawin ⵜⵉⴼⴰⵡⵉⵏ", tools).max() > 20


def test_the_name_moves(gray: Path, tools: Tools, tmp_path: Path) -> None:
    letters = drawn(gray, tmp_path / "moving.mp4", "Tanger", tools) > 10
    across = [np.flatnonzero(frame.any(axis=0)).mean() for frame in letters]
    assert across[0] < across[-1] < across[0] + 60


def test_the_font_comes_with_its_licence() -> None:
    assert "Bitstream" in (FONT.parent / "LICENSE").read_text(encoding="utf-8")
