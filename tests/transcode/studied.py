"""A hand-made title: two sizes, six GOPs of 2 s in three shots, two samples."""

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from mediaforge.media import Grid, Shape
from mediaforge.transcode.hull import Curve, TitleCurves

GRID = Grid(fps=Fraction(25), gop_frames=50, frames=300)
SAMPLE = np.array([0, 0, 1, 1, 0, 1])
SCALE = np.array([1.0, 1.3, 1.0, 0.8, 1.1, 1.2])


def curve(width: int, height: int, *, a: ArrayLike, c: ArrayLike, b: float = 0.12, d: float = 0.08) -> Curve:
    """ln bits = a - b crf for GOPs that take SCALE times their sample's, and ln(101 - VMAF) = c + d crf for samples."""
    own = np.asarray(a, dtype=np.float64)[SAMPLE] + np.log(SCALE)
    loss = np.asarray(c, dtype=np.float64)
    return Curve(
        shape=Shape(width, height),
        a=own,
        b=np.full_like(own, b),
        c=loss,
        d=np.full_like(loss, d),
        finest=20.0,
        coarsest=40.0,
        limit=51.0,
    )


def title() -> TitleCurves:
    """Sample 0 is easy, sample 1 takes four times the bits and loses more; the larger picture begins nearer to the ceiling."""
    return TitleCurves(
        grid=GRID,
        curves=(
            curve(256, 144, a=[14.8, 16.2], c=[0.9, 1.2]),
            curve(1280, 720, a=[17.4, 18.8], c=[0.1, 0.5]),
        ),
        sample=SAMPLE,
        shot=np.array([0, 0, 1, 1, 1, 2]),
    )
