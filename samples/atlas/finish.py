"""From a painted picture to a frame of film: lens, glow, tone curve, vignette, a breath of exposure, and grain."""

import cv2
import numpy as np
from numpy.typing import NDArray

from atlas.light import Picture
from atlas.noise import Plane

SHOULDER = 0.70  # display value where highlights begin to bend
HEADROOM = 0.28  # how far they bend: all light above ends below SHOULDER + HEADROOM
CONTRAST = 0.42  # how much steeper the middle of the curve is than a straight line
GRAIN = 0.0075  # deviation of the grain in the middle tones, of full scale
FLICKER = 0.006  # deviation of the exposure from frame to frame
BRIGHTEST = 2.5  # the curve ends here; what shines more is white anyway
CURVE_STEPS = 8192


def develop(picture: Picture, number: int, *, gain: float = 1.0) -> NDArray[np.uint8]:
    """The picture as frame `number` of the film: (height, width, 3) RGB, ready to show. `gain` under 1 fades it to black."""
    height, width = picture.shape[:2]
    chance = np.random.default_rng([number, 0xA71A5])
    picture = cv2.GaussianBlur(picture, (0, 0), 0.68 * height / 720) if height >= 480 else picture
    small = cv2.resize(picture, (max(2, width // 4), max(2, height // 4)), interpolation=cv2.INTER_AREA)
    glow = cv2.GaussianBlur(np.maximum(small - 0.75, 0), (0, 0), height / 4 * 0.03)
    picture = picture + np.float32(0.30) * cv2.resize(glow, (width, height), interpolation=cv2.INTER_LINEAR)

    picture *= (vignette(width, height) * np.float32(gain * (1 + FLICKER * chance.standard_normal())))[..., None]
    density = np.sqrt(np.maximum(picture, 0, out=picture), out=picture)
    density *= np.float32(CURVE_STEPS / BRIGHTEST)
    display = curve()[np.minimum(density, CURVE_STEPS - 1).astype(np.int16)]
    tone = display[..., 1]
    depth = (np.float32(0.30) + np.float32(2.8) * tone * (1 - tone)) * np.float32(GRAIN * min(1.0, 0.25 + gain))
    display += (depth * grain(chance, width, height))[..., None]
    display *= np.float32(255)
    display += np.float32(0.5)
    return np.clip(display, 0, 255, out=display).astype(np.uint8)


def curve() -> NDArray[np.float32]:
    """The tone curve by steps of BRIGHTEST / CURVE_STEPS: highlights bend below white, the middle is steeper."""
    density = (np.arange(CURVE_STEPS, dtype=np.float32) + 0.5) * np.float32(BRIGHTEST / CURVE_STEPS)
    bright = np.maximum(density - SHOULDER, 0)
    bent = density - bright + bright / (1 + bright / HEADROOM)
    return (bent + CONTRAST * 4 * (bent - 0.45) * bent * (1 - bent)).astype(np.float32)


def vignette(width: int, height: int) -> Plane:
    """The corners of the lens, a little darker."""
    x = ((np.arange(width, dtype=np.float32) + 0.5) / width - 0.5)[None, :]
    y = ((np.arange(height, dtype=np.float32) + 0.5) / height - 0.5)[:, None]
    return 1 - np.float32(0.77) * (x * x + y * y) ** np.float32(1.5)


def grain(chance: np.random.Generator, width: int, height: int) -> Plane:
    """One frame's grain: clumps of a little more than a pixel at 720 lines, about unit deviation."""
    clump = max(0.4, 0.62 * height / 720)
    noise = chance.standard_normal((height, width), dtype=np.float32)
    return cv2.GaussianBlur(noise, (0, 0), clump) * np.float32(2 * np.sqrt(np.pi) * clump)
