"""A ladder's file: TOML, read and checked as a whole."""

import itertools
import tomllib
from pathlib import Path
from typing import Any

from mediaforge.errors import LadderError
from mediaforge.ladder import AudioRung, Floors, Ladder, Mark, Policy, Rung, Screen

VIDEO_CODECS = ("h264",)  # of rungs with a fixed rate
PLANNED_CODECS = ("h264", "av1")
SUBTITLE_FORMS = ("wvtt", "imsc")
PASSED_CODECS = ("ac-3", "ec-3")  # what a title's own sound may be in to be packaged as it is
AUDIO_CODECS = ("opus", "aac")
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_PRESETS_BY_DEFAULT = {"h264": "slow", "av1": "4"}


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
        mark=Mark(_choice(path, number, row, "mark", tuple(Mark), default=Mark.MEASURED)),
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
