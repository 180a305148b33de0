"""Packages made again, on one core and on two: the same bytes every time. Nobody else promises it to compare.

    python benchmarks/same_bytes.py [PACKAGES] [RELEASES]        (20 and 4 by default)

A film of 8 s in H.264 and AV1, with A and B, sound and two languages of subtitles, is released once. Then its package is made
PACKAGES times more from the same renditions, and it is released RELEASES times more in states of their own under the same keys;
by turns with one core and one worker, and with two. What is compared are the SHA-256 trees of whole packages: names and bytes.
"""

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from mediaforge.context import Context
from mediaforge.package.record import Scheme
from mediaforge.plan import load_plan
from mediaforge.recipes import recipe
from mediaforge.tools import FFMPEG_QUIET, locate_tools, run
from tests.trees import tree

REPOSITORY = Path(__file__).parent.parent
LADDER = REPOSITORY / "tests" / "end_to_end" / "planned.toml"
SUBTITLES = [REPOSITORY / "samples" / f"atlas.{tag}.vtt" for tag in ("fr", "ar")]
CORES = sorted(os.sched_getaffinity(0))[:2]


def main() -> None:
    packages = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    releases = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    if len(CORES) < 2:
        sys.exit("this machine lets us have one core; two are needed to compare")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        clip = make_clip(folder / "clip.mp4")
        state = folder / "state"
        first = {}
        for scheme in (Scheme.CBCS, Scheme.CENC):
            release = released(clip, state, scheme=scheme, to=folder / scheme)
            first[scheme] = tree(folder / scheme)
            codecs = sorted({rung["codec"] for rung in release["rungs"]})
            print(f"{scheme}: {len(release['rungs'])} rungs of {' and '.join(codecs)}, {len(first[scheme])} files", flush=True)
            made = [packaged(state, folder / scheme, folder / "again", cores=1 + turn % 2) for turn in range(packages)]
            same = made.count(first[scheme])
            print(f"  packaged again by turns on 1 and 2 cores: {same} of {packages} the same (wanted: all)", flush=True)
        same = 0
        for turn in range(releases):
            other = folder / f"state-{turn}"
            shutil.copytree(state / "keys", other / "keys")  # the bytes depend on the keys
            released(clip, other, workers=1 + turn % 2, to=folder / "released")
            same += tree(folder / "released") == first[Scheme.CBCS]
            shutil.rmtree(folder / "released")
        print(f"released again by turns with 1 and 2 workers on as many cores: {same} of {releases} the same (wanted: all)")


def make_clip(to: Path) -> Path:
    argv = [locate_tools({}).ffmpeg, *FFMPEG_QUIET, "-y"]
    argv += ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=8,noise=alls=12:allf=t:all_seed=7"]
    argv += ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=8"]
    argv += ["-c:v", "libx264", "-crf", "20", "-pix_fmt", "yuv420p", "-g", "60", "-c:a", "aac", "-ac", "2", "-shortest", to]
    run(argv, name="ffmpeg", timeout_seconds=120)
    return to


def released(clip: Path, state: Path, *, to: Path, workers: int = 2, scheme: Scheme = Scheme.CBCS) -> dict[str, Any]:
    words = ["release", clip, "--title", "atlas", "--ladder", LADDER, "--scheme", scheme]
    words += ["--to", to, "--state", state, "--json"]
    for path in SUBTITLES:
        words += ["--subtitle", f"{path}:{path.suffixes[0][1:]}"]
    done = subprocess.run(
        ["taskset", "-c", ",".join(map(str, CORES[:workers])), Path(sys.executable).with_name("mediaforge"), *words],
        env={**os.environ, "MEDIAFORGE_WORKERS": str(workers)},
        capture_output=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr.decode())
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def packaged(state: Path, like: Path, to: Path, *, cores: int) -> dict[str, str]:
    """The tree of the package `like` made anew, by a process that has so many cores."""
    shutil.rmtree(to, ignore_errors=True)
    child = multiprocessing.get_context("fork").Process(target=_package, args=(state, like, to, CORES[:cores]))
    child.start()
    child.join()
    return tree(to)


def _package(state: Path, like: Path, to: Path, cores: list[int]) -> None:
    os.sched_setaffinity(0, cores)
    context = Context(state=state, tools=locate_tools({}))
    plans = (load_plan(context, place.name) for place in (state / "releases").iterdir())
    plan = next(plan for plan in plans if plan.request.to == str(like))
    recipe(context, plan, "package").work(to, lambda _: None)


if __name__ == "__main__":
    main()
