import json
import random
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mediaforge.checks import Level, failures
from mediaforge.errors import MediaError
from mediaforge.media import Variant
from mediaforge.package.assembly import Package
from mediaforge.package.contents import read_contents
from mediaforge.package.laws.decoding import check_decoding
from mediaforge.package.laws.rates import check_rates
from mediaforge.package.record import Scheme, load_record, save_record
from mediaforge.package.verify import verify_package

SCHEMES = (Scheme.CBCS, Scheme.CENC)


def failed(folder: Path, keys: dict[bytes, bytes] | None = None) -> dict[str, str]:
    return {check.id: check.message for check in failures(verify_package(folder, keys=keys))}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_good_package_passes_every_law(scheme: Scheme, packages: dict[Scheme, Package], key_map: dict[bytes, bytes]) -> None:
    shares: list[float] = []
    checks = verify_package(packages[scheme].folder, keys=key_map, on_progress=shares.append)
    assert [check for check in checks if not check.ok] == []
    ids = [check.id for check in checks]
    assert len(set(ids)) == len(ids)
    decoded = {name.removeprefix("package.decode.") for name in ids if name.startswith("package.decode.")}
    assert decoded == {
        "video.v060",
        "b.video.v060",
        "video.v120",
        "b.video.v120",
        "trick",
        "audio.ary-opus24",
        "audio.ary-aac64",
    }
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_without_keys_the_structure_is_checked_and_a_warning_says_so(packages: dict[Scheme, Package]) -> None:
    checks = verify_package(packages[Scheme.CBCS].folder, keys=None)
    assert [(check.id, check.level) for check in checks if not check.ok] == [("package.decode", Level.WARNING)]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_wrong_key_is_caught_in_picture_and_sound(
    scheme: Scheme, packages: dict[Scheme, Package], key_map: dict[bytes, bytes]
) -> None:
    wrong = {kid: bytes([key[0] ^ 1, *key[1:]]) for kid, key in key_map.items()}
    contents = read_contents(packages[scheme].folder)
    some = {name: contents.streams[name] for name in ("b/video/v060", "audio/ary-opus24", "audio/ary-aac64")}
    checks = tuple(check_decoding(replace(contents, streams=some), wrong, lambda _: None))
    assert {check.id for check in failures(checks)} == {
        "package.decode.b.video.v060",
        "package.decode.audio.ary-opus24",
        "package.decode.audio.ary-aac64",
    }


def test_a_key_that_is_not_given_is_named(packages: dict[Scheme, Package], key_map: dict[bytes, bytes]) -> None:
    contents = read_contents(packages[Scheme.CBCS].folder)
    some = replace(contents, streams={"video/v060": contents.streams["video/v060"]})
    (check,) = check_decoding(some, {}, lambda _: None)
    kid = some.streams["video/v060"].track.protection
    assert kid is not None
    assert not check.ok
    assert kid.default_kid.hex() in check.message


