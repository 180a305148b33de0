"""The settings that make B differ: one variant is always plain, a keyed coin says which, and headers stay equal."""

from collections import Counter

import pytest

from mediaforge.media import Variant
from mediaforge.watermark.variants import encoder_options

SECRET = bytes(range(32))

# Settings that x264 writes into SPS or PPS, or that move the chroma offset kept there: A and B share an init segment.
IN_THE_HEADERS = {
    *("chroma-qp-offset", "psy-rd", "psy", "cabac", "8x8dct", "weightp", "ref", "bframes", "b-pyramid", "cqm"),
    *("keyint", "level", "profile", "deblock", "interlaced", "constrained-intra", "nal-hrd", "qp", "crf", "vbv-maxrate"),
}


@pytest.mark.parametrize("chunk", range(8))
def test_one_variant_of_a_chunk_is_plain_and_the_other_is_not(chunk: int) -> None:
    options = [encoder_options(variant, SECRET, chunk, aq_strength=1.0) for variant in Variant]
    assert sorted(map(bool, options)) == [False, True]


def test_no_setting_is_one_that_the_headers_hold() -> None:
    settings = {key for variant in Variant for key in encoder_options(variant, SECRET, 0, aq_strength=1.0).get("h264", {})}
    assert settings
    assert not settings & IN_THE_HEADERS


def test_the_coin_is_fair_and_keyed() -> None:
    plain = Counter(not encoder_options(Variant.A, SECRET, chunk, aq_strength=1.0) for chunk in range(1000))
    assert 430 < plain[True] < 570
    other = [bool(encoder_options(Variant.A, bytes(32), chunk, aq_strength=1.0)) for chunk in range(64)]
    assert other != [bool(encoder_options(Variant.A, SECRET, chunk, aq_strength=1.0)) for chunk in range(64)]
