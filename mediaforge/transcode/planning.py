"""A ladder for one title: look at it, try a few encodes, and choose the rungs for a network."""

import dataclasses
import itertools
import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mediaforge.errors import LadderError
from mediaforge.ladder import AudioRung, FittedRung, Ladder, Policy, Rung, Screen, fit_rungs
from mediaforge.media import Grid, Master, Shape
from mediaforge.tools import Tools
from mediaforge.transcode.allocate import Allocation, at_rate, at_slope, slopes
from mediaforge.transcode.codecs import codec as codec_named
from mediaforge.transcode.demand import demand, scouted, stretch
from mediaforge.transcode.expect import Expectation, at_share, expect
from mediaforge.transcode.hull import Calibration, TitleCurves, fit_curves
from mediaforge.transcode.network import Network
from mediaforge.transcode.optimise import FLOOR_USAGE, PERCENTILES, Aims, Candidates, not_dominated, optimise
from mediaforge.transcode.shapes import plan_trials, planned_shapes
from mediaforge.transcode.shots import cast
from mediaforge.transcode.survey import survey
from mediaforge.transcode.trials import Trial, cut_reel, run_trials

_CAPS = (1.0, 1.15, 1.35, 1.6, 2.0)  # a segment's most over the title's mean: Apple's authoring rules end at 2
_CRF_EVERY = 0.4
_WIDENINGS = (0.5, 1.0, 2.0, 4.0, 8.0)  # VMAF; beyond it the reference is no measure for the title
_HEADROOM = 1.06  # declared over planned: a segment comes out within 10 to 15 % of its prediction, and to code it again costs
_CRF_STEP = 0.25  # finer differences are not written down
_BUFFER_SECONDS = 1.0  # of VBV: with 0.6 s key frames starve (1 VMAF at 360p); the encoder mends segments that are too large
_SECONDS_AN_HOUR = 3600
_BITS_A_GIGABYTE = 8e9

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A rung as a viewer meets it: the picture's allocation, and the rates with sound and container."""

    name: str
    codec: str
    allocation: Allocation
    declared_bps: float
    mean_bps: float

    @property
    def vmaf(self) -> float:
        return self.allocation.mean_vmaf


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleLadder:
    """What was chosen, what it was chosen from, and what to expect of it."""

    curves: TitleCurves
    offers: tuple[Offer, ...]
    reference: tuple[Offer, ...]
    expected: Expectation
    rungs: tuple[FittedRung, ...]
    floor_bps: float  # the slowest viewer that is served: the policy's, or the slowest the title allows
    slack_vmaf: float | None  # what a viewer may lose against the reference at most; None: the bound could not be kept


def study(
    master: Master,
    grid: Grid,
    policy: Policy,
    *,
    screen: Screen = Screen.PHONE,
    tools: Tools,
    on_progress: Callable[[float], None],
) -> TitleCurves:
    """A title's curves at the policy's sizes, codec and preset, tried. Raises LadderError, MediaError, ToolError."""
    assert master.video is not None
    codec = codec_named(policy.codec)
    if policy.preset not in codec.presets:
        raise LadderError(policy.codec, f"has no preset {policy.preset!r}; choose one of {', '.join(codec.presets)}")
    trials = plan_trials(planned_shapes(policy, master, grid), codec)
    seen = survey(master, grid, tools=tools, on_progress=lambda part: on_progress(0.3 * part))
    casting = cast(seen, grid)
    with tempfile.TemporaryDirectory(prefix="mediaforge-trials-") as folder:
        reel = cut_reel(master, grid, casting.samples, Path(folder) / "halves.mkv", halves=1, tools=tools)
        on_progress(0.4)
        outcomes = run_trials(reel, trials, Path(folder), codec=codec, screen=screen, tools=tools)
        on_progress(0.8)
        few = _calibrating(trials, own=policy.preset)
        some = np.arange(0, len(casting.samples), 2)
        both = np.array(casting.samples)[some]
        whole = cut_reel(master, grid, both.tolist(), Path(folder) / "wholes.mkv", halves=2, tools=tools)
        own = run_trials(whole, [own for _, own in few], Path(folder), codec=codec, screen=screen, tools=tools)
    look = scouted(seen.bits, grid)
    fast = outcomes.of([number for number, _ in few], some)
    calibration = Calibration(
        shapes=tuple(trial.shape for _, trial in few),
        fast=dataclasses.replace(fast, rest=fast.rest * stretch(look, both)),
        own=own,
    )
    outcomes = calibration.apply(trials, outcomes)
    bits = demand(outcomes, look, casting.samples)
    on_progress(1.0)
    limit = codec.coarsest(codec.coarse_preset or policy.preset)
    fitted = fit_curves(trials, bits, outcomes.vmaf, limit=limit)
    return TitleCurves(grid=grid, curves=fitted, sample=casting.sample, shot=casting.shot)


