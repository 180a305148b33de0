"""What one ladder gives the viewers of a network on one title: in closed form, at each percentile, and in replayed sessions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mediaforge.media import Grid
from mediaforge.transcode.expect import PATIENCE, Expectation, rung_at_share
from mediaforge.transcode.hull import upper_hull
from mediaforge.transcode.network import Network
from mediaforge.transcode.optimise import PERCENTILES
from mediaforge.transcode.planning import Offer, columns, expectation, viewers
from mediaforge.transcode.sessions import draw_classes, draw_sessions
from mediaforge.transcode.simulate import Report, Track, simulate

GOOD_VMAF = 80.0  # what a film is priced at: nobody complains on a phone
FEATURE_SECONDS = 6000.0  # 100 minutes
_SEED = 2025  # the same ladder is judged by the same sessions, today and tomorrow
_BITS_A_GIGABYTE = 8e9
_SECONDS_AN_HOUR = 3600

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassReport:
    """What became of the sessions of one kind of access."""

    name: str
    sessions: int
    vmaf: float
    p10_vmaf: float
    stall_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """One ladder. `vmaf_at` and `bps_at` are those of the viewer at each of PERCENTILES, (percentiles,); 0 who sees nothing."""

    name: str
    offers: tuple[Offer, ...]
    network: Network
    expected: Expectation
    vmaf_at: Floats
    bps_at: Floats
    report: Report
    classes: tuple[ClassReport, ...]

    @property
    def gigabytes_per_hour(self) -> float:
        return self.expected.delivered_bps * _SECONDS_AN_HOUR / _BITS_A_GIGABYTE

    @property
    def price_per_hour(self) -> float:
        return self.gigabytes_per_hour * self.network.price.per_gigabyte

    @property
    def start_seconds(self) -> float:
        """Until the first picture, for the middle session."""
        return float(np.median(self.report.start_seconds))

    def price(self, vmaf: float, seconds: float) -> float | None:
        """What so many seconds cost a viewer who is content with `vmaf`; None where the ladder does not reach it."""
        rate = rate_at_vmaf(self.offers, vmaf)
        return None if rate is None else rate * seconds / _BITS_A_GIGABYTE * self.network.price.per_gigabyte


def forecast(name: str, offers: Sequence[Offer], network: Network, grid: Grid, *, sessions: int) -> Forecast:
    """Judge a ladder, low to high; `sessions` are replayed with dash.js's dynamic rule. Pure and repeatable."""
    drawn = draw_sessions(network, np.random.default_rng(_SEED), count=sessions)
    kinds = draw_classes(network, np.random.default_rng(_SEED), count=sessions)  # the first thing that draw_sessions draws
    report = simulate(tracks(offers, grid), drawn, segment_seconds=float(grid.segment_seconds))
    return Forecast(
        name=name,
        offers=tuple(offers),
        network=network,
        expected=expectation(offers, network, grid),
        vmaf_at=viewers(offers, network),
        bps_at=delivered(offers, network, PERCENTILES),
        report=report,
        classes=by_class(report, kinds, [kind.name for kind in network.classes]),
    )


def tracks(offers: Sequence[Offer], grid: Grid) -> tuple[Track, ...]:
    """The rungs as a player sees them; a short last segment counts as a whole one, since the title is played on and on."""
    return tuple(
        Track(
            name=offer.name,
            declared_bps=offer.declared_bps,
            segment_bits=(offer.allocation.bps + offer.mean_bps - offer.allocation.mean_bps) * float(grid.segment_seconds),
            segment_vmaf=offer.allocation.vmaf,
        )
        for offer in offers
    )


def delivered(offers: Sequence[Offer], network: Network, shares: Floats) -> Floats:
    """The mean rate of what the viewer at each share watches, (shares,): his rung's, the lowest's if he stays, else 0."""
    declared, mean, _ = columns(offers)
    rung = rung_at_share(network, shares, declared)
    stays = network.rate_at(shares) >= PATIENCE * mean[0]
    return np.asarray(np.where(stays, mean[np.maximum(rung, 0)], 0.0))


def rate_at_vmaf(offers: Sequence[Offer], vmaf: float) -> float | None:
    """The least mean rate in bit/s that averages this VMAF: a rung's, or two rungs' by turns; None where none reaches it."""
    _, mean, score = columns(offers)
    hull = upper_hull(mean, score)
    if vmaf > score[hull[-1]]:
        return None
    return float(np.interp(vmaf, score[hull], mean[hull]))


def by_class(report: Report, kinds: NDArray[np.int64], names: Sequence[str]) -> tuple[ClassReport, ...]:
    """The report of each kind of access that any session has; `kinds` (sessions,) are places in `names`."""
    found = []
    for place, name in enumerate(names):
        ours = kinds == place
        if ours.any():
            stalled, played = report.stalled_seconds[ours].sum(), report.played_seconds[ours].sum()
            found.append(
                ClassReport(
                    name=name,
                    sessions=int(ours.sum()),
                    vmaf=float(report.vmaf[ours].mean()),
                    p10_vmaf=float(np.percentile(report.vmaf[ours], 10)),
                    stall_ratio=float(stalled / max(1e-9, stalled + played)),
                )
            )
    return tuple(found)
