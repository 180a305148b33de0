"""What a segment's length costs and brings: 1.92, 3.84 and 5.76 s in the simulator, the coding gain of longer GOPs measured.

    python benchmarks/segment_length.py [MASTER] [--work DIR]

A GOP is a segment is a watermark position. Longer ones need fewer key frames and requests; shorter ones start sooner, switch
sooner and trace a leak from a shorter piece. The gain is measured on 17.28 s of the master at 960x540 (x264 slow, CRF 24 and
30), as bits at equal VMAF. The ladder is the one planned for the master under `maroc`, its segments joined in twos and
threes and made smaller by the gain; 200 sessions of the country's network and 200 on congested 3G play each. Prints the
tables of docs/segment-length.md.
"""

import argparse
import itertools
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import ffmpeg
import numpy as np
from network_ladder import REPOSITORY, SAMPLE, Bench, prepare, studied
from numpy.typing import NDArray
from struggling import CLASS, class_sessions

from mediaforge.ladderfile import load_ladder
from mediaforge.steps import Step
from mediaforge.tools import FFMPEG_PROGRESS, FFMPEG_QUIET, run
from mediaforge.transcode.clean import output_tags
from mediaforge.transcode.codecs import codec as codec_named
from mediaforge.transcode.planning import Offer, choose, sound_bps
from mediaforge.transcode.probe import probe
from mediaforge.transcode.quality import score_frames
from mediaforge.transcode.sessions import draw_sessions
from mediaforge.transcode.simulate import Track, simulate
from mediaforge.transcode.source import grid_picture, sized
from mediaforge.transcode.survey import packet_bits

GOPS = (1, 2, 3)  # a segment's length in GOPs of 1.92 s
POSITIONS = 78  # one pirate among a million is to be named from 150 s of segments of 1.92 s
_CRFS = (24, 30)
_SIZE = (960, 540)
_PIECE_GOPS = 9  # a whole number of twos and threes but for one GOP: 17.28 s
_STRIDE = 7  # frames between scored ones
_HEADER_BITS = 2 * 8 * 500  # of the answers to two requests, picture and sound
_CONTAINER_BITS = 8 * 1000  # of boxes a segment, picture and sound
_CONTAINER_BPS = 8 * 20 * 75  # of boxes a frame, 25 pictures and 50 of sound a second