def choose(curves: TitleCurves, ladder: Ladder, master: Master, *, network: Network, reference: Ladder | None) -> TitleLadder:
    """The rungs of a policy ladder for a studied title. Pure.

    A title too hard for the policy's floor is served from the slowest viewer on that it allows, and where no ladder keeps the
    bound of fairness its slack is widened: a title always gets a ladder, and the bounds that were kept stand beside it.
    """
    policy = ladder.policy
    assert policy is not None
    bound = () if reference is None else static_offers(curves, reference, master)
    shapes = planned_shapes(policy, master, curves.grid)
    offers = candidate_offers(curves, shapes, ladder.audio, codec=policy.codec)
    candidates = Candidates(
        declared_bps=np.array([offer.declared_bps for offer in offers]),
        mean_bps=np.array([offer.mean_bps for offer in offers]),
        vmaf=np.array([offer.vmaf for offer in offers]),
    )
    kept = not_dominated(candidates)
    candidates = Candidates(**{name: getattr(candidates, name)[kept] for name in ("declared_bps", "mean_bps", "vmaf")})
    aims = Aims(
        most_rungs=policy.most_rungs,
        floor_bps=max(policy.floor_bps, float(candidates.declared_bps.min()) / FLOOR_USAGE * (1 + 1e-9)),
        worth_per_bps=worth_per_bps(policy.worth_vmaf, network),
        step_vmaf=policy.step_vmaf,
        earn_vmaf=policy.earn_vmaf,
        # Nobody is owed more than the title has to give: a small picture's fixed rate may lie past the finest rung tried.
        reference=np.minimum(viewers(bound, network), candidates.vmaf.max()) if bound else np.zeros(len(PERCENTILES)),
        slack_vmaf=policy.slack_vmaf,
    )
    chosen, slack = _fairest(candidates, network, aims)
    named = tuple(with_name(offers[kept[number]]) for number in chosen)
    return TitleLadder(
        curves=curves,
        offers=named,
        reference=bound,
        expected=expectation(named, network, curves.grid),
        rungs=tuple(fitted_rung(offer, policy) for offer in named),
        floor_bps=aims.floor_bps,
        slack_vmaf=slack,
    )


def _fairest(candidates: Candidates, network: Network, aims: Aims) -> tuple[tuple[int, ...], float | None]:
    """The optimum under the least slack that allows one, and that slack; None: the reference binds nobody."""
    for widened in (0.0, *_WIDENINGS):
        slack = aims.slack_vmaf + widened
        chosen = optimise(candidates, network, dataclasses.replace(aims, slack_vmaf=slack))
        if chosen:
            return chosen, slack
    return optimise(candidates, network, dataclasses.replace(aims, reference=np.zeros(len(PERCENTILES)))), None


def candidate_offers(
    curves: TitleCurves, shapes: Sequence[Shape], audio: Sequence[AudioRung], *, codec: str
) -> tuple[Offer, ...]:
    """Every shape at every slope under every cap."""
    offers = []
    for shape in shapes:
        curve = curves.shaped(shape)
        for slope in slopes(curves, curve, np.arange(curve.finest, curve.coarsest, _CRF_EVERY)):
            free = at_slope(curves, curve, slope, cap_bps=math.inf)
            for cap in (*_CAPS, free.peak_bps / free.mean_bps):
                if cap <= free.peak_bps / free.mean_bps:
                    capped = at_slope(curves, curve, slope, cap_bps=cap * free.mean_bps)
                    offers.append(_offer("", codec, capped, curves.grid, audio, headroom=_HEADROOM))
    return tuple(offers)


def static_offers(curves: TitleCurves, ladder: Ladder, master: Master) -> tuple[Offer, ...]:
    """What a ladder of fixed rates would give on this title, by the same curves."""
    assert master.video is not None
    offers = []
    for fitted in fit_rungs(ladder, *master.video.display_size):
        rung = fitted.rung
        curve = curves.shaped(Shape(fitted.width, fitted.height))
        allocation = at_rate(curves, curve, rung.bitrate_bps, cap_bps=rung.max_bitrate_bps)
        offers.append(_offer(rung.name, rung.codec, allocation, curves.grid, ladder.audio))
    return tuple(offers)


def viewers(offers: Sequence[Offer], network: Network, shares: Floats = PERCENTILES) -> Floats:
    """The VMAF of the viewer at each share, (shares,)."""
    declared, mean, vmaf = columns(offers)
    return at_share(network, shares, declared_bps=declared, mean_bps=mean, vmaf=vmaf)


