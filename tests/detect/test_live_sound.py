"""A live stream whose sound has a playlist of its own: heard beside its pictures, in step with them, and never in their way."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from mediaforge.context import Context
from mediaforge.detect.live.alarms import Kind
from mediaforge.detect.live.hls import Renditions, renditions
from mediaforge.detect.live.mediaclock import begins_at
from mediaforge.detect.live.stream import follow
from mediaforge.detect.live.window import Sounding, Stretch, Window
from mediaforge.detect.sound_spectrum import RATE
from mediaforge.errors import MediaError
from mediaforge.investigate import add_reference
from mediaforge.tools import Tools
from mediaforge.watching import Alarm, watch
from tests.detect.broadcast import Broadcast
from tests.detect.site_of_copies import Site
from tests.detect.sounds import speech

Ffmpeg = Callable[..., None]

FOREIGN_SECONDS, TITLE_SECONDS, TITLE_FROM = 4, 12, 6
PICTURE = "life=size=320x180:rate=12:mold=10:life_color=#00ff00:seed=3"
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
    "12",
    "-bf",
    "0",
)


def raw(path: Path, samples: np.ndarray) -> tuple[str | Path, ...]:
    path.write_bytes(samples.tobytes())
    return "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", path


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Ffmpeg, tools: Tools) -> Context:
    """A state whose one title is 24 s of a voice under pictures that the stream never shows."""
    folder = tmp_path_factory.mktemp("state")
    pictures = ("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=12:duration=24")
    ffmpeg(*pictures, *raw(folder / "voice", speech(24, 1)), *CODER, "-c:a", "aac", "-b:a", "96k", folder / "title.mp4")
    found = Context(state=folder / "state", tools=tools)
    add_reference(found, folder / "title.mp4", "atlas")
    return found


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Ffmpeg) -> Path:
    """Pictures in pieces of a second, sound in pieces of two, as TS and as fragments; the title's voice after another one."""
    folder = tmp_path_factory.mktemp("apart")
    title = speech(24, 1)[TITLE_FROM * RATE : (TITLE_FROM + TITLE_SECONDS) * RATE]
    voice = np.concatenate([speech(FOREIGN_SECONDS, 8), title])
    length = FOREIGN_SECONDS + TITLE_SECONDS
    ffmpeg("-f", "lavfi", "-i", f"{PICTURE},trim=duration={length}", *CODER, folder / "picture.mp4")
    ffmpeg(*raw(folder / "voice", voice), "-c:a", "aac", "-b:a", "64k", folder / "sound.mp4")
    for kind, seconds in (("picture", 1), ("sound", 2)):
        cut = ("-i", folder / f"{kind}.mp4", "-c", "copy", "-f", "hls", "-hls_time", str(seconds), "-hls_list_size", "0")
        ffmpeg(*cut, "-hls_segment_filename", folder / f"{kind}%03d.ts", folder / f"{kind}.m3u8")
        fragments = ("-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", f"{kind}-init.mp4")
        ffmpeg(*cut, *fragments, "-hls_segment_filename", folder / f"{kind}%03d.m4s", folder / f"{kind}-mp4.m3u8")
    return folder


@pytest.fixture
def site(stream: Path) -> Iterator[Site]:
    with Site(stream) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def broadcast_of(stream: Path, site: Site, form: Literal["hls", "dash"], ending: str) -> Broadcast:
    inits = (stream / "picture-init.mp4", stream / "sound-init.mp4") if ending == "m4s" else (None, None)
    pictures, sounds = (sorted(stream.glob(f"{kind}[0-9]*.{ending}")) for kind in ("picture", "sound"))
    return Broadcast(site, pictures, init=inits[0], form=form, sounds=sounds, sound_init=inits[1])


@pytest.mark.parametrize(("form", "ending"), [("hls", "ts"), ("hls", "m4s"), ("dash", "m4s")])
def test_a_title_of_which_a_stream_has_the_sound_alone_is_told(
    context: Context, stream: Path, site: Site, form: Literal["hls", "dash"], ending: str
) -> None:
    alarms: list[Alarm] = []
    with broadcast_of(stream, site, form, ending) as broadcast:
        watch(context, broadcast.url, seconds=60.0, allow_hosts=(site.host,), on_alarm=alarms.append)
    told = [alarm.event for alarm in alarms if alarm.event.kind is Kind.ALARM]
    assert [(event.sighting.title, event.sighting.found.by) for event in told] == [("atlas", ("sound",))]
    found = told[0].sighting.found
    assert told[0].sighting.begin == pytest.approx(FOREIGN_SECONDS, abs=1.0)
    # The stream's second at which the title's begins: sound that is laid a piece too early or late is out by two seconds.
    assert told[0].sighting.begin - float(found.reference.start) == pytest.approx(FOREIGN_SECONDS - TITLE_FROM, abs=0.3)


