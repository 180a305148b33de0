"""A title's curves in a file: numbers in a NumPy archive, nothing that could be executed when it is read."""

from pathlib import Path

import numpy as np

from mediaforge.errors import StoreError
from mediaforge.media import Grid, Shape
from mediaforge.transcode.hull import Curve, TitleCurves

_NUMBERS = ("a", "b", "c", "d")


def save_study(curves: TitleCurves, path: Path) -> None:
    shape = np.array([(*one.shape, one.finest, one.coarsest, one.limit) for one in curves.curves])
    a, b, c, d = (np.array([getattr(one, name) for one in curves.curves]) for name in _NUMBERS)  # (sizes, GOPs or samples)
    np.savez(path, shape=shape, sample=curves.sample, shot=curves.shot, a=a, b=b, c=c, d=d)


def load_study(path: Path, grid: Grid) -> TitleCurves:
    """Raises StoreError where the file is no study."""
    try:
        with np.load(path, allow_pickle=False) as file:
            numbers = {name: file[name] for name in _NUMBERS}
            return TitleCurves(
                grid=grid,
                curves=tuple(
                    Curve(
                        shape=Shape(int(width), int(height), int(step)),
                        finest=float(finest),
                        coarsest=float(coarsest),
                        limit=float(limit),
                        **{name: rows[place] for name, rows in numbers.items()},
                    )
                    for place, (width, height, step, finest, coarsest, limit) in enumerate(file["shape"])
                ),
                sample=file["sample"],
                shot=file["shot"],
            )
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(path, f"holds no study of a title ({error}); remove it and run the command again") from error
