"""Constant quality segment by segment: x264's zones that lean from the middle CRF."""

import pytest

from mediaforge.transcode.zones import middle_crf, zones


def test_the_middle_is_one_of_them() -> None:
    assert middle_crf((30.0, 20.0, 29.5)) == 29.5
    assert middle_crf((20.0, 30.0)) in (20.0, 30.0)


def test_segments_of_the_middle_need_no_zone() -> None:
    assert zones((28.0, 28.0, 28.0), gop_frames=48) == ""


def test_six_steps_finer_double_the_bits_and_six_coarser_halve_them() -> None:
    assert zones((28.0, 22.0, 28.0), gop_frames=48) == "48,95,b=2.0000"
    assert zones((34.0, 28.0, 28.0), gop_frames=48) == "0,47,b=0.5000"


def test_neighbours_of_one_crf_are_one_zone_and_zones_never_meet() -> None:
    found = zones((28.0, 25.0, 25.0, 31.0, 28.0, 28.0), gop_frames=10)
    spans = [tuple(map(int, zone.split(",")[:2])) for zone in found.split("/")]
    assert spans == [(10, 29), (30, 39)]
    assert [float(zone.split("b=")[1]) for zone in found.split("/")] == pytest.approx([2**0.5, 2**-0.5], abs=1e-4)
