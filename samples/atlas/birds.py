"""Birds far off: two wings that beat, drawn as thin bows."""

import cv2
import numpy as np

from atlas.light import Picture


def flock(
    picture: Picture, t: float, *, seed: int, count: int, colour: Picture, span: float,
    drift: tuple[float, float], region: tuple[float, float, float, float],
) -> None:  # fmt: skip
    """Draw `count` birds into the picture, in place. In picture heights; `region` is x0, x1, y0, y1 at the start."""
    height, width = picture.shape[:2]
    rng = np.random.default_rng(seed)
    cover = np.zeros((height, width), np.uint8)
    for _ in range(count):
        x, y = rng.uniform(*region[:2]), rng.uniform(*region[2:])
        pace, beat, phase, size = (
            rng.uniform(0.8, 1.25),
            rng.uniform(1.6, 2.6),
            rng.uniform(0, 6.3),
            span * rng.uniform(0.6, 1.2),
        )
        x += drift[0] * t * pace + 0.01 * np.sin(1.3 * t + phase)
        y += drift[1] * t * pace + 0.012 * np.sin(0.9 * t + 2 * phase)
        wing = 0.35 * np.sin(2 * np.pi * beat * t + phase) - 0.08
        along = np.linspace(-1, 1, 13)
        bow = -(np.abs(along) ** 0.8) * wing + 0.22 * along**2
        points = np.column_stack([(x + along * size / 2) * height + width / 2, (y + bow * size / 2) * height + height / 2])
        thick = max(1, round(size * height * 0.06))
        cv2.polylines(cover, [np.round(points * 16).astype(np.int32)], False, 255, thick, cv2.LINE_AA, 4)
    share = (cover.astype(np.float32) / 255)[..., None]
    picture += (colour - picture) * share
