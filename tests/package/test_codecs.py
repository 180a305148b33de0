"""A codec has one name, however much of it a manifest spells out."""

import pytest

from mediaforge.package.codecs import plain_codec


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
