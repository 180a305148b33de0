import random
import time
from itertools import islice
from pathlib import Path

import pytest

from mediaforge.package.pssh import (
    COMMON,
    PLAYREADY,
    WIDEVINE,
    PlayReadyHeader,
    Pssh,
    WidevineData,
    build_playready,
    build_pssh,
    build_widevine,
    key_ids,
    parse_playready,
    parse_pssh,
    parse_widevine,
    playready_checksum,
    without_repeats,
)
from mediaforge.tools import Tools
from tests.package.hostile_boxes import GOOD, mutated_boxes, read_whole
from tests.package.packager_boxes import our_boxes, packaged_boxes, random_set, tiny_sound

# Not symmetric, so that a byte order mixed up would show.
FIRST = bytes(range(16))
SECOND = bytes(range(16, 32))


def widevine(*kids: bytes, scheme: str = "cbcs") -> Pssh:
    return Pssh(system=WIDEVINE, version=0, kids=(), data=build_widevine(WidevineData(key_ids=kids, scheme=scheme)))


@pytest.mark.parametrize(
    "pssh",
    [
        Pssh(system=COMMON, version=1, kids=(FIRST, SECOND), data=b""),
        Pssh(system=WIDEVINE, version=0, kids=(), data=b"anything"),
        widevine(FIRST),
    ],
)
def test_a_box_survives_its_bytes(pssh: Pssh) -> None:
    assert parse_pssh(build_pssh(pssh)) == pssh


def test_the_common_box_is_that_of_the_standard() -> None:
    box = build_pssh(Pssh(system=COMMON, version=1, kids=(FIRST,), data=b""))
    head = "00000034" + "70737368" + "01000000" + "1077efecc0b24d02ace33c1e52e2fb4b"
    assert box.hex() == head + "00000001" + FIRST.hex() + "00000000"


def test_widevine_data_is_that_of_the_packager() -> None:
    data = build_widevine(WidevineData(key_ids=(FIRST,), scheme="cbcs"))
    assert data.hex() == "1210" + FIRST.hex() + "48f3c6899b06"
    assert parse_widevine(data) == WidevineData(key_ids=(FIRST,), scheme="cbcs")


def test_widevine_fields_of_others_are_passed_over() -> None:
    others = bytes([0x08, 0x01, 0x1A, 3]) + b"abc" + bytes([0x2D, 1, 2, 3, 4])  # algorithm, provider, a fixed 32-bit field
    assert parse_widevine(others + build_widevine(WidevineData(key_ids=(FIRST, SECOND), scheme=""))).key_ids == (FIRST, SECOND)


@pytest.mark.parametrize(
    "header",
    [
        PlayReadyHeader(version="4.0.0.0", kids=(FIRST,), checksums=(b"12345678",)),
        PlayReadyHeader(version="4.3.0.0", kids=(FIRST, SECOND), checksums=(), algorithm="AESCBC"),
        PlayReadyHeader(
            version="4.3.0.0", kids=(FIRST, SECOND), checksums=(b"12345678", b"abcdefgh"), la_url="https://x/?a=1&b=<"
        ),
        PlayReadyHeader(version="4.0.0.0", kids=(FIRST,), checksums=(), la_url="https://licence.example/é?x=1&y=2"),
    ],
)
def test_a_playready_header_survives_its_object(header: PlayReadyHeader) -> None:
    data = build_playready(header)
    assert parse_playready(data) == header
    assert key_ids(Pssh(system=PLAYREADY, version=0, kids=(), data=data)) == header.kids


def test_playready_writes_a_kid_as_a_guid() -> None:
    data = build_playready(PlayReadyHeader(version="4.3.0.0", kids=(FIRST,), checksums=(), algorithm="AESCBC"))
    assert "AwIBAAUEBwYICQoLDA0ODw==" in data[10:].decode("utf-16-le")  # 03 02 01 00 05 04 07 06 08 09 ...


def test_the_playready_checksum_depends_on_key_and_kid() -> None:
    found = {playready_checksum(kid, key) for kid in (FIRST, SECOND) for key in (FIRST, SECOND)}
    assert len(found) == 4
    assert {len(checksum) for checksum in found} == {8}


def test_repeats_go_and_order_stays() -> None:
    assert key_ids(without_repeats(widevine(SECOND, FIRST, SECOND))) == (SECOND, FIRST)
    common = Pssh(system=COMMON, version=1, kids=(FIRST, FIRST, SECOND), data=b"")
    assert without_repeats(common).kids == (FIRST, SECOND)
    assert without_repeats(widevine(FIRST)) == widevine(FIRST)


@pytest.mark.parametrize("cut", [0, 8, 27, 31, 40])
def test_a_cut_box_is_refused(cut: int) -> None:
    with pytest.raises(ValueError, match="pssh"):
        parse_pssh(build_pssh(Pssh(system=COMMON, version=1, kids=(FIRST,), data=b""))[:cut])


