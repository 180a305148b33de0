"""What a suspect copy said: one soft symbol a segment, with where and how well the copy was laid over the title."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """One watermark position as read: `rho` is +1 for a pure A, -1 for a pure B, 0 for no trace of either.

    `sigma` is the noise of rho, `z` their ratio. A large |z| is no proof of a mark: any other encode of the same master
    resembles one of the variants by chance (facts-watermark 3.4). Only the code bound of `trace.py` accuses.
    """

    segment: int
    rho: float
    sigma: float
    z: float
    rung: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """How the copy lies over the title: title seconds = offset + speed x copy seconds.

    `matrix` maps picture coordinates of the title to those of the copy, both from -1 to 1 across (2x3, by rows);
    `likeness` is the mean correlation of aligned pictures, 0 to 1.
    """

    offset: float
    speed: float
    matrix: tuple[float, float, float, float, float, float]
    likeness: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RungScore:
    """How strongly the copy resembles this rung's variants: the median |z| over the segments tried on it."""

    rung: str
    median_z: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that was read from a copy. `alignment` is None where the copy does not show this title; then nothing was read."""

    segments: int
    symbols: tuple[Symbol, ...]
    seconds_read: Fraction
    alignment: Alignment | None
    rungs: tuple[RungScore, ...]

    @property
    def aligned(self) -> bool:
        return self.alignment is not None
