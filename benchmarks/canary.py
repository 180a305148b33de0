"""Known keys through two hundred jobs, sixty of them failing: where do they show? Nobody else measures it to compare.

    python benchmarks/canary.py [TURNS]        (20 by default, of ten jobs each: seven that go well, three that fail)

Jobs are commands: keys imported by CPIX, releases in both schemes, verification, exports, tokens, rotation. Failures: packagers
that say their keys aloud, crash, are killed, kill the worker or lie about success; damaged packages, documents and key stores;
wrong options, places that cannot be written, films that are none (tests/end_to_end/canary.py). Searched, in every spelling:
arguments and environment of every process, all that was said, the state, temporary files, and what was put out.
"""

import collections
import itertools
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from mediaforge.tools import locate_tools
from tests.end_to_end.canary import Watch, bad_jobs, call, good_jobs, open_world, places_that_show, shows

BAD_EACH_TURN = 3


def main() -> None:
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    codes: collections.Counter[int] = collections.Counter()
    unexpected, said_aloud = [], 0
    kinds = itertools.count()
    with tempfile.TemporaryDirectory() as place, open_world(Path(place) / "w", locate_tools({})) as world:
        watch = Watch(world.temporary)
        with watch.watching():
            for turn in range(turns):
                jobs = [(job, True) for job in good_jobs(world, turn)]
                misfortunes = bad_jobs(world, turn)
                bad = [misfortunes[next(kinds) % len(misfortunes)] for _ in range(BAD_EACH_TURN)]
                for job, is_good in itertools.chain(jobs, ((prepare(), False) for prepare in bad)):
                    code, said = call(world, job)
                    codes[code] += 1
                    said_aloud += shows(said)
                    if (code == 0) != is_good or b"Traceback" in said:
                        unexpected.append((code, job[0], said[-500:]))
                print(f"turn {turn + 1} of {turns}", file=sys.stderr, flush=True)
        rest = places_that_show(world)
    failed = codes.total() - codes[0]
    print(f"{codes.total()} jobs, {failed} failed; exit codes {dict(sorted(codes.items()))}")
    print(f"  arguments and environments seen: {len(watch.seen)}; with a key or with a temporary file: {len(watch.leaks)}")
    print(f"  answers and logs with a key: {said_aloud}; files of state, output and temporary folder: {len(rest)} (wanted: 0)")
    print(f"  jobs that ended otherwise than expected: {len(unexpected)}")
    for row in (*watch.leaks, *rest, *unexpected):
        print(f"    {row}")


if __name__ == "__main__":
    main()
