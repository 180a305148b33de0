"""What planning from a few trials loses against knowing everything: brute force over sizes, CRFs, GOPs and frames.

    python benchmarks/regret.py MASTER [--start SECONDS] [--seconds 7.68] [--truth KEPT.npz]

Brute force encodes every GOP at every size of the policy and every second CRF with the rung's own preset, scores every frame,
and lets each GOP of a rung choose its own CRF at a constant slope, under the plan's caps or none; the optimiser then chooses
among all of that. The plan's ladder is judged on the same truth (its CRFs, interpolated between the encoded ones), at the rates
it declares or at its largest segment, where that is more; brute force declares its largest segment, not a bit more. Regret is
the difference of what both maximise: expected VMAF less what the data is worth, in points of VMAF. Neither side owes a viewer
what a reference would give.

CPU time of all processes (user and system). A title of a few seconds is studied whole, GOP by GOP, so its study's share of
the final encode says nothing of a film's; brute force grows with the title, the trials do not.
"""

import argparse
import dataclasses
import resource
import sys
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mediaforge.cli.shipped import open_ladder
from mediaforge.ladder import AudioRung, FittedRung, Policy
from mediaforge.media import Chunk, Grid, Master, Shape, Variant
from mediaforge.tools import Tools, locate_tools, run
from mediaforge.transcode.chunks import plan_grid
from mediaforge.transcode.codecs import codec as codec_named
from mediaforge.transcode.encoder import EncodeRequest, encode_argv
from mediaforge.transcode.expect import audience, expect, strugglers
from mediaforge.transcode.network import Network
from mediaforge.transcode.optimise import FLOOR_USAGE, PERCENTILES, Aims, Candidates, not_dominated, optimise
from mediaforge.transcode.planning import TitleLadder, choose, container_bps, sound_bps, study, worth_per_bps
from mediaforge.transcode.probe import probe
from mediaforge.transcode.quality import score_frames
from mediaforge.transcode.shapes import planned_shapes
from mediaforge.transcode.survey import packet_bits
from mediaforge.transcode.trials import Reel, Trial, trial_argv

CRFS = np.arange(18, 46, 2)
SLOPES = np.geomspace(1e-7, 1e-3, 60)  # VMAF a bit
TARGET_REGRET, TARGET_COST, TARGET_FINAL = 0.5, 0.03, 0.35
CAPS = (1.0, 1.15, 1.35, 1.6, 2.0, np.inf)  # of a segment over the mean, as in planning.py

