"""What planning from a few trials loses against knowing everything: brute force over sizes, CRFs, GOPs and frames.

    python benchmarks/regret.py MASTER [--start SECONDS] [--seconds 8]

Brute force encodes every GOP at every size of the policy and every second CRF with the rung's own preset, scores every frame,
and lets each GOP of a rung choose its own CRF; the optimiser then chooses among all of that. The plan's ladder is judged on the
same truth (its CRFs, interpolated between the encoded ones). Regret is the difference of what both maximise: expected VMAF less
what the data is worth, in points of VMAF. No segment caps on either side but those the plan's rungs have.
"""

import argparse
import dataclasses
import resource
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np

from mediaforge.cli.shipped import open_ladder
from mediaforge.media import Grid, Master
from mediaforge.tools import Tools, locate_tools, run
from mediaforge.transcode.chunks import plan_grid
from mediaforge.transcode.codecs import codec as codec_named
from mediaforge.transcode.expect import audience, expect, strugglers
from mediaforge.transcode.network import Network
from mediaforge.transcode.optimise import PERCENTILES, Aims, Candidates, not_dominated, optimise
from mediaforge.transcode.planning import choose, container_bps, planned_sizes, sound_bps, study, worth_per_bps
from mediaforge.transcode.probe import probe
from mediaforge.transcode.quality import score_frames
from mediaforge.transcode.survey import packet_bits
from mediaforge.transcode.trials import Reel, Trial, trial_argv

CRFS = np.arange(18, 46, 2)
SLOPES = np.geomspace(1e-7, 1e-3, 60)  # VMAF a bit
TARGET_REGRET, TARGET_COST = 0.5, 0.03


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("master", type=Path)
    parser.add_argument("--start", type=float, default=0.0)
    parser.add_argument("--seconds", type=int, default=8)
    asked = parser.parse_args()
    tools = locate_tools({})
    ladder, network, _ = open_ladder("maroc")
    assert network is not None and ladder.policy is not None
    policy = dataclasses.replace(ladder.policy, reference="")
    ladder = dataclasses.replace(ladder, policy=policy)
    film = _later(probe(asked.master, tools=tools), asked.start)
    assert film.video is not None
    grid = plan_grid(fps=film.video.fps, seconds=Fraction(asked.seconds))

    before = _cpu()
    curves = study(film, grid, policy, tools=tools, on_progress=lambda _: None)
    planning = _cpu() - before
    chosen = choose(curves, ladder, film, network=network, reference=None)

    before = _cpu()
    truth = {size: _encode_all(film, grid, size, preset=policy.preset, tools=tools) for size in planned_sizes(policy, film)}
    brute = _cpu() - before

    seconds = curves.seconds
    worth = worth_per_bps(policy.worth_vmaf, network)
    best = _best(truth, seconds, grid, ladder.audio, network, policy, worth)
    plan = _judged(chosen.rungs, truth, seconds, grid, ladder.audio)
    for name, rungs in (("brute force", best), ("plan", plan)):
        found = expect(network, rungs.declared_bps, mean_bps=rungs.mean_bps, vmaf=rungs.vmaf)
        worth_of = _value(rungs, network, worth)
        rate = found.delivered_bps / 1000
        print(f"{name}: {len(rungs.vmaf)} rungs, E[VMAF] {found.vmaf:.2f}, {rate:.0f} kbit/s, value {worth_of:.2f}")
    regret = _value(best, network, worth) - _value(plan, network, worth)
    print(f"regret {regret:.2f} VMAF (at most {TARGET_REGRET}: {'met' if regret <= TARGET_REGRET else 'missed'})")
    share = planning / brute
    verdict = "met" if share <= TARGET_COST else "missed"
    print(f"CPU: plan {planning:.1f} s, brute force {brute:.1f} s, {share:.4f}x (at most {TARGET_COST}: {verdict})")


def _later(master: Master, start: float) -> Master:
    """The master from a later moment on: its picture is said to begin there."""
    assert master.video is not None
    return dataclasses.replace(master, video=dataclasses.replace(master.video, start=master.video.start + Fraction(start)))


def _encode_all(film: Master, grid: Grid, size: tuple[int, int], *, preset: str, tools: Tools) -> tuple[np.ndarray, np.ndarray]:
    """Bits and mean VMAF, (CRFs, GOPs) each, of every GOP at one size."""
    whole = Reel(film=film, grid=grid, stretch=np.ones(grid.segments))
    trials = [Trial(width=size[0], height=size[1], crf=int(crf), preset=preset) for crf in CRFS]
    starts = np.arange(grid.segments) * grid.gop_frames
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(trial_argv(whole, trials, codec=codec_named("h264"), tools=tools), name="ffmpeg", cwd=folder)
        bits = np.array([np.add.reduceat(packet_bits(folder / f"{number}.crc"), starts) for number in range(len(trials))])
        files = [folder / f"{number}.mp4" for number in range(len(trials))]
        scores = np.stack(score_frames(files, film, [range(grid.frames)] * len(files), fps=grid.fps, tools=tools))
    lengths = np.array([grid.segment_frames(segment) for segment in range(grid.segments)])
    return bits, np.add.reduceat(scores, starts, axis=1) / lengths


def _best(truth, seconds, grid, audio, network: Network, policy, worth: float) -> Candidates:  # type: ignore[no-untyped-def]
    rows = []
    for bits, vmaf in truth.values():
        for slope in SLOPES:
            pick = (vmaf - slope * bits).argmax(axis=0)
            gops = np.arange(bits.shape[1])
            rows.append(_rung(bits[pick, gops] / seconds, vmaf[pick, gops], seconds, grid, audio))
    every = _candidates(rows)
    kept = not_dominated(every)
    every = Candidates(declared_bps=every.declared_bps[kept], mean_bps=every.mean_bps[kept], vmaf=every.vmaf[kept])
    aims = Aims(
        most_rungs=policy.most_rungs,
        floor_bps=policy.floor_bps,
        worth_per_bps=worth,
        step_vmaf=policy.step_vmaf,
        earn_vmaf=policy.earn_vmaf,
        reference=np.zeros(len(PERCENTILES)),
        slack_vmaf=policy.slack_vmaf,
    )
    chosen = list(optimise(every, network, aims))
    return Candidates(declared_bps=every.declared_bps[chosen], mean_bps=every.mean_bps[chosen], vmaf=every.vmaf[chosen])


def _judged(rungs, truth, seconds, grid, audio) -> Candidates:  # type: ignore[no-untyped-def]
    """The plan's rungs as they would really come out."""
    rows = []
    for fitted in rungs:
        bits, vmaf = truth[fitted.width, fitted.height]
        gops = range(bits.shape[1])
        rate = np.exp([np.interp(fitted.crfs[gop], CRFS, np.log(bits[:, gop])) for gop in gops]) / seconds
        rows.append(
            _rung(rate, np.array([np.interp(fitted.crfs[gop], CRFS, vmaf[:, gop]) for gop in gops]), seconds, grid, audio)
        )
    return _candidates(rows)


def _rung(rate, vmaf, seconds, grid, audio) -> tuple[float, float, float]:  # type: ignore[no-untyped-def]
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
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