Floats = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("master", nargs="?", type=Path, default=SAMPLE)
    parser.add_argument("--work", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        bench = prepare(arguments.master, "h264", arguments.work or Path(scratch))
        gains = coding_gains(bench)
        offers = planned(bench)
        print(f"{arguments.master.name}: {len(offers)} rungs, {offers[0].name} to {offers[-1].name}")
        print("gain  " + ", ".join(f"{gops * 1.92:.2f} s {100 * gain:.1f} %" for gops, gain in zip(GOPS, gains, strict=True)))
        kind = next(one for one in bench.network.classes if one.name == CLASS)
        rng = np.random.default_rng
        worlds = {"the country": draw_sessions(bench.network, rng(1)), "congested 3G": class_sessions(kind, rng(1))}
        for name, sessions in worlds.items():
            print(f"\n{name}\n| segment | mean VMAF | p10 VMAF | start | stall ratio | switches | data | price | tracing |")
            print("|---|---|---|---|---|---|---|---|---|")
            for gops, gain in zip(GOPS, gains, strict=True):
                length = gops * float(bench.grid.segment_seconds)
                found = simulate(tracks(bench, offers, gops=gops, gain=gain), sessions, segment_seconds=length)
                price = found.price_per_hour(bench.network.price)
                print(
                    f"| {length:.2f} s | {found.mean_vmaf:.2f} | {found.p10_vmaf:.2f} | {np.median(found.start_seconds):.2f} s "
                    f"| {100 * found.stall_ratio:.3f} % | {found.switches_per_minute:.2f}/min "
                    f"| {found.delivered_bps / 1000:.0f} kbit/s | {price:.2f} {bench.network.price.currency}/h "
                    f"| {POSITIONS * length / 60:.1f} min |"
                )


def planned(bench: Bench) -> tuple[Offer, ...]:
    curves, _ = studied(bench)
    reference = load_ladder(REPOSITORY / "ladders" / f"{bench.policy.reference}.toml")
    return choose(curves, bench.ladder, bench.film, network=bench.network, reference=reference).offers


def tracks(bench: Bench, offers: Sequence[Offer], *, gops: int, gain: float) -> list[Track]:
    """The ladder with segments of so many GOPs: what they take with sound, boxes and headers, and what a player is told."""
    gop = float(bench.grid.segment_seconds)
    whole = bench.grid.frames // bench.grid.gop_frames // gops * gops
    found = []
    for offer in offers:
        picture = (offer.allocation.bps[:whole] * gop * (1 - gain)).reshape(-1, gops).sum(axis=1)
        beside = sound_bps(bench.ladder.audio, offer.allocation.mean_bps) + _CONTAINER_BPS
        bits = picture + beside * gop * gops + _CONTAINER_BITS + _HEADER_BITS
        vmaf = offer.allocation.vmaf[:whole].reshape(-1, gops).mean(axis=1)
        declared = float(bits.max()) / (gop * gops)
        found.append(Track(name=offer.name, declared_bps=declared, segment_bits=bits, segment_vmaf=vmaf))
    return found


def coding_gains(bench: Bench) -> tuple[float, ...]:
    """By which part fewer bits GOPs of each length take than those of one, at equal VMAF."""
    gop, total = bench.grid.gop_frames, min(_PIECE_GOPS * bench.grid.gop_frames, bench.grid.frames)
    first = max(0, (bench.grid.frames - total) // 2 // gop * gop)
    width, height = bench.film.video.display_size if bench.film.video else _SIZE
    size = _SIZE if width >= _SIZE[0] and height >= _SIZE[1] else (2 * (width // 2), 2 * (height // 2))
    step = Step(
        name="bench-gops",
        version=1,
        inputs=(bench.digest,),
        params={"first": first, "frames": total, "size": size, "gops": GOPS},
    )

    def work(to: Path) -> None:
        ways = list(itertools.product(GOPS, _CRFS))
        picture = grid_picture(bench.film, bench.grid, first_frame=first, frames=total)
        outputs, streams = [], picture.filter_multi_output("split", len(ways) + 1)
        for number, (gops, crf) in enumerate(ways):
            options = codec_named("h264").options(preset="slow", crf=crf, gop_frames=gops * gop)
            stream = sized(streams.stream(number), bench.film, width=size[0], height=size[1])
            target = f"[f=mp4]{number}.mp4|[f=framecrc]{number}.crc"
            outputs.append(
                ffmpeg.output(stream, target, **options, **{"f": "tee", "fps_mode": "passthrough", "flags:v": "+global_header"})
            )
        reference = sized(streams.stream(len(ways)), bench.film, width=width // 2 * 2, height=height // 2 * 2)
        assert bench.film.video is not None
        tags = output_tags(bench.film.video)
        tags["color_range"] = tags.pop("range")
        lossless = {"c:v": "libx264", "qp": 0, "preset": "ultrafast", "threads": 1, **tags}
        outputs.append(ffmpeg.output(reference, "reference.mp4", **lossless))
        head = [*FFMPEG_QUIET, *FFMPEG_PROGRESS, "-filter_complex_threads", "1"]
        graph = ffmpeg.merge_outputs(*outputs).global_args(*head).overwrite_output()
        run(ffmpeg.compile(graph, cmd=str(bench.tools.ffmpeg)), name="ffmpeg", cwd=to, watchdog_seconds=600)
        scored = [range(1, total - 1, _STRIDE)] * len(ways)
        piece = probe(to / "reference.mp4", tools=bench.tools)
        scores = score_frames([to / f"{n}.mp4" for n in range(len(ways))], piece, scored, fps=bench.grid.fps, tools=bench.tools)
        rows = [[float(packet_bits(to / f"{n}.crc").sum()), float(scores[n].mean())] for n in range(len(ways))]
        for path in to.glob("*.mp4"):
            path.unlink()
        (to / "gops.json").write_text(json.dumps(rows))

    rows = json.loads((bench.steps.run(step, work).folder / "gops.json").read_text())
    points = np.array(rows).reshape(len(GOPS), len(_CRFS), 2)
    return tuple(1 - float(np.exp(_log_ratio(points[number], points[0]))) for number in range(len(GOPS)))


def _log_ratio(points: Floats, base: Floats) -> float:
    """The mean of ln(bits over the base's bits at the same VMAF), from two CRFs each: lines in ln bits."""
    slope, level = np.polyfit(base[:, 1], np.log(base[:, 0]), 1)
    return float(np.mean(np.log(points[:, 0]) - (slope * points[:, 1] + level)))


if __name__ == "__main__":
    main()
