"""ETSI TS 104 002, 5.5.3, on numbers made by hand."""

import base64
import re

import cbor2

from mediaforge.edge.sidecar import UNMARKED, egress_header, ingest_header, rung_sidecar, segment_sidecar


def test_the_file_of_one_segment_is_eight_bytes() -> None:
    assert segment_sidecar(21).hex() == "a201010281a10615"  # {1: 1, 2: [{6: 21}]}
    assert segment_sidecar(UNMARKED).hex() == "a201010281a10620"


def test_every_name_of_a_rung_finds_its_own_position() -> None:
    names = [f"{number}.m4s" for number in range(1, 13)]
    rows = cbor2.loads(rung_sidecar(names))[2]
    found = [next(row[6] for row in rows if re.search(row[5], name)) for name in names]
    assert found == list(range(12))
    assert not re.search(rows[0][5], "1xm4s")


def test_what_is_not_marked_has_no_position_and_the_others_keep_theirs() -> None:
    rows = cbor2.loads(rung_sidecar(["1.m4s", "2.m4s", "3.m4s"], unmarked={1}))[2]
    assert [row[6] for row in rows] == [0, UNMARKED, 2]


def test_the_headers_are_those_of_the_standard() -> None:
    assert ingest_header(0, 33) == '{"version":1,"variant":0,"position":33,"firstpart":true,"lastpart":true}'
    text = egress_header(33)
    assert cbor2.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))) == {1: 1, 2: [{6: 33}]}
