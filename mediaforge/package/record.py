"""mediaforge.json: what a package says of itself, for people, the edge and `verify`. It never holds a key."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec

from mediaforge.errors import MediaError
from mediaforge.media import Grid, Variant
from mediaforge.package.layout import RECORD, TRICK_FOLDER, audio_folder, text_folder, video_folder
from mediaforge.package.licences import USUAL, Licences

AUDIO_LABEL = "AUDIO"  # the key of all sound; SD and HD are told apart per rung (ladder.FittedRung.label)


class Scheme(StrEnum):
    """How samples are encrypted (ISO/IEC 23001-7, 10.1 and 10.4)."""

    CBCS = "cbcs"
    CENC = "cenc"
    NONE = "none"


class TextForm(StrEnum):
    """What subtitles are in: WebVTT in MP4 (ISO/IEC 14496-30, 7), or IMSC in MP4 (5)."""

    WVTT = "wvtt"
    IMSC = "imsc"


class System(StrEnum):
    """The DRM systems that are signalled."""

    WIDEVINE = "widevine"
    PLAYREADY = "playready"
    FAIRPLAY = "fairplay"


@dataclass(frozen=True, slots=True, kw_only=True)
class RungRecord:
    """`unmarked`: the segments, from 0, that are the same in both variants: position -1 (ETSI TS 104 002, 5.5.2)."""

    name: str
    width: int
    height: int
    bitrate_bps: int
    max_bitrate_bps: int
    label: str
    step: int = 1  # 2: every second frame of the grid
    unmarked: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrickRecord:
    """The pictures for trick play: one a segment, in one variant."""

    width: int
    height: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioRecord:
    name: str
    language: str
    codec: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRecord:
    language: str
    form: TextForm = TextForm.WVTT

    @property
    def folder(self) -> str:
        return text_folder(self.language, self.form)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageRecord:
    """`digests`: the SHA-256 of each folder's init segment (where it has one) and media segments, one after the other; and of
    each manifest, by its address. `clear_segments` of every stream, the first, are not encrypted."""

    title: str
    scheme: Scheme
    systems: tuple[System, ...]
    grid: Grid
    rungs: tuple[RungRecord, ...]
    audio: tuple[AudioRecord, ...]
    text: tuple[TextRecord, ...]
    variants: tuple[Variant, ...]
    digests: Mapping[str, str]
    licences: Licences = USUAL
    clear_segments: int = 0
    trick: TrickRecord | None = None

    @property
    def folders(self) -> tuple[str, ...]:
        """Every folder of segments that the package must have."""
        video = tuple(video_folder(rung.name, variant) for variant in self.variants for rung in self.rungs)
        audio = tuple(audio_folder(row.language, row.name) for row in self.audio)
        trick = (TRICK_FOLDER,) if self.trick else ()
        return video + trick + audio + tuple(row.folder for row in self.text)

    def grid_of(self, folder: str) -> Grid:
        """The grid on which the pictures in a folder lie: the title's, or every second frame of it."""
        steps = {video_folder(rung.name, variant): rung.step for rung in self.rungs for variant in self.variants}
        return self.grid.every(steps.get(folder, 1))


def save_record(record: PackageRecord, folder: Path) -> None:
    """Write the record into its package folder."""
    text = msgspec.json.format(msgspec.json.encode(record, enc_hook=_encoded), indent=2)
    (folder / RECORD).write_bytes(text + b"\n")


def load_record(folder: Path) -> PackageRecord:
    """Read the record of a package. Raises MediaError where the folder holds none."""
    path = folder / RECORD
    try:
        return msgspec.json.decode(path.read_bytes(), type=PackageRecord, dec_hook=_decoded)
    except OSError as error:
        what = f"is no package of mediaforge ({RECORD}: {error.strerror}); give the folder that `release` made"
        raise MediaError(folder, what) from error
    except (msgspec.MsgspecError, ValueError, ZeroDivisionError) as error:
        raise MediaError(path, f"is damaged ({error}); package the title again") from error


def _encoded(value: Any) -> str:
    if isinstance(value, Fraction):
        return str(value)
    raise NotImplementedError(f"{type(value)} has no place in a record")


def _decoded(kind: type, value: Any) -> Any:
    if kind is Fraction and isinstance(value, str):
        return Fraction(value)
    raise NotImplementedError(f"{kind} has no place in a record")
