"""Certified VMAF against the VMAF of every frame: the error, the interval, and the share of the cost.

    python benchmarks/certify.py [MASTER]

Four rungs of the shipped ladder are encoded as a release does it, then scored twice: every frame, and certified. CPU time of
the scoring processes (user and system, decoding and process starts included), in one run. Must: every error within 0.5 at
no more than 15 % of the cost. A minute of 720p takes some four minutes.
"""

import resource
import sys
import tempfile
from pathlib import Path

import numpy as np

from mediaforge.frames import Piece, join
from mediaforge.ladder import fit_rungs
from mediaforge.ladderfile import load_ladder
from mediaforge.media import Grid, Master, Variant
from mediaforge.tools import Tools, locate_tools
from mediaforge.transcode.certify import certify
from mediaforge.transcode.chunks import plan_chunks, plan_grid
from mediaforge.transcode.encoder import EncodeRequest, encode, rendition_name
from mediaforge.transcode.probe import probe, read_timeline
from mediaforge.transcode.quality import score_frames

REPOSITORY = Path(__file__).parent.parent
SAMPLE = REPOSITORY / "samples" / "atlas-720p25.mp4"
LADDER = REPOSITORY / "ladders" / "maroc-mobile.toml"


def main() -> None:
    master = Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLE
    tools = locate_tools({})
    film = probe(master, tools=tools)
    with tempfile.TemporaryDirectory() as name:
        grid, renditions = encoded(film, Path(name), tools=tools)
        before = cpu_seconds()
        sampled = certify(renditions, film, grid=grid, tools=tools, on_progress=lambda _: None)
        between = cpu_seconds()
        whole = score_frames(renditions, film, [range(grid.frames)] * len(renditions), fps=grid.fps, tools=tools)
        cheap, dear = between - before, cpu_seconds() - between
    print(f"{master.name}: {grid.frames} frames")
    for path, quality, scores in zip(renditions, sampled, whole, strict=True):
        full = scores.mean()
        print(
            f"  {path.name.split('.')[0]:>6}: full {full:6.2f}, certified {quality.mean:6.2f} "
            f"(95 %: {quality.low:.2f} to {quality.high:.2f}), error {quality.mean - full:+.2f}; "
            f"p5 {np.percentile(scores, 5):.1f}, certified {quality.p5:.1f} of {quality.frames} frames"
        )
    worst = max(abs(quality.mean - scores.mean()) for quality, scores in zip(sampled, whole, strict=True))
    print(f"  worst error {worst:.2f}; certified {cheap:.1f} CPU-s, every frame {dear:.1f} CPU-s, ratio {cheap / dear:.3f}")


def encoded(film: Master, folder: Path, *, tools: Tools) -> tuple[Grid, list[Path]]:
    assert film.video is not None
    timeline = read_timeline(film, tools=tools)
    grid = plan_grid(fps=film.video.fps, seconds=timeline.last - timeline.first + 1 / film.video.fps)
    rungs = fit_rungs(load_ladder(LADDER), *film.video.display_size)[1::2]
    names = [rendition_name(fitted.rung.name, Variant.A) for fitted in rungs]
    chunks = plan_chunks(grid)
    for chunk in chunks:
        to = folder / f"chunk-{chunk.index}"
        to.mkdir()
        request = EncodeRequest(master=film, grid=grid, chunk=chunk, rungs=rungs, differing={Variant.A: {}})
        encode(request, to, tools=tools, on_progress=lambda _: None)
    for name in names:
        pieces = [Piece(path=folder / f"chunk-{chunk.index}" / name, first_frame=0, frames=chunk.frames) for chunk in chunks]
        join(pieces, folder / name)
    return grid, [folder / name for name in names]


def cpu_seconds() -> float:
    """The CPU time of all processes that were started here and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
