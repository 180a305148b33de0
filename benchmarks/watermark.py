"""The attack table: which share of the segments of an attacked copy is read wrong, and which is not read.

    python benchmarks/watermark.py FOLDER [--rows crf33,crop10] [--clips film,dark] [--seeds 1] [--work DIR] [--resume FILE]

Every clip is released (two rungs, both variants). Copies of each rung are stitched by a random code and attacked (attacks.py),
then aligned and read blind, both rungs tried. A segment whose |z| is below 2 counts as not read. An error rate over fewer than
500 read segments is printed as a count. Rows done stand in FILE and are not done again. CPU is that of reading, user and
system, decoders included, for a second of leak and a rung.
"""

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from attacks import ATTACKS, Attack, attack

from mediaforge.context import Context
from mediaforge.frames import Piece, stitch
from mediaforge.media import Grid, Variant
from mediaforge.plan import load_plan
from mediaforge.recipes import result_of
from mediaforge.release import read_release
from mediaforge.tools import FFMPEG_QUIET, Tools, locate_tools, media_input, run
from mediaforge.transcode.encoder import rendition_name
from mediaforge.transcode.probe import probe
from mediaforge.watermark.evidence import Evidence
from mediaforge.watermark.extract import Reference, extract

LADDER = Path(__file__).with_suffix(".toml")
LEAST_Z = 2.0
LEAST_SEGMENTS = 500
CLIPS = {  # genre: file, first second, seconds
    "film": ("film-720p25-60s.mp4", 8, 24),
    "documentary": ("leaf-deer-720p.mp4", 0, 12),
    "bird": ("cockatoo.mp4", 0, 12),
    "dark": ("tos-battle.webm", 20, 12),
    "animation": ("bbb480.mp4", 8, 12),
    "head": ("carphone.mp4", 0, 12),
    "phone": ("chair20.mp4", 0, 12),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """A clip as it was released."""

    name: str
    grid: Grid
    references: tuple[Reference, ...]
    sizes: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One leak as read: `z` has a plus where the right variant was read; segments that gave no symbol are missing in it."""

    attack: str
    clip: str
    rung: str
    seed: int
    segments: int
    z: list[float]
    right_rung: int
    cpu_per_second_and_rung: float


def main() -> None:
    chosen = arguments()
    if chosen.folder is None:
        print("give a folder of clips: python benchmarks/watermark.py FOLDER")
        return
    done = {key(row): row for row in load(chosen.resume)}
    tools = locate_tools({})
    for name in chosen.clips:
        title = release(name, chosen.folder, chosen.work, tools)
        for number, reference in enumerate(title.references):
            if chosen.rungs and reference.rung not in chosen.rungs:
                continue
            for one in (one for one in ATTACKS if one.name in chosen.rows):
                for seed in range(chosen.seeds):
                    if (one.name, name, reference.rung, seed) in done:
                        continue
                    row = trial(title, number, one, seed=seed, work=chosen.work, tools=tools)
                    done[key(row)] = row
                    print(told(row), flush=True)
                    with chosen.resume.open("a") as file:
                        file.write(json.dumps(asdict(row)) + "\n")
    rows = [row for row in done.values() if row.clip in chosen.clips and row.attack in chosen.rows]
    show("attack", rows, [one.name for one in ATTACKS], lambda row: row.attack)
    show("genre", rows, list(CLIPS), lambda row: row.clip)
    show("rung", rows, sorted({row.rung for row in rows}), lambda row: row.rung)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--rows", type=lambda text: text.split(","), default=[one.name for one in ATTACKS])
    parser.add_argument("--clips", type=lambda text: text.split(","), default=list(CLIPS))
    parser.add_argument("--rungs", type=lambda text: text.split(","), default=None)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path("watermark-bench"))
    parser.add_argument("--resume", type=Path, default=Path("watermark-bench.jsonl"))
    return parser.parse_args()


def load(path: Path) -> Iterator[Row]:
    if path.exists():
        yield from (Row(**json.loads(line)) for line in path.read_text().splitlines())


def key(row: Row) -> tuple[str, str, str, int]:
    return row.attack, row.clip, row.rung, row.seed


def release(name: str, folder: Path, work: Path, tools: Tools) -> Title:
    """The clip cut out nearly without loss and released with LADDER; kept in `work`."""
    file, start, seconds = CLIPS[name]
    work.mkdir(parents=True, exist_ok=True)
    master = work / f"{name}.mp4"
    if not master.exists():
        cut = ["-ss", str(start), *media_input(folder / file), "-t", str(seconds), "-an"]
        encode = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "10", "-threads", "1", "-pix_fmt", "yuv420p", "-y", master]
        run([tools.ffmpeg, *FFMPEG_QUIET, *cut, *encode], name="ffmpeg")
    context = Context(state=work / "state", tools=tools)
    if not (work / f"{name}.released").exists():
        words = ["release", str(master), "--title", name, "--ladder", str(LADDER), "--state", str(context.state), "--json"]
        program = Path(sys.executable).with_name("mediaforge")
        told = subprocess.run([program, *words], capture_output=True, text=True, check=False)
        if told.returncode:
            sys.exit(told.stderr)
        (work / f"{name}.released").touch()
    plan = load_plan(context, read_release(context, name).release_id)
    joined = result_of(context, plan, "join").folder
    references = tuple(
        Reference(
            rung=fitted.rung.name,
            a=joined / rendition_name(fitted.rung.name, Variant.A),
            b=joined / rendition_name(fitted.rung.name, Variant.B),
            step=fitted.step,
        )
        for fitted in plan.rungs
    )
    videos = [probe(reference.a, tools=tools).video for reference in references]
    sizes = tuple(video.display_size for video in videos if video is not None)
    return Title(name=name, grid=plan.grid, references=references, sizes=sizes)


def trial(title: Title, number: int, one: Attack, *, seed: int, work: Path, tools: Tools) -> Row:
    """Stitch, attack, read. The leak is kept beside its stitched copy."""
    reference, grid = title.references[number], title.grid
    bits = np.random.default_rng([seed, len(title.name), number]).integers(0, 2, grid.segments)
    folder = work / "leaks" / title.name
    folder.mkdir(parents=True, exist_ok=True)
    copy, leak = folder / f"{reference.rung}-{seed}.mp4", folder / f"{reference.rung}-{seed}-{one.name}.mp4"
    if not copy.exists():
        every = grid.every(reference.step)
        paths = {1: reference.a, 0: reference.b}
        pieces = [
            Piece(path=paths[int(bit)], first_frame=index * every.gop_frames, frames=every.segment_frames(index))
            for index, bit in enumerate(bits)
        ]
        stitch(pieces, copy)
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
        rung=reference.rung,
        seed=seed,
        segments=grid.segments,
        z=signed(evidence, bits),
        right_rung=sum(symbol.rung == reference.rung for symbol in evidence.symbols),
        cpu_per_second_and_rung=round(cost, 4),
    )


def signed(evidence: Evidence, bits: Any) -> list[float]:
    return [round(symbol.z if bits[symbol.segment] else -symbol.z, 2) for symbol in evidence.symbols]


def show(what: str, rows: list[Row], names: list[str], of: Any) -> None:
    print(f"{what:<18} segments  not read      wrong  allowed  wrong of all  z median  5 %  right rung  CPU s/s/rung")
    allowed = {one.name: one.errors for one in ATTACKS}
    for name in names:
        mine = [row for row in rows if of(row) == name]
        if not mine:
            continue
        z = np.array([value for row in mine for value in row.z] or [0.0])
        segments, read = sum(row.segments for row in mine), np.abs(z) >= LEAST_Z
        wrong, every = int((z[read] < 0).sum()), int(read.sum())
        share = f"{100 * wrong / every:6.2f} %" if every >= LEAST_SEGMENTS else f"{wrong}/{every}"
        limit = f"{100 * allowed[name]:.0f} %" if name in allowed else ""
        rung = sum(row.right_rung for row in mine) / max(1, sum(len(row.z) for row in mine))
        signs = f"{int((z < 0).sum())}/{len(z)}"
        cost = np.median([row.cpu_per_second_and_rung for row in mine])
        print(
            f"{name:<18} {segments:8} {100 * (1 - every / segments):7.1f} % {share:>11} {limit:>7} "
            f"{signs:>13} {np.median(z):9.1f} {np.percentile(z, 5):5.1f} {100 * rung:8.0f} % {cost:11.3f}"
        )


def told(row: Row) -> str:
    z = " ".join(f"{value:.0f}" for value in row.z)
    return (
        f"{row.clip:<12} {row.rung} {row.attack:<17} {len(row.z):3}/{row.segments} z {z} cpu {row.cpu_per_second_and_rung:.3f}"
    )


def cpu_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
