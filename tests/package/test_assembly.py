import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from mediaforge.checks import failures
from mediaforge.errors import CheckError
from mediaforge.media import Grid, Variant
from mediaforge.package.assembly import Package
from mediaforge.package.contents import read_contents
from mediaforge.package.laws.timeline import check_timeline, shown_spans
from mediaforge.package.layout import segment_name
from mediaforge.package.plan import PackageRequest, TrickInput
from mediaforge.package.pssh import WIDEVINE, key_ids
from mediaforge.package.record import Scheme
from mediaforge.package.track import read_track
from mediaforge.package.verify import verify_package
from tests.trees import tree

SCHEMES = (Scheme.CBCS, Scheme.CENC)


def test_the_folder_holds_the_layout_and_nothing_else(packages: dict[Scheme, Package]) -> None:
    numbers = [segment_name(number) for number in range(1, 5)]
    whole = ["init.mp4", "media.m3u8", *numbers]
    expected = {"manifest.mpd", "master.m3u8", "mediaforge.json"}
    for folder in ("video/v060", "video/v120", "trick", "audio/ary-opus24", "audio/ary-aac64", "text/fr"):
        expected |= {f"{folder}/{name}" for name in whole}
    expected |= {f"text/fr/{number}.vtt" for number in range(1, 5)}
    for folder in ("b/video/v060", "b/video/v120"):
        expected |= {f"{folder}/{name}" for name in numbers}
    for scheme in SCHEMES:
        assert set(tree(packages[scheme].folder)) == expected


@pytest.fixture(params=[1, 2], ids=["one core", "two cores"])
def cores(request: pytest.FixtureRequest) -> Iterator[None]:
    """What this process and its children may run on."""
    all_of_them = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(all_of_them)[: request.param])
    yield
    os.sched_setaffinity(0, all_of_them)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.usefixtures("cores")
def test_the_same_request_gives_the_same_bytes(
    scheme: Scheme, request_: PackageRequest, packages: dict[Scheme, Package], make_package: Callable[..., Package]
) -> None:
    again = make_package(replace(request_, scheme=scheme))
    assert tree(again.folder) == tree(packages[scheme].folder)


def test_each_kid_is_named_once_though_cenc_has_a_label_a_stream(packages: dict[Scheme, Package]) -> None:
    for scheme in SCHEMES:
        track = read_track(packages[scheme].folder / "video/v060/init.mp4")
        widevine = next(box for box in track.pssh if box.system == WIDEVINE)
        assert sorted(key_ids(widevine)) == sorted(kid for _, kid in packages[scheme].keys)


def test_edit_lists_survive_so_that_picture_and_sound_begin_at_zero(packages: dict[Scheme, Package]) -> None:
    for _, stream in read_contents(packages[Scheme.CBCS].folder).encrypted():
        # B-frames and encoder delay: there is something to cut off, but of trick play.
        assert (stream.track.edit_start > 0) != (stream.folder == "trick")
        assert next(shown_spans(stream))[0] == 0


def test_variants_that_need_other_headers_are_refused(
    request_: PackageRequest, make_video: Callable[..., Path], make_package: Callable[..., Package], tmp_path: Path
) -> None:
    row = request_.video[0]
    other = make_video(tmp_path / "b.mp4", size="160x90", kbps=60, variant="b", extra=":ref=1:cabac=0")
    with pytest.raises(CheckError, match="same SPS and PPS"):
        make_package(replace(request_, video=(replace(row, b=other),), audio=(), text=()))


def test_a_title_without_sound_text_or_watermark_is_a_whole_package(
    request_: PackageRequest, make_package: Callable[..., Package], key_map: dict[bytes, bytes]
) -> None:
    made = make_package(replace(request_, video=(replace(request_.video[0], b=None),), audio=(), text=()))
    assert made.record.variants == (Variant.A,)
    assert [label for label, _ in made.keys] == ["SD"]
    assert all(check.ok for check in verify_package(made.folder, keys=key_map))


def test_a_package_in_clear_names_no_key(request_: PackageRequest, make_package: Callable[..., Package]) -> None:
    made = make_package(replace(request_, scheme=Scheme.NONE, video=request_.video[:1], audio=request_.audio[:1]))
    assert made.keys == ()
    assert all(check.ok for check in verify_package(made.folder, keys=None))
    assert "ContentProtection" not in made.dash.read_text()
    assert "KEY" not in made.hls.read_text()


@pytest.mark.parametrize(("fps", "gop"), [("24000/1001", 48), ("30000/1001", 60), ("50", 96), ("2398/100", 48)])
def test_every_frame_rate_stays_on_its_grid(
    fps: str,
    gop: int,
    request_: PackageRequest,
    make_video: Callable[..., Path],
    make_trick: Callable[..., Path],
    make_package: Callable[..., Package],
    tmp_path: Path,
) -> None:
    grid = Grid(fps=Fraction(fps), gop_frames=gop, frames=2 * gop + 7)
    path = make_video(tmp_path / "a.mp4", size="64x36", kbps=30, variant="a", grid=grid)
    row = replace(request_.video[0], width=64, height=36, a=path, b=None)
    trick = TrickInput(label="SD", width=64, height=36, path=make_trick(tmp_path / "trick.mp4", size="64x36", grid=grid))
    made = make_package(replace(request_, grid=grid, video=(row,), audio=(), trick=trick))
    contents = read_contents(made.folder)
    assert contents.damage == ()
    assert [check.message for check in check_timeline(contents) if not check.ok] == []


def test_sound_and_text_of_no_known_language_are_offered_without_one(
    request_: PackageRequest, make_package: Callable[..., Package]
) -> None:
    unknown = tuple(replace(row, language="und") for row in request_.audio)
    text = (replace(request_.text[0], language="und"),)
    made = make_package(replace(request_, video=(replace(request_.video[0], b=None),), audio=unknown, text=text))
    assert failures(verify_package(made.folder, keys=None)) == ()
    assert made.hls.read_text().count("DEFAULT=YES") == 2  # one in each group of sound, though none is in a default language
