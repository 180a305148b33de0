"""Excerpts identified: every clip of a folder is fingerprinted, and ten seconds of each, encoded again, must be found in it.

    python benchmarks/excerpts.py FOLDER [CLIP_LEFT_OUT ...]

Prints for every excerpt (x264 crf 33) the best match and the error of its span; clips left out of the index must match
nothing. The ratio at the end is the CPU time of fingerprinting over the playing time.
"""

import resource
import sys
import tempfile
from pathlib import Path

from mediaforge.context import Context
from mediaforge.investigate import add_reference, identify
from mediaforge.tools import FFMPEG_QUIET, locate_tools, media_input, run
from mediaforge.transcode.probe import probe

SECONDS, CRF = 10, 33
ENDINGS = {".mp4", ".webm", ".mov", ".mkv"}


def main() -> None:
    if len(sys.argv) < 2:
        print("give a folder of clips: python benchmarks/excerpts.py FOLDER [CLIP_LEFT_OUT ...]")
        return
    left_out = set(sys.argv[2:])
    clips = [path for path in sorted(Path(sys.argv[1]).iterdir()) if path.suffix in ENDINGS]
    tools = locate_tools({})
    with tempfile.TemporaryDirectory() as name:
        context = Context(state=Path(name), tools=tools)
        before, played = cpu_seconds(), 0.0
        for clip in clips:
            if clip.name not in left_out:
                add_reference(context, clip, clip.stem)
                played += float(probe(clip, tools=tools).duration)
        cost = cpu_seconds() - before
        right = wrong = 0
        for clip in clips:
            length = float(probe(clip, tools=tools).duration)
            if length < SECONDS:
                continue
            start = round((length - SECONDS) / 2, 2)
            piece = Path(name) / "piece.mp4"
            argv = [tools.ffmpeg, *FFMPEG_QUIET, "-ss", str(start), *media_input(clip), "-t", str(SECONDS), "-an"]
            run([*argv, "-c:v", "libx264", "-crf", str(CRF), "-y", piece], name="ffmpeg")
            matches = identify(context, piece)
            ok, words = judge(clip, start, matches, known=clip.name not in left_out)
            right, wrong = right + ok, wrong + (not ok)
            print(f"  {'ok ' if ok else 'BAD'} {clip.name} from {start:.2f} s: {words}")
    print(f"right: {right} of {right + wrong}")
    print(f"fingerprinting took {cost:.1f} CPU-s for {played:.1f} s of film: {played / cost:.1f}x real time")


def judge(clip: Path, start: float, matches: tuple, *, known: bool) -> tuple[bool, str]:
    if not matches:
        return not known, "matches nothing"
    best = matches[0]
    if not known:
        return False, f"matches {best.title} ({best.verdict}, score {best.score:.1f}) though it was left out"
    error = max(abs(float(best.reference.start) - start), abs(float(best.reference.end) - start - SECONDS))
    span = f"{float(best.reference.start):.2f} to {float(best.reference.end):.2f}"
    words = f"{best.title}, {best.verdict}, score {best.score:.1f}, span {span}"
    others = ", ".join(f"{match.title} {match.score:.1f}" for match in matches[1:3])
    return best.title == clip.stem and error <= 1, f"{words}, off by {error:.2f} s" + (f"; then {others}" if others else "")


def cpu_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
