"""Which rungs? The exact optimum over all ladders of at most K candidates, by dynamic programming. Pure, milliseconds.

With the audience A(i, j) of rung i below rung j (expect.py), VMAF Q_i and mean rate M_i, sound and container included, the
ladder i_1 < ... < i_k is chosen that maximises

    sum over its rungs of  A(i, next) (Q_i - worth M_i)   + strugglers(i_1) (Q_1 - worth M_1)

where `worth` is how many points of VMAF a viewer gives for one bit/s less: data costs money. Every term and every bound
belongs to two neighbouring rungs, so the best ladder that ends in j is the best that ends in some i plus the pair (i, j):
O(K n^2), and exact (Toni et al., arXiv 1406.3161, state the problem as an integer programme; Reznik 2018 with the network's
density). Bounds:

    floor     a viewer with `floor_bps` on average plays the lowest rung without a stall: it takes at most FLOOR_USAGE of it
    fairness  at every percentile from 2 to 98 a viewer gets at least the reference's VMAF less `slack`
    spacing   neighbours differ by at least `step` VMAF: two rungs nobody can tell apart are one
    frugality a further rung must earn `earn` points, or it is not made
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mediaforge.transcode.expect import PATIENCE, USAGE, audience, strugglers
from mediaforge.transcode.network import Network

PERCENTILES = np.arange(2, 99) / 100
# Throughput on a congested cell halves for many seconds: simulated over generated 3G sessions of 120 kbit/s, a lowest rung of
# 42 % of that plays through in 99 of 100 sessions, of 50 % in 92, of 58 % in 80.
FLOOR_USAGE = 0.44

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Rungs to choose from, (n,) each, by rising declared rate; rates hold sound and container."""

    declared_bps: Floats
    mean_bps: Floats
    vmaf: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Aims:
    """What is wanted. `reference` is the least VMAF at each of PERCENTILES before `slack`; zeros bind nobody."""

    most_rungs: int
    floor_bps: float
    worth_per_bps: float
    step_vmaf: float
    earn_vmaf: float
    reference: Floats
    slack_vmaf: float


def optimise(candidates: Candidates, network: Network, aims: Aims) -> tuple[int, ...]:
    """The numbers of the chosen candidates, low to high; empty where no ladder keeps all bounds."""
    gain = candidates.vmaf - aims.worth_per_bps * candidates.mean_bps
    upper = np.append(candidates.declared_bps, np.inf)
    pairs = audience(network, candidates.declared_bps[:, None], upper[None, :]) * gain[:, None]
    pairs[~_allowed(candidates, network, aims)] = -np.inf
    best = strugglers(network, candidates.declared_bps, candidates.mean_bps) * gain
    best[~_may_begin(candidates, network, aims)] = -np.inf

    ladders: list[tuple[float, tuple[int, ...]]] = []
    came_from: list[NDArray[np.int64]] = []
    for _ in range(aims.most_rungs):
        ends = best + pairs[:, -1]
        top = int(np.argmax(ends))
        ladders.append((float(ends[top]), _trace(came_from, top)))
        through = best[:, None] + pairs[:, :-1]
        came_from.append(through.argmax(axis=0))
        best = through.max(axis=0)
    value, ladder = max(ladders, key=lambda one: one[0] - aims.earn_vmaf * len(one[1]))
    return ladder if value > -np.inf else ()


def not_dominated(candidates: Candidates) -> NDArray[np.int64]:
    """Those that no other beats in declared rate, mean rate and VMAF at once, by rising declared rate."""
    order = np.lexsort((-candidates.vmaf, candidates.mean_bps, candidates.declared_bps))
    declared, mean, vmaf = (values[order] for values in (candidates.declared_bps, candidates.mean_bps, candidates.vmaf))
    beaten = (declared[:, None] <= declared) & (mean[:, None] <= mean) & (vmaf[:, None] >= vmaf)
    strictly = (declared[:, None] < declared) | (mean[:, None] < mean) | (vmaf[:, None] > vmaf)
    return np.asarray(order[~(beaten & strictly).any(axis=0)])


def _may_begin(candidates: Candidates, network: Network, aims: Aims) -> Mask:
    held = candidates.declared_bps <= FLOOR_USAGE * aims.floor_bps
    # Whom the lowest rung is too fast for: he sees it with stalls, or nothing.
    rate = network.rate_at(PERCENTILES)
    below = rate[None, :] < candidates.declared_bps[:, None] / USAGE
    stays = rate[None, :] >= PATIENCE * candidates.mean_bps[:, None]
    gets = np.where(stays, candidates.vmaf[:, None], 0.0)
    return np.asarray(held & ~(below & (gets < aims.reference - aims.slack_vmaf)).any(axis=1))


def _allowed(candidates: Candidates, network: Network, aims: Aims) -> Mask:
    """(n, n + 1): whether j may follow i; the last column: whether i may be the top."""
    edges = np.append(network.share_below(candidates.declared_bps / USAGE), 1.0)
    # The reference rises with the percentile: the last one that still holds i decides.
    last = np.searchsorted(PERCENTILES, edges, side="left") - 1  # (n + 1,)
    first = np.searchsorted(PERCENTILES, edges[:-1], side="left")  # (n,)
    somebody = last[None, :] >= first[:, None]
    needed = np.maximum.accumulate(aims.reference)[np.maximum(last, 0)] - aims.slack_vmaf
    fair = ~somebody | (candidates.vmaf[:, None] >= needed[None, :])
    apart = np.ones_like(fair)
    apart[:, :-1] = candidates.vmaf[None, :] - candidates.vmaf[:, None] >= aims.step_vmaf
    rising = np.ones_like(fair)
    rising[:, :-1] = candidates.declared_bps[None, :] > candidates.declared_bps[:, None]
    return np.asarray(fair & apart & rising)


def _trace(came_from: list[NDArray[np.int64]], top: int) -> tuple[int, ...]:
    ladder = [top]
    for back in reversed(came_from):
        ladder.append(int(back[ladder[-1]]))
    return tuple(reversed(ladder))
