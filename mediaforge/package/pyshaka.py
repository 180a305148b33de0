"""pyshaka: Shaka Packager as a function. Values become argv and a flag file; what it says becomes one clear error.

Keys travel in a flag file that exists only in memory (`--flagfile=/dev/fd/N`): argv and environment of a process can be
read by others. The packager echoes a key list that it cannot parse, so its words are masked too.
"""

import os
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from mediaforge.errors import ToolError
from mediaforge.package.layout import DASH_MANIFEST, HLS_MANIFEST, INIT, PLAYLIST
from mediaforge.package.record import Scheme, System
from mediaforge.tools import Tools, run

# What the packager must get through a second at the very least, disk included; measured: 100 to 210 MB/s.
SLOWEST_BYTES_PER_SECOND = 4_000_000
STARTING_SECONDS = 60.0
_IO_BLOCK_BYTES = 1 << 20

_SYSTEM_FLAGS = {System.WIDEVINE: "Widevine", System.PLAYREADY: "PlayReady", System.FAIRPLAY: "FairPlay"}

# Lengthens the segments asked for by less than a tick of any timescale: the packager truncates seconds x timescale, so
# 1.92 s at 1000 ticks becomes 1919 (text would drift a millisecond a segment). Segments begin at key frames all the same.
_ROUNDING = Fraction(1, 10_000_000)

