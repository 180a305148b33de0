"""AV1 by SVT-AV1 (AV1 Bitstream & Decoding Process Specification), Main profile, 8 bit."""

from mediaforge.transcode.codecs.interface import Codec, Options

_COARSEST = 63


def _options(*, preset: str, crf: float, gop_frames: int) -> Options:
    # lp=1: one thread a rung, as with x264; scd=0: key frames stand on the grid alone.
    params = f"keyint={gop_frames}:scd=0:lp=1:tune=0"
    return {"c:v": "libsvtav1", "preset": preset, "crf": min(_COARSEST, round(crf)), "svtav1-params": params}


CODEC = Codec(
    name="av1",
    fast_preset="10",
    small_crfs=(42, 57),
    large_crfs=(26, 42),
    presets=tuple(str(number) for number in range(13)),
    options=_options,
)
