"""What the detect tests share: a leaked clip in two forms, and a web site that shows it."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.detect.site_of_copies import Site


@pytest.fixture(scope="session")
def leak(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Callable[..., None]) -> Path:
    """A folder with the same 4 s as an MP4, as an HLS playlist of two segments, and as DASH."""
    folder = tmp_path_factory.mktemp("leak")
    source = ("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=12:duration=4")
    coder = ("-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-pix_fmt", "yuv420p", "-g", "24")
    ffmpeg(*source, *coder, "-movflags", "+faststart", folder / "clip.mp4")
    ffmpeg(*source, *coder, "-hls_time", "2", "-hls_list_size", "0", folder / "clip.m3u8")
    ffmpeg(*source, *coder, "-f", "dash", "-seg_duration", "2", folder / "clip.mpd")
    return folder


@pytest.fixture
def site(leak: Path) -> Iterator[Site]:
    with Site(leak) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