_SAID = re.compile(r"^[EF]\d{4} \S+\s+\d+ \S+\] (?P<what>.*)$", re.MULTILINE)
_VERDICT = re.compile(r"(?:Packaging Error|Failed to initialize packager): \d+ \((?P<name>[A-Z_]+)\): (?P<what>.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagerStream:
    """One input and the folder it becomes. `label` names a key (None: in clear); `group` and `name` are HLS's.

    `text_format`: what a text becomes. `is_trick`: pictures for trick play, which the MPD keeps apart.
    """

    source: str
    kind: Literal["video", "audio", "text"]
    folder: str
    label: str | None = None
    language: str | None = None
    group: str | None = None
    name: str | None = None
    text_format: Literal["vtt+mp4", "ttml+mp4"] | None = None
    is_trick: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagerKey:
    """A key under a label of its own. Several labels may carry one key with different IVs."""

    label: str
    kid: bytes
    key: bytes
    iv: bytes

    def __repr__(self) -> str:
        return f"PackagerKey(label={self.label!r}, kid={self.kid.hex()}, key=***, iv=***)"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagerRun:
    """One run. Paths of inputs and outputs are relative to the folder that it runs in.

    `opening` are the keys of inputs that are encrypted themselves; of a scheme NONE they come out in clear.
    """

    name: str
    streams: tuple[PackagerStream, ...]
    scheme: Scheme
    systems: tuple[System, ...]
    keys: tuple[PackagerKey, ...]
    segment_seconds: Fraction
    language: str | None = None
    opening: tuple[PackagerKey, ...] = ()
    clear_segments: int = 0
    manifests: bool = True


def run_packager(packaging: PackagerRun, *, folder: Path, tools: Tools) -> None:
    """Do the run inside `folder`. Raises ToolError with the packager's own reason.

    Its exit code proves little: it calls a cut input a success. `verify` proves the result.
    """
    held = packaging.keys + packaging.opening
    secrets = tuple(key.key.hex() for key in held)
    flags = os.memfd_create("flags") if held else None
    try:
        if flags is not None:
            os.write(flags, flag_file(packaging))
        run(
            [tools.packager, *packager_argv(packaging, flags_fd=flags)],
            name="packager",
            pass_fds=() if flags is None else (flags,),
            cwd=folder,
            timeout_seconds=_patience(packaging, folder),
            secrets=secrets,
        )
    except ToolError as error:
        raise _explained(error, packaging) from error
    finally:
        if flags is not None:
            os.close(flags)


def packager_argv(packaging: PackagerRun, *, flags_fd: int | None) -> tuple[str, ...]:
    """The arguments of a run. Pure; holds no key."""
    argv = [_descriptor(stream) for stream in packaging.streams]
    if flags_fd is not None:
        argv.append(f"--flagfile=/dev/fd/{flags_fd}")
    if packaging.keys:
        systems = ",".join([*(_SYSTEM_FLAGS[system] for system in packaging.systems), "CommonSystem"])
        argv += [
            f"--protection_scheme={packaging.scheme.value}",
            # CommonSystem: without its pssh in the init segment dash.js and hls.js find no ClearKey to ask for. Its side
            # effect, poisoned identity keys in HLS, is undone in hls.py. Leaving the flag out would drop EXT-X-KEY in cenc.
            f"--protection_systems={systems}",
            f"--clear_lead={_lead(packaging)}",  # else the first 5 s are in clear
            *(["--create_session_keys"] if packaging.manifests else []),
        ]
    argv += [
        f"--segment_duration={float(packaging.segment_seconds + _ROUNDING):.9f}",
        "--nogenerate_sidx_in_media_segments",  # segments are addressed by number; an index of one entry is dead weight
        "--single_threaded",  # threads order AdaptationSets by chance
        "--use_fake_clock_for_muxer",  # no creation times: equal inputs, equal bytes; A and B share their init segment
        # Plain reads and writes of whole megabytes. Its threaded cache takes 33 MB a file and three times the CPU; measured for
        # 204 MB in cbcs: 1.8 CPU seconds with it, 0.55 without (benchmarks/rekey.py).
        "--io_cache_size=0",
        f"--io_block_size={_IO_BLOCK_BYTES}",
        "--quiet",
    ]
    if packaging.manifests:
        argv += [
            f"--mpd_output={DASH_MANIFEST}",
            "--generate_static_live_mpd",  # number-addressed segments of a finished title
            f"--hls_master_playlist_output={HLS_MANIFEST}",
            "--hls_playlist_type=VOD",
            "--per_playlist_target_duration",  # else the sound's odd milliseconds inflate it for all
            "--default_text_language=zxx",  # no subtitle is on by default: zxx, "no linguistic content", never is one
            *([f"--default_language={packaging.language}"] if packaging.language else []),
        ]
    return tuple(argv)


def flag_file(packaging: PackagerRun) -> bytes:
    """The flags that hold keys, one a line. The packager has one list for both: it encrypts by label and decrypts by KID."""
    held = packaging.keys + packaging.opening
    keys = ",".join(f"label={key.label}:key_id={key.kid.hex()}:key={key.key.hex()}:iv={key.iv.hex()}" for key in held)
    uses = ["--enable_raw_key_encryption"] * bool(packaging.keys) + ["--enable_raw_key_decryption"] * bool(packaging.opening)
    return "".join(f"{line}\n" for line in (*uses, f"--keys={keys}")).encode()


def _descriptor(stream: PackagerStream) -> str:
    fields = [
        ("in", stream.source),
        ("stream", stream.kind),
        ("format", stream.text_format),
        ("init_segment", f"{stream.folder}/{INIT}"),
        ("segment_template", f"{stream.folder}/$Number$.m4s"),
        ("playlist_name", f"{stream.folder}/{PLAYLIST}"),
        ("trick_play_factor", "1" if stream.is_trick else None),  # every key frame; the input has no others
        ("drm_label", stream.label),
        ("lang", stream.language),
        ("hls_group_id", stream.group),
        ("hls_name", stream.name),
    ]
    return ",".join(f"{name}={value}" for name, value in fields if value is not None)


def _lead(packaging: PackagerRun) -> str:
    """The packager leaves segments in clear while their beginning lies in the lead. It ends in the middle of the last one that
    shall be in clear, because segments of sound are some milliseconds longer or shorter."""
    if packaging.clear_segments == 0:
        return "0"
    return f"{float((packaging.clear_segments - Fraction(1, 2)) * packaging.segment_seconds):.3f}"


def _patience(packaging: PackagerRun, folder: Path) -> float:
    """How long a run may take: the packager says nothing while it works, so silence cannot be the sign."""
    size = sum((folder / stream.source).stat().st_size for stream in packaging.streams)
    return STARTING_SECONDS + size / SLOWEST_BYTES_PER_SECOND


def _explained(error: ToolError, packaging: PackagerRun) -> ToolError:
    """The first complaint tells the cause, the verdict often only the place where it came to light."""
    said = [match["what"].strip() for match in _SAID.finditer(error.tail)]
    verdict = next((match for line in said if (match := _VERDICT.search(line))), None)
    if not said or error.code is None:
        return error
    cause = said[0] if verdict is None or said[0] == verdict.group(0) else f"{said[0]}; {verdict['what']}"
    return ToolError(
        "packager",
        f"could not package {packaging.name}: {cause}",
        code=error.code,
        argv=error.argv,
        transient="FILE_FAILURE" in error.tail,  # a full disk or a vanished mount: a retry may help
    )
