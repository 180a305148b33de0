"""A ladder: the rungs (targets) that a title is encoded to, and which of them a master is worth. Pure values."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

# The most pixels that are protected by each label's key (facts-packaging 1); above the last it is UHD2.
_LABEL_PIXELS = {"SD": 442_368, "HD": 2_073_600, "UHD1": 8_847_360}


class Screen(StrEnum):
    """What a ladder's viewers hold or sit before: it decides which VMAF model judges (transcode/quality.py)."""

    PHONE = "phone"
    TV = "tv"


class Mark(StrEnum):
    """What makes a rung's variants differ: what measuring asks for (watermark/modes.py), or a pattern in every segment."""

    MEASURED = "measured"
    PATTERN = "pattern"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One video target. `box_*` is the frame the picture must fit in; its size is decided per master by `fit_rungs`."""

    name: str
    box_width: int
    box_height: int
    bitrate_bps: int
    max_bitrate_bps: int
    buffer_bits: int
    preset: str
    codec: str = "h264"
    mark: Mark = Mark.MEASURED


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioRung:
    """One sound target, stereo at 48 kHz."""

    name: str
    codec: str
    bitrate_bps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Floors:
    """What `check` holds a clip against: the least VMAF of the top rung and of the lowest, the most a mean rate may miss by."""

    vmaf_top: float
    vmaf_bottom: float
    rate_tolerance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How rungs are chosen for each title: what the optimiser may choose from, and what it owes to whom.

    `reference` names the ladder that no viewer may be worse off than by more than `slack_vmaf` ("" binds nobody);
    `half_rates` lets small pictures of fast films be shown at half the frame rate;
    `worth_vmaf` is how many points of VMAF a viewer gives up to pay one unit of the network's currency less an hour.
    """

    network: str
    reference: str
    codec: str
    preset: str
    boxes: tuple[tuple[int, int], ...]
    half_rates: bool
    most_rungs: int
    floor_bps: int
    step_vmaf: float
    slack_vmaf: float
    earn_vmaf: float
    worth_vmaf: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Rungs for every title alike, or the policy by which each title gets its own.

    `also` has the policies of further codecs: their rungs are chosen by themselves and stand beside the first's, for players
    that know them. They differ from `policy` in codec and preset only. `trick_play`: whether titles get pictures to scrub
    through. `passthrough`: the codecs in which a title's own sound is packaged unchanged, beside the audio rungs.
    `subtitles`: the forms that they get.
    """

    name: str
    description: str
    rungs: tuple[Rung, ...]
    policy: Policy | None = None
    also: tuple[Policy, ...] = ()
    audio: tuple[AudioRung, ...]
    floors: Floors
    trick_play: bool = True
    passthrough: tuple[str, ...] = ()
    subtitles: tuple[str, ...] = ("wvtt",)
    screen: Screen = Screen.PHONE

    @property
    def by_codec(self) -> tuple["Ladder", ...]:
        """The ladder as each of its codecs has it, in their order."""
        return tuple(replace(self, policy=policy, also=()) for policy in (self.policy, *self.also))


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedRung:
    """A rung with the picture size it takes for one master.

    `crfs` is one constant quality a segment where the rung was planned for the title; empty where it is encoded at a mean rate.
    `grain` is what the decoder is told to put back of the master's film grain: 0 (none) to 50. `step` 2 shows every second
    frame of the title's grid.
    """

    rung: Rung
    width: int
    height: int
    crfs: tuple[float, ...] = ()
    grain: int = 0
    step: int = 1

    @property
    def label(self) -> str:
        """The key this rung is encrypted with: SD, HD, UHD1 or UHD2."""
        return key_label(self.width, self.height)


def key_label(width: int, height: int) -> str:
    """The label of a picture's key, by its pixels."""
    return next((label for label, most in _LABEL_PIXELS.items() if width * height <= most), "UHD2")


def fit_rungs(ladder: Ladder, width: int, height: int) -> tuple[FittedRung, ...]:
    """The rungs a picture of `width` x `height` square pixels is worth, low to high, never upscaled.

    A rung stays if its box lies inside the picture, or if its box is the smallest that holds the picture: then it is
    encoded at the picture's own size.
    """
    sizes = fit_boxes([(rung.box_width, rung.box_height) for rung in ladder.rungs], width, height)
    return tuple(
        FittedRung(rung=rung, width=size[0], height=size[1])
        for rung, size in zip(ladder.rungs, sizes, strict=True)
        if size is not None
    )


def fit_boxes(boxes: Sequence[tuple[int, int]], width: int, height: int) -> tuple[tuple[int, int] | None, ...]:
    """The size a picture takes in each box, None where the box is larger than it need be."""
    turned = [_turn(box, portrait=height > width) for box in boxes]
    holding = next((box for box in sorted(set(turned)) if box[0] >= width and box[1] >= height), max(turned, default=(0, 0)))
    return tuple(_inside(box, width, height) if box <= holding else None for box in turned)


def _turn(box: tuple[int, int], *, portrait: bool) -> tuple[int, int]:
    return (box[1], box[0]) if portrait else box


def _inside(box: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    scale = min(Fraction(box[0], width), Fraction(box[1], height), Fraction(1))
    return _even(width * scale), _even(height * scale)


def _even(length: Fraction) -> int:
    """The nearest even number of pixels: 4:2:0 halves both sides."""
    return max(2, 2 * round(length / 2))
