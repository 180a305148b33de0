import itertools
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mediaforge.errors import MediaError
from mediaforge.frames import Piece, decode_all, join, read_audio, read_frames, stitch

GOP = 25
SCALE = ("-video_track_timescale", "25000")


@pytest.fixture(scope="module")
def variants(tmp_path_factory: pytest.TempPathFactory, clip: Path, ffmpeg: Callable[..., None]) -> dict[str, Path]:
    """Two encodes of the clip on one grid of one-second GOPs, one much brighter."""
    folder = tmp_path_factory.mktemp("variants")
    for name, shift in (("a", "0"), ("b", "0.4")):
        ffmpeg("-i", clip, "-an", "-vf", f"eq=brightness={shift}", *x264(GOP), folder / f"{name}.mp4")
    return {name: folder / f"{name}.mp4" for name in ("a", "b")}


def x264(gop: int) -> tuple[str, ...]:
    params = f"keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0:stitchable=1"
    return ("-c:v", "libx264", "-preset", "veryfast", "-threads", "1", "-x264-params", params, *SCALE)


def test_frames_come_in_order_with_their_times(clip: Path) -> None:
    frames = list(read_frames(clip, max_side=64))
    assert len(frames) == 200
    assert [frame.seconds for frame in frames[:3]] == [0, Fraction(1, 25), Fraction(2, 25)]
    assert frames[0].image.shape == (36, 64) and frames[0].image.dtype == np.uint8


def test_a_window_is_read_exactly(clip: Path) -> None:
    assert [frame.seconds for frame in read_frames(clip, size=(16, 9), start=5.0, end=5.1)] == [
        5,
        Fraction(126, 25),
        Fraction(127, 25),
    ]


def test_several_windows_are_read_one_after_the_other(clip: Path) -> None:
    spans = [(5.0, 5.1), (-1.0, 0.05), (2.0, 2.04), (2.04, 2.1), (3.0, 3.1), (3.05, 3.2)]
    apart = [frame.seconds for start, end in spans for frame in read_frames(clip, size=(16, 9), start=max(0.0, start), end=end)]
    assert [frame.seconds for frame in read_frames(clip, size=(16, 9), spans=spans)] == apart


def test_sampling_takes_the_first_frame_at_or_after_each_tick(clip: Path) -> None:
    times = [frame.seconds for frame in read_frames(clip, size=(16, 9), fps=2)]
    assert times == [Fraction(round(25 * tick / 2 + 0.01), 25) for tick in range(16)]


def test_a_quick_sample_shows_the_same_pictures_at_most_a_tick_later(variants: dict[str, Path]) -> None:
    shown = {frame.seconds: frame.image for frame in read_frames(variants["a"], size=(64, 36))}
    quick = list(read_frames(variants["a"], size=(64, 36), fps=4, quick=True))
    times = [frame.seconds for frame in quick]
    assert {Fraction(second) for second in range(8)} <= set(times)  # keyframes
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) <= Fraction(2, 4) + Fraction(3, 25)
    for frame in quick:  # not exactly: the loop filter is left out
        assert np.abs(frame.image.astype(int) - shown[frame.seconds]).mean() < 2


def test_colour_has_three_channels(clip: Path) -> None:
    assert next(read_frames(clip, size=(32, 18), rgb=True)).image.shape == (18, 32, 3)


def test_leaving_early_leaves_no_error(clip: Path) -> None:
    frames = read_frames(clip)
    next(frames)
    frames.close()  # type: ignore[attr-defined]


def test_sound_is_mixed_down_and_resampled(clip: Path) -> None:
    heard = np.concatenate(list(read_audio(clip, rate=11_025)))
    assert heard.dtype == np.int16
    assert abs(len(heard) / 11_025 - 8) < 0.1
    loudest = np.abs(np.fft.rfft(heard[11_025:22_050])).argmax()
    assert loudest == 440  # hertz, in a second of it


def test_sound_starts_with_the_picture(tmp_path: Path, ffmpeg: Callable[..., None]) -> None:
    source = ("-f", "lavfi", "-i", "sine=frequency=500:duration=3")
    picture = ("-f", "lavfi", "-i", "color=size=32x32:rate=10:duration=5")
    late, early = tmp_path / "late.mkv", tmp_path / "early.mkv"
    ffmpeg(*picture, "-itsoffset", "1.5", *source, "-c:a", "flac", late)
    ffmpeg(*source, "-itsoffset", "1", *picture, "-c:a", "flac", early)
    heard = np.concatenate(list(read_audio(late, rate=8000)))
    assert np.abs(heard[: int(1.45 * 8000)]).max() == 0 < np.abs(heard[int(1.55 * 8000) :]).max()
    assert abs(len(heard) / 8000 - 4.5) < 0.1
    assert abs(len(np.concatenate(list(read_audio(early, rate=8000)))) / 8000 - 2) < 0.1


def test_a_second_track_is_read_by_its_number(tmp_path: Path, ffmpeg: Callable[..., None]) -> None:
    path = tmp_path / "two.mka"
    ffmpeg(
        *("-f", "lavfi", "-i", "sine=300:duration=2", "-f", "lavfi", "-i", "sine=700:duration=2"),
        *("-map", "0", "-map", "1"),
        path,
    )
    for track, hertz in ((0, 300), (1, 700)):
        heard = np.concatenate(list(read_audio(path, rate=8000, track=track)))
        assert np.abs(np.fft.rfft(heard[:8000])).argmax() == hertz
    with pytest.raises(MediaError, match="has no sound track 3"):
        list(read_audio(path, rate=8000, track=2))


def test_a_file_without_sound_has_none_to_read(fast_clip: Path) -> None:
    with pytest.raises(MediaError, match="has no sound"):
        list(read_audio(fast_clip, rate=8000))


