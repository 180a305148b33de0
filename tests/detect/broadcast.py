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
    """Every `every` seconds one more of `segments` (each `seconds` long) is on air, the last `kept` of them in the playlist.

    `sounds`, each `sound_seconds` long, are on air beside them in a playlist of their own, as soon as they are whole.
    """

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
        sounds: Sequence[Path] = (),
        sound_init: Path | None = None,
        sound_seconds: float = 2.0,
    ) -> None:
        self.site = site
        self.segments = segments
        self.init = init
        self.form = form
        self.seconds = seconds
        self.every = every
        self.kept = kept
        self.ends = ends
        self.sounds = sounds
        self.sound_init = sound_init
        self.sound_seconds = sound_seconds
        self.on_air_at: list[float] = []  # when each appeared, unix seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        return self.site.url("live.m3u8" if self.form == "hls" else "live.mpd")

    def __enter__(self) -> "Broadcast":
        if self.init is not None:
            self.site.pages["init.mp4"] = self.init.read_bytes()
        if self.sound_init is not None:
            self.site.pages["sound-init.mp4"] = self.sound_init.read_bytes()
        self.site.pages |= {f"sound{number}": each.read_bytes() for number, each in enumerate(self.sounds)}
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
        sounds = int(first * self.seconds / self.sound_seconds), self._whole_sounds(count, is_over)
        if self.form == "dash":
            self.site.pages["live.mpd"] = self._dash((first, count), sounds, is_over).encode()
            return
        pictures = self._hls("piece", (first, count), self.seconds, "init.mp4" if self.init else "", is_over).encode()
        if not self.sounds:
            self.site.pages["live.m3u8"] = pictures
            return
        init = "sound-init.mp4" if self.sound_init else ""
        self.site.pages["sound.m3u8"] = self._hls("sound", sounds, self.sound_seconds, init, is_over).encode()
        self.site.pages["pictures.m3u8"] = pictures
        self.site.pages["live.m3u8"] = (
            b'#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="fr",URI="other.m3u8"\n'
            b'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="ar",DEFAULT=YES,AUTOSELECT=YES,URI="sound.m3u8"\n'
            b'#EXT-X-STREAM-INF:BANDWIDTH=300000,RESOLUTION=426x240,AUDIO="a"\npictures.m3u8\n'
        )

    def _whole_sounds(self, count: int, is_over: bool) -> int:
        return len(self.sounds) if is_over else min(len(self.sounds), int(count * self.seconds / self.sound_seconds))

    def _hls(self, name: str, span: tuple[int, int], seconds: float, init: str, is_over: bool) -> str:
        lines = ["#EXTM3U", f"#EXT-X-TARGETDURATION:{max(1, round(seconds))}", f"#EXT-X-MEDIA-SEQUENCE:{span[0]}"]
        lines += [f'#EXT-X-MAP:URI="{init}"'] if init else []
        for number in range(*span):
            lines += [f"#EXTINF:{seconds},", f"{name}{number}"]
        return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if is_over else [])]) + "\n"

    def _dash(self, span: tuple[int, int], sounds: tuple[int, int], is_over: bool) -> str:
        begun = datetime.fromtimestamp(self._begun, UTC).isoformat()
        live = f'type="dynamic" availabilityStartTime="{begun}" minimumUpdatePeriod="PT0.5S"'
        over = f'type="static" mediaPresentationDuration="PT{_BEGUN + span[1] * self.seconds}S"'
        sets = self._set("video", "piece", span, self.seconds, "init.mp4")
        sets += self._set("audio", "sound", sounds, self.sound_seconds, "sound-init.mp4") if sounds[0] < sounds[1] else ""
        return (
            f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" {over if is_over else live}><Period start="PT0S">{sets}</Period></MPD>'
        )

    def _set(self, kind: str, name: str, span: tuple[int, int], seconds: float, init: str) -> str:
        time_first = _BEGUN + span[0] * seconds
        return (
            f'<AdaptationSet contentType="{kind}"><SegmentTemplate timescale="1000" initialization="{init}" '
            f'media="{name}$Number$" startNumber="{span[0]}"><SegmentTimeline>'
            f'<S t="{round(time_first * 1000)}" d="{round(seconds * 1000)}" r="{span[1] - span[0] - 1}"/>'
            f'</SegmentTimeline></SegmentTemplate><Representation id="{kind}" bandwidth="300000"/></AdaptationSet>'
        )
