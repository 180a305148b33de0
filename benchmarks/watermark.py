"""The attack table: which share of the segments of an attacked copy is read wrong, and which is not read.

    python benchmarks/watermark.py FOLDER [--rows crf33,crop10] [--clips film,dark] [--segments 500] [--work DIR]

Every clip is released (two rungs, both variants; attacked_titles.py). Copies of each rung are stitched by random codes and
attacked (attacks.py), then aligned and read blind, both rungs tried. A row takes code after code of every clip and rung until
it has --segments, at least --seeds of them; so few minutes of film give many segments, of which those of one content repeat
(attack_table.py tells them apart). Leaks that were read stand in the file of --resume and are not read again, unless the
encodes or the detector changed. CPU is that of reading, user and system, decoders included, for a second of leak and a rung.
"""

import argparse
import hashlib
import json
import resource
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from attack_table import Row, print_tables, told
from attacked_titles import CLIPS, Title, released
from attacks import ATTACKS, Attack, attack

import mediaforge
from mediaforge.frames import Piece, stitch
from mediaforge.tools import Tools, locate_tools
from mediaforge.transcode.probe import probe
from mediaforge.watermark.evidence import Evidence
from mediaforge.watermark.extract import extract

PACKAGE = Path(mediaforge.__file__).parent
READING = ("extract", "reading", "timeline", "align", "geometry", "correlate", "steady", "walk", "evidence")
MOST_SEEDS = 1000


def main() -> None:
    chosen = arguments()
    if chosen.folder is None:
        print("give a folder of clips: python benchmarks/watermark.py FOLDER")
        return
    tools, detector = locate_tools({}), detector_id()
    titles = [released(name, chosen.folder, chosen.work, tools) for name in chosen.clips]
    made = {title.made for title in titles}
    done = {key(row): row for row in load(chosen.resume) if row.detector == detector and row.made in made}
    attacks = {one.name: one for one in ATTACKS}
    for name in chosen.rows:
        for title, number, seed in leaks(titles, chosen):
            rung = title.references[number].rung
            if (name, title.made, rung, seed) in done:
                continue
            row = trial(title, number, attacks[name], seed=seed, work=chosen.work, tools=tools)
            done[key(row)] = row
            print(told(row), flush=True)
            with chosen.resume.open("a") as file:
                file.write(json.dumps(asdict(row)) + "\n")
    print_tables([row for row in done.values() if row.attack in chosen.rows])


def leaks(titles: list[Title], chosen: argparse.Namespace) -> Iterator[tuple[Title, int, int]]:
    """Title, number of the rung and seed of one row's leaks."""
    segments = 0
    for seed in range(MOST_SEEDS):
        if seed >= chosen.seeds and segments >= chosen.segments:
            return
        for title in titles:
            for number, reference in enumerate(title.references):
                if chosen.rungs is None or reference.rung in chosen.rungs:
                    yield title, number, seed
                    segments += title.grid.segments


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--rows", type=lambda text: text.split(","), default=[one.name for one in ATTACKS])
    parser.add_argument("--clips", type=lambda text: text.split(","), default=list(CLIPS))
    parser.add_argument("--rungs", type=lambda text: text.split(","), default=None)
    parser.add_argument("--seeds", type=int, default=1, help="codes at least")
    parser.add_argument("--segments", type=int, default=0, help="of a row at least, over all clips and rungs")
    parser.add_argument("--work", type=Path, default=Path("watermark-bench"))
    parser.add_argument("--resume", type=Path, default=Path("watermark-bench.jsonl"))
    chosen = parser.parse_args()
    for asked, known in ((chosen.rows, [one.name for one in ATTACKS]), (chosen.clips, list(CLIPS))):
        if strange := set(asked) - set(known):
            parser.error(f"{', '.join(sorted(strange))} is none of {', '.join(known)}")
    return chosen


def detector_id() -> str:
    """Names the code that reads: figures of two detectors are not added up."""
    digest = hashlib.sha256()
    for name in READING:
        digest.update((PACKAGE / "watermark" / f"{name}.py").read_bytes())
    return digest.hexdigest()[:12]


def load(path: Path) -> Iterator[Row]:
    """Rows of this shape: those of an older table are left out."""
    for line in path.read_text().splitlines() if path.exists() else ():
        values = json.loads(line)
        if set(values) == set(Row.__dataclass_fields__):
            yield Row(**values)


def key(row: Row) -> tuple[str, str, str, int]:
    return row.attack, row.made, row.rung, row.seed


def trial(title: Title, number: int, one: Attack, *, seed: int, work: Path, tools: Tools) -> Row:
    """Stitch, attack, read. The leak is kept beside its stitched copy."""
    reference, grid = title.references[number], title.grid
    bits = np.random.default_rng([seed, *title.name.encode(), number]).integers(0, 2, grid.segments)
    folder = work / "leaks" / f"{title.name}-{title.made}"
    folder.mkdir(parents=True, exist_ok=True)
    copy, leak = folder / f"{reference.rung}-{seed}.mp4", folder / f"{reference.rung}-{seed}-{one.name}.mp4"
    if not copy.exists():
        every = grid.every(reference.step)
        paths = {1: reference.a, 0: reference.b}
        pieces = [
            Piece(path=paths[int(bit)], first_frame=index * every.gop_frames, frames=every.segment_frames(index))
            for index, bit in enumerate(bits)
        ]
        part = copy.with_suffix(".part.mp4")
        stitch(pieces, part)
        part.rename(copy)
    if not leak.exists():
        part = leak.with_suffix(".part.mp4")
        attack(one, copy, part, size=title.sizes[number], fps=float(grid.fps), seed=seed, tools=tools)
        part.rename(leak)
    before = cpu_seconds()
    evidence = extract(leak, title.references, grid)
    cost = (cpu_seconds() - before) / float(probe(leak, tools=tools).duration) / len(title.references)
    return Row(
        attack=one.name,
        clip=title.name,
        made=title.made,
        detector=detector_id(),
        rung=reference.rung,
        seed=seed,
        segments=grid.segments,
        numbers=[symbol.segment for symbol in evidence.symbols],
        z=signed(evidence, bits),
        right_rung=sum(symbol.rung == reference.rung for symbol in evidence.symbols),
        cpu_per_second_and_rung=round(cost, 4),
    )


def signed(evidence: Evidence, bits: Any) -> list[float]:
    return [round(symbol.z if bits[symbol.segment] else -symbol.z, 2) for symbol in evidence.symbols]


def cpu_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
