"""A live stream watched in real time: how long after a title's first moment the alarm comes, and whether anything grows.

    python benchmarks/live.py FOLDER [MINUTES]

Every clip of the folder is a title. A server on this machine broadcasts ten seconds of a foreign pattern and then thirty of
each clip in turn, as HLS segments of four seconds at the speed of the clock, for so many minutes (by default until each was
on once). Prints for every clip when the alarm came (asked: within 60 s), what was alarmed wrongly, and the memory.
"""

import resource
import sys
import tempfile
import threading
import time
from pathlib import Path

from mediaforge.context import Context
from mediaforge.detect.live.alarms import Kind
from mediaforge.investigate import add_reference
from mediaforge.tools import FFMPEG_QUIET, Tools, locate_tools, media_input, run
from mediaforge.transcode.probe import probe
from mediaforge.watching import Alarm, Watched, watch
from tests.detect.broadcast import Broadcast
from tests.detect.site_of_copies import Site

ENDINGS = {".mp4", ".webm", ".mov", ".mkv"}
FOREIGN, SHOWN, SEGMENT = 12, 28, 4
ASKED = 60


def main() -> None:
    if len(sys.argv) < 2:
        print("give a folder of clips: python benchmarks/live.py FOLDER [MINUTES]")
        return
    tools = locate_tools({})
    clips = [path for path in sorted(Path(sys.argv[1]).iterdir()) if path.suffix in ENDINGS]
    clips = [clip for clip in clips if probe(clip, tools=tools).duration >= 10]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        context = Context(state=folder / "state", tools=tools)
        for clip in clips:
            add_reference(context, clip, clip.stem)
        segments, begins = broadcast_of(clips, folder, tools)
        minutes = float(sys.argv[2]) if len(sys.argv) > 2 else len(segments) * SEGMENT / 60 + 1
        report(clips, begins, *watched(context, segments, minutes * 60))


def broadcast_of(clips: list[Path], folder: Path, tools: Tools) -> tuple[list[Path], dict[str, int]]:
    """The segments, and at which second each clip begins."""
    segments: list[Path] = []
    begins = {}
    for number, clip in enumerate(clips):
        length = min(SHOWN, int(probe(clip, tools=tools).duration) // SEGMENT * SEGMENT)
        foreign = ["-f", "lavfi", "-i", f"life=size=640x360:rate=25:seed={number}:mold=9", "-t", str(FOREIGN)]
        for kind, source in (("foreign", foreign), ("clip", [*media_input(clip), "-t", str(length), "-an"])):
            begins |= {clip.stem: len(segments) * SEGMENT} if kind == "clip" else {}
            names = folder / f"{number:02}-{kind}-%03d.ts"
            coder = ["-vf", "scale=640:360,setsar=1,format=yuv420p", "-r", "25", "-c:v", "libx264", "-preset", "veryfast"]
            cut = ["-crf", "30", "-threads", "1", "-force_key_frames", f"expr:gte(t,n_forced*{SEGMENT})", "-f", "segment"]
            run([tools.ffmpeg, *FFMPEG_QUIET, *source, *coder, *cut, "-segment_time", str(SEGMENT), names], name="ffmpeg")
            made = sorted(folder.glob(f"{number:02}-{kind}-*.ts"))
            segments += made[: (FOREIGN if kind == "foreign" else length) // SEGMENT]
    return segments, begins


def watched(context: Context, segments: list[Path], seconds: float) -> tuple[list[Alarm], Watched, list[int]]:
    alarms: list[Alarm] = []
    memory: list[int] = []
    with Site(segments[0].parent) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        with Broadcast(site, segments, seconds=SEGMENT, every=SEGMENT, kept=8) as live:
            before = time.process_time(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            found = watch(
                context,
                live.url,
                seconds=seconds,
                allow_hosts=(site.host,),
                on_alarm=alarms.append,
                on_piece=lambda _: memory.append(resident_mb()),
            )
            own = time.process_time() - before[0]
            decoding = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before[1]
        site.shutdown()
    print(f"watched {found.seconds:.0f} s in {own:.0f} CPU-s of our own and {decoding:.0f} of decoders")
    return alarms, found, memory


def resident_mb() -> int:
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) // 1024


def report(clips: list[Path], begins: dict[str, int], alarms: list[Alarm], found: Watched, memory: list[int]) -> None:
    told = {alarm.event.sighting.title: alarm for alarm in alarms if alarm.event.kind is Kind.ALARM}
    late = []
    for clip in clips:
        alarm = told.get(clip.stem)
        if alarm is None:
            print(f"  --- {clip.stem}: no alarm")
            continue
        off = alarm.event.sighting.begin - begins[clip.stem]
        late.append(alarm.latency_seconds)
        print(f"  {clip.stem}: {alarm.latency_seconds:.1f} s after its first moment was live; begin off by {off:+.1f} s")
    print(f"alarms for {len(told)} of {len(clips)} clips, the latest after {max(late, default=0):.1f} s; asked: {ASKED} s")
    counts = {kind.value: sum(alarm.event.kind is kind for alarm in alarms) for kind in Kind}
    print(f"events {counts}; {found.pieces} pieces, {found.broken} broken, {found.gaps} gaps")
    print(f"memory {memory[len(memory) // 4]} MB after a quarter, {memory[-1]} MB at the end")


if __name__ == "__main__":
    main()
