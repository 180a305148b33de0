"""What trick play adds to a chunk: CPU time beside the rungs of a ladder, and bits.

    python benchmarks/trick_play.py [MASTER] [--ladder NAME]

The pictures come out of the decode that feeds the rungs, so their cost is that of decoding with them less that of decoding
alone: the least of five runs each, in CPU time. It is held against the encode of one chunk, in both variants.
"""

import argparse
import resource
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import ffmpeg

from mediaforge.ladder import fit_rungs
from mediaforge.ladderfile import load_ladder
from mediaforge.media import Variant
from mediaforge.tools import locate_tools
from mediaforge.transcode.chunks import plan_chunks, plan_grid
from mediaforge.transcode.encoder import EncodeRequest, encode_argv
from mediaforge.transcode.probe import probe, read_timeline
from mediaforge.transcode.source import grid_picture, sized
from mediaforge.transcode.trick import first_pictures, fit_trick, trick_options

REPOSITORY = Path(__file__).parent.parent
RUNS = 5
MOST_SHARE = 0.01  # more, and it should not be on by default


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("master", nargs="?", type=Path, default=REPOSITORY / "samples" / "atlas-720p25.mp4")
    parser.add_argument("--ladder", default="maroc-mobile", help="one of fixed rates")
    asked = parser.parse_args()
    tools = locate_tools({})
    master = probe(asked.master, tools=tools)
    assert master.video is not None
    timeline = read_timeline(master, tools=tools)
    grid = plan_grid(fps=master.video.fps, seconds=timeline.last - timeline.first + 1 / master.video.fps)
    chunk = plan_chunks(grid)[0]
    size = fit_trick(*master.video.display_size)
    rungs = fit_rungs(load_ladder(REPOSITORY / "ladders" / f"{asked.ladder}.toml"), *master.video.display_size)
    differing = {Variant.A: {}, Variant.B: {"h264": {"deadzone-inter": "18"}}}
    request = EncodeRequest(master=master, grid=grid, chunk=chunk, rungs=rungs, differing=differing)

    def picture() -> Any:
        return grid_picture(master, grid, first_frame=0, frames=chunk.frames)

    with tempfile.TemporaryDirectory() as name:
        made = Path(name) / "trick.mp4"
        small = sized(first_pictures(picture(), grid), master, width=size.width, height=size.height)
        options = trick_options(seconds=chunk.frames / grid.fps)
        plain = ffmpeg.compile(ffmpeg.output(picture(), "-", f="null"), cmd=str(tools.ffmpeg))
        tricked = ffmpeg.compile(ffmpeg.output(small, str(made), fps_mode="passthrough", **options), cmd=str(tools.ffmpeg))
        decoding = min(cpu_seconds(plain) for _ in range(RUNS))
        trick = max(0.0, min(cpu_seconds([*tricked, "-y"]) for _ in range(RUNS)) - decoding)
        bits = 8 * made.stat().st_size
        whole = cpu_seconds(encode_argv(request, Path(name), tools=tools))
    seconds = float(chunk.frames / grid.fps)
    pictures = -(-chunk.frames // grid.gop_frames)
    print(f"{asked.master.name}: {seconds:.1f} s, {pictures} pictures of {size.width}x{size.height}")
    print(f"  rungs of {asked.ladder}, both variants: {whole:.2f} CPU-s; decoding alone: {decoding:.2f} CPU-s")
    verdict = "met" if trick <= MOST_SHARE * whole else "missed"
    print(f"  trick play: {trick:.3f} CPU-s, {trick / whole:.2%} of the encode (at most {MOST_SHARE:.0%}: {verdict})")
    print(f"  {bits / seconds / 1000:.0f} kbit/s, {bits / 8000 / pictures:.1f} kB a picture")


def cpu_seconds(argv: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