def test_broken_packets_of_sound_are_skipped(tmp_path: Path, ffmpeg: Callable[..., None]) -> None:
    path = tmp_path / "sound.mp3"
    ffmpeg("-f", "lavfi", "-i", "sine=frequency=500:duration=10", path)
    content = bytearray(path.read_bytes())
    content[20_000:22_000] = bytes(2000)
    path.write_bytes(content)
    heard = np.concatenate(list(read_audio(path, rate=8000)))
    assert 8 < len(heard) / 8000 < 10.5


def test_decoding_counts_and_is_repeatable(clip: Path) -> None:
    seen = decode_all(clip, kind="video")
    assert (seen.frames, seen.error_lines, seen.first, seen.last) == (200, (), 0, Fraction(199, 25))
    assert decode_all(clip, kind="video").digest == seen.digest
    assert decode_all(clip, kind="audio").samples >= 8 * 48_000


def test_a_file_in_pieces_decodes_as_one(clip: Path, tmp_path: Path) -> None:
    data = clip.read_bytes()
    cuts = [0, 1000, 50_000, len(data)]
    pieces = []
    for number, (start, end) in enumerate(itertools.pairwise(cuts)):
        pieces.append(tmp_path / str(number))
        pieces[-1].write_bytes(data[start:end])
    assert decode_all(pieces, kind="video") == decode_all(clip, kind="video")


def test_damage_is_counted_not_hidden(clip: Path, tmp_path: Path) -> None:
    data = bytearray(clip.read_bytes())
    for at in range(60_000, 61_000):
        data[at] ^= 0xFF
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data)
    assert decode_all(broken, kind="video").error_lines


@pytest.mark.parametrize("content", [b"", b"hello, I am no film", b"\0" * 5000])
def test_what_is_no_media_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "text.mov"
    path.write_bytes(content)
    with pytest.raises(MediaError, match="cannot be decoded"):
        list(read_frames(path))


def test_a_folder_and_a_missing_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="is a folder"):
        decode_all(tmp_path, kind="video")
    with pytest.raises(MediaError, match="is not there"):
        decode_all(tmp_path / "none.mp4", kind="video")


def test_chunks_join_into_the_whole(clip: Path, tmp_path: Path, ffmpeg: Callable[..., None]) -> None:
    parts = []
    for number, start in enumerate((0, 4)):
        parts.append(tmp_path / f"{number}.mp4")
        ffmpeg("-ss", str(start), "-i", clip, "-an", "-frames:v", "100", *x264(GOP), parts[-1])
    join([Piece(path=part, first_frame=0, frames=100) for part in parts], tmp_path / "whole.mp4")
    whole = decode_all(tmp_path / "whole.mp4", kind="video")
    assert (whole.frames, whole.first, whole.last, whole.error_lines) == (200, 0, Fraction(199, 25), ())
    with pytest.raises(MediaError, match="holds 100 frames, not 101"):
        join([Piece(path=parts[0], first_frame=0, frames=101)], tmp_path / "wrong.mp4")


def test_a_piece_of_another_encode_takes_the_place_of_one(variants: dict[str, Path], tmp_path: Path) -> None:
    """Its frames stand where they stood, and nothing around them moves."""
    pieces = [
        Piece(path=variants["a"], first_frame=0, frames=GOP),
        Piece(path=variants["b"], first_frame=GOP, frames=2 * GOP),
        Piece(path=variants["a"], first_frame=3 * GOP, frames=GOP),
    ]
    join(pieces, tmp_path / "joined.mp4")
    decoded = decode_all(tmp_path / "joined.mp4", kind="video")
    assert (decoded.frames, decoded.first, decoded.error_lines) == (4 * GOP, 0, ())
    joined = [frame.image for frame in read_frames(tmp_path / "joined.mp4")]
    sources = {name: [frame.image for frame in read_frames(path)] for name, path in variants.items()}
    chosen = ["a"] * GOP + ["b"] * 2 * GOP + ["a"] * GOP
    assert all((image == sources[name][index]).all() for index, (image, name) in enumerate(zip(joined, chosen, strict=True)))
    with pytest.raises(MediaError, match=r"frame 3 of .* does not begin a GOP"):
        join([Piece(path=variants["a"], first_frame=3, frames=GOP)], tmp_path / "wrong.mp4")


def test_a_stitched_copy_shows_the_chosen_variant_in_every_segment(
    variants: dict[str, Path], clip: Path, tmp_path: Path
) -> None:
    letters = "abbabaab"
    pieces = [Piece(path=variants[letter], first_frame=index * GOP, frames=GOP) for index, letter in enumerate(letters)]
    stitch(pieces, tmp_path / "copy.mp4", title="copy")
    sources = {name: [frame.image for frame in read_frames(path)] for name, path in variants.items()}
    for index, frame in enumerate(read_frames(tmp_path / "copy.mp4")):
        assert np.array_equal(frame.image, sources[letters[index // GOP]][index])
    assert index == 199


def test_equal_copies_are_equal_bytes(variants: dict[str, Path], tmp_path: Path) -> None:
    pieces = [Piece(path=variants["a"], first_frame=0, frames=100), Piece(path=variants["b"], first_frame=100, frames=100)]
    for name in ("one.mp4", "two.mp4"):
        stitch(pieces, tmp_path / name)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_sound_lies_beside_the_picture(variants: dict[str, Path], clip: Path, tmp_path: Path) -> None:
    stitch([Piece(path=variants["a"], first_frame=0, frames=200)], tmp_path / "copy.mp4", audio=clip)
    assert decode_all(tmp_path / "copy.mp4", kind="audio").digest == decode_all(clip, kind="audio").digest
