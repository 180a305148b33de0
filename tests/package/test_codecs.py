"""A codec has one name, however much of it a manifest spells out."""

import struct

import pytest

from mediaforge.package.codecs import codec_string, plain_codec


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("av01.0.00M.08.0.110.01.01.01.0", "av01.0.00m.08"),
        ("av01.0.00M.08", "av01.0.00m.08"),
        ("av01.0.00M.10.0.110.09.16.09.0", "av01.0.00m.10.0.110.09.16.09.0"),  # BT.2020: it must be said
        ("avc1.64000C", "avc1.64000c"),
    ],
)
def test_what_goes_without_saying_may_be_said(said: str, plain: str) -> None:
    assert plain_codec(said) == plain


@pytest.mark.parametrize(("matrix", "name"), [(6, "av01.0.00m.10.0.110.01.01.06.0"), (1, "av01.0.00m.10")])
def test_the_colours_of_an_av1_track_are_part_of_its_name(matrix: int, name: str) -> None:
    """10 bits, 4:2:0; BT.601's matrix must be said, BT.709's goes without saying."""
    inner = box("av1C", bytes.fromhex("81004c00")) + box("colr", b"nclx" + struct.pack(">HHHB", 1, 1, matrix, 0))
    data = box("stsd", bytes(7) + b"\1" + box("av01", bytes(78) + inner))
    for outer in ("stbl", "minf", "mdia", "trak", "moov"):
        data = box(outer, data)
    found = codec_string(data)
    assert found is not None and plain_codec(found) == name


def box(kind: str, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind.encode() + body
