"""What a whole release costs, against one plain ffmpeg that makes the same rungs.

    python benchmarks/release_cost.py [MASTER] [--ladder NAME] [--state NEW] [--watermark]

CPU time of all processes (user and system), as a ratio, in one run: wall times say nothing on a shared machine. The peer only
encodes, at the same constant qualities, in one piece. Two ratios: what the issue of the ladder counts (study, rungs, sound,
quality control, certified quality), and everything (packaging, decrypting and decoding all of it, fingerprint, publishing).
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parent.parent
SAMPLE = REPOSITORY / "samples" / "atlas-720p25.mp4"
COUNTED = ("chunk", "sound", "certify", "qc")
TARGET = 1.25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("master", nargs="?", type=Path, default=SAMPLE)
    parser.add_argument("--ladder", default="maroc")
    parser.add_argument("--state", type=Path, help="keep the release in this new folder")
    parser.add_argument("--watermark", action="store_true", help="both variants, on both sides")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        state = asked.state or Path(name) / "state"
        answer, everything = released(asked.master, asked.ladder, state, watermark=asked.watermark)
        (plan,) = (state / "releases").glob("*/plan.json")
        plain = cpu_seconds(plain_encode(plan, Path(name)))[1]
        by_kind = {"study": study_seconds(state, answer)}
    for step in answer["steps"]:
        kind = step["name"].partition("-")[0]
        by_kind[kind] = by_kind.get(kind, 0.0) + step["cpu_seconds"]
    counted = sum(by_kind.get(kind, 0.0) for kind in ("study", *COUNTED))
    print(f"{asked.master.name}, {asked.ladder}: plain ffmpeg {plain:.1f} CPU-s")
    for kind, seconds in by_kind.items():
        print(f"  {kind:<12} {seconds:8.1f} CPU-s {seconds / plain:7.3f}")
    verdict = "met" if counted / plain <= TARGET else "missed"
    print(f"study, rungs, sound, qc, certify: {counted:.1f} CPU-s, {counted / plain:.3f}x (at most {TARGET}: {verdict})")
    print(f"everything: {everything:.1f} CPU-s, {everything / plain:.3f}x")


def released(master: Path, ladder: str, state: Path, *, watermark: bool) -> tuple[dict[str, Any], float]:
    words = ["release", master, "--title", "bench", "--ladder", ladder, "--state", state, "--json"]
    words += [] if watermark else ["--no-watermark"]
    output, seconds = cpu_seconds([Path(sys.executable).parent / "mediaforge", *words])
    answer: dict[str, Any] = json.loads(output)
    return answer, seconds


def study_seconds(state: Path, answer: dict[str, Any]) -> float:
    """The study is made while planning: a result that is no step of the release."""
    named = {step["key"] for step in answer["steps"]}
    others = [path for path in (state / "steps" / "refs").glob("*.json") if path.stem not in named]
    return sum(float(json.loads(path.read_text())["cpu_seconds"]) for path in others)


def plain_encode(plan: Path, folder: Path) -> list[str]:
    from mediaforge.media import Chunk
    from mediaforge.plan import Plan
    from mediaforge.record import from_json
    from mediaforge.tools import locate_tools
    from mediaforge.transcode.codecs.h264 import AQ_STRENGTH
    from mediaforge.transcode.encoder import EncodeRequest, encode_argv
    from mediaforge.watermark.variants import encoder_options

    made = from_json(Plan, plan.read_bytes(), source=plan)
    request = EncodeRequest(
        master=made.master,
        grid=made.grid,
        chunk=Chunk(index=0, first_frame=0, frames=made.grid.frames),
        rungs=made.rungs,
        differing={
            variant: encoder_options(variant, bytes(32), 0, aq_strength=AQ_STRENGTH) if made.request.watermark else {}
            for variant in made.request.variants
        },
    )
    return encode_argv(request, folder, tools=locate_tools({}))


def cpu_seconds(argv: list[Any]) -> tuple[bytes, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([str(word) for word in argv], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
