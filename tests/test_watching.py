"""A live stream watched from its playlist to the alarm, over a server on this machine."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from mediaforge.context import Context
from mediaforge.detect.live.alarms import Kind
from mediaforge.investigate import add_reference
from mediaforge.tools import Tools
from mediaforge.watching import Alarm, watch
from tests.conftest import REPOSITORY
from tests.detect.broadcast import Broadcast
from tests.detect.site_of_copies import Site

SAMPLE = REPOSITORY / "samples" / "atlas-720p25.mp4"
FOREIGN_SECONDS, TITLE_SECONDS, TITLE_FROM = 5, 9, 22
CODER = (
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-crf",
    "30",
    "-threads",
    "1",
    "-pix_fmt",
    "yuv420p",
    "-g",
    "25",
    "-bf",
    "0",
)


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Callable[..., None]) -> Path:
    """One-second segments as TS and as fragments: a foreign pattern, then the sample from TITLE_FROM on, small and coarse."""
    folder = tmp_path_factory.mktemp("live")
    foreign = f"life=size=320x180:rate=25:mold=10:death_color=#C83232:life_color=#00ff00:seed=3,trim=duration={FOREIGN_SECONDS}"
    graph = (
        f"[0:v]setsar=1,format=yuv420p[a];[1:v]scale=320:180,setsar=1,format=yuv420p,trim=duration={TITLE_SECONDS},"
        "setpts=PTS-STARTPTS[b];[a][b]concat[v]"
    )
    ffmpeg(
        *("-f", "lavfi", "-i", foreign, "-ss", str(TITLE_FROM), "-i", SAMPLE, "-filter_complex", graph, "-map", "[v]", *CODER),
        *("-force_key_frames", "expr:gte(t,n_forced)", "-r", "25", folder / "whole.mp4"),
    )
    cut = ("-i", folder / "whole.mp4", "-c", "copy", "-f", "hls", "-hls_time", "1", "-hls_list_size", "0")
    ffmpeg(*cut, "-hls_segment_filename", str(folder / "%03d.ts"), folder / "ts.m3u8")
    fragments = ("-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "init.mp4")
    ffmpeg(*cut, *fragments, "-hls_segment_filename", str(folder / "%03d.m4s"), folder / "mp4.m3u8")
    return folder


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Callable[..., None], tools: Tools) -> Context:
    """A state whose one title is 40 s of the sample."""
    folder = tmp_path_factory.mktemp("state")
    title = folder / "title.mp4"
    ffmpeg("-i", SAMPLE, "-t", "40", "-an", "-vf", "scale=480:-2", *CODER, title)
    found = Context(state=folder / "state", tools=tools)
    add_reference(found, title, "atlas")
    return found


@pytest.fixture
def site(stream: Path) -> Iterator[Site]:
    with Site(stream) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def watched(context: Context, broadcast: Broadcast, **options: Any) -> list[Alarm]:
    alarms: list[Alarm] = []
    hosts = (broadcast.site.host,)
    watch(context, broadcast.url, allow_hosts=hosts, on_alarm=alarms.append, **{"seconds": 60.0, **options})
    return alarms


@pytest.mark.parametrize(("form", "ending"), [("hls", "ts"), ("hls", "m4s"), ("dash", "m4s")])
def test_a_title_that_begins_in_a_stream_is_told_while_it_runs(
    context: Context, stream: Path, site: Site, form: Literal["hls", "dash"], ending: str
) -> None:
    init = stream / "init.mp4" if ending == "m4s" else None
    with Broadcast(site, sorted(stream.glob(f"[0-9]*.{ending}")), init=init, form=form) as broadcast:
        alarms = watched(context, broadcast)
    assert [alarm.event.kind for alarm in alarms if alarm.event.kind is not Kind.SURER] == [Kind.ALARM, Kind.ENDED]
    sighting, told = alarms[0].event.sighting, alarms[0]
    assert sighting.title == "atlas"
    assert sighting.begin == pytest.approx(FOREIGN_SECONDS, abs=1.0)
    assert float(sighting.found.reference.start) == pytest.approx(TITLE_FROM, abs=1.0)
    assert told.latency_seconds < 60
    # Four seconds are on air in one here, so that what lies behind the edge seems to be longer ago.
    on_air = broadcast.on_air_at[FOREIGN_SECONDS]
    assert told.live_at <= on_air + 1.5
