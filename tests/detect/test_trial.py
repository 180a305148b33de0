"""A trial of the detector: planned the same each time, encoded for real, resumable; and its command."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner

from mediaforge.cli.main import group
from mediaforge.detect.bench.families import FAMILIES, HELD, TUNED
from mediaforge.detect.bench.queries import MONTAGE, SAME_SET, Clip, draw_marks, earlier_part, plan_queries
from mediaforge.detect.bench.trial import Judged, Line, Plan, figures
from mediaforge.detect.match import Verdict
from mediaforge.detection import ALL_FAMILIES, find_clips, plan_trial, run_trial
from mediaforge.errors import MediaError
from mediaforge.tools import locate_tools

CLIPS = tuple(
    Clip(name=name, path=Path(f"{name}.mp4"), seconds=Fraction(seconds), width=640, height=360)
    for name, seconds in (("atlas", 30), ("rif", 60), ("short", 3))
)


def test_the_same_seed_plans_the_same_queries_whatever_other_clips_there_are() -> None:
    both = plan_queries(CLIPS, FAMILIES, seed=3)
    alone = plan_queries(CLIPS[1:2], FAMILIES, seed=3)
    assert [query for query in both if query.clip == "rif"] == list(alone)
    assert plan_queries(CLIPS, FAMILIES, seed=4) != both


def test_every_family_takes_ten_seconds_from_within_every_clip_that_is_long_enough() -> None:
    planned = plan_queries(CLIPS, ALL_FAMILIES, seed=1, each=2)
    assert len(planned) == 2 * 2 * len(ALL_FAMILIES)
    for query in planned:
        seconds = next(clip.seconds for clip in CLIPS if clip.name == query.clip)
        for truth in query.truths:
            assert 0 <= truth.title.start < truth.title.end <= seconds, query.name
        if query.family in FAMILIES:
            assert query.truths[0].query.seconds == 10, query.name


def test_a_same_set_query_begins_after_the_part_it_is_held_against() -> None:
    for query in plan_queries(CLIPS, [SAME_SET], seed=5, each=5):
        clip = next(clip for clip in CLIPS if clip.name == query.clip)
        assert query.truths[0].title.start >= earlier_part(clip) + 1


def test_a_montage_shows_the_later_piece_first() -> None:
    for query in plan_queries(CLIPS, [MONTAGE], seed=5, each=3):
        later, earlier = query.truths
        assert earlier.title.end <= later.title.start
        assert later.query.end < earlier.query.start


def test_what_was_invented_at_the_end_is_not_among_what_was_tuned_on() -> None:
    assert len(HELD) == 4
    assert not set(HELD) & set(TUNED)


def test_marks_cover_little_of_the_picture() -> None:
    covered = (draw_marks(640, 360, 1)[:, :, 3] > 0).mean()
    assert 0.02 < covered < 0.25


def test_clips_that_share_pictures_are_neither_right_nor_wrong_among_each_other() -> None:
    queries = plan_queries(CLIPS[:2], ["mirror"], seed=1)
    lines = (
        Line(title="atlas", scores=(5.0, 0, 0), verdict=Verdict.MATCH),
        Line(title="rif", scores=(5.0, 0, 0), verdict=Verdict.MATCH),
    )
    judged = [Judged(query=query.name, family="mirror", clip=query.clip, cpu_seconds=1, lines=lines) for query in queries]
    shared = figures(Plan(seed=1, same=(("atlas", "rif"),), queries=queries), judged, CLIPS, ())
    apart = figures(Plan(seed=1, same=(), queries=queries), judged, CLIPS, ())
    assert shared.wrong_verdicts["match"] == 0
    assert apart.wrong_verdicts["match"] == 2


def test_a_query_held_against_two_wrong_titles_is_scanned_once() -> None:
    queries = plan_queries(CLIPS[:2], ["mirror"], seed=1)
    lines = tuple(Line(title=title, scores=(0.0, 0, 0), verdict=Verdict.NONE) for title in ("atlas", "rif", "tafraout"))
    judged = [Judged(query=query.name, family="mirror", clip=query.clip, cpu_seconds=1, lines=lines) for query in queries]
    found = figures(Plan(seed=1, same=(), queries=queries), judged, CLIPS, ())
    assert found.false_positives.hours == pytest.approx(2 * 2 * 10 / 3600)
    assert found.false_positives_scanned.hours == pytest.approx(2 * 10 / 3600)


def test_a_folder_of_one_clip_is_no_trial(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="fewer than two clips"):
        find_clips(tmp_path, locate_tools({}))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Callable[..., None]) -> Path:
    clips = tmp_path_factory.mktemp("clips")
    coder = ("-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-pix_fmt", "yuv420p")
    for number, where in enumerate(("start_x=-0.743:start_y=0.131", "start_x=-0.16:start_y=1.04")):
        zoom = f"mandelbrot=size=256x144:rate=12:{where}:end_scale=0.02:end_pts=150"
        ffmpeg("-f", "lavfi", "-t", "6", "-i", zoom, *coder, clips / f"zoom-{number}.mp4")
    return clips


def test_a_trial_finds_copies_and_goes_on_where_it_stopped(folder: Path, tmp_path: Path) -> None:
    tools = locate_tools({})
    clips = find_clips(folder, tools)
    (tmp_path / "queries").mkdir()
    plan = plan_trial(clips, ["mirror"], seed=1, each=1, same=(), work=tmp_path)
    found = run_trial(clips, plan, tmp_path, tools=tools)
    assert found.recalls["mediaforge"]["mirror"].share == 1
    assert found.recalls["vpdq"]["mirror"].share == 0
    assert found.wrong_verdicts["match"] == 0
    made = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json") if path.name != "plan.json"}
    assert run_trial(clips, plan, tmp_path, tools=tools) == found
    assert {path: path.stat().st_mtime_ns for path in made} == made


def test_the_command_says_what_it_found(folder: Path, tmp_path: Path) -> None:
    words = ["bench", "detect", str(folder), "--work", str(tmp_path), "--families", "crf35", "--json"]
    answer = CliRunner().invoke(group, words)
    assert answer.exit_code == 0, answer.output
    data = json.loads(answer.stdout)
    assert data["recall"]["mediaforge"]["crf35"]["recall"] == 1
    assert data["offset_seconds"]["median"] <= 0.25


def test_an_unknown_family_is_a_usage_error(folder: Path, tmp_path: Path) -> None:
    answer = CliRunner().invoke(group, ["bench", "detect", str(folder), "--work", str(tmp_path), "--families", "tint"])
    assert answer.exit_code == 2
    assert "picture-in-picture" in answer.output
