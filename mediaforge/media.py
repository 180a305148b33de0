"""What travels through the rooms: masters, tracks, the timeline and its pieces. Pure; times are Fractions of a second."""

import re
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

AAC_FRAME_SAMPLES = 1024
AUDIO_RATE = 48_000

ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
LANGUAGE_PATTERN = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def is_id(text: str) -> bool:
    """Whether `text` may name a title or a recipient: it becomes part of paths and job ids, so ASCII only."""
    return ID_PATTERN.fullmatch(text) is not None


def is_language(text: str) -> bool:
    """Whether `text` looks like a BCP-47 tag (RFC 5646), such as ary, zgh, mey, ar or fr."""
    return LANGUAGE_PATTERN.fullmatch(text) is not None


class Variant(StrEnum):
    """The two forms in which every segment is encoded; a recipient's sequence chooses one for each segment."""

    A = "a"
    B = "b"


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoTrack:
    """The picture of a master as its container and codec describe it. `start` is relative to the container's start."""

    index: int
    codec: str
    width: int
    height: int
    sar: Fraction
    fps: Fraction
    field_order: str
    pixel_format: str
    color_space: str
    color_transfer: str
    color_primaries: str
    color_range: str
    start: Fraction
    duration: Fraction | None

    @property
    def display_size(self) -> tuple[int, int]:
        """Width and height in square pixels, the height kept."""
        return round(self.width * self.sar), self.height

    @property
    def dar(self) -> Fraction:
        return Fraction(self.width, self.height) * self.sar

    @property
    def is_interlaced(self) -> bool:
        return self.field_order not in ("progressive", "unknown")

    @property
    def is_hdr(self) -> bool:
        return self.color_transfer in ("smpte2084", "arib-std-b67")


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioTrack:
    index: int
    codec: str
    sample_rate: int
    channels: int
    layout: str
    language: str
    start: Fraction
    duration: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitleTrack:
    index: int
    codec: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Master:
    """A producer's file, as probed."""

    path: Path
    size_bytes: int
    container: str
    duration: Fraction
    video: VideoTrack | None
    audio: tuple[AudioTrack, ...]
    subtitles: tuple[SubtitleTrack, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SideFile:
    """A file that comes beside the master: another sound track or a subtitle, with its BCP-47 language."""

    path: Path
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A piece of a timeline, in seconds, end excluded."""

    start: Fraction
    end: Fraction

    @property
    def seconds(self) -> Fraction:
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of the timeline encoded by one job: whole GOPs, all rungs, both variants."""

    index: int
    first_frame: int
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The one closed-GOP grid that all rungs share. A GOP is a segment and a watermark position."""

    fps: Fraction
    gop_frames: int
    frames: int

    @property
    def segments(self) -> int:
        return -(-self.frames // self.gop_frames)

    @property
    def segment_seconds(self) -> Fraction:
        return self.gop_frames / self.fps

    @property
    def duration(self) -> Fraction:
        return self.frames / self.fps

    @property
    def can_halve(self) -> bool:
        """Whether every GOP, the last one too, has an even number of frames."""
        return self.gop_frames % 2 == 0 and self.frames % 2 == 0

    def every(self, step: int) -> "Grid":
        """The same segments for a rendition that shows every `step`-th frame: 1, or 2 where the grid can be halved."""
        assert step == 1 or (step == 2 and self.can_halve)
        return Grid(fps=self.fps / step, gop_frames=self.gop_frames // step, frames=self.frames // step)

    def segment_frames(self, segment: int) -> int:
        """Frames in this segment: a whole GOP but for the last."""
        return min(self.gop_frames, self.frames - segment * self.gop_frames)

    def segment_span(self, segment: int) -> Span:
        first = segment * self.gop_frames
        return Span(start=first / self.fps, end=(first + self.segment_frames(segment)) / self.fps)


class Shape(NamedTuple):
    """A picture size in square pixels, and which frames of the grid are shown at it: all, or every second (`step` 2)."""

    width: int
    height: int
    step: int = 1

    @property
    def pixels(self) -> int:
        return self.width * self.height


def gop_frames(fps: Fraction) -> int:
    """Frames of one GOP: 1.92 s where that is a whole number of frames (and 90 AAC frames), else about 2 s.

    1.92 s x 48 kHz = 90 x 1024 samples, so video and AAC segments end together (facts: 25 and 50 fps).
    """
    aligned = fps * 90 * AAC_FRAME_SAMPLES / AUDIO_RATE
    if aligned.denominator == 1:
        return int(aligned)
    return max(1, round(fps * 2))
