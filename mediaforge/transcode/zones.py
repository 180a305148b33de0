"""Constant quality segment by segment, in x264's terms: one CRF for the encode, and zones that lean from it. Pure."""

import itertools
from collections.abc import Sequence


def middle_crf(crfs: Sequence[float]) -> float:
    """The CRF most segments want: their median, one of them."""
    return sorted(crfs)[len(crfs) // 2]


def zones(crfs: Sequence[float], *, gop_frames: int) -> str:
    """x264's `zones` for segments of a chunk, "" where all want the same.

    A zone's b divides the quantiser's step size, which doubles every six QP: b = 2^(-(crf - middle) / 6).
    """
    middle = middle_crf(crfs)
    spans, segment = [], 0
    for crf, run in itertools.groupby(crfs):
        count = len(list(run))
        if crf != middle:
            first, last = segment * gop_frames, (segment + count) * gop_frames - 1
            spans.append(f"{first},{last},b={2 ** ((middle - crf) / 6):.4f}")
        segment += count
    return "/".join(spans)
