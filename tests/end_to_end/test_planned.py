"""A ladder with a policy, of two codecs: plan and release choose the same rungs, and what comes out is what was said."""

from pathlib import Path

import pytest

from tests.end_to_end.conftest import HERE, Answer, call

POLICY = HERE / "planned.toml"
TITLE = "atlas"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("planned") / "state"


@pytest.fixture(scope="module")
def plan(clip: Path, state: Path) -> Answer:
    """Of both codecs behind one another, as a release has them."""
    rungs = []
    for codec in ("h264", "av1"):
        answer = call(state, "ladder", "plan", clip, "--ladder", POLICY, "--codec", codec, "--sessions", "20")
        assert answer.code == 0, answer.talk
        assert {rung["codec"] for rung in answer.data["rungs"]} == {codec}
        rungs += answer.data["rungs"]
    return Answer(code=0, data={"rungs": rungs}, talk="")


@pytest.fixture(scope="module")
def release(clip: Path, state: Path, plan: Answer) -> Answer:
    answer = call(state, "release", clip, "--title", TITLE, "--ladder", POLICY)
    assert answer.code == 0, answer.talk
    return answer


def test_the_release_takes_the_rungs_that_were_planned(plan: Answer, release: Answer) -> None:
    keys = ("name", "codec", "width", "height", "bitrate_bps")
    assert [[rung[key] for key in keys] for rung in plan.data["rungs"]] == [
        [rung[key] for key in keys] for rung in release.data["rungs"]
    ]
    assert 2 <= len(plan.data["rungs"]) <= 6


def test_a_title_is_studied_once_a_codec(state: Path, release: Answer) -> None:
    """The plans' studies and the release's steps are all there is."""
    steps = {step["key"] for step in release.data["steps"]}
    results = {path.stem for path in (state / "steps" / "refs").glob("*.json")}
    assert len(results - steps) == 2


def test_the_manifests_offer_both_codecs(release: Answer) -> None:
    package = Path(release.data["package"])
    for manifest in ("manifest.mpd", "master.m3u8"):
        text = (package / manifest).read_text()
        assert "avc1." in text and "av01." in text


def test_quality_is_certified_near_what_was_promised(plan: Answer, release: Answer) -> None:
    for promised, found in zip(plan.data["rungs"], release.data["rungs"], strict=True):
        assert found["vmaf_low"] <= found["vmaf"] <= found["vmaf_high"]
        assert found["vmaf"] == pytest.approx(promised["vmaf"], abs=8)


def test_no_segment_passes_its_rung_s_rate_by_more_than_a_tenth(release: Answer) -> None:
    rates = [check for check in release.data["checks"] if check["id"].startswith("package.rate.")]
    assert len(rates) == 2 * len(release.data["rungs"])  # both variants
    assert all(check["ok"] for check in rates), rates


def test_check_holds_a_planned_ladder_against_its_floors(clip: Path, state: Path, release: Answer) -> None:
    answer = call(state, "check", clip, "--ladder", POLICY)
    assert answer.code == 0, answer.data["checks"]
