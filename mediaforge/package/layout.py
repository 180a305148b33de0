"""Where everything lies inside a package folder.

manifest.mpd  master.m3u8  mediaforge.json
video/<rung>/init.mp4, 1.m4s, 2.m4s, ..., media.m3u8       variant A, and the init segment of both variants
b/video/<rung>/1.m4s, 2.m4s, ...                           variant B, segment for segment in the place of A
trick/...                                                  one picture a segment, for trick play: the same for everybody
audio/<language>-<name>/...   text/<language>/...          a text has 1.vtt, 2.vtt, ... for HLS beside what DASH has
text/<language>-imsc/...                                   the same subtitles as IMSC, where they are asked for
"""

from pathlib import Path

from mediaforge.media import Variant

DASH_MANIFEST = "manifest.mpd"
HLS_MANIFEST = "master.m3u8"
RECORD = "mediaforge.json"
INIT = "init.mp4"
PLAYLIST = "media.m3u8"
TRICK_FOLDER = "trick"
TEXT_GROUPS = {"wvtt": "text", "imsc": "imsc"}  # of HLS, by form: a player takes the subtitles of one


def video_folder(rung: str, variant: Variant = Variant.A) -> str:
    return f"video/{rung}" if variant is Variant.A else f"{variant.value}/video/{rung}"


def audio_folder(language: str, name: str) -> str:
    return f"audio/{language}-{name}"


def text_folder(language: str, form: str = "wvtt") -> str:
    return f"text/{language}" if form == "wvtt" else f"text/{language}-{form}"


def segment_name(number: int) -> str:
    """The file of a segment, counted from 1 as in the manifests."""
    return f"{number}.m4s"


def segment_numbers(folder: Path) -> tuple[int, ...]:
    """The segments that lie in a folder, in order."""
    return tuple(sorted(int(path.stem) for path in folder.glob("*.m4s") if path.stem.isdecimal()))
