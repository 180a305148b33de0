from fractions import Fraction

import pytest

from mediaforge.transcode.clean import cleaning_filters, findings, input_matrix, output_matrix, output_tags
from tests.transcode.values import video


def test_a_plain_master_is_left_alone() -> None:
    assert cleaning_filters(video()) == () and findings(video()) == ()


@pytest.mark.parametrize(("order", "parity"), [("tt", "tff"), ("tb", "tff"), ("bb", "bff"), ("bt", "bff")])
def test_tape_is_deinterlaced_with_its_own_field_order(order: str, parity: str) -> None:
    assert cleaning_filters(video(field_order=order)) == (("bwdif", {"mode": "send_frame", "parity": parity}),)


def test_hdr_is_tone_mapped_and_said() -> None:
    names = [name for name, _ in cleaning_filters(video(color_transfer="smpte2084", color_space="bt2020nc"))]
    assert "tonemap" in names
    assert "tone-mapped" in findings(video(color_transfer="smpte2084"))[0]


@pytest.mark.parametrize(
    ("space", "height", "matrix"),
    [("unknown", 576, "bt601"), ("unknown", 720, "bt709"), ("smpte170m", 1080, "bt601"), ("bt709", 480, "bt709")],
)
def test_untagged_sd_is_bt601(space: str, height: int, matrix: str) -> None:
    assert input_matrix(video(color_space=space, height=height)) == matrix


def test_the_matrix_of_tape_is_kept_and_named() -> None:
    tape, wide = video(color_space="bt470bg", height=576), video(color_space="bt2020nc", height=1080)
    assert (output_matrix(tape), output_tags(tape)["colorspace"]) == ("bt601", "smpte170m")
    assert (output_matrix(wide), output_tags(wide)["colorspace"]) == ("bt709", "bt709")


def test_anamorphic_tape_becomes_square_pixels() -> None:
    tape = video(width=720, height=576, sar=Fraction(64, 45))
    assert tape.display_size == (1024, 576)
    assert "1024x576 square pixels" in findings(tape)[0]