def test_the_playready_check_of_cenc_catches_a_wrong_key_without_decoding(
    packages: dict[Scheme, Package], key_map: dict[bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mediaforge.package.verify.check_decoding", lambda *_: iter(()))
    folder = packages[Scheme.CENC].folder
    assert failed(folder, key_map) == {}
    assert list(failed(folder, dict.fromkeys(key_map, bytes(16)))) == ["package.key.checksum"]


def test_a_cut_segment_is_caught(packages: dict[Scheme, Package], copy_of: Callable[[Package], Path]) -> None:
    folder = copy_of(packages[Scheme.CBCS])
    path = folder / "b/video/v060/3.m4s"
    path.write_bytes(path.read_bytes()[:-100])
    found = failed(folder)
    assert "3.m4s" in found["package.readable.b.video.v060"]


@pytest.mark.parametrize("name", ["b/video/v060/2.m4s", "video/v060/2.m4s", "video/v060/4.m4s", "audio/ary-aac64/1.m4s"])
def test_a_missing_segment_is_caught(name: str, packages: dict[Scheme, Package], copy_of: Callable[[Package], Path]) -> None:
    folder = copy_of(packages[Scheme.CBCS])
    (folder / name).unlink()
    found = failed(folder)
    assert any(name.split("/")[-2] in message for message in found.values())
    if not name.startswith("b/"):
        assert name in found["package.files.present"]


def test_a_missing_last_segment_of_b_is_caught(packages: dict[Scheme, Package], copy_of: Callable[[Package], Path]) -> None:
    folder = copy_of(packages[Scheme.CBCS])
    (folder / "b/video/v060/4.m4s").unlink()
    assert "3 segments, not the 4" in failed(folder)["package.frames.b.video.v060"]


def test_swapped_rungs_are_caught(packages: dict[Scheme, Package], copy_of: Callable[[Package], Path]) -> None:
    folder = copy_of(packages[Scheme.CBCS])
    low, high = folder / "video/v060", folder / "video/v120"
    low.rename(folder / "video/x")
    high.rename(low)
    (folder / "video/x").rename(high)
    found = failed(folder)
    assert {"package.size", "package.digests", "package.dash.rates"} <= set(found)
    assert "256x144, not 160x90" in found["package.size"]


def test_segments_of_another_rung_are_caught(packages: dict[Scheme, Package], copy_of: Callable[[Package], Path]) -> None:
    folder = copy_of(packages[Scheme.CBCS])
    shutil.copy(folder / "video/v120/2.m4s", folder / "video/v060/2.m4s")
    found = failed(folder)
    assert "video/v060" in found["package.digests"]
    assert {"package.dash.rates", "package.hls.rates"} <= set(found)


def test_segments_in_the_wrong_order_are_caught(packages: dict[Scheme, Package], copy_of: Callable[[Package], Path]) -> None:
    folder = copy_of(packages[Scheme.CBCS])
    shutil.copy(folder / "b/video/v060/2.m4s", folder / "b/video/v060/3.m4s")
    assert "3.m4s" in failed(folder)["package.times.b.video.v060"]


def test_a_stale_variant_b_is_caught(packages: dict[Scheme, Package], copy_of: Callable[[Package], Path]) -> None:
    """A segment that fits in every other way: the same key, times and length, but that of A."""
    folder = copy_of(packages[Scheme.CBCS])
    shutil.copy(folder / "video/v060/2.m4s", folder / "b/video/v060/2.m4s")
    assert list(failed(folder)) == ["package.digests", "package.mix.marks"]


def test_an_iv_used_twice_is_caught(packages: dict[Scheme, Package], copy_of: Callable[[Package], Path]) -> None:
    folder = copy_of(packages[Scheme.CENC])
    shutil.copy(folder / "video/v060/2.m4s", folder / "b/video/v060/2.m4s")
    found = failed(folder)
    assert "48 samples under the key of SD" in found["package.iv"]


def test_another_kid_in_the_init_segment_is_caught(packages: dict[Scheme, Package], copy_of: Callable[[Package], Path]) -> None:
    folder = copy_of(packages[Scheme.CBCS])
    protection = read_contents(folder).streams["video/v060"].track.protection
    assert protection is not None
    init = folder / "video/v060/init.mp4"
    data = init.read_bytes()
    at = data.index(b"tenc") + 12
    assert data[at : at + 16] == protection.default_kid
    init.write_bytes(data[:at] + bytes(16) + data[at + 16 :])
    found = failed(folder)
    assert {"package.kid.init.video.v060", "package.kid.dash", "package.kid.hls"} <= set(found)


def test_another_kid_in_a_manifest_is_caught(packages: dict[Scheme, Package], copy_of: Callable[[Package], Path]) -> None:
    folder = copy_of(packages[Scheme.CENC])
    mpd = folder / "manifest.mpd"
    kid = re.search(r'default_KID="([0-9a-f-]+)"', mpd.read_text())
    assert kid is not None
    edit(mpd, f'default_KID="{kid[1]}"', f'default_KID="{"0" * 8}{kid[1][8:]}"')
    assert "package.kid.dash" in failed(folder)
    playlist = folder / "video/v060/media.m3u8"
    named = re.search(r"KEYID=0x([0-9a-f]{32})", playlist.read_text())
    assert named is not None
    edit(playlist, named[0], "KEYID=0x" + "0" * 32)
    assert "video/v060/media.m3u8" in failed(folder)["package.kid.hls"]


def test_a_lost_key_line_is_caught(packages: dict[Scheme, Package], copy_of: Callable[[Package], Path]) -> None:
    folder = copy_of(packages[Scheme.CENC])
    playlist = folder / "audio/ary-aac64/media.m3u8"
    lines = [line for line in playlist.read_text().splitlines() if not line.startswith("#EXT-X-KEY")]
    playlist.write_text("\n".join(lines) + "\n")
    assert "no KID" in failed(folder)["package.kid.hls"]


def test_an_identity_key_is_caught(packages: dict[Scheme, Package], copy_of: Callable[[Package], Path]) -> None:
    folder = copy_of(packages[Scheme.CBCS])
    line = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="data:text/plain;base64,AAAA",KEYFORMAT="identity"\n#EXTINF:1.920,\n1.m4s'
    edit(folder / "video/v120/media.m3u8", "#EXTINF:1.920,\n1.m4s", line)
    assert "video/v120" in failed(folder)["package.hls.identity"]


@pytest.mark.parametrize(
    ("name", "old", "new", "law"),
    [
        ("manifest.mpd", 'startWithSAP="1"', "", "package.dash.sap"),
        ("manifest.mpd", 'mediaPresentationDuration="PT6S"', 'mediaPresentationDuration="PT5S"', "package.dash.times"),
        ("manifest.mpd", 'd="24576"', 'd="24000"', "package.dash.times"),
        ("video/v060/media.m3u8", "#EXTINF:1.920", "#EXTINF:1.820", "package.hls.times"),
        ("video/v060/media.m3u8", "TARGETDURATION:2", "TARGETDURATION:1", "package.hls.times"),
        ("video/v060/media.m3u8", "#EXT-X-ENDLIST", "", "package.hls.form"),
        ("video/v060/media.m3u8", "2.m4s", "7.m4s", "package.files.present"),
        ("master.m3u8", ",wvtt", "", "package.hls.form"),
        ("master.m3u8", "#EXT-X-VERSION:6", "#EXT-X-VERSION:3", "package.hls.form"),
    ],
)
def test_a_manifest_that_says_something_else_is_caught(
    name: str, old: str, new: str, law: str, packages: dict[Scheme, Package], copy_of: Callable[[Package], Path]
) -> None:
    folder = copy_of(packages[Scheme.CBCS])
    edit(folder / name, old, new)
    assert law in failed(folder)


def test_files_that_nobody_names_are_caught(packages: dict[Scheme, Package], copy_of: Callable[[Package], Path]) -> None:
    folder = copy_of(packages[Scheme.CBCS])
    (folder / "video/v060/notes.txt").write_text("")
    (folder / "b/video/v060/5.m4s").write_bytes((folder / "b/video/v060/4.m4s").read_bytes())
    found = failed(folder)
    assert "b/video/v060/5.m4s" in found["package.files.referenced"]
    assert "1 more" in found["package.files.referenced"]


def test_a_manifest_that_is_gone_or_no_xml_is_a_finding(
    packages: dict[Scheme, Package], copy_of: Callable[[Package], Path]
) -> None:
    folder = copy_of(packages[Scheme.CBCS])
    (folder / "master.m3u8").unlink()
    (folder / "manifest.mpd").write_text("<MPD")
    assert {"package.hls.readable", "package.dash.readable"} <= set(failed(folder))


def test_a_folder_that_is_no_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="is no package"):
        verify_package(tmp_path, keys=None)


@pytest.mark.parametrize("damage", ["", "{", '{"title": 1}'])
def test_a_damaged_record_is_refused(damage: str, tmp_path: Path) -> None:
    (tmp_path / "mediaforge.json").write_text(damage)
    with pytest.raises(MediaError, match="is damaged"):
        verify_package(tmp_path, keys=None)


def test_a_copy_of_mixed_variants_verifies_like_any_package(
    packages: dict[Scheme, Package], copy_of: Callable[[Package], Path]
) -> None:
    folder = copy_of(packages[Scheme.CENC])
    for rung in ("v060", "v120"):
        shutil.copy(folder / f"b/video/{rung}/2.m4s", folder / f"video/{rung}/2.m4s")
    shutil.rmtree(folder / "b")
    record = load_record(folder)
    streams = read_contents(folder).streams
    digests = {name: stream.digest for name, stream in streams.items()}
    save_record(replace(record, variants=(Variant.A,), digests=digests), folder)
    assert failed(folder) == {}


def test_a_record_survives_its_file(packages: dict[Scheme, Package]) -> None:
    made = packages[Scheme.CBCS]
    assert load_record(made.folder) == made.record
    text = json.loads((made.folder / "mediaforge.json").read_text())
    assert text["grid"] == {"fps": "25", "gop_frames": 48, "frames": 150}
    assert text["rungs"][0]["name"] == "v060"


def test_no_key_is_written_into_a_package(packages: dict[Scheme, Package], key_map: dict[bytes, bytes]) -> None:
    for made in packages.values():
        for path in made.folder.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                assert not any(key in content or key.hex().encode() in content for key in key_map.values())


def test_whatever_is_damaged_becomes_a_finding_and_never_a_crash(
    packages: dict[Scheme, Package], copy_of: Callable[[Package], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mediaforge.package.verify.check_decoding", lambda *_: iter(()))
    folder = copy_of(packages[Scheme.CENC])
    chance = random.Random(20)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for _ in range(100):
        path = chance.choice(files)
        whole = path.read_bytes()
        at = chance.randrange(len(whole))
        path.write_bytes(
            chance.choice((whole[:at], whole[:at] + chance.randbytes(8) + whole[at + 8 :], whole[:at] + whole[at + 9 :]))
        )
        try:
            found = failed(folder)
        except MediaError:
            assert path.name == "mediaforge.json"
        else:
            assert found or path.suffix not in (".m4s", ".mp4")
        path.write_bytes(whole)


def test_a_sound_offered_in_another_language_is_caught(
    packages: dict[Scheme, Package], copy_of: Callable[[Package], Path]
) -> None:
    folder = copy_of(packages[Scheme.CBCS])
    edit(folder / "master.m3u8", 'GROUP-ID="aac64",LANGUAGE="ary"', 'GROUP-ID="aac64",LANGUAGE="zgh"')
    assert "audio/ary-aac64" in failed(folder)["package.languages"]


def test_a_segment_far_above_its_rung_s_rate_is_a_warning(packages: dict[Scheme, Package]) -> None:
    contents = read_contents(packages[Scheme.CBCS].folder)
    low = replace(contents.record, rungs=tuple(replace(rung, max_bitrate_bps=1000) for rung in contents.record.rungs))
    checks = tuple(check_rates(replace(contents, record=low)))
    assert {check.level for check in checks} == {Level.WARNING}
    assert not any(check.ok for check in checks)
    assert all("1 are declared" in check.message for check in checks)
