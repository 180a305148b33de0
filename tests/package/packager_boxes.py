"""The pssh boxes that shaka-packager itself writes for given keys: the oracle of our codec."""

import os
import random
from dataclasses import dataclass
from pathlib import Path

from mediaforge.package.pssh import (
    COMMON,
    PLAYREADY,
    WIDEVINE,
    PlayReadyHeader,
    Pssh,
    WidevineData,
    build_playready,
    build_pssh,
    build_widevine,
    parse_pssh,
    playready_checksum,
)
from mediaforge.tools import FFMPEG_QUIET, Tools, run

LA_URL = "https://licence.example/rightsmanager.asmx?a=1&b=2"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySet:
    """Random keys of one packager run, one a track; the packager lists KIDs in the order of their labels."""

    scheme: str
    keys: tuple[tuple[bytes, bytes], ...]
    la_url: str


def random_set(rng: random.Random) -> KeySet:
    keys = tuple((rng.randbytes(16), rng.randbytes(16)) for _ in range(rng.randint(1, 4)))
    return KeySet(scheme=rng.choice(("cenc", "cbcs")), keys=keys, la_url=rng.choice(("", LA_URL)))


def tiny_sound(folder: Path, tools: Tools) -> Path:
    path = folder / "tiny.mp4"
    source = ("-f", "lavfi", "-i", "sine=duration=0.2:sample_rate=8000")
    run([tools.ffmpeg, *FFMPEG_QUIET, "-y", *source, "-c:a", "aac", "-b:a", "16k", path], name="ffmpeg")
    return path


def packaged_boxes(keys: KeySet, sound: Path, tools: Tools) -> tuple[tuple[bytes, ...], ...]:
    """For each key's track, the boxes in its file."""
    folder = sound.parent
    for n in range(len(keys.keys)):  # tracks that read one path would get one label
        (folder / f"in{n}.mp4").unlink(missing_ok=True)
        (folder / f"in{n}.mp4").symlink_to(sound)
    tracks = [f"in=in{n}.mp4,stream=audio,drm_label=L{n},output=out{n}.mp4" for n in range(len(keys.keys))]
    listed = ",".join(
        f"label=L{n}:key_id={kid.hex()}:key={key.hex()}:iv={n + 1:032x}" for n, (kid, key) in enumerate(keys.keys)
    )
    extra = keys.la_url and f"--playready_extra_header_data=<LA_URL>{keys.la_url.replace('&', '&amp;')}</LA_URL>\n"
    flags = os.memfd_create("flags")
    try:
        os.write(flags, f"--enable_raw_key_encryption\n--keys={listed}\n{extra}".encode())
        argv = [tools.packager, *tracks, f"--flagfile=/dev/fd/{flags}", f"--protection_scheme={keys.scheme}", "--quiet"]
        argv += ["--single_threaded", "--io_cache_size=65536"]  # else each run touches 33 MB a file
        argv += ["--protection_systems=Widevine,PlayReady,CommonSystem", "--clear_lead=0"]
        run(argv, name="packager", pass_fds=(flags,), cwd=folder)
    finally:
        os.close(flags)
    return tuple(_boxes_in((folder / f"out{n}.mp4").read_bytes()) for n in range(len(keys.keys)))


def our_boxes(keys: KeySet) -> tuple[tuple[bytes, ...], ...]:
    """What our codec writes for the same keys, in the packager's order: Widevine, PlayReady, common."""
    kids = tuple(kid for kid, _ in keys.keys)
    widevine = Pssh(system=WIDEVINE, version=0, kids=(), data=build_widevine(WidevineData(key_ids=kids, scheme=keys.scheme)))
    common = Pssh(system=COMMON, version=1, kids=kids, data=b"")
    return tuple(
        tuple(sorted(build_pssh(box) for box in (widevine, _playready(keys, kid, key), common))) for kid, key in keys.keys
    )


def _playready(keys: KeySet, kid: bytes, key: bytes) -> Pssh:
    if keys.scheme == "cenc":
        checksums = (playready_checksum(kid, key),)
        header = PlayReadyHeader(version="4.0.0.0", kids=(kid,), checksums=checksums, la_url=keys.la_url)
    else:
        header = PlayReadyHeader(version="4.3.0.0", kids=(kid,), checksums=(), algorithm="AESCBC", la_url=keys.la_url)
    return Pssh(system=PLAYREADY, version=0, kids=(), data=build_playready(header))


def _boxes_in(file: bytes) -> tuple[bytes, ...]:
    boxes, at = [], file.find(b"pssh") - 4
    while at >= 0:
        end = at + int.from_bytes(file[at : at + 4], "big")
        boxes.append(file[at:end])
        parse_pssh(boxes[-1])
        at = end if file[end + 4 : end + 8] == b"pssh" else -1
    return tuple(sorted(boxes))
