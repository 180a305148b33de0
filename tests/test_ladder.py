from pathlib import Path

import pytest

from mediaforge.errors import LadderError
from mediaforge.ladder import FittedRung, Ladder, Mark, Screen, fit_rungs
from mediaforge.ladderfile import load_ladder

SHIPPED = Path(__file__).parent.parent / "ladders" / "maroc-mobile.toml"

TWO_RUNGS = """
[[rung]]
name = "low"
width = 320
height = 180
bitrate_kbps = 100

[[rung]]
name = "high"
width = 640
height = 360
bitrate_kbps = {high}

[[audio]]
name = "aac64"
codec = "aac"
bitrate_kbps = 64
"""


@pytest.fixture
def shipped() -> Ladder:
    return load_ladder(SHIPPED)


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_ladder_reaches_down_to_congested_3g(shipped: Ladder) -> None:
    assert [rung.bitrate_bps // 1000 for rung in shipped.rungs[:5]] == [70, 110, 170, 260, 400]
    assert {target.codec for target in shipped.audio} == {"opus", "aac"}


def test_titles_get_trick_play_unless_the_ladder_says_no(shipped: Ladder, tmp_path: Path) -> None:
    assert shipped.trick_play
    rungs = TWO_RUNGS.format(high=200)
    assert not load_ladder(write(tmp_path, f"trick_play = false\n{rungs}")).trick_play
    with pytest.raises(LadderError, match="trick_play is 'no'; give true or false"):
        load_ladder(write(tmp_path, f'trick_play = "no"\n{rungs}'))


def test_a_ladder_names_the_codecs_that_pass_through(shipped: Ladder, tmp_path: Path) -> None:
    assert shipped.passthrough == ()
    rungs = TWO_RUNGS.format(high=200)
    assert load_ladder(write(tmp_path, f'passthrough = ["ec-3", "ac-3"]\n{rungs}')).passthrough == ("ec-3", "ac-3")
    for wrong in ('["dts"]', '"ec-3"', '["ec-3", "ec-3"]'):
        with pytest.raises(LadderError, match=r"passthrough is .*; give some of"):
            load_ladder(write(tmp_path, f"passthrough = {wrong}\n{rungs}"))


def test_a_ladder_says_on_what_it_is_watched(shipped: Ladder, tmp_path: Path) -> None:
    assert (shipped.screen, load_ladder(SHIPPED.with_name("maroc-tv.toml")).screen) == (Screen.PHONE, Screen.TV)
    with pytest.raises(LadderError, match="screen is 'cinema'; choose one of phone, tv"):
        load_ladder(write(tmp_path, 'screen = "cinema"' + TWO_RUNGS.format(high=300)))


def test_subtitles_are_webvtt_unless_the_ladder_says_more(shipped: Ladder, tmp_path: Path) -> None:
    assert shipped.subtitles == ("wvtt",)
    rungs = TWO_RUNGS.format(high=200)
    assert load_ladder(write(tmp_path, f'subtitles = ["imsc"]\n{rungs}')).subtitles == ("imsc",)
    for wrong in ("[]", '["srt"]', '"imsc"'):
        with pytest.raises(LadderError, match=r"subtitles is .*; give some of .*, as in subtitles = \[.imsc.\]"):
            load_ladder(write(tmp_path, f"subtitles = {wrong}\n{rungs}"))


def test_no_rung_is_larger_than_the_picture(shipped: Ladder) -> None:
    for size in ((1280, 720), (800, 332), (720, 1280), (176, 144), (1920, 1080), (2048, 858), (64, 36)):
        for fitted in fit_rungs(shipped, *size):
            assert fitted.width <= size[0] and fitted.height <= size[1]
            assert fitted.width % 2 == fitted.height % 2 == 0


def test_a_720p_master_gets_no_1080p_rung(shipped: Ladder) -> None:
    fitted = fit_rungs(shipped, 1280, 720)
    assert (fitted[-1].rung.name, fitted[-1].width, fitted[-1].height) == ("v1600", 1280, 720)


def test_a_small_master_keeps_the_rungs_of_the_first_box_that_holds_it(shipped: Ladder) -> None:
    assert [(fitted.rung.name, fitted.width, fitted.height) for fitted in fit_rungs(shipped, 176, 144)] == [("v070", 176, 144)]


def test_wide_film_fills_the_width_and_portrait_turns_the_box(shipped: Ladder) -> None:
    wide = {fitted.rung.name: (fitted.width, fitted.height) for fitted in fit_rungs(shipped, 2048, 858)}
    assert wide["v400"] == (640, 268)
    portrait = {fitted.rung.name: (fitted.width, fitted.height) for fitted in fit_rungs(shipped, 720, 1280)}
    assert portrait["v400"] == (360, 640)


def test_hd_has_its_own_key(shipped: Ladder) -> None:
    labels = {fitted.rung.name: fitted.label for fitted in fit_rungs(shipped, 1280, 720)}
    assert labels["v650"] == "SD" and labels["v1600"] == "HD"


@pytest.mark.parametrize(
    ("width", "height", "label"),
    [(768, 576, "SD"), (770, 576, "HD"), (1920, 1080, "HD"), (2048, 1080, "UHD1"), (4096, 2160, "UHD1"), (7680, 4320, "UHD2")],
)
def test_the_label_goes_by_pixels(shipped: Ladder, width: int, height: int, label: str) -> None:
    assert FittedRung(rung=shipped.rungs[0], width=width, height=height).label == label


def test_a_rung_out_of_order_is_named(tmp_path: Path) -> None:
    with pytest.raises(LadderError, match="rung 2: 90 kbit/s is not above rung 1; order rungs from low to high") as caught:
        load_ladder(write(tmp_path, TWO_RUNGS.format(high=90)))
    assert caught.value.rung == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no [[rung]] tables"),
        ("rung = 3", "has no [[rung]] tables"),
        ("[[rung", "is not TOML"),
        (TWO_RUNGS.format(high='"fast"'), "bitrate_kbps is 'fast'"),
        (TWO_RUNGS.format(high=200).replace('"high"', '"low"'), "the name 'low' stands twice"),
        (TWO_RUNGS.format(high=200).replace('"high"', '"../x"'), "must be ASCII letters"),
        (TWO_RUNGS.format(high=200).replace('codec = "aac"', 'codec = "mp3"'), "choose one of opus, aac"),
        (TWO_RUNGS.format(high=200).split("[[audio]]")[0], "has no [[audio]] tables"),
    ],
)
def test_what_is_wrong_with_a_ladder_is_said(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(LadderError) as caught:
        load_ladder(write(tmp_path, text))
    assert sentence in str(caught.value)


def test_a_missing_ladder_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LadderError, match="ladder list"):
        load_ladder(tmp_path / "none.toml")


