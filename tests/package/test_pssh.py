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
        PlayReadyHeader(version="4.3.0.0", kids=(FIRST, SECOND), checksums=()),
    ],
)
def test_a_playready_header_survives_its_object(header: PlayReadyHeader) -> None:
    data = build_playready(header)
    assert parse_playready(data) == header
    assert key_ids(Pssh(system=PLAYREADY, version=0, kids=(), data=data)) == header.kids


def test_playready_writes_a_kid_as_a_guid() -> None:
    data = build_playready(PlayReadyHeader(version="4.3.0.0", kids=(FIRST,), checksums=()))
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