def test_sound_that_cannot_be_fetched_takes_no_picture_away(stream: Path, site: Site) -> None:
    broadcast = broadcast_of(stream, site, "hls", "ts")
    broadcast.every = 0.05
    with broadcast:
        site.redirects["sound.m3u8"] = site.url("nowhere.m3u8")
        pieces = list(follow(broadcast.url, window_seconds=30, seconds=20, allow_hosts=(site.host,)))
    assert [each.is_sound for each in pieces] == [False] * len(broadcast.segments)


def test_sound_at_a_private_address_is_refused(stream: Path, site: Site) -> None:
    with broadcast_of(stream, site, "hls", "ts") as broadcast:
        site.redirects["sound.m3u8"] = "http://169.254.169.254/latest/meta-data"
        with pytest.raises(MediaError, match=r"leads to 169\.254\.169\.254"):
            list(follow(broadcast.url, window_seconds=30, seconds=20, allow_hosts=(site.host,)))


MASTER = "https://tv.example/all.m3u8"


@pytest.mark.parametrize(
    ("sounds", "heard"),
    [
        (['NAME="fr",URI="fr.m3u8"', 'NAME="ar",DEFAULT=YES,URI="ar.m3u8"'], "https://tv.example/ar.m3u8"),
        (['NAME="fr",URI="fr.m3u8"', 'NAME="ar",AUTOSELECT=YES,URI="ar.m3u8"'], "https://tv.example/ar.m3u8"),
        (['NAME="fr",URI="fr.m3u8"', 'NAME="ar",DEFAULT=YES'], None),  # the one that plays lies beside the pictures
        (['NAME="v",URI="v.m3u8"'], None),  # a radio: its variant is its sound
        ([], None),
    ],
)
def test_the_sound_is_the_one_that_plays_unless_someone_chooses(sounds: list[str], heard: str | None) -> None:
    lines = [f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",{each}' for each in sounds]
    other = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="b",NAME="x",DEFAULT=YES,URI="x.m3u8"'
    master = "\n".join(["#EXTM3U", other, *lines, '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"', "v.m3u8", ""])
    assert renditions(master, MASTER) == Renditions(picture="https://tv.example/v.m3u8", sound=heard)


@pytest.mark.parametrize(("kind", "seconds"), [("picture", 1), ("sound", 2)])
@pytest.mark.parametrize("ending", ["ts", "m4s"])
def test_a_piece_says_when_it_begins(stream: Path, kind: str, seconds: int, ending: str) -> None:
    init = (stream / f"{kind}-init.mp4").read_bytes() if ending == "m4s" else b""
    first, third = (begins_at(init, (stream / f"{kind}{number:03}.{ending}").read_bytes()) for number in (0, 2))
    assert first is not None and third is not None
    assert third - first == pytest.approx(2 * seconds, abs=0.1)


def test_packed_audio_says_when_it_begins_in_its_tag() -> None:
    owner = b"com.apple.streaming.transportStreamTimestamp\0"
    tag = b"ID3\4\0\0\0\0\0\x3fPRIV\0\0\0\x35\0\0" + owner + (900_000).to_bytes(8, "big")
    assert begins_at(b"", tag + b"\xff\xf1") == 10.0


@pytest.mark.parametrize(
    "media", [b"", b"\x47", b"\x47" * 188, b"ID3", b"\0" * 100, b"\0\0\0\x10moof\0\0\0\x08traf", b"\xff" * 20]
)
def test_what_says_nothing_of_its_beginning_begins_at_none(media: bytes) -> None:
    assert begins_at(b"", media) is None


def test_sound_lies_where_its_clock_puts_it_whenever_it_comes() -> None:
    window = Window()
    ones = np.ones(2 * RATE, np.int16)
    window.hear(Sounding(clock=101.0, samples=ones))  # before its pictures
    for number in range(2):
        begin, clock = 2.0 * number, 100.0 + 2 * number
        end = begin + 2
        window.add(Stretch(begin=begin, end=end, live_at=0.0, broadcast=None, seen=None, sound=None, clock=clock))
    window.hear(Sounding(clock=103.0, samples=3 * ones))  # after them, and longer than they
    assert window.heard()[RATE // 2 :: RATE].tolist() == [0, 1, 1, 3]
    assert len(window.heard()) == 4 * RATE


def test_sound_without_end_is_not_remembered_without_end() -> None:
    window = Window()
    for number in range(60):
        window.hear(Sounding(clock=10.0 * number, samples=np.zeros(10 * RATE, np.int16)))
    assert sum(len(each.samples) for each in window._sounds) <= 120 * RATE
