"""Leaks traced: of twenty recipients three get a copy, each is encoded again and made small, and every name must be right.

    python benchmarks/leaks.py [FILM] [OTHER_FILM]

Prints, for each leak, who is accused and the bound on accusing anybody falsely; then the same for a copy that was never
personalised (the master itself, encoded by the pirate) and for another film: both must be inconclusive.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from mediaforge.tools import locate_tools
from mediaforge.transcode.reencode import reencode

REPOSITORY = Path(__file__).parent.parent
SAMPLE = REPOSITORY / "samples" / "atlas-720p25.mp4"
RECIPIENTS = [f"viewer-{number:02}" for number in range(20)]
PIRATES = ("viewer-04", "viewer-09", "viewer-18")
CHANCE = "1e-3"
HEIGHT, CRF = 360, 30


def main() -> None:
    film = Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLE
    other = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    tools = locate_tools({})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        released = call(folder, "release", film, "--title", "film")
        marks = released["watermark"]
        print(
            f"{film.name}: {marks['segments']} positions of {marks['seconds_per_segment']:.2f} s, {len(RECIPIENTS)} recipients"
        )
        for recipient in RECIPIENTS:
            call(folder, "recipient", "add", recipient)
        right = 0
        for pirate in PIRATES:
            copy = call(folder, "personalise", "film", "--recipient", pirate, "--to", folder, "--file")["path"]
            leak = folder / f"{pirate}.leak.mp4"
            reencode(Path(copy), leak, height=HEIGHT, crf=CRF, tools=tools)
            found = call(folder, "trace", leak, "--false-accusation", CHANCE)
            right += [row["recipient"] for row in found["accusations"]] == [pirate]
            tell(f"copy of {pirate}, crf {CRF}, {HEIGHT}p", found)
        print(f"right and alone: {right} of {len(PIRATES)}")
        reencode(film, folder / "third.mp4", height=HEIGHT, crf=CRF, tools=tools)
        tell("never personalised", call(folder, "trace", folder / "third.mp4", "--title", "film", "--false-accusation", CHANCE))
        if other is not None:
            tell("another film", call(folder, "trace", other, "--title", "film", "--false-accusation", CHANCE))


def call(folder: Path, *words: str | Path) -> dict[str, Any]:
    argv = [str(Path(sys.executable).with_name("mediaforge")), *map(str, words), "--state", str(folder / "state"), "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def tell(what: str, found: dict[str, Any]) -> None:
    accused = ", ".join(f"{row['recipient']} (bound {row['false_accusation_probability']:.1e})" for row in found["accusations"])
    verdict = accused or f"nobody (lowest bound {found['lowest_probability']:.1e})"
    print(f"  {what}: {found['verdict']}, {found['segments_read']} positions read: {verdict}")


if __name__ == "__main__":
    main()
