"""Foreign hours: pictures and sound that nobody's title shows, looked up as copies are, and how many titles they name wrongly.

    python benchmarks/foreign.py CLIPS [HOURS] [FIRST]      (HOURS 0.05; run a night's worth, and the next from FIRST on)

Every clip of the folder is a title. Pieces of ten seconds are drawn (sets of scattered shapes that move, cut every four
seconds; a voice or a tune), each from its own number, so that a run can be repeated or gone on with. Each is looked up once
among all titles by whole pictures, by points and by sound, with the thresholds shipped. They are not encoded.

What it shows: that chance, corners, edges and voices name no title. What it does not: real foreign films, which look more
like titles than drawings do. Asked: at most 1 wrong title in 1,000 h; for which 3,000 h without one must be seen.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from mediaforge.context import Context
from mediaforge.detect.bench.figures import FalsePositives
from mediaforge.detect.match import Verdict, find_matches
from mediaforge.detect.pointfile import PointFiles
from mediaforge.detect.sound import sound_fingerprint
from mediaforge.detect.sound_index import SoundIndex
from mediaforge.detect.sound_match import find_sound
from mediaforge.detect.video import fingerprint, query_fps, query_looking
from mediaforge.detection import find_clips
from mediaforge.investigate import add_reference
from mediaforge.tools import locate_tools
from tests.detect.sounds import music, speech
from tests.detect.textures import textured

SECONDS = 10
LEAST = 0.05  # scores of pictures are noted from here on
TOLD = (Verdict.MATCH, Verdict.PROBABLE)


def main() -> None:
    if len(sys.argv) < 2:
        print("give a folder of clips: python benchmarks/foreign.py CLIPS [HOURS] [FIRST]")
        return
    hours = float(sys.argv[2]) if len(sys.argv) > 2 else 0.05
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    with tempfile.TemporaryDirectory() as folder:
        tools = locate_tools({})
        context = Context(state=Path(folder), tools=tools)
        for clip in find_clips(Path(sys.argv[1]), tools):
            add_reference(context, clip.path, clip.name)
        scan(context, range(first, first + max(1, round(hours * 3600 / SECONDS))))


def scan(context: Context, pieces: range) -> None:
    references, points = context.index.load(), PointFiles(context.index_folder)
    sounds = SoundIndex(context.sound_index_folder).load()
    begin = time.process_time()
    seen, heard, named = [0.0], [0.0], {"picture": 0, "sound": 0}
    for number in pieces:
        pictures = fingerprint(textured(number, SECONDS, fps=round(query_fps(SECONDS))), query_looking(SECONDS))
        matches = find_matches(pictures, references, points, least=LEAST)
        voices = find_sound(sound_fingerprint([(speech, music)[number % 2](SECONDS, number)]), sounds)
        seen += [match.score for match in matches]
        heard += [match.score for match in voices]
        named["picture"] += len({match.title for match in matches if match.verdict in TOLD})
        named["sound"] += len({match.title for match in voices if match.verdict in TOLD})
    hours, titles = len(pieces) * SECONDS / 3600, len(references.titles)
    print(f"pieces {pieces.start} to {pieces.stop - 1}: {hours:.2f} h in {time.process_time() - begin:.0f} CPU-s")
    for kind, count in named.items():
        against = titles if kind == "picture" else len(sounds.titles)
        each = FalsePositives(count=count, hours=hours), FalsePositives(count=count, hours=hours * against)
        print(
            f"  by {kind}: {count} wrong titles; at most {each[0].at_most:,.0f} in 1,000 h scanned (95 %), "
            f"{each[1].at_most:,.0f} in 1,000 h held against one title ({against} titles)"
        )
    print(f"  highest scores: picture {np.max(seen):.2f}, sound {np.max(heard):.1f}; asked: at most 1 in 1,000 h")


if __name__ == "__main__":
    main()
