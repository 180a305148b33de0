"""Where players ask for licences: what the operator may say, and that it stands wherever players look."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from mediaforge.checks import failures
from mediaforge.errors import SettingsError
from mediaforge.package.assembly import Package
from mediaforge.package.contents import read_contents
from mediaforge.package.hls import FAIRPLAY_FORMAT, HlsKey
from mediaforge.package.keys import ContentKey
from mediaforge.package.laws.licences import check_licences as licence_checks
from mediaforge.package.licences import Licences, check_licences, fairplay_uri
from mediaforge.package.plan import PackageRequest
from mediaforge.package.pssh import PLAYREADY, parse_playready
from mediaforge.package.record import Scheme, System

KID = bytes(range(16))
TEMPLATE = "skd://licence.example.ma/{title}/{label}?id={kid}"


@pytest.fixture(scope="module")
def made(request_: PackageRequest, make_package: Callable[[PackageRequest], Package]) -> Package:
    """All three systems, each with an address."""
    return make_package(replace(request_, systems=tuple(System), licences=replace(request_.licences, fairplay=TEMPLATE)))


def fairplay(keys: tuple[HlsKey, ...]) -> list[str]:
    return [key.address for key in keys if key.key_format == FAIRPLAY_FORMAT]


def test_the_fields_of_a_fairplay_address_are_filled_in() -> None:
    filled = fairplay_uri("skd://x/{title}/{label}/{kid}/{uuid}", kid=KID, label="HD", title="film")
    assert filled == "skd://x/film/HD/000102030405060708090a0b0c0d0e0f/00010203-0405-0607-0809-0a0b0c0d0e0f"


@pytest.mark.parametrize(
    ("licences", "reason"),
    [
        (Licences(fairplay="https://x/{kid}"), "give one as skd://"),
        (Licences(fairplay="skd://x"), "the same for every label"),
        (Licences(fairplay="skd://x/{title}"), "the same for every label"),
        (Licences(fairplay="skd://x/{key}"), "the field {key}; choose from kid"),
        (Licences(fairplay='skd://x/{kid}"'), "in ASCII"),
        (Licences(fairplay="skd://x/{kid}\n#EXT"), "in ASCII"),
        (Licences(fairplay="skd://x/{kid}}"), "in ASCII"),
        (Licences(playready="pr.example.ma"), "for playready"),
        (Licences(playready="https://pr.example.ma/a b"), "for playready"),
        (Licences(widevine="https://"), "for widevine"),
        (Licences(widevine="https://wv/أ"), "for widevine"),
    ],
)
def test_an_address_that_no_player_could_use_is_refused(licences: Licences, reason: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(reason)):
        check_licences(licences)


def test_every_label_has_its_own_fairplay_address_where_players_look(
    made: Package, content_keys: tuple[ContentKey, ...]
) -> None:
    addresses = {key.label: f"skd://licence.example.ma/film/{key.label}?id={key.kid.hex()}" for key in content_keys}
    contents = read_contents(made.folder)
    assert contents.master is not None
    assert sorted(fairplay(contents.master.session_keys)) == sorted(addresses.values())
    for label, stream in contents.encrypted():
        if not stream.folder.startswith("b/"):
            assert fairplay(contents.playlists[f"{stream.folder}/media.m3u8"].keys) == [addresses[label]]
    assert "{kid}" in made.record.licences.fairplay


def test_playready_is_sent_to_one_address_from_init_segments_and_manifests(made: Package) -> None:
    contents = read_contents(made.folder)
    wanted = made.record.licences.playready
    assert "&" in wanted  # escaped in the header, and once more in the MPD
    assert contents.presentation is not None
    for row in contents.presentation.representations:
        if row.pssh:
            track = contents.streams[row.init.rpartition("/")[0]].track
            (said,) = (box for box in row.pssh if box.system == PLAYREADY)
            assert said in track.pssh
            assert parse_playready(said.data).la_url == wanted
            assert dict(row.licences)[PLAYREADY] == wanted


def test_an_mpd_with_licence_addresses_is_valid(made: Package, mpd_schema: etree.XMLSchema) -> None:
    mpd_schema.assertValid(etree.parse(made.folder / "manifest.mpd"))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("video/v060/media.m3u8", r"/SD\?", "/HD?"),
        ("video/v060/media.m3u8", r"\n#[^\n]*skd://[^\n]*", ""),
        ("master.m3u8", r"\n#[^\n]*/AUDIO\?[^\n]*", ""),
        ("master.m3u8", r"(\n#[^\n]*/AUDIO\?[^\n]*)", r"\1\1"),
    ],
    ids=["the address of another label", "none", "no session key", "a session key twice"],
)
def test_a_wrong_fairplay_line_is_caught(
    name: str, old: str, new: str, made: Package, copy_of: Callable[[Package], Path]
) -> None:
    folder = copy_of(made)
    text = (folder / name).read_text(encoding="utf-8")
    changed = re.sub(old, new, text)
    assert changed != text
    (folder / name).write_text(changed, encoding="utf-8")
    assert [check.id for check in failures(tuple(licence_checks(read_contents(folder))))] == ["package.hls.fairplay"]


def test_fairplay_under_cenc_is_caught(packages: dict[Scheme, Package]) -> None:
    contents = read_contents(packages[Scheme.CENC].folder)
    contents = replace(contents, record=replace(contents.record, systems=(System.FAIRPLAY,)))
    messages = [check.message for check in licence_checks(contents) if check.id == "package.hls.fairplay"]
    assert "cenc, which Apple's devices do not play" in messages[0]


def test_a_good_package_with_all_addresses_breaks_no_rule(made: Package) -> None:
    assert failures(tuple(licence_checks(read_contents(made.folder)))) == ()
