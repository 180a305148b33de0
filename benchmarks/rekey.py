"""What new keys cost: the CPU time of a rekey for each byte of a package, beside the packager alone on the same streams.

The package is made of ten seconds of generated pictures (two rungs in two variants) that are repeated until it is as large as
asked, and of sound. CPU seconds are of this process and all its children, the least of three tries. The peer opens and encrypts
the same streams with shaka-packager alone and the same flags, as an operator would by hand: no digests, no finished manifests,
nothing read back. Verification, with which a rekey ends like a release, decodes every frame and is told apart.

    python benchmarks/rekey.py [--megabytes 400]
"""

import argparse
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from mediaforge.frames import Piece, join
from mediaforge.media import Grid
from mediaforge.package.assembly import package
from mediaforge.package.keys import ContentKey, KeyStore
from mediaforge.package.licences import USUAL
from mediaforge.package.plan import AudioInput, PackageRequest, VideoInput
from mediaforge.package.pyshaka import run_packager
from mediaforge.package.record import Scheme, System, load_record
from mediaforge.package.rekeying import Protection, rekey_package, rekey_request
from mediaforge.package.runs import plan_links, plan_runs
from mediaforge.package.verify import verify_package
from mediaforge.tools import FFMPEG_QUIET, Tools, locate_tools, run

ASKED_MB_PER_SECOND = 80.0
TRIES = 3
FPS, GOP = 25, 48
GOPS = 5  # what is encoded; the rest is the same again
RUNGS = (("v540", "HD", 960, 540, 3000), ("v720", "HD", 1280, 720, 6000))
SYSTEMS = (System.WIDEVINE, System.PLAYREADY)
LABELS = ("AUDIO", "HD")
STEPS = ((Scheme.CBCS, Scheme.CBCS), (Scheme.CBCS, Scheme.CENC), (Scheme.CENC, Scheme.CBCS), (Scheme.CBCS, Scheme.NONE))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=400)
    megabytes = parser.parse_args().megabytes
    tools = locate_tools({})
    with tempfile.TemporaryDirectory(prefix="rekey-") as name:
        folder = Path(name)
        request = make_request(folder, megabytes, tools)
        old, new = (KeyStore(folder / state).content_keys("film", LABELS) for state in ("old", "new"))
        for before, after in STEPS:
            measure(folder / f"{before}-{after}", replace(request, scheme=before), old, new, after=after, tools=tools)


def make_request(folder: Path, megabytes: int, tools: Tools) -> PackageRequest:
    bytes_a_second = sum(2 * kbps * 1000 / 8 for *_, kbps in RUNGS)
    times = max(1, round(megabytes * 1e6 / bytes_a_second / (GOPS * GOP / FPS)))
    grid = Grid(fps=Fraction(FPS), gop_frames=GOP, frames=times * GOPS * GOP)
    video = []
    for name, label, width, height, kbps in RUNGS:
        paths = [folder / f"{name}-{variant}.mp4" for variant in "ab"]
        for path in paths:
            piece = path.with_suffix(".piece.mp4")
            encode(piece, f"{width}x{height}", kbps, tools)
            join([Piece(path=piece, first_frame=0, frames=GOPS * GOP)] * times, path)
        bits = kbps * 1000
        video.append(
            VideoInput(
                rung=name,
                label=label,
                width=width,
                height=height,
                bitrate_bps=bits,
                max_bitrate_bps=2 * bits,
                a=paths[0],
                b=paths[1],
            )
        )
    sound = folder / "sound.mp4"
    tone = f"sine=frequency=330:sample_rate=48000:duration={float(grid.duration)}"
    ffmpeg(tools, "-f", "lavfi", "-i", tone, "-ac", "2", "-c:a", "aac", "-b:a", "128k", sound)
    return PackageRequest(
        title="film",
        grid=grid,
        scheme=Scheme.CBCS,
        systems=SYSTEMS,
        video=tuple(video),
        audio=(AudioInput(name="aac128", language="ary", codec="aac", path=sound),),
    )


