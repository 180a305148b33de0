"""The sharp picture between its own blurred ones: how short-video apps show a wide film upright, and stations a tall one wide.

The blurred parts have no fine detail, and the picture begins and ends at straight lines from edge to edge. Both are asked
for, since a face before a soft background is sharp in the middle as well.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaforge.detect.area import Area

_LOOKED_AT = 8  # pictures of a stretch: the borders stand still
_SHARP = 0.3  # of what the sharpest lines have: a line of the picture, be it of sky
_BLURRED = 0.35  # of the mean inside: the most that the parts outside may have
_STEP = 3.0  # times the usual step between two lines outside: where the picture begins
_LEAST, _MOST = 0.2, 0.85  # of the side
_BORDER = 0.04  # of the side: less is no blurred part but an encoder's edge


def find_inset(stretch: NDArray[np.uint8], area: Area) -> Area | None:
    """The sharp picture within the active area of pictures (n, h, w); None where all of it is."""
    chosen = stretch[:: -(-len(stretch) // _LOOKED_AT)]
    pictures = [np.ascontiguousarray(area.cut(picture)) for picture in chosen]
    fine = np.mean([cv2.convertScaleAbs(cv2.Laplacian(picture, cv2.CV_16S)) for picture in pictures], axis=0)  # (h, w)
    # The median along a line: a head that rises over it is no edge from side to side.
    seen = np.stack(pictures).astype(np.float32)
    rows = _between_blurs(fine.mean(axis=1), np.median(np.abs(seen[:, 2:] - seen[:, :-2]).mean(axis=0), axis=1))
    if rows is not None:
        return Area(top=area.top + rows[0], bottom=area.top + rows[1], left=area.left, right=area.right)
    columns = _between_blurs(fine.mean(axis=0), np.median(np.abs(seen[:, :, 2:] - seen[:, :, :-2]).mean(axis=0), axis=0))
    if columns is not None:
        return Area(top=area.top, bottom=area.bottom, left=area.left + columns[0], right=area.left + columns[1])
    return None


def _between_blurs(fine: NDArray[np.float64], steps: NDArray[np.float32]) -> tuple[int, int] | None:
    """First and last line (excluded) of the sharp part, from each line's detail and the step over it (of lines 1 to n - 1)."""
    side = len(fine)
    sharp = np.flatnonzero(fine > _SHARP * np.quantile(fine, 0.9))
    if not len(sharp):
        return None
    begin, end = int(sharp[0]), int(sharp[-1]) + 1
    ends = [at for at in (begin, end) if _BORDER * side < at < (1 - _BORDER) * side]
    if not ends or not _LEAST * side <= end - begin <= _MOST * side:
        return None
    outside = np.ones(side, bool)
    outside[max(0, begin - 3) : end + 3] = False
    if not outside.any() or fine[outside].mean() > _BLURRED * fine[begin:end].mean():
        return None
    usual = float(steps[outside[1:-1]].mean()) if outside[1:-1].any() else 0.0
    if any(steps[max(0, at - 3) : at + 2].max() < _STEP * max(usual, 0.5) for at in ends):
        return None
    return begin, end
