"""The optimiser against brute force: every subset of a dozen candidates, judged by the bounds as they are said in words."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mediaforge.transcode.expect import at_share, audience, strugglers
from mediaforge.transcode.network import load_network
from mediaforge.transcode.optimise import PERCENTILES, Aims, Candidates, not_dominated, optimise

MAROC = load_network(Path(__file__).parents[2] / "ladders" / "networks" / "maroc-2025.toml")
NOBODY = np.zeros(len(PERCENTILES))


def aims(**changes: object) -> Aims:
    wanted: dict[str, object] = {
        "most_rungs": 4,
        "floor_bps": 260e3,
        "worth_per_bps": 4.5e-6,
        "step_vmaf": 2.0,
        "earn_vmaf": 0.05,
        "reference": NOBODY,
        "slack_vmaf": 1.0,
    }
    return Aims(**{**wanted, **changes})  # type: ignore[arg-type]


def candidates(seed: int, *, count: int = 12) -> Candidates:
    """Rates from 80 kbit/s to 5 Mbit/s; scores that rise with them, but for some noise."""
    rng = np.random.default_rng(seed)
    declared = np.sort(np.exp(rng.uniform(np.log(80e3), np.log(5e6), count)))
    vmaf = np.clip(101 - 95 * (declared / 80e3) ** -0.45 + rng.normal(0, 2, count), 0, 100)
    return Candidates(declared_bps=declared, mean_bps=declared * rng.uniform(0.6, 0.95, count), vmaf=vmaf)


def part(of: Candidates, rungs: tuple[int, ...]) -> Candidates:
    chosen = list(rungs)
    return Candidates(declared_bps=of.declared_bps[chosen], mean_bps=of.mean_bps[chosen], vmaf=of.vmaf[chosen])


def keeps(ladder: Candidates, wanted: Aims) -> bool:
    """The bounds in words."""
    if ladder.declared_bps[0] > 0.44 * wanted.floor_bps or np.any(np.diff(ladder.vmaf) < wanted.step_vmaf):
        return False
    gets = at_share(MAROC, PERCENTILES, declared_bps=ladder.declared_bps, mean_bps=ladder.mean_bps, vmaf=ladder.vmaf)
    return bool(np.all(gets >= wanted.reference - wanted.slack_vmaf))


def value(ladder: Candidates, wanted: Aims) -> float:
    gain = ladder.vmaf - wanted.worth_per_bps * ladder.mean_bps
    shares = audience(MAROC, ladder.declared_bps, np.append(ladder.declared_bps[1:], np.inf))
    shares[0] += strugglers(MAROC, ladder.declared_bps[0], ladder.mean_bps[0])
    return float(shares @ gain) - wanted.earn_vmaf * len(gain)


def ladders(count: int, most: int) -> Iterator[tuple[int, ...]]:
    for rungs in range(1, most + 1):
        yield from itertools.combinations(range(count), rungs)


def brute(of: Candidates, wanted: Aims) -> tuple[int, ...]:
    kept = [rungs for rungs in ladders(len(of.vmaf), wanted.most_rungs) if keeps(part(of, rungs), wanted)]
    return max(kept, key=lambda rungs: value(part(of, rungs), wanted), default=())


@pytest.mark.parametrize("seed", range(12))
def test_it_is_the_best_of_all_ladders(seed: int) -> None:
    of, wanted = candidates(seed), aims(most_rungs=2 + seed % 4, floor_bps=(260e3, 600e3)[seed % 2])
    assert optimise(of, MAROC, wanted) == brute(of, wanted)


@pytest.mark.parametrize("seed", range(6))
def test_it_is_the_best_of_all_fair_ladders(seed: int) -> None:
    """The reference is some ladder of the candidates: what its viewers get may not be lost by more than the slack."""
    of = candidates(seed + 100)
    other = part(of, (0, 4, 7, 11))
    reference = at_share(MAROC, PERCENTILES, declared_bps=other.declared_bps, mean_bps=other.mean_bps, vmaf=other.vmaf)
    wanted = aims(most_rungs=6, reference=np.maximum.accumulate(reference), slack_vmaf=3.0, earn_vmaf=1.0)
    found = optimise(of, MAROC, wanted)
    assert found == brute(of, wanted)
    unbound = optimise(of, MAROC, aims(most_rungs=6, earn_vmaf=1.0))
    assert not found or value(part(of, found), wanted) <= value(part(of, unbound), wanted)


def test_fairness_binds_somewhere() -> None:
    """Else the test above would say nothing: for some of its titles the fair ladder is another one."""
    differ = 0
    for seed in range(6):
        of = candidates(seed + 100)
        other = part(of, (0, 4, 7, 11))
        reference = at_share(MAROC, PERCENTILES, declared_bps=other.declared_bps, mean_bps=other.mean_bps, vmaf=other.vmaf)
        fair = aims(most_rungs=6, reference=np.maximum.accumulate(reference), slack_vmaf=3.0, earn_vmaf=1.0)
        differ += optimise(of, MAROC, fair) != optimise(of, MAROC, aims(most_rungs=6, earn_vmaf=1.0))
    assert differ > 0


def test_rungs_nobody_can_tell_apart_are_one() -> None:
    of = Candidates(
        declared_bps=np.array([90e3, 800e3, 900e3]), mean_bps=np.array([80e3, 7e5, 7.5e5]), vmaf=np.array([30.0, 80, 81])
    )
    assert len(optimise(of, MAROC, aims(step_vmaf=0.5, worth_per_bps=0, earn_vmaf=0))) == 3
    assert len(optimise(of, MAROC, aims(step_vmaf=2.0, worth_per_bps=0, earn_vmaf=0))) == 2


def test_a_rung_must_earn_its_place() -> None:
    counts = [len(optimise(candidates(5), MAROC, aims(most_rungs=8, earn_vmaf=earn))) for earn in (0.0, 0.5, 5.0)]
    assert counts[0] > counts[1] > counts[2] >= 1


def test_the_dearer_data_is_the_lower_the_rates() -> None:
    of = candidates(7)
    tops = [of.mean_bps[optimise(of, MAROC, aims(worth_per_bps=worth))[-1]] for worth in (0.0, 5e-6, 5e-5)]
    assert tops[0] >= tops[1] >= tops[2] and tops[0] > tops[2]


def test_where_no_ladder_keeps_the_bounds_there_is_none() -> None:
    assert optimise(candidates(1), MAROC, aims(floor_bps=50e3)) == ()
    assert optimise(candidates(1), MAROC, aims(reference=np.full(len(PERCENTILES), 99.0))) == ()


def test_dominated_candidates_go_and_the_optimum_stays() -> None:
    for seed in range(5):
        noisy = candidates(seed + 30, count=30)
        of = Candidates(declared_bps=noisy.declared_bps, mean_bps=0.8 * noisy.declared_bps, vmaf=noisy.vmaf)
        kept = not_dominated(of)
        assert np.all(np.diff(of.vmaf[kept]) > 0)
        assert 10 < len(kept) < 30
        few, all_ = optimise(part(of, tuple(kept)), MAROC, aims()), optimise(of, MAROC, aims())
        assert tuple(int(kept[place]) for place in few) == all_


def test_a_candidate_that_is_worse_in_one_thing_and_better_in_none_goes() -> None:
    worse = Candidates(declared_bps=np.array([1e5, 1.1e5]), mean_bps=np.array([9e4, 9e4]), vmaf=np.array([40.0, 40.0]))
    assert list(not_dominated(worse)) == [0]
