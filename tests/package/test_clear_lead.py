"""A clear lead: the first segments of every stream in clear, in both variants, and the rest as ever."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mediaforge.checks import failures
from mediaforge.package.assembly import Package
from mediaforge.package.contents import read_contents
from mediaforge.package.plan import PackageRequest
from mediaforge.package.record import Scheme
from mediaforge.package.verify import verify_package
from tests.package import faults

Led = dict[Scheme, Package]


@pytest.fixture(scope="module")
def led(request_: PackageRequest, make_package: Callable[[PackageRequest], Package]) -> Led:
    """A title of four segments, the first two in clear."""
    schemes = (Scheme.CBCS, Scheme.CENC)
    return {scheme: make_package(replace(request_, scheme=scheme, clear_segments=2)) for scheme in schemes}


@pytest.mark.parametrize("scheme", [Scheme.CBCS, Scheme.CENC])
def test_exactly_the_lead_is_in_clear_in_every_stream_and_variant(
    scheme: Scheme, led: Led, request_: PackageRequest, make_package: Callable[[PackageRequest], Package]
) -> None:
    clear = make_package(replace(request_, scheme=Scheme.NONE)).folder
    for _, stream in read_contents(led[scheme].folder).encrypted():
        said = [segment.form.description for segment in stream.segments]
        same = [media(segment.path) == media(clear / stream.folder / segment.path.name) for segment in stream.segments]
        assert (said, same) == ([2, 2, 1, 1], [True, True, False, False])


def media(path: Path) -> bytes:
    """The samples of a segment, without the boxes around them."""
    data = path.read_bytes()
    box = faults.find(data, "mdat")
    assert box is not None
    return data[box.body : box.end]


@pytest.mark.parametrize("scheme", [Scheme.CBCS, Scheme.CENC])
def test_a_package_with_a_clear_lead_decodes_whole(scheme: Scheme, led: Led, key_map: dict[bytes, bytes]) -> None:
    assert failures(verify_package(led[scheme].folder, keys=key_map)) == ()


@pytest.mark.parametrize("scheme", [Scheme.CBCS, Scheme.CENC])
def test_the_key_is_named_where_it_begins_to_be_needed(scheme: Scheme, led: Led) -> None:
    for uri in ("video/v060/media.m3u8", "audio/ary-aac64/media.m3u8"):
        lines = (led[scheme].folder / uri).read_text(encoding="utf-8").splitlines()
        keys = [at for at, line in enumerate(lines) if line.startswith("#EXT-X-KEY")]
        assert keys and lines[keys[0] - 1] == "2.m4s" and lines[keys[-1] + 2] == "3.m4s"
        assert "#EXT-X-DISCONTINUITY" not in lines


def keys_first(folder: Path) -> None:
    path = folder / faults.PLAYLIST
    lines = path.read_text(encoding="utf-8").splitlines()
    keys = [line for line in lines if line.startswith("#EXT-X-KEY")]
    rest = [line for line in lines if line not in keys]
    at = next(at for at, line in enumerate(rest) if line.startswith("#EXTINF"))
    path.write_text("\n".join([*rest[:at], *keys, *rest[at:]]) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("rule", "breaks"),
    [
        ("package.segment.description", faults.text("mediaforge.json", '"clear_segments": 2', '"clear_segments": 3')),
        ("package.segment.description", faults.text("mediaforge.json", '"clear_segments": 2', '"clear_segments": 0')),
        ("package.segment.description", faults.copied("video/v060/2.m4s", "video/v060/3.m4s")),
        ("package.hls.key.place", keys_first),
        ("package.hls.key.place", faults.late_key),
        ("package.hls.numbers", faults.text(faults.PLAYLIST, "2.m4s", "2.m4s\n#EXT-X-DISCONTINUITY")),
        ("package.init.track", faults.replaced(faults.INIT, b"avc1" + bytes(6), b"hvc1" + bytes(6))),
    ],
    ids=[
        "a segment missing",
        "none wanted",
        "one too many",
        "keys too early",
        "keys too early by one",
        "a break",
        "another kind",
    ],
)
def test_a_wrong_clear_lead_is_caught(
    rule: str, breaks: Callable[[Path], object], led: Led, copy_of: Callable[[Package], Path]
) -> None:
    folder = copy_of(led[Scheme.CBCS])
    breaks(folder)
    assert rule in {check.id for check in failures(verify_package(folder, keys=None))}
