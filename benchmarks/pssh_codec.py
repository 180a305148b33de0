"""Our PSSH and PlayReady codec: its bytes beside shaka-packager's for random key sets, and its temper under fuzzing.

    python benchmarks/pssh_codec.py [KEY_SETS] [MUTATED_BOXES]        (defaults: 10000 and 100000; the first takes long)

Every key set is one run of the packager over a tiny sound: one to four tracks with a key each, cenc or cbcs, with and
without a licence address. Every box of every track must be ours byte for byte. Every mutated box must be read, or
refused with the one declared error.
"""

import random
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from mediaforge.tools import locate_tools
from tests.package.hostile_boxes import mutated_boxes, read_whole
from tests.package.packager_boxes import our_boxes, packaged_boxes, random_set, tiny_sound

SEED = 20_26


def main() -> None:
    sets = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    boxes = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    fuzz(boxes)
    compare(sets)


def fuzz(count: int) -> None:
    refused, slowest, started = 0, 0.0, time.process_time()
    for box in islice(mutated_boxes(SEED), count):
        before = time.perf_counter()
        try:
            read_whole(box)
        except ValueError:
            refused += 1
        slowest = max(slowest, time.perf_counter() - before)
    seconds = time.process_time() - started
    print(f"mutated boxes: {count}, refused {refused}, read {count - refused}, other errors 0")
    print(f"  {seconds:.1f} CPU-s; the slowest took {1000 * slowest:.1f} ms", flush=True)


def compare(count: int) -> None:
    tools, rng = locate_tools({}), random.Random(SEED)
    equal = tracks = 0
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        sound = tiny_sound(Path(name), tools)
        for number in range(1, count + 1):
            keys = random_set(rng)
            equal += our_boxes(keys) == packaged_boxes(keys, sound, tools)
            tracks += len(keys.keys)
            if number % 1000 == 0:
                print(f"  {number} sets, {equal} equal, {time.monotonic() - started:.0f} s", flush=True)
    print(f"key sets whose boxes are the packager's byte for byte: {equal} of {count} ({tracks} tracks)")


if __name__ == "__main__":
    main()
