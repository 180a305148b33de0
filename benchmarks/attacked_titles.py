"""The clips of the attack table, one or two of each genre, released once and kept."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import mediaforge
from mediaforge.context import Context
from mediaforge.media import Grid, Variant
from mediaforge.plan import load_plan
from mediaforge.recipes import marks_of, result_of
from mediaforge.release import read_release
from mediaforge.tools import FFMPEG_QUIET, Tools, media_input, run
from mediaforge.transcode.encoder import rendition_name
from mediaforge.transcode.probe import probe
from mediaforge.watermark.extract import Reference

LADDER = Path(__file__).with_name("watermark.toml")
CLIPS = {  # genre: file, first second, seconds
    "film": ("film-720p25-60s.mp4", 8, 24),
    "documentary": ("leaf-deer-720p.mp4", 0, 12),
    "bird": ("cockatoo.mp4", 0, 12),
    "dark": ("tos-battle.webm", 20, 12),
    "animation": ("bbb480.mp4", 8, 12),
    "head": ("carphone.mp4", 0, 12),
    "phone": ("chair20.mp4", 0, 12),
}
_PACKAGE = Path(mediaforge.__file__).parent
_MARKING = ("variants", "pattern", "modes", "strength")


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """A clip as it was released. `made` names its renditions' bytes."""

    name: str
    grid: Grid
    references: tuple[Reference, ...]
    sizes: tuple[tuple[int, int], ...]
    made: str


def released(name: str, folder: Path, work: Path, tools: Tools) -> Title:
    """The clip cut out nearly without loss and released with LADDER.

    Kept in `work` under what decides its bytes: clip, excerpt, ladder, and the code that encodes and marks. The
    renditions are kept, and a page about them of this table's own: no change of the state's formats makes it unreadable.
    """
    file, start, seconds = CLIPS[name]
    kept = work / "titles" / f"{name}-{_key(folder / file, start, seconds)}"
    page = kept / "title.json"
    if not page.exists():
        kept.mkdir(parents=True, exist_ok=True)
        _release(name, folder / file, (start, seconds), kept, tools)
    told = json.loads(page.read_text())
    grid = Grid(fps=Fraction(told["fps"]), gop_frames=told["gop_frames"], frames=told["frames"])
    references = tuple(
        Reference(rung=row["rung"], a=kept / row["a"], b=kept / row["b"], step=row["step"], unmarked=frozenset(row["unmarked"]))
        for row in told["rungs"]
    )
    sizes = tuple((row["width"], row["height"]) for row in told["rungs"])
    return Title(name=name, grid=grid, references=references, sizes=sizes, made=told["made"])


def _key(clip: Path, start: float, seconds: float) -> str:
    digest = hashlib.sha256(f"{start} {seconds}".encode())
    marking = [_PACKAGE / "marking.py", *(_PACKAGE / "watermark" / f"{name}.py" for name in _MARKING)]
    for path in (clip, LADDER, *marking, *sorted((_PACKAGE / "transcode").rglob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _release(name: str, clip: Path, excerpt: tuple[float, float], kept: Path, tools: Tools) -> None:
    master, page = kept / "master.mp4", kept / "title.json"
    if not master.exists():
        part = master.with_suffix(".part.mp4")
        cut = ["-ss", str(excerpt[0]), *media_input(clip), "-t", str(excerpt[1]), "-an"]
        encode = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "10", "-threads", "1", "-pix_fmt", "yuv420p", "-y", part]
        run([tools.ffmpeg, *FFMPEG_QUIET, *cut, *encode], name="ffmpeg")
        part.rename(master)
    context = Context(state=kept / "state", tools=tools)
    words = ["release", str(master), "--title", name, "--ladder", str(LADDER), "--state", str(context.state), "--json"]
    told = subprocess.run([Path(sys.executable).with_name("mediaforge"), *words], capture_output=True, text=True, check=False)
    if told.returncode:
        sys.exit(told.stderr)
    plan = load_plan(context, read_release(context, name).release_id)
    joined = result_of(context, plan, "join").folder
    unmarked = {row.rung: list(row.unmarked) for row in marks_of(context, plan)}
    rungs, made = [], hashlib.sha256()
    for fitted in plan.rungs:
        names = {variant: rendition_name(fitted.rung.name, variant) for variant in Variant}
        for file in names.values():
            made.update((joined / file).read_bytes())
            (kept / file).unlink(missing_ok=True)
            os.link(joined / file, kept / file)
        video = probe(kept / names[Variant.A], tools=tools).video
        assert video is not None
        width, height = video.display_size
        row = {"rung": fitted.rung.name, "a": names[Variant.A], "b": names[Variant.B], "step": fitted.step}
        rungs.append(row | {"width": width, "height": height, "unmarked": unmarked.get(fitted.rung.name, [])})
    grid = {"fps": str(plan.grid.fps), "gop_frames": plan.grid.gop_frames, "frames": plan.grid.frames}
    part = page.with_suffix(".part")
    part.write_text(json.dumps(grid | {"made": made.hexdigest()[:12], "rungs": rungs}, indent=1))
    part.rename(page)
    shutil.rmtree(context.state)
