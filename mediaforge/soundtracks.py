"""Which sound tracks a title gets: one a language to encode in stereo, and those that are passed through as they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from mediaforge.errors import MediaError
from mediaforge.media import AudioTrack, Master, SideFile, is_language
from mediaforge.steps import digest_file
from mediaforge.tools import Tools
from mediaforge.transcode.passthrough import PASSED_CODECS
from mediaforge.transcode.probe import probe

UNKNOWN_LANGUAGE = "und"  # BCP-47: undetermined


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """One sound track: where it lies, and where the picture's first frame is on its file's timeline.

    `is_beside`: it came in a file of its own.
    """

    language: str
    path: Path
    digest: str
    track: AudioTrack
    offset: Fraction
    is_beside: bool = False

    @property
    def passed_codec(self) -> str | None:
        """What a ladder calls the track's codec if it is one that can be passed through."""
        return PASSED_CODECS.get(self.track.codec)


def find_sounds(master: Master, sides: tuple[SideFile, ...], *, digest: str, tools: Tools) -> tuple[Sound, ...]:
    """Every track there is: side files first (the user chose them), then those of the master, whose digest is `digest`.

    Raises MediaError.
    """
    return (*_beside(sides, tools), *_inside(master, digest))


def sounds_to_encode(found: tuple[Sound, ...], passthrough: tuple[str, ...]) -> tuple[Sound, ...]:
    """One track a language, the first of it. Pure.

    Of several side files in a language one that is passed through gives way: it came to be that, not to be folded down.
    """
    chosen: dict[str, Sound] = {}
    for sound in found:
        held = chosen.setdefault(sound.language, sound)
        gives_way = held.passed_codec in passthrough and sound.passed_codec not in passthrough
        if gives_way and held.is_beside and sound.is_beside:
            chosen[sound.language] = sound
    return tuple(chosen.values())


def sounds_to_pass(found: tuple[Sound, ...], passthrough: tuple[str, ...]) -> tuple[Sound, ...]:
    """The first track of each language and codec that the ladder passes through. Pure."""
    chosen: dict[tuple[str, str], Sound] = {}
    for codec in passthrough:
        for sound in found:
            if sound.passed_codec == codec:
                chosen.setdefault((codec, sound.language), sound)
    return tuple(chosen.values())


def _beside(sides: tuple[SideFile, ...], tools: Tools) -> Iterator[Sound]:
    for side in sides:
        tracks = probe(side.path, tools=tools).audio
        if not tracks:
            raise MediaError(side.path, "has no sound; give an audio file with --audio")
        path = side.path.absolute()
        yield Sound(
            language=side.language, path=path, digest=digest_file(path), track=tracks[0], offset=Fraction(0), is_beside=True
        )


def _inside(master: Master, digest: str) -> Iterator[Sound]:
    start = master.video.start if master.video else Fraction(0)
    for track in master.audio:
        language = track.language if is_language(track.language) else UNKNOWN_LANGUAGE
        yield Sound(language=language, path=master.path, digest=digest, track=track, offset=start)
