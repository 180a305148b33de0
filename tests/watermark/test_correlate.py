"""One symbol from made-up pictures: sign, scale, and what must not move it."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mediaforge.watermark.correlate import Reading, read_symbol

Pixels = NDArray[np.float32]
FRAMES, HEIGHT, WIDTH = 6, 180, 320


def texture(rng: np.random.Generator, *, blur: float, rms: float) -> Pixels:
    """Smooth noise (FRAMES, h, w): a film's picture (wide blur) or a coding error (narrow)."""
    noise = rng.normal(size=(FRAMES, HEIGHT, WIDTH)).astype(np.float32)
    smooth = np.stack([cv2.GaussianBlur(frame, (0, 0), blur) for frame in noise])
    return np.asarray(smooth * (rms / smooth.std()), np.float32)


def variants(seed: int) -> tuple[Pixels, Pixels, np.random.Generator]:
    rng = np.random.default_rng(seed)
    film = 110 + texture(rng, blur=4, rms=40)
    return film + texture(rng, blur=0.8, rms=2), film + texture(rng, blur=0.8, rms=2), rng


def read(copy: Pixels, a: Pixels, b: Pixels) -> Reading:
    reading = read_symbol(list(copy), list(a), list(b))
    assert reading is not None
    return reading


def test_each_variant_reads_as_itself() -> None:
    a, b, _ = variants(1)
    assert read(a, a, b).rho == pytest.approx(1, abs=0.1)
    assert read(b, a, b).rho == pytest.approx(-1, abs=0.1)
    assert abs(read((a + b) / 2, a, b).rho) < 0.05


@pytest.mark.parametrize("sign", [1, -1])
def test_blur_light_contrast_and_noise_do_not_turn_the_sign(sign: int) -> None:
    a, b, rng = variants(2)
    shown = a if sign > 0 else b
    light = np.linspace(0.9, 1.1, WIDTH, dtype=np.float32)
    copy = np.stack([cv2.GaussianBlur(frame, (0, 0), 0.9) for frame in shown]) * light * 0.8 + 20
    copy += texture(rng, blur=0.8, rms=4)
    reading = read(np.asarray(copy, np.float32), a, b)
    assert sign * reading.rho / reading.sigma > 8


@pytest.mark.parametrize("blur", [0.6, 1.0])
def test_a_softer_copy_of_the_middle_leans_to_neither(blur: float) -> None:
    middle, marked = [], []
    for seed in range(5):
        a, b, rng = variants(seed)
        noise = texture(rng, blur=0.8, rms=3)
        for shown, found in (((a + b) / 2, middle), (a, marked)):
            copy = np.stack([cv2.GaussianBlur(frame, (0, 0), blur) for frame in shown + noise])
            found.append(read(copy, a, b).rho)
    assert abs(np.mean(middle)) < 0.1 * np.mean(marked)
    assert np.abs(middle).max() < 0.3 * np.min(marked)


def test_sigma_is_the_spread_of_rho_where_there_is_no_mark() -> None:
    z = []
    for seed in range(24):
        a, b, rng = variants(100 + seed)
        reading = read(np.asarray((a + b) / 2 + texture(rng, blur=0.8, rms=3), np.float32), a, b)
        z.append(reading.rho / reading.sigma)
    assert 0.6 < np.std(z) < 1.6
    assert abs(np.mean(z)) < 0.8


def test_sigma_knows_that_content_and_mark_lie_on_the_same_edges() -> None:
    z = []
    for seed in range(24):
        a, b, rng = variants(200 + seed)
        middle, half = (a + b) / 2, (a - b) / 2
        # One pattern for all pictures, as content stays where it is; the edges are lines a pixel wide.
        edges = (np.abs(texture(rng, blur=6, rms=1)[:1]) < 0.03) * rng.normal(size=(1, HEIGHT, WIDTH))
        lines = (np.abs(edges) > 0).astype(np.float32)
        half = lines * rng.normal(size=(1, HEIGHT, WIDTH)).astype(np.float32) * 6 + half * 0.1
        copy = middle + edges.astype(np.float32) * 30 + texture(rng, blur=0.8, rms=1)
        reading = read(
            np.asarray(copy, np.float32), np.asarray(middle + half, np.float32), np.asarray(middle - half, np.float32)
        )
        z.append(reading.rho / reading.sigma)
    assert 0.6 < np.std(z) < 1.6


def test_a_block_that_outvotes_all_others_proves_nothing() -> None:
    a, b, rng = variants(5)
    half = (a - b) * 0.01
    half[:, 72:96, 72:96] += texture(rng, blur=0.8, rms=8)[:, :24, :24]
    a, b = (a + b) / 2 + half, (a + b) / 2 - half
    reading = read(np.asarray(a + texture(rng, blur=0.8, rms=0.5), np.float32), a, b)
    assert reading.rho > 0.5
    assert reading.rho / reading.sigma < 3


def test_equal_variants_say_nothing() -> None:
    a, _, _ = variants(4)
    assert read_symbol(list(a), list(a), list(a)) is None
