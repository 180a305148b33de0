"""Codes of films that nobody made, drawn like those of real ones: balanced bits, shots that drift, crops that resemble."""

import numpy as np

from mediaforge.detect.codes import WORDS, Codes

CROPS = 3
_SHOT_FRAMES = 20
_AT_ONCE = 20_000  # shots: 150 MB


def foreign_codes(frames: int, *, seed: int) -> Codes:
    """Shots of 5 s in which a frame is 8 bits from the last, and three crops.  # (frames, 3, WORDS)"""
    draw = np.random.default_rng(seed)
    pieces = [_shots(draw, min(_AT_ONCE, left)) for left in range(-(-frames // _SHOT_FRAMES), 0, -_AT_ONCE)]
    return np.concatenate(pieces)[:frames]


def flipped(codes: Codes, share: float, *, seed: int) -> Codes:
    """Each bit flipped with this probability.  # (n, WORDS)"""
    flips = np.random.default_rng(seed).random((len(codes), 64 * WORDS)) < share
    return codes ^ np.packbits(flips, axis=1).view(np.uint64)


def _shots(draw: np.random.Generator, shots: int) -> Codes:
    steps = _words(draw, shots, _SHOT_FRAMES, WORDS)
    for _ in range(4):  # each halves the bits that are set
        steps &= _words(draw, shots, _SHOT_FRAMES, WORDS)
    steps[:, 0] = _words(draw, shots, WORDS)
    plain = np.bitwise_xor.accumulate(steps, axis=1)
    crops = _words(draw, shots, 1, CROPS, WORDS) & _words(draw, shots, 1, CROPS, WORDS)
    crops[:, :, 0] = 0
    return (plain[:, :, None] ^ crops).reshape(-1, CROPS, WORDS)


def _words(draw: np.random.Generator, *shape: int) -> Codes:
    return draw.integers(0, 2**64, shape, np.uint64)
