"""Mountains as rivers make them: land rises, water runs down every slope and carries the land away (stream power law)."""

import numpy as np

from atlas.noise import Plane, enlarge, fractal, octave

NEIGHBOURS = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx)
CARVING = 0.04  # cut per step = CARVING x drained area^AREA_POWER x slope
AREA_POWER = 0.45
TALUS = 2.2  # steeper than this (height per cell) and rock slides of itself
CREEP = 0.02


def mountains(rng: np.random.Generator) -> tuple[Plane, Plane]:
    """A tile of (1024, 1024) heights and of log drained area (high in gullies and river beds), each from 0 to 1.

    Valleys are found on a coarse grid, sharpened on a finer one, and roughened by noise where water does not run.
    """
    valleys = np.abs(fractal(rng, 256, first=1.6, octaves=4)) < 0.035
    uplift = np.maximum(0.33 + 0.16 * fractal(rng, 256, first=1.5, octaves=3), 0.03).astype(np.float32)
    height = np.maximum(8 + 4 * fractal(rng, 256, first=4, octaves=6), 0)
    height, _ = erode(height, uplift, valleys, steps=320)

    height = enlarge(height) * 2 + 0.8 * octave(rng, 512, 100)
    fine_uplift = enlarge(uplift)
    height, area = erode(height, fine_uplift, enlarge(valleys.astype(np.float32)) > 0.5, steps=70)

    wet = enlarge(np.log(area))
    wet = np.clip((wet - wet.min()) / (np.quantile(wet, 0.995) - wet.min()), 0, 1)
    rough = enlarge(height) + 1.3 * fractal(rng, 1024, first=64, octaves=4, gain=0.7) * (1 - wet)
    return np.maximum(rough, 0) / rough.max(), wet


def erode(height: Plane, uplift: Plane, valleys: np.ndarray, *, steps: int) -> tuple[Plane, Plane]:
    """Let it rain for `steps`. Heights are in cells, `valleys` stay at 0. Returns the heights and every cell's drained area."""
    area = np.ones_like(height)
    for _ in range(steps):
        padded = np.pad(height, 1, mode="wrap")
        drops = [np.maximum(height - neighbour(padded, dy, dx), 0) / np.float32(np.hypot(dy, dx)) for dy, dx in NEIGHBOURS]
        weights = [drop * drop for drop in drops]
        share = area / (sum(weights) + np.float32(1e-9))
        area = np.ones_like(height)
        for (dy, dx), weight in zip(NEIGHBOURS, weights, strict=True):
            area += neighbour(np.pad(weight * share, 1, mode="wrap"), -dy, -dx)
        steepest = np.maximum.reduce(drops)
        cut = np.minimum(CARVING * area**AREA_POWER, 0.5) * steepest + np.maximum(steepest - TALUS, 0) * 0.5
        creep = sum(neighbour(padded, dy, dx) for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0))) - 4 * height
        height = np.where(valleys, 0, np.maximum(height + uplift - cut + CREEP * creep, 0)).astype(np.float32)
    return height, area


def neighbour(padded: Plane, dy: int, dx: int) -> Plane:
    return padded[1 + dy : padded.shape[0] - 1 + dy, 1 + dx : padded.shape[1] - 1 + dx]
