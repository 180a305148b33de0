"""Viewers on congested 3G: their stalls and the slow tenth's picture, against the peer and a ladder from 600 kbit/s on."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from encoded import Encoded
from verdicts import Row

from mediaforge.transcode.network import AccessClass, Network
from mediaforge.transcode.sessions import Sessions, draw_shapes, make_sessions, read_cooked, replay
from mediaforge.transcode.simulate import Report, simulate

CLASS = "congested-3g"
CLOUD_FLOOR_BPS = 600_000  # AWS MediaConvert's automated ABR
FLOOR_BPS = 120_000
SESSIONS = 200


def struggling_rows(ours: Sequence[Encoded], peer: Sequence[Encoded], *, network: Network, traces: Path | None) -> list[Row]:
    kind = next(one for one in network.classes if one.name == CLASS)
    rows = _rows("3G drawn", class_sessions(kind, np.random.default_rng(1)), ours, peer)
    if traces is not None:
        measured = [read_cooked(path) for path in sorted(traces.iterdir()) if path.is_file()]
        rows += _rows("3G traces", replay(measured), ours, peer)
        # 0.45 Mbit/s on average: as they are nobody stalls, whatever the ladder.
        rows += _rows("3G traces x 0.4", replay(measured, scale=0.4), ours, peer)
    slow = _played(ours, floor_sessions(kind, np.random.default_rng(2)))
    note = f"stall ratio {slow.stall_ratio:.4f}"
    return [*rows, Row("no stall at 120 kbit/s", 100 * slow.smooth_share, "%", least=95, note=note)]


def class_sessions(kind: AccessClass, rng: np.random.Generator) -> Sessions:
    """Sessions of one class: lognormal means at even quantiles, each with a shape of the class."""
    # Quantiles of the normal distribution from a large sorted sample: the standard library's inverse goes one by one.
    normal = np.sort(rng.standard_normal(100_001))[np.round((np.arange(SESSIONS) + 0.5) / SESSIONS * 100_000).astype(int)]
    return _shaped(kind, kind.median_bps * np.exp(kind.sigma_ln * normal), rng)


def floor_sessions(kind: AccessClass, rng: np.random.Generator) -> Sessions:
    """Sessions that all carry 120 kbit/s on average, moving as the class does."""
    return _shaped(kind, np.full(SESSIONS, float(FLOOR_BPS)), rng)


def _shaped(kind: AccessClass, means: np.ndarray, rng: np.random.Generator) -> Sessions:
    count = len(means)
    shapes = draw_shapes(rng, variation=np.full(count, kind.variation), autocorrelation=np.full(count, kind.autocorrelation))
    return make_sessions(means[:, None] * shapes, np.full(count, kind.round_trip_ms / 1000))


def _rows(name: str, sessions: Sessions, ours: Sequence[Encoded], peer: Sequence[Encoded]) -> list[Row]:
    cloud = [rung for rung in ours if rung.mean_bps >= CLOUD_FLOOR_BPS]
    own, theirs = _played(ours, sessions), _played(peer, sessions)
    rows = [
        Row(f"{name}: stall ratio, ours", own.stall_ratio, "", note=f"start {np.mean(own.start_seconds):.2f} s"),
        Row(f"{name}: stall ratio, shaka", theirs.stall_ratio, "", note=f"start {np.mean(theirs.start_seconds):.2f} s"),
        Row(f"{name}: stalls, ours over shaka", _over(own, theirs), "x", most=0.5),
        Row(f"{name}: p10 VMAF, ours", own.p10_vmaf, ""),
        Row(f"{name}: p10 VMAF, shaka", theirs.p10_vmaf, ""),
        Row(f"{name}: p10 VMAF, ours less shaka", own.p10_vmaf - theirs.p10_vmaf, "VMAF", least=0),
        Row(f"{name}: mean VMAF, ours less shaka", own.mean_vmaf - theirs.mean_vmaf, "VMAF"),
    ]
    if cloud:
        floored = _played(cloud, sessions)
        rows += [
            Row(f"{name}: stall ratio, 600k floor", floored.stall_ratio, "", note=f"{100 * floored.left.mean():.1f} % gave up"),
            Row(f"{name}: stalls, ours over 600k floor", _over(own, floored), "x", most=0.1),
            Row(f"{name}: p10 VMAF, ours less 600k floor", own.p10_vmaf - floored.p10_vmaf, "VMAF", least=0),
        ]
    return rows


def _over(own: Report, other: Report) -> float:
    """The ratio of stalls; nobody's over nobody's is none."""
    if own.stall_ratio == 0:
        return 0.0
    return own.stall_ratio / other.stall_ratio if other.stall_ratio > 0 else float("inf")


def _played(rungs: Sequence[Encoded], sessions: Sessions) -> Report:
    return simulate([rung.track for rung in rungs], sessions, segment_seconds=float(rungs[0].seconds[0]))
