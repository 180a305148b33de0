"""What a whole release costs, against one plain ffmpeg that encodes the same rungs twice.

    python benchmarks/release_cost.py [MASTER]

CPU time of all processes (user and system), as a ratio, in one run: wall times say nothing on a shared machine. The release
probes, encodes both variants in chunks, encodes the sound, joins, fingerprints, packages, decrypts and decodes everything
and publishes; the peer only encodes, with the same settings, in one piece.
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
SAMPLE = REPOSITORY / "samples" / "atlas-720p25.mp4"
LADDER = REPOSITORY / "ladders" / "maroc-mobile.toml"


def main() -> None:
    master = Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLE
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        release = cpu_seconds(
            [sys.executable, "-m", "mediaforge.cli.main", "release", master, "--title", "bench", "--state", folder / "state"]
        )
        plain = cpu_seconds(plain_encode(master, folder))
    print(f"{master.name}: release {release:.1f} CPU-s, plain ffmpeg {plain:.1f} CPU-s, ratio {release / plain:.3f}")


def plain_encode(master: Path, folder: Path) -> list[str]:
    from mediaforge.ladder import fit_rungs, load_ladder
    from mediaforge.media import Chunk, Variant
    from mediaforge.tools import locate_tools
    from mediaforge.transcode.chunks import plan_grid
    from mediaforge.transcode.encoder import EncodeRequest, encode_argv
    from mediaforge.transcode.probe import probe, read_timeline
    from mediaforge.watermark.variants import encoder_options

    tools = locate_tools({})
    film = probe(master, tools=tools)
    assert film.video is not None
    timeline = read_timeline(film, tools=tools)
    grid = plan_grid(fps=film.video.fps, seconds=timeline.last - timeline.first + 1 / film.video.fps)
    request = EncodeRequest(
        master=film,
        grid=grid,
        chunk=Chunk(index=0, first_frame=0, frames=grid.frames),
        rungs=fit_rungs(load_ladder(LADDER), *film.video.display_size),
        options={variant: encoder_options(variant, bytes(32), 0) for variant in Variant},
    )
    return encode_argv(request, folder, tools=tools)


def cpu_seconds(argv: list[str | Path]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([str(word) for word in argv], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
