"""Pictures for trick play: small, one a segment, whole in themselves. Players show them while a viewer scrubs or winds.

They are made once and stay unmarked: an I-frame playlist points at one variant's bytes, so those of a marked rung would lead
to the wrong ones in every other copy.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from mediaforge.ladder import fit_boxes, key_label
from mediaforge.media import Grid

TRICK_FILE = "trick.mp4"
# As large as players show it above the seek bar, on a phone in full width.
_BOX = (320, 180)
# Fine enough for a still picture of this size: about 8 kB, and 35 kbit/s with one in 1.92 s.
_CRF = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class TrickRung:
    """The size in which a title's trick play pictures are made."""

    width: int
    height: int

    @property
    def label(self) -> str:
        """The key they are encrypted with."""
        return key_label(self.width, self.height)


def fit_trick(width: int, height: int) -> TrickRung:
    """The size for a picture of `width` x `height` square pixels, never larger than that. Pure."""
    ((fitted_width, fitted_height),) = (size for size in fit_boxes([_BOX], width, height) if size is not None)
    return TrickRung(width=fitted_width, height=fitted_height)


def first_pictures(picture: Any, grid: Grid) -> Any:
    """The first picture of every segment of a stream that begins with one. Pure."""
    return picture.filter("select", f"not(mod(n,{grid.gop_frames}))")


def trick_options(*, seconds: Fraction) -> dict[str, Any]:
    """ffmpeg's output options for the pictures of `seconds`: H.264, which every player has, each picture an IDR."""
    # A picture lasts until the next one; ffmpeg knows no length for the last, which ends with the chunk.
    lasting = rf"setts=duration=if(eq(NEXT_PTS\,NOPTS)\,{seconds.numerator}/{seconds.denominator}/TB-PTS\,NEXT_PTS-PTS)"
    return {
        "c:v": "libx264",
        "preset": "medium",
        "profile:v": "high",
        "threads": 1,
        "crf": _CRF,
        # Not keyint=1: x264 then says "intra only" in the profile's constraints, which some decoders do not know.
        "force_key_frames": "expr:1",
        "forced-idr": 1,
        "x264-params": "bframes=0:ref=1:rc-lookahead=0:mbtree=0:scenecut=0:stitchable=1",
        "bsf:v": f"filter_units=remove_types=6,{lasting}",
    }
