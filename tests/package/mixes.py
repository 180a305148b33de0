"""Sequences of A and B as an edge gives them out, each segment opened and held against the rendition it was made of."""

import hashlib
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mediaforge.edge.site import Site, find_file
from mediaforge.edge.token import EdgeKey, Session, mint_token, signing_key, verify_token
from mediaforge.frames import read_frames
from mediaforge.media import Grid
from mediaforge.package.contents import read_contents
from mediaforge.package.layout import INIT, segment_name, video_folder
from mediaforge.package.plan import PackageRequest
from mediaforge.package.track import Track, read_track
from mediaforge.viewing import package_site
from tests.package.decrypting import opened_samples, packets

KEY = EdgeKey(kid=b"1", mac=b"m" * 32, pattern=b"p" * 32, signer=signing_key(b"s" * 64))


@dataclass(frozen=True)
class Mixable:
    """A package beside the renditions it was made of. `segments`: the MD5 of each segment's clear samples; `pictures`: that of
    each decoded frame; both by (rung, variant). What was opened once is kept by the SHA-256 of the encrypted bytes."""

    folder: Path
    site: Site
    keys: Mapping[bytes, bytes] = field(repr=False)
    tracks: Mapping[str, Track]
    segments: Mapping[tuple[str, str], tuple[str, ...]]
    renditions: Mapping[tuple[str, str], Path]
    gop_frames: int
    opened: dict[bytes, str] = field(default_factory=dict)
    pictures: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)


def read_mixable(folder: Path, request: PackageRequest, keys: Mapping[bytes, bytes]) -> Mixable:
    renditions = {(row.rung, letter): path for row in request.video for letter, path in (("A", row.a), ("B", row.b)) if path}
    return Mixable(
        folder=folder,
        site=package_site(folder),
        keys=keys,
        tracks={row.rung: read_track(folder / video_folder(row.rung) / INIT) for row in request.video},
        segments={at: tuple(_by_segment(packets(path), request.grid)) for at, path in renditions.items()},
        renditions=renditions,
        gop_frames=request.grid.gop_frames,
    )


def sequences(rng: random.Random, *, count: int, segments: int) -> Iterator[str]:
    """Random sequences, each as it comes out of a session's token at the edge."""
    for number in range(count):
        variants = "".join(rng.choices("AB", k=segments))
        session = Session(session_id=number.to_bytes(16, "big"), title="film", variants=variants, issued=0, expires=60)
        token = mint_token(session, KEY, nonce=rng.randbytes(12))
        yield verify_token(token, {KEY.kid: KEY}, title="film", now=1).variants


def served(mix: Mixable, rung: str, variants: str) -> list[Path]:
    """The files that the edge gives out for a sequence."""
    names = [find_file(mix.site, f"{video_folder(rung)}/{segment_name(n)}", variants) for n in range(1, len(variants) + 1)]
    return [mix.folder / name for name in names if name]


def segments_apart(mix: Mixable, rung: str, variants: str) -> list[int]:
    """The segments of a sequence that do not decrypt to the chosen variant's samples, counted from 1."""
    got = [_opened(mix, rung, path.read_bytes()) for path in served(mix, rung, variants)]
    wanted = [mix.segments[rung, letter][at] for at, letter in enumerate(variants)]
    return [at for at, pair in enumerate(zip(got, wanted, strict=True), start=1) if pair[0] != pair[1]]


def pictures_apart(mix: Mixable, rung: str, variants: str) -> list[int]:
    """The frames that a sequence, decoded as one stream behind the one init segment, shows otherwise than its variants."""
    init = mix.folder / video_folder(rung) / INIT
    key = _key(mix, rung)
    got = [_md5(frame.image.tobytes()) for frame in read_frames([init, *served(mix, rung, variants)], rgb=True, key=key)]
    pictures = {letter: _pictures(mix, rung, letter) for letter in "AB"}
    wanted = [pictures[variants[at // mix.gop_frames]][at] for at in range(len(pictures["A"]))]
    assert len(got) == len(wanted)
    return [at for at, pair in enumerate(zip(got, wanted, strict=True)) if pair[0] != pair[1]]


def inits(folder: Path) -> list[str]:
    """The init segments of pictures: one a rung, because those of A and B were byte-identical."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob(f"video/*/{INIT}"))


def initial_vectors(folder: Path) -> tuple[Counter[tuple[bytes, bytes]], set[tuple[bytes, bytes]]]:
    """Every IV of every sample of a package, counted by (KID, IV); and the constant ones."""
    each: Counter[tuple[bytes, bytes]] = Counter()
    constant = set()
    for _, stream in read_contents(folder).encrypted():
        protection = stream.track.protection
        assert protection is not None
        if protection.constant_iv:
            constant.add((protection.default_kid, protection.constant_iv))
        for segment in stream.segments:
            ivs, size = segment.fragment.ivs, protection.iv_bytes
            each.update((protection.default_kid, ivs[at : at + size]) for at in range(0, len(ivs), size or 1))
    return each, constant


def _by_segment(samples: list[bytes], grid: Grid) -> Iterator[str]:
    for at in range(0, len(samples), grid.gop_frames):
        yield _md5(b"".join(samples[at : at + grid.gop_frames]))


def _opened(mix: Mixable, rung: str, data: bytes) -> str:
    name = hashlib.sha256(data).digest()
    if name not in mix.opened:
        mix.opened[name] = _md5(b"".join(opened_samples(data, mix.tracks[rung], _key(mix, rung))))
    return mix.opened[name]


def _pictures(mix: Mixable, rung: str, letter: str) -> tuple[str, ...]:
    if (rung, letter) not in mix.pictures:
        frames = read_frames(mix.renditions[rung, letter], rgb=True)
        mix.pictures[rung, letter] = tuple(_md5(frame.image.tobytes()) for frame in frames)
    return mix.pictures[rung, letter]


def _key(mix: Mixable, rung: str) -> bytes:
    protection = mix.tracks[rung].protection
    assert protection is not None
    return mix.keys[protection.default_kid]


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
