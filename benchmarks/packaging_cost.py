"""What packaging costs beside encoding: CPU time of all processes of both, from one release. Asked: at most 5 %.

    python benchmarks/packaging_cost.py [MASTER] [--ladder NAME] [--scheme cbcs|cenc]

Each step notes the CPU time (user and system) of itself and its children. `package` is the packager twice, the manifests, and
every segment read back; `verify`, which a packager has not, decrypts and decodes all of it and is told beside. The study of a
ladder with a policy is left out: it would make the share smaller.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
SAMPLE = REPOSITORY / "samples" / "atlas-720p25.mp4"
ENCODING = ("chunk", "sound", "join")
TARGET = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("master", nargs="?", type=Path, default=SAMPLE)
    parser.add_argument("--ladder", default="maroc-mobile")
    parser.add_argument("--scheme", default="cbcs")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as state:
        words = ["release", asked.master, "--title", "bench", "--ladder", asked.ladder, "--scheme", asked.scheme]
        argv = [Path(sys.executable).with_name("mediaforge"), *words, "--state", state, "--json"]
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    answer = json.loads(done.stdout)
    if done.returncode:
        sys.exit(answer["error"]["message"])
    by_kind: dict[str, float] = {}
    for step in answer["steps"]:
        kind = step["name"].partition("-")[0]
        by_kind[kind] = by_kind.get(kind, 0.0) + step["cpu_seconds"]
    encoding = sum(by_kind.get(kind, 0.0) for kind in ENCODING)
    share = by_kind["package"] / encoding
    print(f"{asked.master.name}, {asked.ladder}, {asked.scheme}: {len(answer['rungs'])} rungs in two variants")
    print(f"  encoding {encoding:8.1f} CPU-s\n  packaging {by_kind['package']:7.1f} CPU-s, {share:.1%} of it", end=" ")
    print(f"(at most {TARGET:.0%}: {'met' if share <= TARGET else 'missed'})")
    print(f"  verifying {by_kind['verify']:7.1f} CPU-s, {by_kind['verify'] / encoding:.1%}")


if __name__ == "__main__":
    main()
