"""`ladder plan` on tiny pictures: the keys of the contract, the study that is kept, the sentences of what cannot be."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mediaforge.cli.ladder_plan import PLANNED_LADDER, STATIC_LADDER
from mediaforge.cli.main import run
from mediaforge.cli.shipped import find_ladder, reference_ladders, shipped_ladders
from mediaforge.ladderfile import load_ladder

FFmpeg = Callable[..., None]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, ffmpeg: FFmpeg) -> Path:
    path = tmp_path_factory.mktemp("media") / "clip.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:r=10:d=4", "-c:v", "libx264", path)
    return path


def answer(capsys: pytest.CaptureFixture[str], master: Path, state: Path, *more: str) -> dict[str, object]:
    assert run(["ladder", "plan", str(master), "--state", str(state), "--sessions", "20", "--json", *more]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def refusal(capsys: pytest.CaptureFixture[str], master: Path, state: Path, *more: str) -> tuple[int, str]:
    code = run(["ladder", "plan", str(master), "--state", str(state), *more])
    return code, capsys.readouterr().err.splitlines()[-1]


def test_the_plan_has_the_keys_of_the_contract(clip: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, clip, state)
    assert found["ok"] and found["network"] == "maroc-2025" and found["ladder"] == PLANNED_LADDER
    rungs: list[dict[str, float]] = found["rungs"]  # type: ignore[assignment]
    keys = {"name", "codec", "width", "height", "fps", "bitrate_bps", "max_bitrate_bps", "vmaf"}
    assert all(keys <= set(rung) for rung in rungs)
    assert all(rung["bitrate_bps"] <= rung["max_bitrate_bps"] < rung["declared_bps"] and rung["fps"] == 10 for rung in rungs)
    expected: dict[str, float] = found["expected"]  # type: ignore[assignment]
    assert {"vmaf", "vmaf_p10", "stall_ratio", "gb_per_hour", "mad_per_hour"} <= set(expected)
    assert expected["mad_per_hour"] == pytest.approx(10 * expected["gb_per_hour"], abs=0.001)
    assert sum(rung["viewers"] for rung in rungs) + expected["seeing_nothing"] == pytest.approx(1, abs=0.001)
    assert list(found["compared"]) == ["maroc-mobile", "apple", "shaka-streamer"]  # type: ignore[call-overload]
    sounds = [one.name for one in load_ladder(find_ladder(PLANNED_LADDER)).audio]
    assert [one["name"] for one in found["audio"]] == sounds  # type: ignore[attr-defined]


def test_the_same_question_has_the_same_answer_and_looks_once(
    clip: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = answer(capsys, clip, state)
    studies = sorted((state / "steps" / "refs").iterdir())
    assert answer(capsys, clip, state) == first
    answer(capsys, clip, state, "--network", "maroc-2024")
    answer(capsys, clip, state, "--ladder", STATIC_LADDER)
    assert sorted((state / "steps" / "refs").iterdir()) == studies


def test_a_static_ladder_is_judged_as_it_is(clip: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planned, static = answer(capsys, clip, state), answer(capsys, clip, state, "--ladder", STATIC_LADDER)
    assert static["expected"] == planned["compared"][STATIC_LADDER]  # type: ignore[index]
    assert [rung["name"] for rung in static["rungs"]] == ["v070", "v110"]  # type: ignore[attr-defined]
    assert STATIC_LADDER not in static["compared"]  # type: ignore[operator]


def test_progress_is_told_as_json_and_ends_once(clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["ladder", "plan", str(clip), "--state", str(tmp_path / "own"), "--sessions", "20", "--progress", "json"]
    assert run(arguments) == 0
    notes = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    shares = [note["overall"] for note in notes]
    assert shares == sorted(shares) and shares[-1] == 1
    assert [note["event"] for note in notes].count("finished") == 1 and len(notes) > 3


def test_people_read_a_table_and_three_sentences(clip: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ladder", "plan", str(clip), "--state", str(state), "--sessions", "20"]) == 0
    said = capsys.readouterr().out
    assert "rung" in said and "viewers" in said
    assert "A viewer gets VMAF" in said and "MAD" in said and "Against maroc-mobile: VMAF" in said


def test_a_black_title_is_one_rung(tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str], ffmpeg: FFmpeg) -> None:
    black = tmp_path / "black.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=black:s=96x54:r=10:d=4", "-c:v", "libx264", black)
    found = answer(capsys, black, state)
    assert len(found["rungs"]) == 1  # type: ignore[arg-type]
    assert found["expected"]["vmaf"] > 95 and found["expected"]["seeing_nothing"] == 0  # type: ignore[index]


def test_a_single_frame_gets_a_ladder_all_the_same(
    tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str], ffmpeg: FFmpeg
) -> None:
    one = tmp_path / "one.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=96x54:r=25", "-frames:v", "1", "-c:v", "libx264", one)
    found = answer(capsys, one, state)
    assert found["rungs"] and found["kept"]["floor_bps"] >= 120_000  # type: ignore[index]


def test_sound_alone_is_no_master(tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str], ffmpeg: FFmpeg) -> None:
    sound = tmp_path / "sound.m4a"
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", sound)
    code, said = refusal(capsys, sound, state)
    assert code == 3 and "has no picture" in said


def test_a_ladder_that_no_session_can_play_is_said_before_any_work(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = find_ladder(STATIC_LADDER).read_text()
    lavish = tmp_path / "lavish.toml"
    head, audio = text[: text.index("[[rung]]")], text[text.index("[[audio]]") :]
    lavish.write_text(head + '[[rung]]\nname = "huge"\nwidth = 320\nheight = 180\nbitrate_kbps = 900000\n\n' + audio)
    code, said = refusal(capsys, clip, tmp_path / "state", "--ladder", str(lavish))
    assert code == 3 and "no session of network maroc-2025 can play its lowest rung (900000 kbit/s" in said
    assert not (tmp_path / "state" / "steps").exists()


def test_a_network_whose_percentiles_fall_is_refused(clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    falling = tmp_path / "falling.toml"
    falling.write_text("description = 'a'\n[throughput]\npercent = [10, 50, 90]\nkbps = [500, 400, 900]\n")
    code, said = refusal(capsys, clip, tmp_path / "state", "--network", str(falling))
    assert code == 3 and "percentiles never fall" in said


def test_reference_ladders_are_whole_and_not_offered_for_releases() -> None:
    assert [path.stem for path in reference_ladders()] == ["apple", "shaka-streamer"]
    assert not {path.stem for path in shipped_ladders()} & {"apple", "shaka-streamer"}
    apple, shaka = (load_ladder(path) for path in reference_ladders())
    assert [rung.bitrate_bps // 1000 for rung in apple.rungs] == [145, 365, 730, 1100, 2000, 3000, 4500, 6000, 7800]
    assert [rung.bitrate_bps // 1000 for rung in shaka.rungs] == [108, 242, 400, 1000, 1500, 2000, 4000]
    assert {rung.max_bitrate_bps / rung.bitrate_bps for rung in (*apple.rungs, *shaka.rungs)} == {2.0}


def test_a_ladder_with_a_policy_is_listed_and_shown_by_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ladder", "list", "--json"]) == 0
    ladders = {one["name"]: one["rungs"] for one in json.loads(capsys.readouterr().out)["ladders"]}
    assert ladders[PLANNED_LADDER] == 8
    assert run(["ladder", "show", PLANNED_LADDER]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Each title gets its own rungs" in said and "for network maroc-2025, out of 256x144" in said
    assert run(["ladder", "show", PLANNED_LADDER, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["policy"]["floor_bps"] == 120_000
