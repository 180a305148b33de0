"""A live stream on the site of copies: real segments that appear one after the other, the old ones gone, as HLS or DASH."""

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from tests.detect.site_of_copies import Site

_BEGUN = 990  # DASH: the first segment's time on a clock that began 1,000 s ago


class Broadcast:
    """Every `every` seconds one more of `segments` (each `seconds` long) is on air, the last `kept` of them in the playlist."""

    def __init__(
        self,
        site: Site,
        segments: Sequence[Path],
        *,
        init: Path | None = None,
        form: Literal["hls", "dash"] = "hls",
        seconds: float = 1.0,
        every: float = 0.25,
        kept: int = 20,
        ends: bool = True,
    ) -> None:
        self.site = site
        self.segments = segments
        self.init = init
        self.form = form
        self.seconds = seconds
        self.every = every
        self.kept = kept
        self.ends = ends
        self.on_air_at: list[float] = []  # when each appeared, unix seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        return self.site.url("live.m3u8" if self.form == "hls" else "live.mpd")

    def __enter__(self) -> "Broadcast":
        if self.init is not None:
            self.site.pages["init.mp4"] = self.init.read_bytes()
        self._begun = time.time() - 1000
        self._publish(1)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        for count in range(2, len(self.segments) + 1):
            if self._over.wait(self.every):
                return
            self._publish(count)
        if self.ends and not self._over.wait(self.every):
            self._write(len(self.segments), is_over=True)

    def _publish(self, count: int) -> None:
        self.site.pages[f"piece{count - 1}"] = self.segments[count - 1].read_bytes()
        self.on_air_at.append(time.time())
        self._write(count, is_over=False)

    def _write(self, count: int, *, is_over: bool) -> None:
        first = max(0, count - self.kept)
        write = self._hls if self.form == "hls" else self._dash
        name = "live.m3u8" if self.form == "hls" else "live.mpd"
        self.site.pages[name] = write(first, count, is_over).encode()

    def _hls(self, first: int, end: int, is_over: bool) -> str:
        lines = ["#EXTM3U", f"#EXT-X-TARGETDURATION:{max(1, round(self.seconds))}", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
        if self.init is not None:
            lines.append('#EXT-X-MAP:URI="init.mp4"')
        for number in range(first, end):
            lines += [f"#EXTINF:{self.seconds},", f"piece{number}"]
        return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if is_over else [])]) + "\n"

    def _dash(self, first: int, end: int, is_over: bool) -> str:
        begun = datetime.fromtimestamp(self._begun, UTC).isoformat()
        time_first = _BEGUN + first * self.seconds
        live = f'type="dynamic" availabilityStartTime="{begun}" minimumUpdatePeriod="PT0.5S"'
        over = f'type="static" mediaPresentationDuration="PT{_BEGUN + end * self.seconds}S"'
        return (
            f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" {over if is_over else live}><Period start="PT0S"><AdaptationSet '
            'contentType="video"><SegmentTemplate timescale="1000" initialization="init.mp4" media="piece$Number$" '
            f'startNumber="{first}"><SegmentTimeline><S t="{round(time_first * 1000)}" d="{round(self.seconds * 1000)}" '
            f'r="{end - first - 1}"/></SegmentTimeline></SegmentTemplate><Representation id="v" bandwidth="300000"/>'
            "</AdaptationSet></Period></MPD>"
        )
