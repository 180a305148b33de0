"""What a suspect copy said: one soft symbol a segment, with where and how well the copy was laid over the title."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

# A symbol nearer to nothing than so many of its sigmas counts as not read. Chance gives 1.7, for a picture's blocks know a
# little of each other.
LEAST_Z = 2.5


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
    """How a piece of the copy lies over the title, from `begin` to `end` of its seconds: title = offset + speed x copy seconds.

    `matrix` maps picture coordinates of the title to those of the copy, both from -1 to 1 across, as a perspective (3x3, by
    rows, the last number 1); `likeness` is the median correlation of aligned pictures, 0 to 1.
    """

    offset: float
    speed: float
    begin: float
    end: float
    matrix: tuple[float, float, float, float, float, float, float, float, float]
    likeness: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RungScore:
    """How strongly the copy resembles this rung's variants: the median |z| over the segments tried on it."""

    rung: str
    median_z: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RungRun:
    """Neighbouring segments that came from one rung: `first` to `last`. A player that adapts goes from run to run."""

    rung: str
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that was read from a copy. `alignment` is that of its longest piece, None where the copy does not show this title;
    then nothing was read. `further` are its other pieces, where it was cut or put together in another order."""

    segments: int
    symbols: tuple[Symbol, ...]
    seconds_read: Fraction
    alignment: Alignment | None
    rungs: tuple[RungScore, ...]
    further: tuple[Alignment, ...] = ()

    @property
    def readable(self) -> int:
        """How many symbols stand out of their own noise."""
        return sum(abs(symbol.z) >= LEAST_Z for symbol in self.symbols)

    @property
    def aligned(self) -> bool:
        return self.alignment is not None

    def placed(self, title_seconds: float) -> Alignment | None:
        """The piece that shows this moment of the title; None where none does."""
        pieces = [self.alignment, *self.further] if self.alignment is not None else []
        shown = (one for one in pieces if one.begin <= (title_seconds - one.offset) / one.speed <= one.end)
        return next(shown, None)


def rung_path(symbols: Sequence[Symbol]) -> tuple[RungRun, ...]:
    """Which rung the copy came from, segment after segment. Segments that are not read prolong the run they are in."""
    runs: list[RungRun] = []
    for symbol in sorted(symbols, key=lambda symbol: symbol.segment):
        unread = abs(symbol.z) < LEAST_Z
        if runs and (unread or runs[-1].rung == symbol.rung):
            runs[-1] = RungRun(rung=runs[-1].rung, first=runs[-1].first, last=symbol.segment)
        elif not unread:
            runs.append(RungRun(rung=symbol.rung, first=symbol.segment, last=symbol.segment))
    return tuple(runs)
