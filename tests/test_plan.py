"""What a plan refuses before anything is encoded."""

import dataclasses
from pathlib import Path

import pytest

from mediaforge.context import Context
from mediaforge.errors import LadderError
from mediaforge.ladder import load_ladder
from mediaforge.package.record import Scheme, System
from mediaforge.plan import Request, make_plan
from mediaforge.tools import Tools
from mediaforge.transcode.network import load_network

LADDERS = Path(__file__).parent.parent / "ladders"


def test_a_codec_that_can_only_be_planned_is_not_released(clip: Path, tmp_path: Path, tools: Tools) -> None:
    ladder = load_ladder(LADDERS / "maroc.toml")
    assert ladder.policy is not None
    request = Request(
        title="atlas",
        name="atlas",
        master=clip,
        ladder=dataclasses.replace(ladder, policy=dataclasses.replace(ladder.policy, codec="av1")),
        network=load_network(LADDERS / "networks" / "maroc-2025.toml"),
        scheme=Scheme.CBCS,
        systems=(System.WIDEVINE,),
        watermark=True,
        audio=(),
        subtitles=(),
        to=str(tmp_path / "package"),
    )
    context = Context(state=tmp_path / "state", tools=tools)
    with pytest.raises(LadderError, match="plans av1 rungs, which no release encodes yet; use `ladder plan`"):
        make_plan(request, context, release_id="atlas-1", on_progress=lambda _: None)
