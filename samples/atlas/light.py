"""Colours and light in common: mixing, steps, ramps, the grid of pixels. Pictures are float32 RGB, 0 to 1 and above."""

import numpy as np
from numpy.typing import NDArray

from atlas.noise import Plane

Picture = NDArray[np.float32]  # (height, width, 3)


def rgb(code: str) -> Picture:
    """`#c08040` as three floats, in the light-like space the scenes are painted in (display value to the power of 2)."""
    return (np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255) ** 2


def smoothstep(low: float, high: float, value: Plane) -> Plane:
    """0 below `low`, 1 above `high`, and an S between."""
    share = np.clip((value - low) / (high - low), 0, 1)
    return (share * share * (3 - 2 * share)).astype(np.float32)


def mix(under: Picture, over: Picture, share: Plane | float) -> Picture:
    """`over` laid on `under`; `share` is a plane (0 under, 1 over) or one number."""
    weight = share[..., None] if isinstance(share, np.ndarray) and share.ndim == 2 else share
    difference = over - under
    shape = np.broadcast_shapes(difference.shape, np.shape(weight))
    blend = difference if shape == difference.shape else np.empty(shape, np.float32)
    np.multiply(difference, weight, out=blend)  # in place where it can be: pictures are large
    blend += under
    return blend


def ramp(value: Plane, *stops: tuple[float, Picture]) -> Picture:
    """Colours by value: (place, colour) pairs in rising order, straight lines between."""
    places = [place for place, _ in stops]
    return np.stack([np.interp(value, places, [colour[c] for _, colour in stops]) for c in range(3)], axis=-1).astype(
        np.float32
    )


def grid(width: int, height: int) -> tuple[Plane, Plane]:
    """x and y of the pixel centres in picture heights; the middle of the picture is (0, 0), y grows downward."""
    x = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / height
    y = (np.arange(height, dtype=np.float32) + 0.5 - height / 2) / height
    return np.broadcast_to(x[None, :], (height, width)), np.broadcast_to(y[:, None], (height, width))
