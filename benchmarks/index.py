"""The fingerprint index at catalogue scale: what it costs to build and to ask, and whether foreign titles are ever found.

    python benchmarks/index.py [FOLDER OF CLIPS] [--codes 10000000]

Fills an index with generated foreign hours (titles of an hour at four frames a second, three crops each) and prints what was
measured beside what was asked, in CPU time of one core. With a folder, 10 s of each of its clips are looked for among them
and among the clips themselves: a match of another title is wrong.
"""

import argparse
import tempfile
import time
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from sys import path

import numpy as np

path.insert(0, str(Path(__file__).parent.parent))

from mediaforge.context import Context
from mediaforge.detect.codes import WORDS
from mediaforge.detect.index import Index, Reference
from mediaforge.detect.manifest import Listed, Manifest, write_manifest
from mediaforge.detect.match import find_matches
from mediaforge.detect.segments import in_memory, write_segment
from mediaforge.detect.tables import NO_FLIP, ONE_FLIP, find_near
from mediaforge.detect.video import MAX_SIDE, fingerprint, query_fps
from mediaforge.frames import read_frames
from mediaforge.investigate import add_reference
from mediaforge.tools import locate_tools
from mediaforge.transcode.probe import probe
from tests.detect.foreign import CROPS, flipped, foreign_codes

TITLE_FRAMES = 4 * 3600
QUERY_CODES = 100  # of 10 s: 25 moments, with and without bars, plain and in a mirror
QUERIES = 4
RADIUS = 76
ENDINGS = {".mp4", ".webm", ".mov", ".mkv"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--codes", type=lambda text: int(float(text)), default=10_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        context = Context(state=Path(name), tools=locate_tools({}))
        index = Index(context.index_folder)
        fill(index, asked.codes // CROPS)
        ask(index)
        if asked.folder is not None:
            look_for(context, sorted(each for each in asked.folder.iterdir() if each.suffix in ENDINGS))


def fill(index: Index, frames: int) -> None:
    codes = foreign_codes(frames, seed=1)
    titles = [
        Reference(
            title=f"foreign-{number:05d}",
            seconds=Fraction(len(some), 4),
            times=np.arange(len(some)) * 250,
            codes=some,
        )
        for number, some in enumerate(np.split(codes, range(TITLE_FRAMES, frames, TITLE_FRAMES)))
    ]
    path = index.folder / "00000001.mfs"
    before = time.process_time()
    write_segment(path, in_memory(titles, crops=CROPS))
    cost = time.process_time() - before
    write_manifest(index.folder, Manifest(segments=(Listed(file=path.name),), written=1))
    size = path.stat().st_size
    print(f"{frames * CROPS:,} codes, {frames / TITLE_FRAMES:.0f} hours in {len(titles)} titles")
    print(f"build, written and synced: {cost:.1f} CPU-s (asked: at most 8 at 10^7)")
    print(f"size: {size / frames / CROPS:.1f} bytes a code (asked: at most 100)", flush=True)


def ask(index: Index) -> None:
    before = time.perf_counter()
    references = index.load(exact_codes=0)
    print(f"opened in {1000 * (time.perf_counter() - before):.0f} ms")
    (segment,) = (each for each in references.codes.segments if each.tables is not None)
    assert segment.tables is not None
    flat = segment.codes.reshape(-1, WORDS)
    for words, flips, share, limit in (
        ("no flip", NO_FLIP, 0.10, "150 us at recall 0.95"),
        ("no flip", NO_FLIP, 0.15, ""),
        ("no flip", NO_FLIP, 0.20, ""),
        ("one flip", ONE_FLIP, 0.10, ""),
        ("one flip", ONE_FLIP, 0.15, "1500 us at recall 0.99"),
        ("one flip", ONE_FLIP, 0.20, ""),
    ):
        truth = np.random.default_rng(2).integers(0, len(flat), QUERY_CODES * QUERIES)
        costs, right = [], 0
        for number, rows in enumerate(np.split(truth, QUERIES)):
            wanted = flipped(flat[rows], share, seed=3 + number)
            before = time.process_time()
            query, found = find_near(flat, segment.tables, wanted, radius=RADIUS, flips=flips)
            costs.append((time.process_time() - before) / len(rows))
            pairs = set(zip(query.tolist(), found.tolist(), strict=True))
            right += sum((row, code) in pairs for row, code in enumerate(rows.tolist()))
        asked = f" (asked: {limit})" if limit else ""
        print(
            f"{words}, {share:.0%} of bits flipped: {1e6 * np.median(costs):.0f} us a code (least {1e6 * min(costs):.0f}), "
            f"recall {right / len(truth):.3f}{asked}",
            flush=True,
        )
    for words, wanted in (
        ("10 s of a title, 10 % of bits flipped", flipped(flat[truth[0] + np.arange(QUERY_CODES)], 0.1, seed=4)),
        ("10 s of no title", foreign_codes(QUERY_CODES, seed=5)[:, 0]),
    ):
        before = time.process_time()
        hits = references.lookup(wanted, RADIUS)
        cost = time.process_time() - before
        print(f"{words}: {QUERY_CODES} codes looked up in {1000 * cost:.0f} ms CPU, {len(hits.frame)} hits", flush=True)


def look_for(context: Context, clips: list[Path]) -> None:
    for clip in clips:
        add_reference(context, clip, clip.stem)
    references = Index(context.index_folder).load()
    wrong = missed = 0
    for clip in clips:
        length = float(probe(clip, tools=context.tools).duration)
        start = max(0.0, (length - 10) / 2)
        pictures = read_frames(clip, fps=query_fps(Fraction(10)), max_side=MAX_SIDE, start=start, end=start + 10)
        seen = fingerprint(pictures)
        before = time.process_time()
        titles = [match.title for match in find_matches(seen, references)]
        cost = time.process_time() - before
        foreign = [title for title in titles if title.startswith("foreign-")]
        wrong, missed = wrong + len(foreign), missed + (clip.stem not in titles)
        print(f"  {clip.name}: {', '.join(dict.fromkeys(titles)) or 'nothing'} ({cost:.2f} CPU-s)", flush=True)
    hours = list(accumulate(float(seconds) for seconds in references.seconds))[-1] / 3600
    print(f"{len(clips)} clips among {hours:.0f} hours: {wrong} foreign titles matched (asked: 0), {missed} clips not found")


if __name__ == "__main__":
    main()
