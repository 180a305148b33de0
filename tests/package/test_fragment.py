"""Hand-made boxes: what init and media segments say, and what is refused."""

import struct
from pathlib import Path

import pytest

from mediaforge.errors import MediaError
from mediaforge.package.boxes import boxes, find, rewritten
from mediaforge.package.fragment import parse_fragment
from mediaforge.package.track import Protection, Track, read_track


def box(kind: str, *body: bytes) -> bytes:
    content = b"".join(body)
    return struct.pack(">I4s", 8 + len(content), kind.encode()) + content


def full(kind: str, *body: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *body)


def words(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


def track(*, iv_bytes: int = 0) -> Track:
    protection = Protection(
        scheme="cenc", default_kid=bytes(16), iv_bytes=iv_bytes, constant_iv=b"", crypt_blocks=0, skip_blocks=0
    )
    return Track(
        brands=(),
        track_id=1,
        handler="vide",
        codec="avc1",
        timescale=25,
        width=0,
        height=0,
        edit_start=0,
        default_duration=1,
        default_flags=0x10000,
        protection=protection if iv_bytes else None,
        pssh=(),
    )


def segment(*, sizes: tuple[int, ...] = (5, 3), first_flags: int = 0, media: bytes = b"x" * 8, senc: bytes = b"") -> bytes:
    trun = full("trun", words(len(sizes), 0, first_flags), words(*sizes), flags=0x205)
    traf = box("traf", full("tfhd", words(1)), full("tfdt", words(50)), trun, senc)
    return box("styp") + box("moof", full("mfhd", words(1)), traf) + box("mdat", media)


def test_times_and_sync_are_read() -> None:
    found = parse_fragment(segment(), track())
    assert (found.decode_time, found.duration, found.samples, found.first_shown) == (50, 2, 2, 50)
    assert found.begins_with_sync
    assert not parse_fragment(segment(first_flags=0x10000), track()).begins_with_sync


def test_the_first_shown_sample_need_not_be_the_first_decoded() -> None:
    rows = struct.pack(">Ii", 4, 2) + struct.pack(">Ii", 4, -1)
    trun = full("trun", words(2), rows, version=1, flags=0xA00)
    data = box("moof", box("traf", full("tfhd", words(1)), full("tfdt", words(50)), trun)) + box("mdat", b"x" * 8)
    assert parse_fragment(data, track()).first_shown == 50  # 50 + 2 and 51 - 1


def test_ivs_are_read_behind_subsamples() -> None:
    rows = b"".join(iv + struct.pack(">HHIHI", 2, 1, 2, 3, 4) for iv in (b"firstone", b"secondiv"))
    found = parse_fragment(segment(senc=full("senc", words(2), rows, flags=2)), track(iv_bytes=8))
    assert found.ivs == b"firstonesecondiv"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (segment()[:-1], "bytes where"),
        (segment(media=b"x" * 7), "not as long"),
        (segment(sizes=(5, 4)), "not as long"),
        (segment() + segment(), "not one moof"),
        (b"", "holds nothing"),
        (b"\0\0", "stray"),
        (box("moof") + box("mdat"), "0 tracks"),
        (box("moof", box("traf")) + box("mdat"), "no times"),
        (
            box("moof", box("traf", full("tfhd", words(1)), full("tfdt", words(0)), full("trun", words(9), flags=0x200)))
            + box("mdat"),
            "trun",
        ),
    ],
)
def test_damage_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_fragment(data, track())


@pytest.mark.parametrize(
    ("senc", "reason"),
    [(b"", "missing"), (full("senc", words(1), b"x" * 8), "not one IV"), (full("senc", words(2), b"x" * 15), "announces")],
)
def test_missing_or_cut_ivs_are_refused(senc: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_fragment(segment(senc=senc), track(iv_bytes=8))


def test_a_box_of_size_zero_does_not_loop() -> None:
    with pytest.raises(ValueError, match="says 0 bytes"):
        list(boxes(words(0) + b"free"))


def test_a_long_box_is_walked() -> None:
    data = struct.pack(">I4sQ", 1, b"mdat", 20) + b"1234" + box("free")
    assert [(found.kind, found.end - found.body) for found in boxes(data)] == [("mdat", 4), ("free", 0)]


def test_rewriting_mends_the_sizes_above() -> None:
    data = box("ftyp", b"abcd") + box("moov", box("pssh", b"aa"), box("trak"), box("pssh", b"b"))
    made = rewritten(data, "moov/pssh", lambda whole: box("pssh", whole[8:] * 3))
    assert made == box("ftyp", b"abcd") + box("moov", box("pssh", b"aaaaaa"), box("trak"), box("pssh", b"bbb"))
    found = find(made, "moov")
    assert found is not None
    assert found.end == len(made)


@pytest.mark.parametrize("data", [b"", b"text", box("moov"), box("ftyp", b"isom\0\0\0\0") + box("moov", box("trak"))])
def test_a_file_that_is_no_init_segment_is_named(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "init.mp4"
    path.write_bytes(data)
    with pytest.raises(MediaError, match=r"init\.mp4: is no init segment"):
        read_track(path)
