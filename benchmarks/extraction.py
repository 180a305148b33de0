"""What fingerprinting a title costs: CPU seconds an hour of it, all tiers, beside the figure asked (20 x real time a core).

    python benchmarks/extraction.py CLIP...        (720p, a minute or more; measured one after the other)

CPU time depends on what else the machine does: decoding all pictures of the clip, as players do, stands beside as a yardstick.
"""

import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from mediaforge.detect.sound import sound_fingerprint
from mediaforge.detect.sound_spectrum import RATE
from mediaforge.detect.video import MAX_SIDE, SAMPLE_FPS, fingerprint
from mediaforge.errors import MediaError
from mediaforge.frames import Frame, decode_all, read_audio, read_frames

ASKED = 20  # times real time
RUNS = 3  # the middle one counts


def main() -> None:
    for clip in map(Path, sys.argv[1:]):
        seconds = float(decode_all(clip, kind="video").last)
        whole = _cost(lambda clip=clip: decode_all(clip, kind="video"), seconds)
        read = _cost(lambda clip=clip: list(_sampled(clip)), seconds)
        picture = _cost(lambda clip=clip: fingerprint(_sampled(clip)), seconds)
        heard = _cost(lambda clip=clip: _hear(clip), seconds)
        print(f"{clip.name}: {seconds:.0f} s, CPU-s an hour (all pictures decoded, for comparison: {whole:.0f})")
        print(f"  pictures decoded as far as needed {read:.0f}, codes and points {picture - read:.0f}, sound {heard:.0f}")
        print(f"  all: {picture + heard:.0f}, {3600 / (picture + heard):.1f} x real time; asked: {ASKED}")


def _sampled(clip: Path) -> Iterator[Frame]:
    return read_frames(clip, fps=SAMPLE_FPS, max_side=MAX_SIDE, quick=True)


def _hear(clip: Path) -> None:
    try:
        sound_fingerprint(read_audio(clip, rate=RATE))
    except MediaError:
        return  # a clip without sound


def _cost(work: Callable[[], object], seconds: float) -> float:
    costs = []
    for _ in range(RUNS):
        before = _cpu_seconds()
        work()
        costs.append(_cpu_seconds() - before)
    return sorted(costs)[RUNS // 2] / seconds * 3600


def _cpu_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
