"""The fine line: to the frame, and not misled by a moment that was taken from a still picture."""

from fractions import Fraction

import numpy as np
import pytest

from mediaforge.watermark.align import fit_line
from mediaforge.watermark.geometry import IDENTITY, Moment, Registered
from mediaforge.watermark.timeline import Line

FPS = Fraction(25)
STILL = np.zeros((2, 2), np.float32)


def fitted(times: list[float], frames: list[int], *, coarse: tuple[float, float]) -> tuple[float, float]:
    moments = [
        Moment(seconds=time, copy=STILL, title=(STILL,), frames=(frame,)) for time, frame in zip(times, frames, strict=True)
    ]
    found = Registered(matrix=IDENTITY, frames=tuple(frames), likeness=(0.9,) * len(frames))
    line = Line(offset=coarse[0], speed=coarse[1], span=(0, 60), mirrored=False)
    return fit_line(moments, found, line=line, fps=FPS)


@pytest.mark.parametrize("speed", [1.0, 1.04])
def test_a_rough_line_becomes_exact(speed: float) -> None:
    times = [2.0, 11.0, 20.0, 31.0, 42.0, 55.0]
    frames = [round((7.2 + speed * time) * 25) for time in times]
    offset, found = fitted(times, frames, coarse=(7.1, speed + 0.002))
    for time in (0.0, 60.0):
        assert offset + found * time == pytest.approx(7.2 + speed * time, abs=0.5 / 25)


def test_one_mistaken_moment_does_not_bend_the_line() -> None:
    times = [2.0, 11.0, 20.0, 31.0, 42.0, 55.0]
    frames = [round(time * 25) for time in times]
    frames[3] += 8
    offset, speed = fitted(times, frames, coarse=(0.05, 1.001))
    assert offset == pytest.approx(0, abs=0.02)
    assert speed == pytest.approx(1, abs=5e-4)


def test_a_single_moment_moves_the_coarse_line() -> None:
    assert fitted([10.0], [255], coarse=(0.0, 1.0)) == pytest.approx((0.2, 1.0))
