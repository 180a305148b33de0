"""Findings, by hand-made measurements."""

import numpy as np
import pytest

from mediaforge.transcode.qc.finding import USUAL, Finding, Severity
from mediaforge.transcode.qc.judging import judge
from mediaforge.transcode.qc.runs import runs
from mediaforge.transcode.qc.seen import Seen, Stretch
from tests.transcode.qc.values import FPS, SECONDS, seen, sound, video


def found(measured: Seen, *, field_order: str = "progressive") -> dict[str, Finding]:
    return {one.check: one for one in judge(measured, video(field_order=field_order), USUAL)}


def test_nothing_is_found_in_a_good_master() -> None:
    assert found(seen()) == {}


def test_a_run_bridges_short_pauses_and_no_long_ones() -> None:
    mask = np.array([1, 1, 0, 1, 0, 0, 0, 1, 1, 1], dtype=bool)
    assert list(runs(mask, least=3, bridge=1)) == [(0, 4), (7, 10)]
    assert list(runs(mask, least=1)) == [(0, 2), (3, 4), (7, 10)]
    assert list(runs(np.zeros(5, dtype=bool), least=1)) == []


@pytest.mark.parametrize(
    ("start", "end", "severity"),
    [
        (0.0, 9.0, None),  # a head
        (52.0, 60.0, None),  # a tail
        (0.0, 12.0, Severity.NOTICE),
        (20.0, 21.5, None),  # a pause
        (20.0, 23.0, Severity.WARNING),
        (20.0, 31.0, Severity.ERROR),  # a hole
        (0.0, 60.0, Severity.ERROR),  # a whole film
    ],
)
def test_black_is_usual_at_the_ends_and_a_hole_in_the_middle(start: float, end: float, severity: Severity | None) -> None:
    found_here = found(seen(black=(Stretch(start=start, end=end),))).get("black")
    assert (found_here.severity if found_here else None) == severity


def test_black_does_not_count_as_frozen() -> None:
    still = Stretch(start=20.0, end=23.0)
    assert "freeze" in found(seen(frozen=(still,)))
    assert "freeze" not in found(seen(frozen=(still,), black=(still,)))


def test_combs_in_one_order_are_found_where_the_file_says_progressive() -> None:
    fields = np.zeros(FPS * SECONDS)
    fields[500:1000] = 1
    combing = found(seen(fields=fields))["combing"]
    assert (combing.severity, combing.start, combing.end) == (Severity.ERROR, 20.0, 40.0)


def test_stripes_that_look_combed_in_either_order_are_no_combs() -> None:
    fields = np.where(np.arange(FPS * SECONDS) // 45 % 2, 1.0, -1.0)
    assert found(seen(fields=fields)) == {}


def test_a_still_says_nothing_of_fields() -> None:
    assert found(seen(fields=np.full(FPS * SECONDS, np.nan))) == {}


def test_the_file_is_held_to_its_word_on_fields() -> None:
    combed = np.ones(FPS * SECONDS)
    assert found(seen(fields=combed), field_order="tt") == {}
    assert found(seen(fields=combed), field_order="bb")["field_order"].severity is Severity.ERROR
    assert found(seen(), field_order="tt")["combing"].severity is Severity.WARNING


def test_bars_are_what_nearly_every_look_shows() -> None:
    letterbox = np.tile([0.0, 0.0, 0.125, 0.125], (100, 1))
    assert (found(seen(bars=letterbox))["crop"].value, found(seen(bars=letterbox))["crop"].severity) == (25.0, Severity.NOTICE)
    letterbox[::5] = 0  # a fifth of the film fills the frame
    assert "crop" not in found(seen(bars=letterbox))
    stamp = np.full((100, 4), 0.1)
    assert found(seen(bars=stamp))["crop"].severity is Severity.WARNING


def test_silence_is_found_where_it_is_long_and_not_at_an_end() -> None:
    rms = np.full((600, 2), -25.0)
    rms[:80] = rms[200:260] = -90.0
    silence = found(seen(sound=sound(rms=rms)))["silence"]
    assert (silence.severity, silence.start, silence.end) == (Severity.WARNING, 20.0, 26.0)
    assert found(seen(sound=sound(rms=np.full((600, 2), -90.0))))["silence"].severity is Severity.ERROR


def test_loudness_is_a_notice_and_peaks_are_a_warning() -> None:
    measured = found(seen(sound=sound(loudness_lufs=-16.0, true_peak_dbtp=0.5, range_lu=25.0)))
    assert {check: one.severity for check, one in measured.items()} == {
        "loudness": Severity.NOTICE,
        "loudness_range": Severity.NOTICE,
        "true_peak": Severity.WARNING,
    }


def test_full_scale_is_clipped_only_where_it_is_flat() -> None:
    peak, flat = np.full((600, 2), -12.0), np.zeros((600, 2))
    peak[100:105] = 0.0
    assert found(seen(sound=sound(peak=peak, flat=flat))) == {}
    flat[100:105, 1] = 25.0
    clipping = found(seen(sound=sound(peak=peak, flat=flat)))["clipping"]
    assert (clipping.start, clipping.end, clipping.value) == (10.0, 10.5, 0.5)


def test_a_dead_channel_and_an_inverted_one_are_errors() -> None:
    rms = np.full((600, 2), -25.0)
    rms[:, 1] = -120.0
    assert found(seen(sound=sound(rms=rms)))["channel"].severity is Severity.ERROR
    inverted = found(seen(sound=sound(phase=np.full(600, -0.95))))["phase"]
    assert (inverted.severity, inverted.value) == (Severity.ERROR, -0.95)


def test_sound_has_the_length_of_the_picture() -> None:
    assert "sync" not in found(seen(sound=sound(start=0.5)))
    late = found(seen(sound=sound(start=3.0)))["sync"]
    assert (late.severity, late.value) == (Severity.WARNING, 3.0)
    half = {name: np.full((300, 2), -25.0) for name in ("rms", "peak")} | {"flat": np.zeros((300, 2)), "phase": np.ones(300)}
    short = found(seen(sound=sound(**half)))["sync"]
    assert (short.severity, short.start, short.end) == (Severity.ERROR, 30.0, 60.0)


def test_a_silent_film_is_judged_by_its_picture() -> None:
    assert found(seen(sound=None)) == {}
