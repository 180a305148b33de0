"""What is tried, and what a try must have shown; takes made by hand."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from mediaforge.media import Grid, Variant
from mediaforge.package.cues import Cue
from mediaforge.package.player_cells import (
    Cell,
    Mode,
    Player,
    Seen,
    Take,
    judge,
    plan_cells,
    plan_mix,
    plan_steps,
    rungs_of,
)
from mediaforge.package.record import AudioRecord, PackageRecord, RungRecord, Scheme

RECORD = PackageRecord(
    title="film",
    scheme=Scheme.CBCS,
    systems=(),
    grid=Grid(fps=Fraction(25), gop_frames=48, frames=150),
    rungs=(
        RungRecord(name="low", width=160, height=90, bitrate_bps=60_000, max_bitrate_bps=90_000, label="SD"),
        RungRecord(name="high", width=256, height=144, bitrate_bps=120_000, max_bitrate_bps=180_000, label="SD"),
    ),
    audio=(AudioRecord(name="aac64", language="ar", codec="aac"),),
    text=(),
    variants=(Variant.A, Variant.B),
    digests={},
)
CODECS = {"low": "avc1", "high": "avc1"}
CUES = {"fr": Cue(at=Fraction(2), text="Il était une fois")}
CELL = Cell(player=Player.SHAKA, manifest="manifest.mpd", mode=Mode.PLAIN)
MIX = (Variant.A, Variant.B, Variant.B, Variant.A)
SEEN = Seen(
    step="open",
    at=0.4,
    width=160,
    height=90,
    frames=10,
    dropped=0,
    sound_bytes=100,
    ended=False,
    cue="",
    rungs=((160, 90), (256, 144)),
    version="shaka-player 5",
    errors=(),
)
GOOD = Take(
    cell=CELL,
    seen=(SEEN, replace(SEEN, step="finish", at=6.0, width=256, height=144, frames=20, ended=True)),
    served=(
        ("licence", 200),
        *((f"video/{rung}/{number}.m4s", 200) for rung in ("low", "high") for number in (1, 2, 3, 4)),
    ),
    seconds=5.0,
)


def last(take: Take, **changes: object) -> Take:
    return replace(take, seen=(*take.seen[:-1], replace(take.seen[-1], **changes)))  # type: ignore[arg-type]


def test_every_player_plays_every_manifest_it_reads_in_every_mode() -> None:
    names = [cell.name for cell in plan_cells(RECORD, CODECS)]
    pairs = ("shaka-mpd", "shaka-m3u8", "dashjs-mpd", "hlsjs-m3u8")
    assert names == [f"{pair}-{mode}" for mode in ("plain", "mixed", "wrong-key") for pair in pairs]


def test_a_package_of_several_codecs_is_played_in_each_that_the_browser_decodes() -> None:
    codecs = {"low": "avc1", "high": "av01"}
    cells = plan_cells(RECORD, codecs)
    assert [cell.name for cell in cells[::4]] == [f"shaka-mpd-{codec}-{mode}" for codec in ("avc1", "av01") for mode in Mode]
    assert cells[0].words == "shaka-player, MPD, avc1, variant A"
    assert [rung.name for rung in rungs_of(cells[-1], RECORD, codecs).rungs] == ["high"]
    assert rungs_of(CELL, RECORD, codecs) == RECORD
    assert {cell.codec for cell in plan_cells(RECORD, {"low": "avc1", "high": "hvc1"})} == {"avc1"}


def test_subtitles_are_switched_on_where_they_say_something() -> None:
    assert ("subtitles", ("fr", 2.0, "Il était une fois")) in list(plan_steps(CELL, RECORD, CUES))
    assert "subtitles" not in [name for name, _ in plan_steps(CELL, RECORD, {})]


def test_subtitles_that_are_not_shown_fail_the_cell() -> None:
    shown = replace(GOOD.seen[0], step="subtitles", cue="Il était une fois", frames=15)
    assert judge(replace(GOOD, seen=(GOOD.seen[0], shown, GOOD.seen[1])), RECORD, MIX).ok
    check = judge(replace(GOOD, seen=(GOOD.seen[0], replace(shown, cue=""), GOOD.seen[1])), RECORD, MIX)
    assert "no subtitle was shown" in check.message


def test_only_what_there_is_can_be_mixed_or_have_a_wrong_key() -> None:
    assert {cell.mode for cell in plan_cells(replace(RECORD, variants=(Variant.A,)), CODECS)} == {Mode.PLAIN, Mode.WRONG_KEY}
    assert {cell.mode for cell in plan_cells(replace(RECORD, scheme=Scheme.NONE), CODECS)} == {Mode.PLAIN, Mode.MIXED}


def test_a_mix_holds_both_variants_in_each_pair_and_is_the_same_for_the_same_seed() -> None:
    mix = plan_mix(1001, "film")
    assert len(mix) == 1001
    assert all({mix[at], mix[at + 1]} == {Variant.A, Variant.B} for at in range(0, 1000, 2))
    assert {mix[at : at + 2] for at in range(1, 999, 2)} == {(one, other) for one in Variant for other in Variant}
    assert mix == plan_mix(1001, "film") != plan_mix(1001, "other")


def test_out_of_a_clear_lead_a_viewer_goes_on_and_with_a_wrong_key_looks_behind_it() -> None:
    led = replace(RECORD, clear_segments=1)
    assert ("seek", (1.92 - 0.4, 0.8)) in list(plan_steps(CELL, led, {}))
    assert [name for name, _ in plan_steps(replace(CELL, mode=Mode.WRONG_KEY), led, CUES)] == ["seek"]
    assert list(plan_steps(replace(CELL, mode=Mode.WRONG_KEY), RECORD, CUES)) == []


def test_a_viewer_switches_down_and_up_seeks_and_sees_the_end() -> None:
    steps = [(name, details[0] if details else None) for name, details in plan_steps(CELL, RECORD, {})]
    assert steps == [("choose", "lowest"), ("choose", "highest"), ("seek", 3.0), ("choose", "lowest"), ("finish", None)]


def test_of_a_film_the_beginning_the_middle_and_the_end_are_played() -> None:
    film = replace(RECORD, grid=replace(RECORD.grid, frames=150_000))
    assert [details[0] for name, details in plan_steps(CELL, film, {}) if name == "seek"] == [3000.0, 5996.0]


def test_with_one_rung_there_is_nothing_to_switch() -> None:
    single = replace(RECORD, rungs=RECORD.rungs[:1])
    assert [name for name, _ in plan_steps(CELL, single, {})] == ["seek", "finish"]


def test_a_cell_that_played_to_the_end_passes() -> None:
    check = judge(GOOD, RECORD, MIX)
    assert (check.ok, check.id) == (True, "package.play.shaka-mpd-plain")
    assert "160x90 256x144" in check.message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda take: last(take, ended=False), "did not reach the end"),
        (lambda take: last(take, errors=("error 3016",)), "error 3016"),
        (lambda take: replace(take, fault="chromium: the page crashed"), "the page crashed"),
        (lambda take: last(take, frames=10), "no picture was decoded in step 'finish'"),
        (lambda take: last(take, sound_bytes=0), "no sound was decoded"),
        (lambda take: last(take, rungs=((160, 90),)), "offers 160x90, the package has 160x90 256x144"),
        (lambda take: replace(take, served=(*take.served, ("text/fr/3.m4s", 404))), "text/fr/3.m4s was asked for"),
        (lambda take: replace(take, served=take.served[:5]), "no segment of high"),
    ],
)
def test_a_cell_that_showed_less_fails(change: Callable[[Take], Take], words: str) -> None:
    check = judge(change(GOOD), RECORD, MIX)
    assert not check.ok
    assert words in check.message


def test_a_title_that_is_over_before_its_last_step_has_no_more_pictures_to_show() -> None:
    over = replace(GOOD.seen[1], step="choose")
    assert judge(replace(GOOD, seen=(SEEN, over, replace(over, step="finish"))), RECORD, MIX).ok


def test_a_mix_that_was_not_played_proves_nothing() -> None:
    mixed = replace(GOOD, cell=replace(CELL, mode=Mode.MIXED))
    assert judge(mixed, RECORD, MIX).ok
    assert not judge(mixed, RECORD, (Variant.A,) * 4).ok


REFUSED = replace(
    GOOD, cell=replace(CELL, mode=Mode.WRONG_KEY), seen=(replace(SEEN, frames=0, errors=("PIPELINE_ERROR_DECODE",)),)
)


def test_a_wrong_key_must_be_refused() -> None:
    assert judge(REFUSED, RECORD, MIX).ok
    assert not judge(replace(REFUSED, seen=(SEEN,)), RECORD, MIX).ok


@pytest.mark.parametrize(
    ("served", "words"),
    [
        ((), "before it asked for a licence"),
        ((("licence", 403),), "before it asked"),
        ((("licence", 200),), "before it loaded"),
    ],
)
def test_a_failure_that_no_key_had_part_in_is_no_refusal(served: tuple[tuple[str, int], ...], words: str) -> None:
    check = judge(replace(REFUSED, served=served), RECORD, MIX)
    assert not check.ok
    assert words in check.message


def test_a_browser_that_broke_is_no_refusal() -> None:
    assert not judge(replace(REFUSED, fault="chromium: did not answer"), RECORD, MIX).ok
