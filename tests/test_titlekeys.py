"""The keys that a release names a source for."""

from dataclasses import replace
from pathlib import Path

import pytest

from mediaforge import plan as planning
from mediaforge.cli.shipped import find_ladder
from mediaforge.context import Context
from mediaforge.errors import KeySourceError
from mediaforge.ladderfile import load_ladder
from mediaforge.package.record import Scheme
from mediaforge.plan import Request, load_plan, plan_release, write_request
from mediaforge.titlekeys import possible_labels
from mediaforge.tools import Tools

SEED = 'kind = "playready-seed"\nseed = "XVBovsmzhP9gRIZxWfFta3VVRPzVEWmJsazEJ46I"\n'


@pytest.fixture
def context(tmp_path: Path, tools: Tools) -> Context:
    return Context(state=tmp_path / "state", tools=tools)


@pytest.fixture
def request_(clip: Path, tmp_path: Path) -> Request:
    source = tmp_path / "source.toml"
    source.write_text(SEED)
    source.chmod(0o600)
    (tmp_path / "state").mkdir()
    return Request(
        title="film",
        name="film",
        master=clip,
        ladder=load_ladder(find_ladder("maroc-mobile")),
        scheme=Scheme.CBCS,
        systems=(),
        watermark=False,
        audio=(),
        subtitles=(),
        to=str(tmp_path / "to"),
        keys=source,
    )


@pytest.mark.parametrize(
    ("ladder", "size", "labels"),
    [
        ("maroc-mobile", (640, 360), ("AUDIO", "SD")),
        ("maroc", (640, 360), ("AUDIO", "SD")),
        ("maroc", (1920, 1080), ("AUDIO", "SD", "HD")),
        ("maroc-av1", (1080, 1920), ("AUDIO", "SD", "HD")),
    ],
)
def test_keys_are_asked_for_every_label_that_the_ladder_may_give(
    ladder: str, size: tuple[int, int], labels: tuple[str, ...]
) -> None:
    found = load_ladder(find_ladder(ladder))
    assert possible_labels(found, width=size[0], height=size[1], has_sound=True) == labels
    assert possible_labels(found, width=size[0], height=size[1], has_sound=False) == labels[1:]


def test_a_plan_brings_the_keys_in_and_a_second_one_the_same(context: Context, request_: Request) -> None:
    release_id = write_request(context, request_)
    plan_release(context, release_id)
    store = context.keys
    keys = store.present_keys("film")
    assert [key.label for key in keys] == ["AUDIO", "SD"]
    records = store.keys()
    assert {row.origin for row in records} == {"playready-seed"}
    plan_release(context, release_id)
    assert store.present_keys("film") == keys
    assert load_plan(context, release_id).request.keys == request_.keys


def test_a_source_that_fails_leaves_no_plan_and_studies_nothing(
    context: Context, request_: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def study(*_: object, **__: object) -> None:
        pytest.fail("rungs were chosen, which takes trial encodes, before the keys were there")

    monkeypatch.setattr(planning, "_rungs", study)
    broken = tmp_path / "keys.xml"
    broken.write_text("<CPIX/>")
    release_id = write_request(context, replace(request_, keys=broken))
    with pytest.raises(KeySourceError):
        plan_release(context, release_id)
    assert not (context.release_folder(release_id) / "plan.json").exists()


def test_in_clear_nobody_is_asked(context: Context, request_: Request) -> None:
    plan_release(context, write_request(context, replace(request_, scheme=Scheme.NONE)))
    store = context.keys
    assert store.keys() == ()
