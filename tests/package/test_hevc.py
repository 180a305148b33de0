"""HEVC renditions made elsewhere: packaged beside H.264, in both variants, and held to what hvc1 needs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mediaforge.checks import failures
from mediaforge.package.assembly import Package
from mediaforge.package.codecs import codec_string
from mediaforge.package.plan import PackageRequest, VideoInput
from mediaforge.package.record import Scheme
from mediaforge.package.verify import verify_package
from tests.package.faults import body, kind, text

# Settings of which no header tells, as in small.py.
DIFFERING = {"a": "psy-rd=2.0", "b": "psy-rd=0.5"}
NAME = "video/v060-hevc"
CONFIG = "moov/trak/mdia/minf/stbl/stsd/*/hvcC"


def make_hevc(ffmpeg: Callable[..., None], folder: Path, like: VideoInput, *, tag: str = "hvc1") -> VideoInput:
    """A rung of the size and label of `like`, in HEVC, in both variants."""
    paths = {variant: folder / f"{tag}-{like.rung}-{variant}.mp4" for variant in DIFFERING}
    for variant, path in paths.items():
        grid = "keyint=48:min-keyint=48:scenecut=0:open-gop=0:pools=1:frame-threads=1:info=0:log-level=error"
        ffmpeg(
            *("-f", "lavfi", "-i", f"testsrc2=size={like.width}x{like.height}:rate=25,noise=alls=12:allf=t:all_seed=7"),
            *("-frames:v", "150", "-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-b:v", "90k"),
            *("-x265-params", f"{grid}:{DIFFERING[variant]}", "-tag:v", tag, "-fflags", "+bitexact"),
            path,
        )
    rate = like.bitrate_bps * 2
    name = f"{like.rung}-hevc"
    return replace(like, rung=name, bitrate_bps=rate, max_bitrate_bps=4 * rate, a=paths["a"], b=paths["b"])


@pytest.fixture(scope="module")
def hevc(ffmpeg: Callable[..., None], request_: PackageRequest, tmp_path_factory: pytest.TempPathFactory) -> PackageRequest:
    rung = make_hevc(ffmpeg, tmp_path_factory.mktemp("hevc"), request_.video[0])
    return replace(request_, video=(*request_.video, rung))


@pytest.fixture(scope="module", params=list(Scheme))
def made(request: pytest.FixtureRequest, hevc: PackageRequest, make_package: Callable[..., Package]) -> Package:
    return make_package(replace(hevc, scheme=request.param))


@pytest.fixture(scope="module")
def one(hevc: PackageRequest, make_package: Callable[..., Package]) -> Package:
    return make_package(hevc)


def test_a_package_with_hevc_holds_and_decodes(made: Package, key_map: dict[bytes, bytes]) -> None:
    checks = verify_package(made.folder, keys=key_map)
    assert [check for check in checks if not check.ok] == []
    assert {f"package.decode.{variant}video.v060-hevc" for variant in ("", "b.")} <= {check.id for check in checks}
    name = codec_string((made.folder / NAME / "init.mp4").read_bytes())
    assert name is not None and name.startswith("hvc1.1.6.L")
    assert f'codecs="{name}"' in made.dash.read_text()
    assert f'CODECS="{name},' in made.hls.read_text()


def test_an_hevc_name_is_that_of_the_packager_and_of_apple() -> None:
    """14496-15, E.3: an example of each part; profiles and constraints that end in zeros say nothing."""
    assert hevc_name("01 01 60000000 900000000000 3c") == "hvc1.1.6.L60.90"
    assert hevc_name("01 22 20000000 b00000000000 99") == "hvc1.2.4.H153.B0"
    assert hevc_name("01 41 60000000 000000000000 5d") == "hvc1.A1.6.L93"


def hevc_name(start: str) -> str | None:
    """The name of a track whose hvcC begins so."""
    config = bytes.fromhex(start) + bytes(10)
    entry = box(b"hvc1", bytes(78) + box(b"hvcC", config))
    data = box(b"stsd", bytes(7) + b"\1" + entry)
    for name in (b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        data = box(name, data)
    return codec_string(data)


def box(name: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + name + content


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("package.init.codec", body(f"{NAME}/init.mp4", CONFIG, 22, b"\0")),
        ("package.init.codec", kind(f"{NAME}/init.mp4", CONFIG, b"free")),
        ("package.dash.codecs", text("manifest.mpd", "hvc1.1.6.L", "hvc1.2.4.L")),
        ("package.hls.codecs", text("master.m3u8", "hvc1.1.6.L", "hvc1.1.6.H")),
    ],
)
def test_what_hvc1_needs_is_held(
    rule: str, change: Callable[[Path], object], one: Package, copy_of: Callable[[Package], Path]
) -> None:
    folder = copy_of(one)
    change(folder)
    assert rule in {check.id for check in failures(verify_package(folder, keys=None))}


def test_hev1_is_refused_with_what_to_do(
    ffmpeg: Callable[..., None], request_: PackageRequest, make_package: Callable[..., Package], tmp_path: Path
) -> None:
    rung = make_hevc(ffmpeg, tmp_path, request_.video[0], tag="hev1")
    made = make_package(replace(request_, video=(*request_.video, rung)))
    found = {check.id: check.message for check in failures(verify_package(made.folder, keys=None))}
    assert "is hev1" in found["package.init.codec"] and "-tag:v hvc1" in found["package.init.codec"]