def encode(path: Path, size: str, kbps: int, tools: Tools) -> None:
    """Noise, so that the rate asked for is needed; variant B differs in its dead zones, as the watermark's does."""
    zones = "deadzone-inter=21:deadzone-intra=11" if "-a." in path.name else "deadzone-inter=10:deadzone-intra=6"
    ffmpeg(
        tools,
        *("-f", "lavfi", "-i", f"testsrc2=size={size}:rate={FPS},noise=alls=20:allf=t:all_seed=7"),
        *("-frames:v", str(GOPS * GOP), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
        *("-b:v", f"{kbps}k", "-maxrate", f"{kbps}k", "-bufsize", f"{kbps}k", "-threads", "1"),
        *("-x264-params", f"keyint={GOP}:min-keyint={GOP}:scenecut=0:open-gop=0:{zones}"),
        path,
    )


def ffmpeg(tools: Tools, *words: str | Path) -> None:
    run([tools.ffmpeg, *FFMPEG_QUIET, "-y", *words], name="ffmpeg", timeout_seconds=300)


def measure(
    folder: Path,
    request: PackageRequest,
    old: tuple[ContentKey, ...],
    new: tuple[ContentKey, ...],
    *,
    after: Scheme,
    tools: Tools,
) -> None:
    source = folder / "source"
    source.mkdir(parents=True)
    package(request, old, source, tools=tools)
    size = sum(path.stat().st_size for path in source.rglob("*.m4s"))
    systems = () if after is Scheme.NONE else SYSTEMS
    keys = () if after is Scheme.NONE else new
    protection = Protection(scheme=after, systems=systems, licences=USUAL, clear_segments=0)
    made, peer = folder / "made", folder / "peer"
    seconds, cpu = least(made, lambda: rekey_package(source, made, opening=old, keys=keys, protection=protection, tools=tools))
    alone_seconds, alone = least(peer, lambda: packager_alone(source, peer, old, keys, protection=protection, tools=tools))
    _, verifying = cost(lambda: verify_package(made, keys={key.kid: key.key for key in keys}))
    millions = size / 1e6
    print(
        f"{request.scheme} -> {after}: {millions:.0f} MB at {millions / cpu:.0f} MB/s ({cpu:.2f} CPU s in {seconds:.2f} s; "
        f"asked: {ASKED_MB_PER_SECOND:.0f}); the packager alone {millions / alone:.0f} MB/s ({alone:.2f} CPU s in "
        f"{alone_seconds:.2f} s): {cpu / alone:.2f} times its time; decoding all of it to verify: {verifying:.1f} CPU s"
    )
    shutil.rmtree(folder)


def packager_alone(
    source: Path,
    to: Path,
    old: tuple[ContentKey, ...],
    keys: tuple[ContentKey, ...],
    *,
    protection: Protection,
    tools: Tools,
) -> None:
    """Put streams together with `cat`, then two runs of the packager: the least that makes a package of both variants."""
    record = load_record(source)
    streams = to / ".streams"
    streams.mkdir()
    request = replace(rekey_request(record, source, streams=streams, protection=protection), text=())
    for folder in record.folders:
        numbers = range(1, len(list((source / folder).glob("*.m4s"))) + 1)
        parts = [source / folder.removeprefix("b/") / "init.mp4", *(source / folder / f"{number}.m4s" for number in numbers)]
        cat(parts, streams / f"{folder.replace('/', '-')}.mp4")
    links = plan_links(request)
    (to / ".inputs").mkdir()
    for link, path in links.items():
        (to / link).symlink_to(path)
    for planned in plan_runs(request, keys, digests={path: str(path) for path in links.values()}, opening=old):
        run_packager(planned, folder=to, tools=tools)


def cat(parts: list[Path], to: Path) -> None:
    with to.open("wb") as whole:
        for path in parts:
            with path.open("rb") as file:
                os.sendfile(whole.fileno(), file.fileno(), 0, path.stat().st_size)


def least(to: Path, work: Callable[[], object]) -> tuple[float, float]:
    """The cheapest of some tries, each into an empty folder: what else the machine does only adds."""
    tries = []
    for _ in range(TRIES):
        shutil.rmtree(to, ignore_errors=True)
        to.mkdir()
        tries.append(cost(work))
    return min(tries, key=lambda row: row[1])


def cost(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds and CPU seconds, this process and its children."""
    began, cpu = time.monotonic(), cpu_seconds()
    work()
    return time.monotonic() - began, cpu_seconds() - cpu


def cpu_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
