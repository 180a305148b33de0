"""Hand-made masters for pure tests."""

from fractions import Fraction
from pathlib import Path
from typing import Any

from mediaforge.media import AudioTrack, Master, VideoTrack


def video(**changes: Any) -> VideoTrack:
    facts: dict[str, Any] = {
        "index": 0,
        "codec": "h264",
        "width": 1280,
        "height": 720,
        "sar": Fraction(1),
        "fps": Fraction(25),
        "field_order": "progressive",
        "pixel_format": "yuv420p",
        "color_space": "unknown",
        "color_transfer": "unknown",
        "color_primaries": "unknown",
        "color_range": "unknown",
        "start": Fraction(0),
        "duration": Fraction(60),
    }
    return VideoTrack(**{**facts, **changes})


def audio(**changes: Any) -> AudioTrack:
    facts: dict[str, Any] = {
        "index": 1,
        "codec": "aac",
        "sample_rate": 48_000,
        "channels": 2,
        "layout": "stereo",
        "language": "fr",
        "start": Fraction(0),
        "duration": Fraction(60),
    }
    return AudioTrack(**{**facts, **changes})


def master(track: VideoTrack | None = None, **changes: Any) -> Master:
    facts: dict[str, Any] = {
        "path": Path("/films/atlas.mov"),
        "size_bytes": 1,
        "container": "mov",
        "duration": Fraction(60),
        "video": track or video(),
        "audio": (),
        "subtitles": (),
    }
    return Master(**{**facts, **changes})
