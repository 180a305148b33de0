"""What ffmpeg's filters print, read by hand-made lines."""

import numpy as np

from mediaforge.transcode.qc.reading import parse_frames, read_bars, read_fields, read_sound, read_stretches
from mediaforge.transcode.qc.seen import Stretch


def test_a_stretch_that_is_open_at_the_end_goes_up_to_it() -> None:
    lines = ["frame:1 pts:1 pts_time:2.5\n", "lavfi.black_start=2\n", "frame:2 pts:2 pts_time:4\n", "lavfi.black_end=4\n"]
    lines += ["frame:3 pts:3 pts_time:9\n", "lavfi.black_start=8\n"]
    found = read_stretches(parse_frames(lines), "lavfi.black_start", "lavfi.black_end", end=10.0)
    assert found == (Stretch(start=2, end=4), Stretch(start=8, end=10))


def test_fields_are_signed_and_unknown_ones_are_nothing() -> None:
    words = ["tff", "bff", "progressive", "undetermined"]
    lines = [line for word in words for line in ("frame:0 pts_time:0", f"lavfi.idet.single.current_frame={word}")]
    np.testing.assert_equal(read_fields(parse_frames(lines)), [1.0, -1.0, 0.0, np.nan])


def test_a_black_look_says_nothing_of_bars() -> None:
    edges = [(0, 639, 45, 314), (639, 0, 359, 0)]
    lines = []
    for row in edges:
        lines.append("frame:0 pts_time:0")
        lines += [f"lavfi.cropdetect.{name}={value}" for name, value in zip(("x1", "x2", "y1", "y2"), row, strict=True)]
    np.testing.assert_allclose(read_bars(parse_frames(lines), 640, 360), [[0, 0, 0.125, 0.125]])


def test_loudness_is_that_of_the_last_whole_step_and_peaks_are_linear() -> None:
    def step(time: float, level: str, *, heard: bool) -> list[str]:
        head = [f"frame:0 pts:0 pts_time:{time}"]
        loud = ["lavfi.r128.I=-23.5", "lavfi.r128.LRA=4.0", "lavfi.r128.true_peak=0.501"] if heard else []
        return head + loud + [f"lavfi.astats.1.{name}={level}" for name in ("RMS_level", "Peak_level", "Flat_factor")]

    sound = read_sound(parse_frames(step(0, "-20", heard=True) + step(0.1, "-inf", heard=False)), start=0.0)
    assert sound is not None
    assert (sound.loudness_lufs, sound.range_lu, round(sound.true_peak_dbtp, 1)) == (-23.5, 4.0, -6.0)
    np.testing.assert_allclose(sound.rms, [[-20.0], [-120.0]])
    assert sound.phase is None


def test_no_sound_is_none() -> None:
    assert read_sound(parse_frames([]), start=0.0) is None
