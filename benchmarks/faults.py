"""How many broken packages `verify` catches, and how many good ones it troubles. No peer to compare: nobody else verifies.

python benchmarks/faults.py [MUTANTS] [GOOD]        (500 mutants and 100 good packages by default)

Four rows: the corpus of faults (tests/package/faults.py), each with the rule that must report it; files cut at 20 places;
seeded mutations of boxes and manifests; and good packages of all kinds, packaged with keys of their own. The digests in a
package's record catch every change by themselves, so the third column counts what the other rules catch without them.
"""

import itertools
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from mediaforge.package.assembly import package
from mediaforge.package.keys import KeyStore
from mediaforge.package.plan import PackageRequest
from mediaforge.package.record import Scheme, System
from mediaforge.package.rulebook import RULES, rule_of
from mediaforge.package.verify import verify_package
from mediaforge.tools import FFMPEG_QUIET, Tools, locate_tools, run
from tests.package.faults import FAULTS, MASTER, MPD, cut
from tests.package.mutants import mutants
from tests.package.small import make_request

SEED = 2026
CUTS = 20
CUT_FILES = (
    "video/v060/2.m4s",
    "b/video/v120/1.m4s",
    "audio/ary-aac64/3.m4s",
    "text/fr/1.m4s",
    "video/v060/init.mp4",
    MPD,
    MASTER,
)
DIGESTS = {"package.digests", "package.digests.manifests"}


@dataclass(slots=True)
class Row:
    what: str
    tried: int = 0
    caught: int = 0
    without_digests: int = 0


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    good = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    tools = locate_tools({})
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "renditions").mkdir()
        request = make_request(ffmpeg(tools), folder / "renditions")
        made = {scheme: make(replace(request, scheme=scheme), folder / scheme, tools) for scheme in (Scheme.CBCS, Scheme.CENC)}
        work = folder / "work"
        print(f"{len(RULES)} rules\n\n{'':38}{'tried':>7}{'caught':>9}{'without digests':>17}", flush=True)
        rows = (lambda: faults(made, work), lambda: cuts(made[Scheme.CBCS], work), lambda: mutations(made, work, count))
        for row in (measured() for measured in rows):
            print(
                f"{row.what:38}{row.tried:>7}{row.caught / row.tried:>9.1%}{row.without_digests / row.tried:>17.1%}", flush=True
            )
        alarms = [found for one in kinds(request, good) if (found := broken(make(one, folder / "good", tools)))]
        print(f"{'alarms on good packages':38}{good:>7}{len(alarms):>9}")
        for found in alarms:
            print(f"  {', '.join(sorted(found))}")


def faults(made: dict[Scheme, Path], work: Path) -> Row:
    """Each must be caught by its own rule; for the third column by another than a digest."""
    row = Row("named faults, by their own rule")
    for fault in FAULTS:
        found = broken_after(made[fault.scheme], work, fault.breaks)
        row.tried += 1
        row.caught += fault.rule in found
        row.without_digests += bool(found - DIGESTS)
        if fault.rule not in found:
            print(f"not caught: {fault.rule}, {fault.name}")
    return row


def cuts(good: Path, work: Path) -> Row:
    row = Row(f"{len(CUT_FILES)} files cut at {CUTS} places")
    for name, at in itertools.product(CUT_FILES, range(CUTS)):
        found = broken_after(good, work, cut(name, (at + 0.5) / CUTS))
        row.tried += 1
        row.caught += bool(found)
        row.without_digests += bool(found - DIGESTS)
    return row


def mutations(made: dict[Scheme, Path], work: Path, count: int) -> Row:
    row = Row("changes to boxes and manifests")
    for scheme, good in made.items():
        for mutant in mutants(good, seed=SEED, count=count // len(made)):
            found = broken_after(good, work, lambda folder, one=mutant: (folder / one.name).write_bytes(one.content))
            row.tried += 1
            row.caught += bool(found)
            row.without_digests += bool(found - DIGESTS)
            if not found:
                print(f"not caught: {scheme}, {mutant.what} in {mutant.name}")
    return row


def kinds(request: PackageRequest, count: int) -> Iterator[PackageRequest]:
    """Good requests of all kinds, each with a title and so with keys of its own."""
    chance = random.Random(SEED)
    for number in range(count):
        scheme = chance.choice(tuple(Scheme))
        systems = [System.WIDEVINE, System.PLAYREADY] + ([System.FAIRPLAY] if scheme is Scheme.CBCS else [])
        video = tuple(row for row in request.video if chance.random() < 0.7) or request.video[:1]
        if chance.random() < 0.4:
            video = tuple(replace(row, b=None) for row in video)
        audio = tuple(chance.sample(request.audio, k=chance.randrange(3)))
        language = chance.choice(("ary", "zgh", "fr", "und"))
        yield replace(
            request,
            title=f"film-{number}",
            scheme=scheme,
            systems=tuple(sorted(chance.sample(systems, k=chance.randrange(1, len(systems) + 1)))),
            video=video,
            audio=tuple(replace(row, language=language) for row in audio),
            text=request.text if chance.random() < 0.6 else (),
        )


def make(request: PackageRequest, to: Path, tools: Tools) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    with tempfile.TemporaryDirectory() as keys:
        package(request, KeyStore(Path(keys)).content_keys(request.title, request.labels), to, tools=tools)
    return to


def broken_after(good: Path, work: Path, breaks: Callable[[Path], object]) -> set[str]:
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(good, work)
    breaks(work)
    return broken(work)


def broken(folder: Path) -> set[str]:
    """The rules that do not hold. Decoding is left out: what it alone catches would have to be in the media."""
    return {rule_of(check.id).id for check in verify_package(folder, keys=None) if not check.ok} - {"package.decode"}


def ffmpeg(tools: Tools) -> Callable[..., None]:
    def call(*arguments: str | Path) -> None:
        run([tools.ffmpeg, *FFMPEG_QUIET, "-y", *arguments], name="ffmpeg", timeout_seconds=300)

    return call


if __name__ == "__main__":
    main()
