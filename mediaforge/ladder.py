"""A ladder: the rungs (targets) that a title is encoded to, read from a TOML file and checked as a whole."""

import itertools
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

from mediaforge.errors import LadderError

VIDEO_CODECS = ("h264",)  # of rungs with a fixed rate
PLANNED_CODECS = ("h264", "av1")
SUBTITLE_FORMS = ("wvtt", "imsc")
PASSED_CODECS = ("ac-3", "ec-3")  # what a title's own sound may be in to be packaged as it is
AUDIO_CODECS = ("opus", "aac")
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_PRESETS_BY_DEFAULT = {"h264": "slow", "av1": "4"}
# The most pixels that are protected by each label's key (facts-packaging 1); above the last it is UHD2.
_LABEL_PIXELS = {"SD": 442_368, "HD": 2_073_600, "UHD1": 8_847_360}


class Screen(StrEnum):
    """What a ladder's viewers hold or sit before: it decides which VMAF model judges (transcode/quality.py)."""

    PHONE = "phone"
    TV = "tv"


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


def load_ladder(path: Path) -> Ladder:
    """Read and check a ladder file. Raises LadderError with the rung's number (from 1) and what to change."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LadderError(path, f"cannot be read ({error.strerror}); `ladder list` names the ladders shipped") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LadderError(path, f"is not TOML ({error}); compare it with ladders/maroc-mobile.toml") from error
    policies = _policies(path, table["plan"]) if "plan" in table else ()
    rows = [] if policies else _rows(path, table, "rung")
    if policies and "rung" in table:
        raise LadderError(path, "has both [plan] and [[rung]]; give rungs, or let them be planned")
    rungs = tuple(_rung(path, number, row) for number, row in enumerate(rows, start=1))
    audio = tuple(_audio(path, number, row) for number, row in enumerate(_rows(path, table, "audio"), start=1))
    _check_order(path, rungs)
    passthrough = _subset(path, "passthrough", table.get("passthrough", []), PASSED_CODECS)
    _check_names(path, [*(rung.name for rung in rungs), *(target.name for target in audio), *passthrough])
    return Ladder(
        name=path.stem,
        description=str(table.get("description", "")),
        rungs=rungs,
        policy=policies[0] if policies else None,
        also=policies[1:],
        audio=audio,
        floors=_floors(path, table.get("floors", {})),
        trick_play=_flag(path, table, "trick_play", default=True),
        passthrough=passthrough,
        subtitles=_subset(path, "subtitles", table.get("subtitles", ["wvtt"]), SUBTITLE_FORMS, at_least=1),
        screen=Screen(_choice(path, None, table, "screen", tuple(Screen), default=Screen.PHONE)),
    )


def _turn(box: tuple[int, int], *, portrait: bool) -> tuple[int, int]:
    return (box[1], box[0]) if portrait else box


def _inside(box: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    scale = min(Fraction(box[0], width), Fraction(box[1], height), Fraction(1))
    return _even(width * scale), _even(height * scale)


def _even(length: Fraction) -> int:
    """The nearest even number of pixels: 4:2:0 halves both sides."""
    return max(2, 2 * round(length / 2))


def _rows(path: Path, table: dict[str, Any], key: str) -> list[dict[str, Any]]:
    rows = table.get(key)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise LadderError(path, f"has no [[{key}]] tables; a ladder needs at least one")
    return rows


def _rung(path: Path, number: int, row: dict[str, Any]) -> Rung:
    bitrate = _whole(path, number, row, "bitrate_kbps") * 1000
    peak = _number(path, number, row, "peak", default=1.25)
    seconds = _number(path, number, row, "buffer_seconds", default=1.0)
    if peak < 1:
        raise LadderError(path, f"peak {peak} is below 1; it is the maximum rate over the mean", rung=number)
    return Rung(
        name=_name(path, number, row),
        box_width=_whole(path, number, row, "width"),
        box_height=_whole(path, number, row, "height"),
        bitrate_bps=bitrate,
        max_bitrate_bps=round(bitrate * peak),
        buffer_bits=round(bitrate * peak * seconds),
        preset=_choice(path, number, row, "preset", PRESETS, default="medium"),
        codec=_choice(path, number, row, "codec", VIDEO_CODECS, default="h264"),
    )


def _policies(path: Path, row: Any) -> tuple[Policy, ...]:
    """One a codec. `codec` and `preset` are a name each, or lists of as many."""
    if not isinstance(row, dict):
        raise LadderError(path, "plan is no table; compare it with ladders/maroc.toml")
    codecs = _listed(row.get("codec", "h264"))
    presets = _listed(row["preset"]) if "preset" in row else [_PRESETS_BY_DEFAULT.get(str(codec), "") for codec in codecs]
    if not codecs or len(set(map(str, codecs))) < len(codecs) or len(presets) != len(codecs):
        raise LadderError(path, 'codec and preset do not go together; give one of each, or lists as in codec = ["h264", "av1"]')
    return tuple(
        _policy(path, {**row, "codec": codec, "preset": preset}) for codec, preset in zip(codecs, presets, strict=True)
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _policy(path: Path, row: dict[str, Any]) -> Policy:
    codec = _choice(path, None, row, "codec", PLANNED_CODECS, default="h264")
    preset = row["preset"]
    if not isinstance(preset, str):
        raise LadderError(path, f"preset is {preset!r}; give it in quotes")
    return Policy(
        network=_text(path, row, "network"),
        reference=_text(path, row, "reference", default=""),
        codec=codec,
        preset=preset,
        boxes=_boxes(path, row),
        half_rates=_flag(path, row, "half_rates", default=True),
        most_rungs=_whole(path, None, row, "most_rungs"),
        floor_bps=_whole(path, None, row, "floor_kbps") * 1000,
        step_vmaf=_number(path, None, row, "step_vmaf", default=2.0),
        slack_vmaf=_number(path, None, row, "slack_vmaf", default=1.0),
        earn_vmaf=_number(path, None, row, "earn_vmaf", default=0.05),
        worth_vmaf=_number(path, None, row, "worth_vmaf", default=1.0),
    )


def _boxes(path: Path, row: dict[str, Any]) -> tuple[tuple[int, int], ...]:
    boxes = row.get("boxes")
    if not isinstance(boxes, list) or not boxes:
        raise LadderError(
            path, "boxes is missing; give the picture sizes to choose from, as in boxes = [[640, 360], [1280, 720]]"
        )
    for box in boxes:
        if not (isinstance(box, list) and len(box) == 2 and all(isinstance(side, int) and side > 0 for side in box)):
            raise LadderError(path, f"the box {box!r} is no size; give [width, height]")
    for lower, upper in itertools.pairwise(boxes):
        if upper[0] <= lower[0] or upper[1] <= lower[1]:
            raise LadderError(path, f"the box {upper} is not larger than {lower}; order boxes from small to large")
    return tuple((box[0], box[1]) for box in boxes)


def _text(path: Path, row: dict[str, Any], key: str, *, default: str | None = None) -> str:
    value = row.get(key, default)
    if not isinstance(value, str):
        raise LadderError(path, f"{key} is {value!r}; give a text in quotes")
    return value


def _audio(path: Path, number: int, row: dict[str, Any]) -> AudioRung:
    return AudioRung(
        name=_name(path, number, row),
        codec=_choice(path, number, row, "codec", AUDIO_CODECS, default="aac"),
        bitrate_bps=_whole(path, number, row, "bitrate_kbps") * 1000,
    )


def _subset(path: Path, key: str, value: Any, known: tuple[str, ...], *, at_least: int = 0) -> tuple[str, ...]:
    is_list = isinstance(value, list) and all(name in known for name in value)
    if not is_list or len(set(value)) < len(value) or len(value) < at_least:
        raise LadderError(path, f'{key} is {value!r}; give some of {list(known)}, as in {key} = ["{known[-1]}"]')
    return tuple(value)


def _floors(path: Path, row: dict[str, Any]) -> Floors:
    return Floors(
        vmaf_top=_number(path, None, row, "vmaf_top", default=0.0),
        vmaf_bottom=_number(path, None, row, "vmaf_bottom", default=0.0),
        rate_tolerance=_number(path, None, row, "rate_tolerance", default=0.10),
    )


def _check_order(path: Path, rungs: tuple[Rung, ...]) -> None:
    for number, (lower, upper) in enumerate(itertools.pairwise(rungs), start=2):
        if upper.bitrate_bps <= lower.bitrate_bps:
            what = f"{upper.bitrate_bps // 1000} kbit/s is not above rung {number - 1}; order rungs from low to high"
            raise LadderError(path, what, rung=number)
        if upper.box_height < lower.box_height or upper.box_width < lower.box_width:
            what = f"{upper.box_width}x{upper.box_height} is smaller than rung {number - 1}; order rungs from low to high"
            raise LadderError(path, what, rung=number)


def _check_names(path: Path, names: list[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise LadderError(path, f"the name {twice!r} stands twice; give every rung its own")


def _name(path: Path, number: int, row: dict[str, Any]) -> str:
    name = row.get("name")
    if not isinstance(name, str) or not name.isascii() or not name.replace("-", "").isalnum():
        raise LadderError(path, f"name {name!r} must be ASCII letters, digits and hyphens", rung=number)
    return name


def _whole(path: Path, number: int | None, row: dict[str, Any], key: str) -> int:
    value = row.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise LadderError(path, f"{key} is {value!r}; give a whole number above 0", rung=number)
    return value


def _number(path: Path, number: int | None, row: dict[str, Any], key: str, *, default: float) -> float:
    value = row.get(key, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
        raise LadderError(path, f"{key} is {value!r}; give a number of 0 or more", rung=number)
    return float(value)


def _flag(path: Path, row: dict[str, Any], key: str, *, default: bool) -> bool:
    value = row.get(key, default)
    if not isinstance(value, bool):
        raise LadderError(path, f"{key} is {value!r}; give true or false, without quotes")
    return value


def _choice(path: Path, number: int | None, row: dict[str, Any], key: str, allowed: tuple[str, ...], *, default: str) -> str:
    value = row.get(key, default)
    if value not in allowed:
        raise LadderError(path, f"{key} is {value!r}; choose one of {', '.join(allowed)}", rung=number)
    return str(value)