TWO_CODECS = """
[plan]
network = "maroc-2025"
codec = {codec}
{preset}
boxes = [[256, 144], [640, 360]]
most_rungs = 4
floor_kbps = 120

[[audio]]
name = "opus24"
codec = "opus"
bitrate_kbps = 24
"""


def test_each_codec_of_a_policy_has_a_ladder_of_its_own(tmp_path: Path) -> None:
    ladder = load_ladder(write(tmp_path, TWO_CODECS.format(codec='["h264", "av1"]', preset="")))
    alone = ladder.by_codec
    assert [(one.policy.codec, one.policy.preset) for one in alone if one.policy] == [("h264", "slow"), ("av1", "4")]
    assert all(one.also == () and one.audio == ladder.audio for one in alone)
    single = load_ladder(write(tmp_path, TWO_CODECS.format(codec='"h264"', preset='preset = "fast"')))
    assert single.by_codec == (single,)


@pytest.mark.parametrize(
    ("codec", "preset"),
    [('["h264", "h264"]', ""), ("[]", ""), ('["h264", "av1"]', 'preset = "slow"'), ('"h264"', 'preset = ["slow", "4"]')],
)
def test_codecs_and_presets_go_together(tmp_path: Path, codec: str, preset: str) -> None:
    with pytest.raises(LadderError, match="codec and preset do not go together; give one of each"):
        load_ladder(write(tmp_path, TWO_CODECS.format(codec=codec, preset=preset)))


def test_the_screener_asks_for_a_pattern_and_others_for_what_is_measured(shipped: Ladder, tmp_path: Path) -> None:
    assert [rung.mark for rung in load_ladder(SHIPPED.with_name("screener.toml")).rungs] == [Mark.PATTERN]
    assert {rung.mark for rung in shipped.rungs} == {Mark.MEASURED}
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(
        SHIPPED.read_text(encoding="utf-8").replace('name = "v070"', 'name = "v070"\nmark = "ink"'), encoding="utf-8"
    )
    with pytest.raises(LadderError, match="mark is 'ink'; choose one of measured, pattern"):
        load_ladder(wrong)
