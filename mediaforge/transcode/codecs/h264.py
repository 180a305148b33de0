"""H.264 by x264 (ITU-T H.264), High profile: what every phone plays."""

from mediaforge.transcode.codecs.interface import Codec, Goal, Options
from mediaforge.transcode.zones import middle_crf, zones

# x264's own is 1.0. On film at 540p 0.5 needs 7 % fewer bits for the same VMAF (banding counted: CAMBI is part of v1); less
# than 0.5 gains nothing more.
AQ_STRENGTH = 0.5

# How many reference pictures x264's slower presets keep; the others have 3 at most.
_REFERENCES = {"slow": 5, "slower": 8, "veryslow": 16}
# What a decoder must hold, in macroblocks: MaxDpbMbs of levels 4.1 and 5.1 (Rec. ITU-T H.264, Table A-1). Five pictures of
# 1080p would say level 5, which phones of some years ago do not play.
_HELD, _HELD_UHD = 32_768, 184_320
_PICTURE = 8_192  # MaxFS of level 4.1: larger pictures need a higher level anyhow

_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")


def _options(*, preset: str, crf: float, gop_frames: int) -> Options:
    return {**_encoder(preset), "crf": crf, "x264-params": _spelled(_grid(gop_frames))}


def _rendition(goal: Goal) -> Options:
    # Headers do not depend on a chunk's content, so chunks join and variants share one init segment.
    rung = goal.rung
    kept = _references(rung.preset, width=rung.box_width, height=rung.box_height)
    settings = _grid(goal.gop_frames) | {"stitchable": 1} | kept | dict(goal.differing)
    rate: Options
    if goal.crfs:
        rate = {"crf": middle_crf(goal.crfs)}
        leaning = zones(goal.crfs, gop_frames=goal.gop_frames)
        settings |= {"zones": leaning} if leaning else {}
    else:
        rate = {"b:v": rung.bitrate_bps}
    return {
        **_encoder(rung.preset),
        **rate,
        "maxrate": rung.max_bitrate_bps,
        "bufsize": rung.buffer_bits,
        "x264-params": _spelled(settings),
        "bsf:v": "filter_units=remove_types=6",  # SEI: x264 writes its settings there, and with them which variant this is
    }


def _encoder(preset: str) -> Options:
    # One thread: with more, x264 is not byte for byte repeatable under a VBV, and many encoders run side by side anyway.
    return {"c:v": "libx264", "preset": preset, "profile:v": "high", "threads": 1}


def _grid(gop_frames: int) -> dict[str, object]:
    return {"keyint": gop_frames, "min-keyint": gop_frames, "scenecut": 0, "open-gop": 0, "aq-strength": AQ_STRENGTH}


def _references(preset: str, *, width: int, height: int) -> dict[str, object]:
    """The preset's, as far as the level of such pictures allows."""
    blocks = -(-width // 16) * -(-height // 16)
    most = (_HELD if blocks <= _PICTURE else _HELD_UHD) // blocks
    own = _REFERENCES.get(preset, 0)
    return {"ref": most} if own > most else {}


def _spelled(settings: dict[str, object]) -> str:
    return ":".join(f"{key}={value}" for key, value in settings.items())


CODEC = Codec(
    name="h264",
    pixel_format="yuv420p",
    fast_preset="veryfast",
    small_crfs=(29, 43),
    large_crfs=(22, 31),
    presets=_PRESETS,
    octave=6,
    coarsest=lambda _: 51,
    coarse_preset=None,
    one_crf=False,
    has_grain=False,
    options=_options,
    rendition=_rendition,
)
