"""Measurements of an hour nobody filmed: what a test does not name is as it should be."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from mediaforge.media import VideoTrack
from mediaforge.transcode.qc.seen import Seen, Sound

SECONDS = 60
FPS = 25


def video(*, field_order: str = "progressive") -> VideoTrack:
    return VideoTrack(
        index=0,
        codec="h264",
        width=1280,
        height=720,
        sar=Fraction(1),
        fps=Fraction(FPS),
        field_order=field_order,
        pixel_format="yuv420p",
        color_space="bt709",
        color_transfer="bt709",
        color_primaries="bt709",
        color_range="tv",
        start=Fraction(0),
        duration=Fraction(SECONDS),
    )


def sound(**changes: Any) -> Sound:
    steps = 10 * SECONDS
    good = Sound(
        start=0.0,
        rms=np.full((steps, 2), -25.0),
        peak=np.full((steps, 2), -12.0),
        flat=np.zeros((steps, 2)),
        phase=np.full(steps, 0.8),
        loudness_lufs=-23.0,
        range_lu=8.0,
        true_peak_dbtp=-3.0,
    )
    return replace(good, **changes)


def seen(**changes: Any) -> Seen:
    good = Seen(
        fps=FPS,
        frames=FPS * SECONDS,
        black=(),
        frozen=(),
        fields=np.zeros(FPS * SECONDS),
        bars=np.zeros((100, 4)),
        turns=(),
        sound=sound(),
    )
    return replace(good, **changes)
