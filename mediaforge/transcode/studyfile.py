"""A title's curves in a file: numbers in a NumPy archive, nothing that could be executed when it is read."""

from pathlib import Path

import numpy as np

from mediaforge.errors import StoreError
from mediaforge.media import Grid
from mediaforge.transcode.hull import Curve, TitleCurves

_NUMBERS = ("a", "b", "c", "d")


def save_study(curves: TitleCurves, path: Path) -> None:
    shape = np.array([(one.width, one.height, one.finest, one.coarsest) for one in curves.curves])
    numbers = np.array([[getattr(one, name) for name in _NUMBERS] for one in curves.curves])  # (sizes, 4, samples)
    np.savez(path, shape=shape, numbers=numbers, sample=curves.sample, scale=curves.scale, shot=curves.shot)


def load_study(path: Path, grid: Grid) -> TitleCurves:
    """Raises StoreError where the file is no study."""
    try:
        with np.load(path, allow_pickle=False) as file:
            shape, numbers = file["shape"], file["numbers"]
            return TitleCurves(
                grid=grid,
                curves=tuple(
                    Curve(
                        width=int(width),
                        height=int(height),
                        finest=float(finest),
                        coarsest=float(coarsest),
                        **dict(zip(_NUMBERS, rows, strict=True)),
                    )
                    for (width, height, finest, coarsest), rows in zip(shape, numbers, strict=True)
                ),
                sample=file["sample"],
                scale=file["scale"],
                shot=file["shot"],
            )
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(path, f"holds no study of a title ({error}); remove it and run the command again") from error