Floats = NDArray[np.float64]
Truth = dict[tuple[int, int], tuple[Floats, Floats]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("master", type=Path)
    parser.add_argument("--start", type=float, default=0.0)
    parser.add_argument("--seconds", type=float, default=7.68)
    parser.add_argument("--truth", type=Path, help="keep what brute force found in this .npz, or take it from there")
    asked = parser.parse_args()
    tools = locate_tools({})
    ladder, network, _ = open_ladder("maroc")
    assert network is not None and ladder.policy is not None
    policy = dataclasses.replace(ladder.policy, reference="")
    ladder = dataclasses.replace(ladder, policy=policy)
    film = _later(probe(asked.master, tools=tools), asked.start)
    assert film.video is not None
    grid = plan_grid(fps=film.video.fps, seconds=Fraction(asked.seconds).limit_denominator(1000))

    before = _cpu()
    curves = study(film, grid, policy, tools=tools, on_progress=lambda _: None)
    planning = _cpu() - before
    chosen = choose(curves, ladder, film, network=network, reference=None)
    final = _final(film, grid, chosen.rungs, tools=tools)
    truth, brute = _truth(asked.truth, film, grid, policy, tools=tools)

    seconds = curves.seconds
    worth = worth_per_bps(policy.worth_vmaf, network)
    best = _best(truth, seconds, grid, ladder.audio, network, policy, worth)
    plan, excess = _judged(chosen, truth, seconds, grid, ladder.audio)
    for name, rungs in (("brute force", best), ("plan", plan)):
        found = expect(network, rungs.declared_bps, mean_bps=rungs.mean_bps, vmaf=rungs.vmaf)
        worth_of = _value(rungs, network, worth)
        rate = found.delivered_bps / 1000
        print(f"{name}: {len(rungs.vmaf)} rungs, E[VMAF] {found.vmaf:.2f}, {rate:.0f} kbit/s, value {worth_of:.2f}")
        for mean, declared, vmaf in zip(rungs.mean_bps, rungs.declared_bps, rungs.vmaf, strict=True):
            print(f"  {mean / 1000:6.0f} kbit/s (at most {declared / 1000:6.0f}): {vmaf:5.1f}")
    missed = ", ".join(f"{real - said.vmaf:+.1f}" for real, said in zip(plan.vmaf, chosen.offers, strict=True))
    print(f"the plan's rungs against its prediction: {missed} VMAF; largest segment {excess:.2f} of what is declared")
    regret = _value(best, network, worth) - _value(plan, network, worth)
    print(f"regret {regret:.2f} VMAF (at most {TARGET_REGRET}: {'met' if regret <= TARGET_REGRET else 'missed'})")
    print(f"CPU: plan {planning:.1f} s, brute force {brute:.1f} s, final encode {final:.1f} s")
    for what, cost, most in (("brute force", brute, TARGET_COST), ("the final encode", final, TARGET_FINAL)):
        verdict = "met" if planning / cost <= most else "missed"
        print(f"  plan over {what}: {planning / cost:.3f}x (at most {most}: {verdict})")


def _later(master: Master, start: float) -> Master:
    """The master from a later moment on: its picture is said to begin there."""
    assert master.video is not None
    return dataclasses.replace(master, video=dataclasses.replace(master.video, start=master.video.start + Fraction(start)))


def _truth(kept: Path | None, film: Master, grid: Grid, policy: Policy, *, tools: Tools) -> tuple[Truth, float]:
    """Bits and mean VMAF of every GOP by size, and the CPU seconds they took."""
    sizes = [(shape.width, shape.height) for shape in planned_shapes(policy, film, grid) if shape.step == 1]
    if kept is not None and kept.exists():
        with np.load(kept) as file:
            return {size: (file[f"bits-{size[1]}"], file[f"vmaf-{size[1]}"]) for size in sizes}, float(file["cpu"])
    before = _cpu()
    truth: Truth = {}
    for size in sizes:
        truth[size] = _encode_all(film, grid, size, preset=policy.preset, tools=tools)
        print(f"brute force, {size[0]}x{size[1]}: {_cpu() - before:.0f} CPU-s so far", file=sys.stderr, flush=True)
    cpu = _cpu() - before
    if kept is not None:
        bits = {f"bits-{size[1]}": found[0] for size, found in truth.items()}
        np.savez(kept, cpu=np.array(cpu), **bits, **{f"vmaf-{size[1]}": found[1] for size, found in truth.items()})
    return truth, cpu


def _encode_all(film: Master, grid: Grid, size: tuple[int, int], *, preset: str, tools: Tools) -> tuple[Floats, Floats]:
    """Bits and mean VMAF, (CRFs, GOPs) each, of every GOP at one size."""
    whole = Reel(film=film, grid=grid, halves=1)
    trials = [Trial(shape=Shape(*size), crf=int(crf), preset=preset) for crf in CRFS]
    starts = np.arange(grid.segments) * grid.gop_frames
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(trial_argv(whole, trials, codec=codec_named("h264"), tools=tools), name="ffmpeg", cwd=folder)
        bits = np.array([np.add.reduceat(packet_bits(folder / f"{number}.crc"), starts) for number in range(len(trials))])
        files = [folder / f"{number}.mp4" for number in range(len(trials))]
        scores = np.stack(score_frames(files, film, [range(grid.frames)] * len(files), fps=grid.fps, tools=tools))
    lengths = np.array([grid.segment_frames(segment) for segment in range(grid.segments)])
    return bits, np.add.reduceat(scores, starts, axis=1) / lengths


def _final(film: Master, grid: Grid, rungs: Sequence[FittedRung], *, tools: Tools) -> float:
    """The CPU seconds of one plain encode of the rungs."""
    chunk = Chunk(index=0, first_frame=0, frames=grid.frames)
    request = EncodeRequest(master=film, grid=grid, chunk=chunk, rungs=tuple(rungs), differing={Variant.A: {}})
    with tempfile.TemporaryDirectory() as name:
        return run(encode_argv(request, Path(name), tools=tools), name="ffmpeg").cpu_seconds


def _best(
    truth: Truth, seconds: Floats, grid: Grid, audio: Sequence[AudioRung], network: Network, policy: Policy, worth: float
) -> Candidates:
    rows = []
    for bits, vmaf in truth.values():
        for slope in SLOPES:
            free = _picked(bits, vmaf, slope, most=np.inf)[0]
            for cap in CAPS:
                found = _picked(bits, vmaf, slope, most=cap * free.sum() / seconds.sum() * float(grid.segment_seconds))
                rows.append(_rung(found[0] / seconds, found[1], seconds, grid, audio))
    every = _candidates(rows)
    kept = not_dominated(every)
    every = Candidates(declared_bps=every.declared_bps[kept], mean_bps=every.mean_bps[kept], vmaf=every.vmaf[kept])
    aims = Aims(
        most_rungs=policy.most_rungs,
        floor_bps=max(policy.floor_bps, float(every.declared_bps.min()) / FLOOR_USAGE * (1 + 1e-9)),
        worth_per_bps=worth,
        step_vmaf=policy.step_vmaf,
        earn_vmaf=policy.earn_vmaf,
        reference=np.zeros(len(PERCENTILES)),
        slack_vmaf=policy.slack_vmaf,
    )
    chosen = list(optimise(every, network, aims))
    return Candidates(declared_bps=every.declared_bps[chosen], mean_bps=every.mean_bps[chosen], vmaf=every.vmaf[chosen])


def _picked(bits: Floats, vmaf: Floats, slope: float, *, most: float) -> tuple[Floats, Floats]:
    """Bits and VMAF of every GOP, (GOPs,), each at its best CRF that takes at most so many bits, else at its coarsest."""
    gain = np.where(bits <= most, vmaf - slope * bits, -np.inf)
    gain[-1] = np.maximum(gain[-1], -1e9)
    pick, gops = gain.argmax(axis=0), np.arange(bits.shape[1])
    return bits[pick, gops], vmaf[pick, gops]


def _judged(
    plan: TitleLadder, truth: Truth, seconds: Floats, grid: Grid, audio: Sequence[AudioRung]
) -> tuple[Candidates, float]:
    """The plan's rungs as they would really come out, and the largest segment of all over what its rung declares."""
    rows, excess = [], 0.0
    for fitted, offer in zip(plan.rungs, plan.offers, strict=True):
        bits, vmaf = truth[fitted.width, fitted.height]
        gops = range(bits.shape[1])
        rate = np.exp([np.interp(fitted.crfs[gop], CRFS, np.log(bits[:, gop])) for gop in gops]) / seconds
        found = np.array([np.interp(fitted.crfs[gop], CRFS, vmaf[:, gop]) for gop in gops])
        largest, mean, score = _rung(rate, found, seconds, grid, audio)
        excess = max(excess, largest / offer.declared_bps)
        rows.append((max(offer.declared_bps, largest), mean, score))
    return _candidates(rows), excess


def _rung(rate: Floats, vmaf: Floats, seconds: Floats, grid: Grid, audio: Sequence[AudioRung]) -> tuple[float, float, float]:
    """Largest segment, mean rate and VMAF."""
    mean = float(np.average(rate, weights=seconds))
    beside = sound_bps(audio, mean) + container_bps(grid)
    return float(rate.max()) + beside, mean + beside, float(np.average(vmaf, weights=seconds))


def _candidates(rows: list[tuple[float, float, float]]) -> Candidates:
    declared, mean, vmaf = (np.array(column) for column in zip(*sorted(rows), strict=True))
    return Candidates(declared_bps=declared, mean_bps=mean, vmaf=vmaf)


def _value(rungs: Candidates, network: Network, worth: float) -> float:
    gain = rungs.vmaf - worth * rungs.mean_bps
    shares = audience(network, rungs.declared_bps, np.append(rungs.declared_bps[1:], np.inf))
    shares[0] += strugglers(network, rungs.declared_bps[0], rungs.mean_bps[0])
    return float(shares @ gain)


def _cpu() -> float:
    """Of all processes that were started here and have ended, and of this one."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main()
