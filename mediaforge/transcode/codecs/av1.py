"""AV1 by SVT-AV1 (AV1 Bitstream & Decoding Process Specification), Main profile, 10 bit.

Every decoder of the Main profile takes 10 bits (A.2). On film at 720p such a stream is 14 % smaller at the same VMAF, banding
counted, than one of 8: skies and walls are predicted more finely than 8 bits can say. It costs 5 % more CPU.
"""

from mediaforge.transcode.codecs.interface import Codec, Goal, Options

_COARSEST = 63
_COARSE_PRESET = "6"


def _coarsest(preset: str) -> float:
    # From CRF 58 on finer presets take superblocks of 128, which the sequence header says: segments of one rung would not share
    # an init segment.
    return _COARSEST if int(preset) >= int(_COARSE_PRESET) else 57


def _options(*, preset: str, crf: float, gop_frames: int) -> Options:
    return _encoder(preset, {"keyint": gop_frames, "crf": min(_COARSEST, crf)})


def _rendition(goal: Goal) -> Options:
    (crf,) = set(goal.crfs)
    # The picture is encoded with its grain: what a rate can hold of it is better than what is drawn.
    grain = {"film-grain": goal.grain, "film-grain-denoise": 0} if goal.grain else {}
    return _encoder(goal.rung.preset, {"keyint": goal.gop_frames, "crf": crf, **grain, **goal.differing})


def _encoder(preset: str, settings: dict[str, object]) -> Options:
    # lp=1: one thread a rung, as with x264; scd=0: key frames stand on the grid alone; tune=1 (PSNR) needs 4 % fewer bits for
    # the same VMAF than the default (film, 360p). The CRF stands here because ffmpeg's own option takes whole numbers only.
    params = {"scd": 0, "lp": 1, "tune": 1, **settings}
    return {
        "c:v": "libsvtav1",
        "preset": preset,
        "svtav1-params": ":".join(f"{key}={value}" for key, value in params.items()),
    }


CODEC = Codec(
    name="av1",
    pixel_format="yuv420p10le",
    fast_preset="7",  # of 10 the bits and scores at the slow preset are guessed three times as badly
    small_crfs=(42, 57),
    large_crfs=(26, 42),
    presets=tuple(str(number) for number in range(13)),
    octave=11,
    coarsest=_coarsest,
    coarse_preset=_COARSE_PRESET,
    one_crf=True,
    has_grain=True,
    options=_options,
    rendition=_rendition,
)
