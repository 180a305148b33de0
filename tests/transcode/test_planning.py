"""From a title's curves to its rungs: what the policy promises is kept by the ladder that is chosen."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mediaforge.errors import LadderError
from mediaforge.ladder import Ladder, Policy
from mediaforge.ladderfile import load_ladder
from mediaforge.media import Grid, Master, Shape
from mediaforge.tools import Tools
from mediaforge.transcode.codecs import codec
from mediaforge.transcode.network import load_network
from mediaforge.transcode.planning import (
    TitleLadder,
    candidate_offers,
    choose,
    container_bps,
    fitted_rung,
    sound_bps,
    static_offers,
    study,
    viewers,
    worth_per_bps,
)
from mediaforge.transcode.shapes import plan_trials, planned_shapes
from tests.transcode.studied import GRID, title
from tests.transcode.values import master as any_master
from tests.transcode.values import video

LADDERS = Path(__file__).parents[2] / "ladders"
MAROC = load_network(LADDERS / "networks" / "maroc-2025.toml")
OURS = load_ladder(LADDERS / "maroc.toml")
STATIC = load_ladder(LADDERS / "maroc-mobile.toml")


@pytest.fixture(scope="module")
def chosen() -> TitleLadder:
    return plan()


def plan(*, reference: Ladder | None = STATIC, **changes: object) -> TitleLadder:
    return choose(title(), with_policy(**changes), master(), network=MAROC, reference=reference)


def with_policy(**changes: object) -> Ladder:
    assert OURS.policy is not None
    return replace(OURS, policy=replace(OURS.policy, **changes))  # type: ignore[arg-type]


def policy() -> Policy:
    assert OURS.policy is not None
    return OURS.policy


def master(width: int = 1280, height: int = 720) -> Master:
    return any_master(video(width=width, height=height))


def test_somebody_at_the_floor_holds_the_lowest_rung(chosen: TitleLadder) -> None:
    assert chosen.offers[0].declared_bps <= 0.44 * policy().floor_bps


def test_no_viewer_loses_more_than_the_slack(chosen: TitleLadder) -> None:
    assert np.all(viewers(chosen.offers, MAROC) >= viewers(chosen.reference, MAROC) - policy().slack_vmaf - 1e-9)


def test_fairness_costs_something_here() -> None:
    """Else the law above would hold by chance: bound by nobody, somebody loses."""
    free = plan(reference=None, earn_vmaf=0.5)
    bound = viewers(static_offers(title(), STATIC, master()), MAROC) - policy().slack_vmaf
    assert np.any(viewers(free.offers, MAROC) < bound)


def test_neighbours_can_be_told_apart_and_rates_rise(chosen: TitleLadder) -> None:
    assert np.all(np.diff([offer.vmaf for offer in chosen.offers]) >= policy().step_vmaf)
    assert np.all(np.diff([offer.declared_bps for offer in chosen.offers]) > 0)


def test_there_are_no_more_rungs_than_allowed() -> None:
    counts = [len(plan(reference=None, most_rungs=most).rungs) for most in (1, 3, 8)]
    assert counts[:2] == [1, 3] and 3 < counts[2] <= 8


def test_no_segment_passes_what_a_player_is_told(chosen: TitleLadder) -> None:
    for offer, fitted in zip(chosen.offers, chosen.rungs, strict=True):
        beside = offer.mean_bps - offer.allocation.mean_bps
        assert offer.allocation.peak_bps + beside <= offer.declared_bps * (1 + 1e-9)
        assert fitted.rung.max_bitrate_bps == round(offer.declared_bps - beside)
        assert len(fitted.crfs) == title().grid.segments


def test_a_rung_is_named_for_its_size_and_rate_and_no_name_stands_twice(chosen: TitleLadder) -> None:
    names = [fitted.rung.name for fitted in chosen.rungs]
    assert len(set(names)) == len(names)
    assert names[0] == f"{chosen.rungs[0].height}p{round(chosen.rungs[0].rung.bitrate_bps / 1000)}k"


def test_a_title_too_hard_for_the_floor_is_served_from_where_it_can_be() -> None:
    found = plan(reference=None, floor_bps=30_000)
    assert found.floor_bps > 30_000
    assert found.offers[0].declared_bps == pytest.approx(0.44 * found.floor_bps)
    assert plan(reference=None, floor_bps=500_000).floor_bps == 500_000


def test_where_a_reference_cannot_be_matched_its_slack_is_widened_and_said() -> None:
    assert plan().slack_vmaf == policy().slack_vmaf
    widened = plan(most_rungs=3, slack_vmaf=0.0).slack_vmaf
    assert widened is None or widened > 0
    assert plan(most_rungs=1, slack_vmaf=0.0).rungs


def test_nobody_is_owed_more_than_the_title_has_to_give() -> None:
    """A fixed rate past the finest quality that is tried: it cannot be matched, and a ladder is found all the same."""
    lavish = replace(STATIC.rungs[0], bitrate_bps=2_000_000, max_bitrate_bps=4_000_000)
    found = choose(title(), OURS, master(96, 54), network=MAROC, reference=replace(STATIC, rungs=(STATIC.rungs[0], lavish)))
    assert found.reference[1].vmaf > found.offers[-1].vmaf + policy().slack_vmaf


def test_a_small_master_is_not_enlarged() -> None:
    sizes = ((256, 144), (320, 180), (426, 240), (512, 288), (640, 360))
    assert planned_shapes(policy(), master(640, 360), GRID) == tuple(Shape(*size) for size in sizes)
    assert planned_shapes(policy(), master(160, 90), GRID) == (Shape(160, 90),)


FAST = Grid(fps=Fraction(50), gop_frames=96, frames=960)


def test_small_pictures_of_fast_films_may_be_shown_at_half_the_rate() -> None:
    shapes = planned_shapes(policy(), master(), FAST)
    assert [shape.height for shape in shapes if shape.step == 2] == [144, 180, 240]
    assert [shape for shape in shapes if shape.step == 1] == list(planned_shapes(policy(), master(), GRID))
    slow, odd = replace(FAST, fps=Fraction(30)), replace(FAST, frames=961)
    refused = planned_shapes(replace(policy(), half_rates=False), master(), FAST)
    for same in (planned_shapes(policy(), master(), slow), planned_shapes(policy(), master(), odd), refused):
        assert all(shape.step == 1 for shape in same)


def test_the_smallest_and_largest_of_the_half_rates_are_tried_beside_the_whole_ones() -> None:
    trials = plan_trials(planned_shapes(policy(), master(), FAST), codec("h264"))
    assert trials[:8] == plan_trials(planned_shapes(policy(), master(), GRID), codec("h264"))
    assert [(trial.shape.height, trial.crf) for trial in trials[8:]] == [(144, 29), (144, 43), (240, 29), (240, 43)]
    assert all(trial.shape.step == 2 for trial in trials[8:])


def test_a_few_sizes_are_tried_the_smallest_and_the_largest_among_them() -> None:
    sizes = planned_shapes(policy(), master(), GRID)
    trials = plan_trials(sizes, codec("h264"))
    tried = sorted({trial.shape for trial in trials})
    assert len(trials) == 8 and len(tried) == 4
    assert (tried[0], tried[-1]) == (sizes[0], sizes[-1])
    assert [trial.crf for trial in trials[:2]] == [29, 43] and [trial.crf for trial in trials[-2:]] == [22, 31]


def test_one_size_is_tried_twice() -> None:
    assert [trial.crf for trial in plan_trials((Shape(160, 90),), codec("h264"))] == [29, 43]


def test_candidates_are_of_every_size_and_never_above_their_cap() -> None:
    studied = title()
    offers = candidate_offers(studied, planned_shapes(policy(), master(), GRID), OURS.audio, codec="h264")
    assert {offer.allocation.shape.height for offer in offers} == {144, 180, 240, 288, 360, 432, 540, 576, 648, 720}
    for offer in offers:
        assert offer.allocation.peak_bps <= offer.allocation.cap_bps * (1 + 1e-9)


def test_a_static_ladder_gives_its_own_rates_where_the_title_takes_them() -> None:
    studied = title()
    offers = static_offers(studied, STATIC, master())
    assert [offer.name for offer in offers] == ["v070", "v110", "v170", "v260", "v400", "v650", "v1000", "v1600"]
    low = offers[0]
    assert low.allocation.mean_bps <= 70e3 and low.allocation.peak_bps <= 87.5e3 * (1 + 1e-9)
    assert low.declared_bps == pytest.approx(low.allocation.peak_bps + 24e3 + container_bps(studied.grid))


def test_the_sound_takes_a_fifth_at_most_but_there_is_always_one() -> None:
    assert sound_bps(OURS.audio, 60e3) == 16e3
    assert sound_bps(OURS.audio, 239e3) == 24e3
    assert sound_bps(OURS.audio, 2e6) == 48e3  # AAC is there for players without Opus


def test_without_opus_the_sound_is_aac() -> None:
    assert sound_bps([rung for rung in OURS.audio if rung.codec == "aac"], 2e6) == 64e3


def test_a_rung_too_coarse_for_its_preset_takes_one_that_can() -> None:
    """AV1's finer presets end at CRF 57, or A and B would not share an init segment."""
    few = candidate_offers(title(), (Shape(256, 144),), OURS.audio, codec="av1")[:1]
    coarse = replace(few[0], allocation=replace(few[0].allocation, crf=np.array([50.0, 58.1, 50, 50, 50, 70])))
    fine = replace(few[0], allocation=replace(few[0].allocation, crf=np.array([50.0, 57, 50, 50, 50, 50])))
    under = replace(policy(), codec="av1", preset="4")
    assert (fitted_rung(fine, under).rung.preset, fitted_rung(coarse, under).rung.preset) == ("4", "6")
    assert fitted_rung(coarse, under).crfs == (50, 58, 50, 50, 50, 63)


def test_the_container_of_a_second_is_its_frames_and_its_segments() -> None:
    """25 pictures of 20 bytes and 50 sounds of 4, and 500 bytes every 2 s."""
    assert container_bps(Grid(fps=Fraction(25), gop_frames=50, frames=300)) == pytest.approx(8 * (25 * 20 + 50 * 4 + 250))


def test_one_point_for_one_dirham_an_hour_at_ten_dirhams_a_gigabyte() -> None:
    """1 bit/s is 450 bytes an hour, 0.0000045 MAD."""
    assert worth_per_bps(1.0, MAROC) == pytest.approx(4.5e-6)


def test_a_preset_that_the_codec_does_not_have_is_said_before_any_work(tools: Tools) -> None:
    with pytest.raises(LadderError, match="h264: has no preset 'hasty'; choose one of ultrafast"):
        study(master(), title().grid, replace(policy(), preset="hasty"), tools=tools, on_progress=lambda _: None)
