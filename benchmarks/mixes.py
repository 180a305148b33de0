"""Sequences of A and B: each segment opened and held against the rendition it was made of. Nobody else offers it to compare.

    python benchmarks/mixes.py [SEQUENCES] [DECODED]        (10000 and 40 by default)

A title of two rungs and 24 segments in cenc and cbcs. Each random sequence goes through a token and the edge's choice of
files; each file is read and its samples are decrypted (by a second implementation, once for equal bytes) and held against the
packets of the variant's rendition; of DECODED sequences every picture is decoded by libav and held against the rendition's.
Then the IVs of every sample: none may stand twice under a key, also not in a package of other renditions under the same keys.
"""

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from mediaforge.media import Grid
from mediaforge.package.assembly import package
from mediaforge.package.keys import KeyStore
from mediaforge.package.plan import PackageRequest
from mediaforge.package.record import Scheme
from mediaforge.tools import FFMPEG_QUIET, locate_tools, run
from tests.package.mixes import Mixable, initial_vectors, inits, pictures_apart, read_mixable, segments_apart, sequences
from tests.package.small import make_request

GRID = Grid(fps=Fraction(25), gop_frames=48, frames=48 * 24 - 10)
SEED = 2026


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    decoded = int(sys.argv[2]) if len(sys.argv) > 2 else 40
    tools = locate_tools({})
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "renditions").mkdir()
        request = make_request(
            lambda *words: run([tools.ffmpeg, *FFMPEG_QUIET, "-y", *words], name="ffmpeg", timeout_seconds=300),
            folder / "renditions",
            grid=GRID,
        )
        keys = KeyStore(folder / "keys").content_keys(request.title, request.labels)
        for scheme in (Scheme.CENC, Scheme.CBCS):
            packages = []
            for name, one in (("one", request), ("two", _other_cut(request))):
                packages.append(folder / f"{scheme}-{name}")
                package(replace(one, scheme=scheme), keys, packages[-1], tools=tools)
            mix = read_mixable(packages[0], request, {key.kid: key.key for key in keys})
            print(f"{scheme}: {len(request.video)} rungs, {GRID.segments} segments, init segments {len(inits(packages[0]))}")
            for line in (*_samples(mix, count), *_pictures(mix, decoded), *_ivs(packages)):
                print(f"  {line}", flush=True)


def _other_cut(request: PackageRequest) -> PackageRequest:
    """Other renditions of the same title: a rung whose variants changed places."""
    low = request.video[0]
    assert low.b is not None
    return replace(request, video=(replace(low, a=low.b, b=low.a), *request.video[1:]))


def _samples(mix: Mixable, count: int) -> Iterator[str]:
    began, apart, segments = time.process_time(), 0, 0
    for variants in sequences(random.Random(SEED), count=count, segments=GRID.segments):
        for rung in mix.tracks:
            apart += bool(segments_apart(mix, rung, variants))
            segments += len(variants)
    seconds = time.process_time() - began
    yield f"{count} sequences, {segments} segments: {apart} streams apart from their variants (wanted: 0; {seconds:.0f} CPU-s)"
    both = 2 * len(mix.tracks) * GRID.segments
    yield f"different segments opened: {len(mix.opened)} of {both}, so A and B differ in each (wanted: {both})"


def _pictures(mix: Mixable, count: int) -> Iterator[str]:
    apart = frames = 0
    for variants in sequences(random.Random(SEED + 1), count=count, segments=GRID.segments):
        for rung in mix.tracks:
            apart += len(pictures_apart(mix, rung, variants))
            frames += GRID.frames
    yield f"{count} sequences decoded: {apart} of {frames} pictures apart from their variants (wanted: 0)"


def _ivs(packages: list[Path]) -> Iterator[str]:
    (one, constant), (two, others) = (initial_vectors(folder) for folder in packages)
    if one:
        twice = sum(count - 1 for count in one.values())
        yield f"IVs of {one.total()} samples: {twice} stand twice under a key (wanted: 0)"
        yield f"a package of other renditions, same keys: {len(set(two) - set(one))} new IVs for {2 * GRID.frames} new samples"
    if constant:
        agree = "the same" if constant == others else "others"
        yield f"constant IVs: {len(constant)} for {len({kid for kid, _ in constant})} keys; {agree} in a second package"


if __name__ == "__main__":
    main()
