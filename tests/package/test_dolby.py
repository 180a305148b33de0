"""AC-3 and E-AC-3 beside the stereo of the ladder: whole packages, and what the manifests must say of them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mediaforge.checks import failures
from mediaforge.package.assembly import Package
from mediaforge.package.codecs import channel_count, codec_string
from mediaforge.package.dash import MPD, parse_mpd_tree
from mediaforge.package.hls import attributes
from mediaforge.package.plan import AudioInput, PackageRequest
from mediaforge.package.record import Scheme
from mediaforge.package.verify import verify_package
from tests.package.faults import text

CODECS = {"ac-3": "ac3", "ec-3": "eac3"}


@pytest.fixture(scope="module")
def dolby(ffmpeg: Callable[..., None], request_: PackageRequest, tmp_path_factory: pytest.TempPathFactory) -> PackageRequest:
    """The request with 5.1 in both of Dolby's codecs, and E-AC-3 in stereo in another language."""
    folder = tmp_path_factory.mktemp("dolby")
    sounds = []
    for name, language, layout in (("ac-3", "ary", "5.1"), ("ec-3", "ary", "5.1"), ("ec-3", "fr", "stereo")):
        path = folder / f"{name}-{language}.mp4"
        ffmpeg(
            *("-f", "lavfi", "-i", f"sine=frequency=330:sample_rate=48000:duration={float(request_.grid.duration)}"),
            *("-af", f"aformat=channel_layouts={layout}", "-c:a", CODECS[name], "-b:a", "192k", "-fflags", "+bitexact"),
            path,
        )
        sounds.append(AudioInput(name=name, language=language, codec=name, path=path))
    return replace(request_, audio=(*request_.audio, *sounds))


@pytest.fixture(scope="module", params=list(Scheme))
def made(request: pytest.FixtureRequest, dolby: PackageRequest, make_package: Callable[..., Package]) -> Package:
    return make_package(replace(dolby, scheme=request.param))


def test_a_package_with_dolby_sound_holds_and_decodes(made: Package, key_map: dict[bytes, bytes]) -> None:
    checks = verify_package(made.folder, keys=key_map)
    assert [check for check in checks if not check.ok] == []
    decoded = {check.id for check in checks if check.id.startswith("package.decode.audio.")}
    assert {"package.decode.audio.ary-ac-3", "package.decode.audio.ary-ec-3", "package.decode.audio.fr-ec-3"} <= decoded


def test_manifests_say_how_many_channels_there_are(made: Package) -> None:
    expected = {"ary-opus24": 2, "ary-aac64": 2, "ary-ac-3": 6, "ary-ec-3": 6, "fr-ec-3": 2}
    inits = {name: (made.folder / "audio" / name / "init.mp4").read_bytes() for name in expected}
    assert {name: channel_count(data) for name, data in inits.items()} == expected
    assert [codec_string(inits[name]) for name in ("ary-ac-3", "ary-ec-3")] == ["ac-3", "ec-3"]
    lines = [attributes(line) for line in made.hls.read_text().splitlines() if line.startswith("#EXT-X-MEDIA:TYPE=AUDIO")]
    assert {Path(row["URI"]).parent.name: int(row["CHANNELS"]) for row in lines} == expected
    assert {(row["GROUP-ID"], row["LANGUAGE"]) for row in lines} >= {("ac-3", "ary"), ("ec-3", "ary"), ("ec-3", "fr")}
    root = parse_mpd_tree(made.dash.read_bytes(), name=made.dash)
    said = {
        Path(row.find(f"{MPD}SegmentTemplate").get("initialization")).parent.name: int(
            row.find(f"{MPD}AudioChannelConfiguration").get("value")
        )
        for row in root.iter(f"{MPD}Representation")
        if row.get("mimeType") == "audio/mp4"
    }
    assert said == expected


@pytest.mark.parametrize(
    ("rule", "name", "old", "new"),
    [
        ("package.hls.channels", "master.m3u8", 'CHANNELS="6"', 'CHANNELS="2"'),
        ("package.dash.channels", "manifest.mpd", 'onfiguration" value="6"', 'onfiguration" value="2"'),
        ("package.dash.codecs", "manifest.mpd", 'codecs="ec-3"', 'codecs="ac-3"'),
        ("package.hls.codecs", "master.m3u8", ",ec-3", ",ac-3"),
        ("package.hls.groups", "master.m3u8", 'AUDIO="ec-3"', 'AUDIO="dolby"'),
    ],
)
def test_what_manifests_say_of_dolby_sound_is_held_against_it(
    rule: str, name: str, old: str, new: str, made: Package, copy_of: Callable[[Package], Path]
) -> None:
    folder = copy_of(made)
    text(name, old, new)(folder)
    assert rule in {check.id for check in failures(verify_package(folder, keys=None))}