def test_a_box_that_lies_about_its_kids_is_refused() -> None:
    box = bytearray(build_pssh(Pssh(system=COMMON, version=1, kids=(FIRST,), data=b"")))
    box[28:32] = (1 << 30).to_bytes(4, "big")
    with pytest.raises(ValueError, match="announces"):
        parse_pssh(bytes(box))


@pytest.mark.parametrize("data", [b"", b"\x12\x20short", b"\xff" * 12, b"\x13"])
def test_cut_widevine_data_is_refused_or_empty(data: bytes) -> None:
    if data:
        with pytest.raises(ValueError, match="Widevine"):
            parse_widevine(data)
    else:
        assert parse_widevine(data).key_ids == ()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x0a\0\0\0\x01\0\x01\0\0\0",  # an empty header
        b"\x0e\0\0\0\x01\0\x01\0\x04\0<\0?\0",  # a header that is no XML
        b"\x0a\0\0\0\x09\0\x02\0\0\0",  # nine records announced, none of them a header
    ],
)
def test_a_playready_object_that_holds_nothing_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="PlayReady"):
        parse_playready(data)


def test_widevine_data_keeps_provider_and_content_id() -> None:
    data = WidevineData(key_ids=(FIRST,), scheme="cenc", provider="example", content_id=b"film\x00")
    wire = build_widevine(data)
    assert wire.hex() == f"1210{FIRST.hex()}" + "1a07" + b"example".hex() + "2205" + b"film\x00".hex() + "48e3dc959b06"
    assert parse_widevine(wire) == data


def test_an_address_is_escaped_as_xml_asks() -> None:
    header = PlayReadyHeader(version="4.3.0.0", kids=(FIRST,), checksums=(), la_url="https://x/?a=1&b=2")
    assert "<LA_URL>https://x/?a=1&amp;b=2</LA_URL>" in build_playready(header)[10:].decode("utf-16-le")


@pytest.mark.parametrize(
    "header",
    [
        PlayReadyHeader(version="4.0.0.0", kids=(FIRST, SECOND), checksums=()),
        PlayReadyHeader(version="4.0.0.0", kids=(FIRST,), checksums=(), algorithm="AESCBC"),
        PlayReadyHeader(version="4.3.0.0", kids=(FIRST, SECOND), checksums=(b"12345678",)),
        PlayReadyHeader(version="4.3.0.0", kids=(FIRST,), checksums=(b"12345678",), algorithm="AESCBC"),
        PlayReadyHeader(version="4.3.0.0", kids=(FIRST,), checksums=(), la_url="x" * 40_000),
    ],
)
def test_what_a_playready_header_cannot_say_is_refused(header: PlayReadyHeader) -> None:
    with pytest.raises(ValueError, match="PlayReady header"):
        build_playready(header)


def test_a_playready_header_with_entities_is_refused() -> None:
    text = '<!DOCTYPE W [<!ENTITY a "b">]><WRMHEADER version="4.0.0.0"><DATA><KID>&a;</KID></DATA></WRMHEADER>'
    record = text.encode("utf-16-le")
    data = (10 + len(record)).to_bytes(4, "little") + b"\1\0\1\0" + len(record).to_bytes(2, "little") + record
    with pytest.raises(ValueError, match="document type"):
        parse_playready(data)


@pytest.mark.parametrize("data", [b"\x48" + b"\xff" * 9 + b"\1", b"\x12\x03abc", b"\x1a\x01\xff", b"\x2d\1"])
def test_widevine_data_that_says_the_impossible_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # and nothing else
        parse_widevine(data)


def test_a_box_of_an_unknown_version_is_refused() -> None:
    box = bytearray(build_pssh(Pssh(system=COMMON, version=1, kids=(FIRST,), data=b"")))
    box[8] = 2
    with pytest.raises(ValueError, match="version 2"):
        parse_pssh(bytes(box))


@pytest.mark.parametrize("box", GOOD)
def test_good_boxes_read_whole(box: bytes) -> None:
    read_whole(box)
    assert build_pssh(parse_pssh(box)) == box


def test_mutated_boxes_are_read_or_refused_with_the_declared_error_only() -> None:
    refused = 0
    started = time.process_time()
    for box in islice(mutated_boxes(seed=4), 3000):
        try:
            read_whole(box)
        except ValueError:
            refused += 1
    assert 500 < refused < 2900  # some reach the inside, and most are wrong
    assert time.process_time() - started < 10


def test_our_boxes_are_the_packagers_byte_for_byte(tools: Tools, tmp_path: Path) -> None:
    sound, rng = tiny_sound(tmp_path, tools), random.Random(8)
    sets = [random_set(rng) for _ in range(12)]
    assert {(keys.scheme, bool(keys.la_url)) for keys in sets} == {(s, u) for s in ("cenc", "cbcs") for u in (True, False)}
    for keys in sets:
        assert our_boxes(keys) == packaged_boxes(keys, sound, tools)