def expectation(offers: Sequence[Offer], network: Network, grid: Grid) -> Expectation:
    declared, mean, vmaf = columns(offers)
    return expect(network, declared, mean_bps=mean, vmaf=vmaf, segment_seconds=float(grid.segment_seconds))


def columns(offers: Sequence[Offer]) -> tuple[Floats, Floats, Floats]:
    """Declared rates, mean rates and VMAF, (rungs,) each."""
    return (
        np.array([offer.declared_bps for offer in offers]),
        np.array([offer.mean_bps for offer in offers]),
        np.array([offer.vmaf for offer in offers]),
    )


def worth_per_bps(vmaf_per_unit_an_hour: float, network: Network) -> float:
    """Points of VMAF for one bit/s: a policy speaks of money an hour."""
    return vmaf_per_unit_an_hour * network.price.per_gigabyte * _SECONDS_AN_HOUR / _BITS_A_GIGABYTE


def sound_bps(audio: Sequence[AudioRung], picture_bps: float) -> float:
    """The sound beside a picture: the dearest that takes at most a fifth of its rate, else the cheapest.

    Where the ladder has Opus, players take it: AAC is there for those that cannot.
    """
    modern = [rung for rung in audio if rung.codec == "opus"] or audio
    rates = sorted(rung.bitrate_bps for rung in modern)
    return next((rate for rate in reversed(rates) if rate <= picture_bps / 5), rates[0])


def container_bps(grid: Grid) -> float:
    """What the boxes around an encrypted segment of picture and one of sound take, measured on a cbcs package.

    20 bytes a frame (trun and senc with its subsamples), 4 a sound packet of 20 ms, 500 for the moof boxes of both.
    """
    packets = 50
    return 8 * (20 * float(grid.fps) + 4 * packets + 500 / float(grid.segment_seconds))


def _offer(
    name: str, codec: str, allocation: Allocation, grid: Grid, audio: Sequence[AudioRung], *, headroom: float = 1.0
) -> Offer:
    beside = sound_bps(audio, allocation.mean_bps) + container_bps(grid.every(allocation.shape.step))
    # Not the cap: nothing may reach it, and where the codec has nothing coarser left a segment passes it.
    declared = headroom * allocation.peak_bps
    return Offer(
        name=name, codec=codec, allocation=allocation, declared_bps=declared + beside, mean_bps=allocation.mean_bps + beside
    )


def with_name(offer: Offer) -> Offer:
    """The offer named for its size and rate, for half the frame rate, and for a codec that not every ladder has."""
    allocation = offer.allocation
    name = f"{allocation.shape.height}p{round(allocation.mean_bps / 1000)}k"
    name += ("-half" if allocation.shape.step == 2 else "") + ("" if offer.codec == "h264" else f"-{offer.codec}")
    return Offer(name=name, codec=offer.codec, allocation=allocation, declared_bps=offer.declared_bps, mean_bps=offer.mean_bps)


def fitted_rung(offer: Offer, policy: Policy) -> FittedRung:
    """What the encoder is told of an offer."""
    allocation = offer.allocation
    cap = offer.declared_bps - (offer.mean_bps - allocation.mean_bps)  # without sound and container
    codec, preset = codec_named(offer.codec), policy.preset
    if allocation.crf.max() > codec.coarsest(preset) and codec.coarse_preset is not None:
        preset = codec.coarse_preset
    rung = Rung(
        name=offer.name,
        box_width=allocation.shape.width,
        box_height=allocation.shape.height,
        bitrate_bps=round(allocation.mean_bps),
        max_bitrate_bps=round(cap),
        buffer_bits=round(cap * _BUFFER_SECONDS),
        preset=preset,
        codec=offer.codec,
    )
    crfs = np.minimum(np.round(allocation.crf / _CRF_STEP) * _CRF_STEP, codec.coarsest(preset))
    width, height, step = allocation.shape
    return FittedRung(rung=rung, width=width, height=height, crfs=tuple(map(float, crfs)), step=step)


def _calibrating(trials: Sequence[Trial], *, own: str) -> tuple[tuple[int, Trial], ...]:
    """The trials made again with the rung's own preset: of the smallest pictures and of middling ones; large ones cost.

    Of those at half the rate, the largest: they are small.
    """
    numbers = {step: [number for number, trial in enumerate(trials) if trial.shape.step == step] for step in (1, 2)}
    groups = [list(one) for _, one in itertools.groupby(numbers[1], key=lambda number: trials[number].shape)]
    chosen = {groups[0][-1], groups[-(-len(groups) // 2)][0] if len(groups) > 1 else groups[0][-1], *numbers[2][-1:]}
    return tuple((number, dataclasses.replace(trials[number], preset=own)) for number in sorted(chosen))
