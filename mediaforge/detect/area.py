"""The active picture area: what is left of a stretch of pictures when its black bars are taken away."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# A pixel shows something where it gets lighter than a noisy black, or where it moves (facts: luma 32, of 255).
_DARK = 32
_MOVES = 16
# A line belongs to a bar while fewer of its pixels show something: a subtitle or a logo may stand in a bar.
_BAR_SHARE = 0.08
# A bar ends at once, but for a few lines into which an encoder lets the picture ring: then the lines are filled. A dark or
# vignetted picture fades out and keeps its edge.
_FILLED_SHARE = 0.5
_EDGE_LINES = 6
_LEAST_LEFT = 0.4  # of the width or height; less is a dark scene, not a picture between bars


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A rectangle in pixels, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    def crop(self, share: float) -> "Area":
        """The rectangle around the same centre, `share` as wide and as high."""
        height, width = (self.bottom - self.top) * share, (self.right - self.left) * share
        top, left = round((self.top + self.bottom - height) / 2), round((self.left + self.right - width) / 2)
        return Area(top=top, bottom=top + round(height), left=left, right=left + round(width))

    def cut(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return image[self.top : self.bottom, self.left : self.right]


def whole_area(height: int, width: int) -> Area:
    return Area(top=0, bottom=height, left=0, right=width)


def find_area(stretch: NDArray[np.uint8]) -> Area:
    """The area common to a stretch of pictures (n, h, w).

    It depends on these pictures alone, so that an excerpt and its title agree.
    """
    lightest, darkest = stretch.max(axis=0), stretch.min(axis=0)
    shows = (lightest > _DARK) | (lightest - darkest > _MOVES)  # (h, w)
    top, bottom = _between_bars(shows.mean(axis=1))
    left, right = _between_bars(shows[top:bottom].mean(axis=0))
    return Area(top=top, bottom=bottom, left=left, right=right)


def _between_bars(shares: NDArray[np.float64]) -> tuple[int, int]:
    """First and last line (excluded) of the picture, from the share of each line's pixels that show something."""
    lines = np.flatnonzero(shares > _BAR_SHARE)
    if not len(lines):
        return 0, len(shares)
    begin = _behind_bar(shares, int(lines[0]))
    end = len(shares) - _behind_bar(shares[::-1], len(shares) - 1 - int(lines[-1]))
    return (begin, end) if end - begin >= _LEAST_LEFT * len(shares) else (0, len(shares))


def _behind_bar(shares: NDArray[np.float64], first: int) -> int:
    """The line at which the picture begins, where `first` is the first that shows something; 0 where there is no bar."""
    filled = np.flatnonzero(shares[first : first + _EDGE_LINES] > _FILLED_SHARE)
    return first + int(filled[0]) if len(filled) else 0
