"""The judge: sessions whose every second can be done by hand, laws that hold for all, and the closed form against it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from mediaforge.transcode.expect import expect
from mediaforge.transcode.network import Price, load_network
from mediaforge.transcode.players import Rule
from mediaforge.transcode.sessions import Sessions, draw_sessions, make_sessions
from mediaforge.transcode.simulate import Report, Track, simulate

MAROC = load_network(Path(__file__).parents[2] / "ladders" / "networks" / "maroc-2025.toml")


def track(kbps: float, vmaf: float, *, sizes: Sequence[float] = (1.0,), segment_seconds: float = 4.0) -> Track:
    """A rung whose segments are these multiples of its declared rate."""
    bits = kbps * 1000 * segment_seconds * np.array(sizes)
    return Track(name=f"{kbps:g}", declared_bps=kbps * 1000, segment_bits=bits, segment_vmaf=np.full(len(bits), vmaf))


def constant(*rates_bps: float, round_trip_s: float = 0.0) -> Sessions:
    return make_sessions(np.repeat(np.array(rates_bps)[:, None], 60, axis=1), np.full(len(rates_bps), round_trip_s))


def test_half_the_throughput_plays_without_a_stall() -> None:
    """2 Mbit a segment at 1 Mbit/s: 2 s each, and 0.1 s a request; the connection takes four more round trips."""
    report = simulate([track(500, 80)], constant(1e6, round_trip_s=0.1), segment_seconds=4.0, content_seconds=40.0)
    assert report.start_seconds == pytest.approx([2.5])
    assert (report.stall_ratio, report.smooth_share, report.switches_per_minute) == (0, 1, 0)
    assert report.bits == pytest.approx([20e6])
    assert report.played_seconds == pytest.approx([40])
    assert report.mean_vmaf == pytest.approx(80)
    assert report.gigabytes_per_hour == pytest.approx(0.225)
    assert report.price_per_hour(Price(currency="MAD", per_gigabyte=10)) == pytest.approx(2.25)


def test_a_little_too_slow_stalls_a_second_a_segment() -> None:
    """2 Mbit at 0.4 Mbit/s take 5 s and last 4."""
    report = simulate([track(500, 80)], constant(400e3), segment_seconds=4.0, content_seconds=40.0)
    assert report.start_seconds == pytest.approx([5])
    assert report.stalls.tolist() == [9]
    assert report.stalled_seconds == pytest.approx([9])
    assert report.stall_ratio == pytest.approx(9 / 49)
    assert report.smooth_share == 0
    assert report.mean_vmaf == pytest.approx(80)


def test_who_waits_longer_than_he_sees_leaves_after_a_minute_and_the_rest_counts_nothing() -> None:
    """2 Mbit at 90 kbit/s take 22.2 s: two segments seen by second 60, when the third is on its way."""
    report = simulate([track(500, 80)], constant(90e3), segment_seconds=4.0, content_seconds=40.0)
    assert report.left.tolist() == [True]
    assert report.start_seconds == pytest.approx([2e6 / 90e3])
    assert report.played_seconds == pytest.approx([8])
    assert report.start_seconds + report.played_seconds + report.stalled_seconds == pytest.approx([60])
    assert report.mean_vmaf == pytest.approx(80 * 8 / 40)
    assert report.bits == pytest.approx([60 * 90e3])


def test_who_sees_more_than_he_waits_stays_and_who_sees_now_stays() -> None:
    """4 s last 8.3 s at 240 kbit/s and 6.7 at 300; whoever waited 55 s but then has all he needs does not leave at 60."""
    ladder = [track(500, 80)]
    report = simulate(ladder, constant(240e3, 300e3), segment_seconds=4.0)
    assert report.left.tolist() == [True, False]
    late = make_sessions(np.array([[2e6 / 55] * 55 + [2e6] * 1000]), np.zeros(1))
    report = simulate(ladder, late, segment_seconds=4.0)
    assert (report.left.tolist(), report.start_seconds.tolist()) == ([False], [pytest.approx(55)])


def test_a_session_that_never_starts_counts_nothing() -> None:
    report = simulate([track(500, 80)], constant(10e3), segment_seconds=4.0, content_seconds=40.0)
    assert (report.mean_vmaf, report.start_seconds.tolist(), report.played_seconds.tolist()) == (0, [60], [0])
    assert report.stall_ratio == 0


def test_buffer_is_never_above_its_limit() -> None:
    """Cut off after 100 s, a viewer sees what was there: 30 s more."""
    cut_off = make_sessions(np.array([[50e6] * 100 + [1e3] * 10000]), np.zeros(1))
    report = simulate([track(500, 80)], cut_off, segment_seconds=4.0, content_seconds=400.0)
    assert report.played_seconds[0] == pytest.approx(100 + 30, abs=4)


def test_a_doomed_request_is_abandoned_for_the_lowest_rung() -> None:
    """8 s at 4 Mbit/s, then 150 kbit/s: 4 Mbit would take 27 s; without abandoning, a 12 s stall."""
    falls = make_sessions(np.array([[4e6] * 3 + [150e3] * 300]), np.zeros(1))
    report = simulate([track(100, 40), track(1000, 90)], falls, segment_seconds=4.0, content_seconds=60.0)
    assert report.stalled_seconds[0] < 4
    assert report.bits[0] > report.rung_share @ [100e3, 1000e3] * 60 + 1


def test_a_short_title_is_played_again_and_again() -> None:
    short = simulate([track(500, 80, sizes=(0.5, 1.5))], constant(2e6), segment_seconds=4.0, content_seconds=40.0)
    assert short.bits == pytest.approx([20e6])


@pytest.mark.parametrize("rule", list(Rule))
def test_a_faster_network_never_sees_less(rule: Rule) -> None:
    ladder = [track(100, 30), track(200, 50), track(500, 75), track(1000, 90)]
    rates = np.geomspace(20e3, 20e6, 120)
    report = simulate(ladder, constant(*rates), rule=rule, segment_seconds=4.0)
    assert np.all(np.diff(report.vmaf) > -1.0)  # by one segment's share a switch may come later
    assert report.vmaf[-1] > 89.0


@pytest.mark.parametrize("rule", list(Rule))
def test_time_and_bits_are_all_accounted_for(rule: Rule) -> None:
    report = simulate(
        [track(100, 30), track(400, 60), track(2000, 92)],
        draw_sessions(MAROC, np.random.default_rng(2)),
        rule=rule,
        segment_seconds=4.0,
    )
    stayed = ~report.left
    assert report.played_seconds[stayed] == pytest.approx(600)
    assert np.all(report.played_seconds[report.left] <= 600)
    gone = report.start_seconds + report.played_seconds + report.stalled_seconds
    assert np.all(gone[report.left] >= 60 - 1e-9)
    assert report.rung_share.sum() == pytest.approx(1)
    assert np.all(report.vmaf <= 92) and np.all(report.vmaf >= 0)
    assert np.all(report.bits >= 0.99 * 100e3 * report.played_seconds)


def test_one_seed_gives_one_report() -> None:
    def once() -> Report:
        return simulate([track(100, 30), track(900, 90)], draw_sessions(MAROC, np.random.default_rng(9)), segment_seconds=2.0)

    assert np.array_equal(once().vmaf, once().vmaf)


# Rates of pictures and of sound (kbit/s), VMAF on a phone: shaka-streamer's ladder, a dense one and a sparse one.
LADDERS = {
    "shaka": ((108, 242, 400, 1000, 1500, 2000), 128, (20, 45, 62, 85, 91, 94)),
    "dense": ((70, 110, 170, 260, 400, 650, 1000, 1600, 2600, 4200), 32, (13, 22, 34, 48, 62, 76, 85, 92, 95, 97)),
    "sparse": ((145, 365, 730, 2000), 64, (30, 60, 79, 94)),
}


@pytest.mark.parametrize("name", LADDERS)
@pytest.mark.parametrize(("variation", "filled"), [(0.0, 1.0), (0.3, 0.9), (0.5, 0.75)])
def test_the_closed_form_agrees_with_the_judge(name: str, variation: float, filled: float) -> None:
    """Within 1.5 VMAF and 3 % of the bytes, for constant segments and for those of a capped constant quality."""
    video, sound, vmaf = LADDERS[name]
    sizes = np.random.default_rng(5).lognormal(0, np.sqrt(np.log1p(variation**2)), 150)
    for _ in range(40):  # no segment above 1.1 of the declared rate, and their mean as asked
        sizes = np.minimum(sizes * filled / sizes.mean(), 1.1)
    tracks = [track(kbps + sound, score, sizes=sizes) for kbps, score in zip(video, vmaf, strict=True)]
    judged = simulate(tracks, draw_sessions(MAROC, np.random.default_rng(1)), segment_seconds=4.0)
    declared = [one.declared_bps for one in tracks]
    predicted = expect(MAROC, declared, mean_bps=[one.segment_bits.mean() / 4 for one in tracks], vmaf=vmaf)
    assert predicted.vmaf == pytest.approx(judged.mean_vmaf, abs=1.5)
    assert predicted.delivered_bps == pytest.approx(judged.delivered_bps, rel=0.03)
