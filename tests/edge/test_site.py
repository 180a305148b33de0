from pathlib import Path

import pytest

from mediaforge.edge.site import Site, find_file
from mediaforge.package.layout import INIT, PLAYLIST, segment_name

SITE = Site(
    title="atlas",
    folder=Path(),
    manifests=frozenset({"manifest.mpd"}),
    marked={"video/360p": "b/video/360p"},
    shared=frozenset({"audio/fr-aac64"}),
    heads=frozenset({INIT, PLAYLIST}),
)


def test_a_segment_is_the_variant_of_its_letter() -> None:
    found = [find_file(SITE, f"video/360p/{segment_name(number)}", "ABBA") for number in range(1, 6)]
    assert found == ["video/360p/1.m4s", "b/video/360p/2.m4s", "b/video/360p/3.m4s", "video/360p/4.m4s", None]


@pytest.mark.parametrize("wanted", ["manifest.mpd", "video/360p/init.mp4", "video/360p/media.m3u8", "audio/fr-aac64/9.m4s"])
def test_what_is_not_marked_is_the_same_for_all(wanted: str) -> None:
    assert find_file(SITE, wanted, "BBBB") == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "/",
        "video",
        "video/360p",
        "video/360p/",
        "b/video/360p/1.m4s",
        "mediaforge.json",
        "video/720p/1.m4s",
        "video/360p/0.m4s",
        "video/360p/01.m4s",
        "video/360p/1xm4s",
        "video/360p/1.M4S",
        "video/360p/1.m4s\n",
        "video/360p/-1.m4s",
        "video/360p/٢.m4s",
        "video/360p/99999999999999999999.m4s",
        "video/360p/manifest.mpd",
        "video/360p/../360p/1.m4s",
        "video//360p/1.m4s",
        "./manifest.mpd",
    ],
)
def test_nothing_else_has_an_address(wanted: str) -> None:
    assert find_file(SITE, wanted, "AAAA") is None
