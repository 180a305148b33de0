from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest

from mediaforge.errors import MediaError
from mediaforge.frames import Piece, decode_all, join, read_frames
from mediaforge.ladder import FittedRung, Rung, fit_rungs
from mediaforge.ladderfile import load_ladder
from mediaforge.media import Chunk, Grid, Variant
from mediaforge.steps import digest_file
from mediaforge.tools import Tools
from mediaforge.transcode.chunks import plan_chunks, plan_grid
from mediaforge.transcode.codecs import CODECS
from mediaforge.transcode.encoder import EncodeRequest, encode, encode_argv, rendition_name, timescale
from mediaforge.transcode.probe import probe, read_timeline
from mediaforge.transcode.segments import SEGMENT_TOLERANCE, segment_bits
from tests.transcode.values import master, video

LADDER = Path(__file__).parent.parent.parent / "ladders" / "maroc-mobile.toml"
DIVERGING = {Variant.A: {}, Variant.B: {"h264": {"deadzone-inter": "18"}, "av1": {"enable-qm": "1"}}}


def rung(name: str, width: int, height: int, kbps: int) -> FittedRung:
    target = Rung(
        name=name,
        box_width=width,
        box_height=height,
        bitrate_bps=kbps * 1000,
        max_bitrate_bps=kbps * 1250,
        buffer_bits=kbps * 1250,
        preset="veryfast",
    )
    return FittedRung(rung=target, width=width, height=height)


def request_for(path: Path, tools: Tools, *rungs: FittedRung) -> EncodeRequest:
    film = probe(path, tools=tools)
    assert film.video is not None
    timeline = read_timeline(film, tools=tools)
    grid = plan_grid(fps=film.video.fps, seconds=timeline.last - timeline.first + 1 / film.video.fps)
    return EncodeRequest(master=film, grid=grid, chunk=plan_chunks(grid)[0], rungs=rungs, differing=DIVERGING)


def test_one_process_decodes_once_and_feeds_all_rungs_and_variants(tools: Tools) -> None:
    rungs = fit_rungs(load_ladder(LADDER), 1280, 720)
    grid = plan_grid(fps=Fraction(25), seconds=Fraction(60))
    request = EncodeRequest(master=master(), grid=grid, chunk=plan_chunks(grid)[1], rungs=rungs, differing=DIVERGING)
    argv = encode_argv(request, Path("/out"), tools=tools)
    assert argv.count("-i") == 1
    assert [word for word in argv if word.endswith(".mp4")] == [
        f"/out/{fitted.rung.name}.{variant}.mp4" for fitted in rungs for variant in "ab"
    ]
    assert argv[argv.index("-ss") + 1] == "15.350000"  # frame 384, a quarter of a frame early
    assert argv.count("-maxrate") == len(rungs) * 2
    assert {argv[at + 1] for at, word in enumerate(argv) if word == "-threads"} == {"1"}


def test_variants_differ_only_in_the_settings_given(tools: Tools) -> None:
    grid = Grid(fps=Fraction(25), gop_frames=48, frames=48)
    chunk = Chunk(index=0, first_frame=0, frames=48)
    request = EncodeRequest(master=master(), grid=grid, chunk=chunk, rungs=(rung("v", 320, 180, 100),), differing=DIVERGING)
    a, b = (word for word in encode_argv(request, Path("/out"), tools=tools) if word.startswith("keyint="))
    assert b == f"{a}:deadzone-inter=18"


@pytest.mark.parametrize(("size", "level"), [((1920, 1080), 40), ((1280, 720), 31), ((2560, 1440), 50)])
def test_slow_presets_keep_to_the_level_of_phones(
    size: tuple[int, int], level: int, ffmpeg: Callable[..., None], tools: Tools, tmp_path: Path
) -> None:
    """Rec. ITU-T H.264, Table A-1: with all five reference pictures of the preset 1080p would say level 5."""
    clip = tmp_path / "master.mp4"
    picture = "testsrc2=size={}x{}:rate=25:duration=0.24".format(*size)
    ffmpeg("-f", "lavfi", "-i", picture, "-c:v", "libx264", "-qp", "20", clip)
    fitted = rung("v", *size, 4000)
    slow = replace(fitted, rung=replace(fitted.rung, preset="slow"))
    encode(
        replace(request_for(clip, tools, slow), differing={Variant.A: {}}), tmp_path, tools=tools, on_progress=lambda _: None
    )
    with av.open(tmp_path / "v.a.mp4") as made:
        assert made.streams.video[0].codec_context.extradata[3] == level  # avcC: version, profile, constraints, level


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(179, 6), Fraction(50)])
def test_a_frame_is_a_whole_number_of_ticks(fps: Fraction) -> None:
    assert timescale(fps) >= 10_000
    assert (timescale(fps) / fps).denominator == 1


def test_a_chunk_holds_its_frames_in_whole_gops_twice_alike(clip: Path, tools: Tools, tmp_path: Path) -> None:
    request = request_for(clip, tools, rung("low", 160, 90, 80), rung("high", 320, 180, 300))
    folders = [tmp_path / name for name in ("one", "two")]
    seen: list[float] = []
    for folder in folders:
        folder.mkdir()
        encode(request, folder, tools=tools, on_progress=seen.append)
    assert seen[-1] == 1
    for name in [rendition_name(rung, variant) for rung in ("low", "high") for variant in Variant]:
        decoded = decode_all(folders[0] / name, kind="video")
        assert (decoded.frames, decoded.error_lines, decoded.first) == (request.chunk.frames, (), 0)
        assert digest_file(folders[0] / name) == digest_file(folders[1] / name)
    assert digest_file(folders[0] / "high.a.mp4") != digest_file(folders[0] / "high.b.mp4")
    assert b"deadzone" not in (folders[0] / "high.b.mp4").read_bytes()  # x264's SEI would tell which variant this is


def test_chunks_show_the_frames_of_the_whole(clip: Path, tools: Tools, tmp_path: Path) -> None:
    """A chunk's first picture is the master's picture at that place, not the one before or after."""
    base = request_for(clip, tools, rung("v", 320, 180, 2000))
    chunk = Chunk(index=1, first_frame=96, frames=48)
    request = EncodeRequest(master=base.master, grid=base.grid, chunk=chunk, rungs=base.rungs, differing={Variant.A: {}})
    encode(request, tmp_path, tools=tools, on_progress=lambda _: None)
    ours = [frame.image.astype(int) for frame in read_frames(tmp_path / "v.a.mp4")]
    whole = [frame.image.astype(int) for frame in read_frames(clip)]
    for index in (0, 20, 47):
        errors = [abs(ours[index] - whole[96 + index + shift]).mean() for shift in (-1, 0, 1)]
        assert min(errors) == errors[1]


def test_a_rung_at_half_the_rate_shows_every_second_frame_for_twice_as_long(
    fast_clip: Path, tools: Tools, tmp_path: Path
) -> None:
    half = replace(rung("half", 160, 90, 500), step=2)
    request = request_for(fast_clip, tools, half, rung("whole", 160, 90, 1000))
    assert request.grid.gop_frames == 96 and request.grid.frames % 2 == 0
    encode(request, tmp_path, tools=tools, on_progress=lambda _: None)
    slow, fast = ([*read_frames(tmp_path / f"{name}.a.mp4")] for name in ("half", "whole"))
    assert len(fast) == request.grid.frames and [frame.seconds for frame in slow] == [frame.seconds for frame in fast[::2]]
    for index, frame in enumerate(slow):
        errors = [abs(frame.image.astype(int) - fast[at].image).mean() for at in (2 * index, min(2 * index + 1, len(fast) - 1))]
        assert errors[0] < errors[1] or 2 * index + 1 == len(fast)
    sizes = {name: len(segment_bits(tmp_path / f"{name}.b.mp4", tools=tools)) for name in ("half", "whole")}
    assert sizes["half"] == sizes["whole"] == request.grid.segments


def test_a_master_with_too_few_frames_is_refused(clip: Path, tools: Tools, tmp_path: Path) -> None:
    base = request_for(clip, tools, rung("v", 160, 90, 80))
    grid = Grid(fps=base.grid.fps, gop_frames=48, frames=300)
    chunk = Chunk(index=0, first_frame=150, frames=150)
    request = EncodeRequest(master=base.master, grid=grid, chunk=chunk, rungs=base.rungs, differing=DIVERGING)
    with pytest.raises(MediaError, match=r"of 150 frames from 6\.00 s on; get an undamaged copy"):
        encode(request, tmp_path, tools=tools, on_progress=lambda _: None)


def test_interlaced_anamorphic_tape_comes_out_progressive_and_square(
    ffmpeg: Callable[..., None], tools: Tools, tmp_path: Path
) -> None:
    tape = tmp_path / "tape.mov"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=size=720x576:rate=50:duration=2"),
        *("-vf", "interlace=scan=tff,setsar=64/45", "-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-b:v", "8M"),
        tape,
    )
    film = probe(tape, tools=tools)
    assert film.video is not None and film.video.is_interlaced and film.video.display_size == (1024, 576)
    fitted = fit_rungs(load_ladder(LADDER), *film.video.display_size)
    assert (fitted[4].width, fitted[4].height) == (640, 360)
    base = request_for(tape, tools, fitted[4])
    encode(base, tmp_path, tools=tools, on_progress=lambda _: None)
    made = probe(tmp_path / "v400.a.mp4", tools=tools).video
    assert made is not None and (made.width, made.height, made.sar, made.field_order) == (640, 360, 1, "progressive")
    assert (made.color_primaries, made.color_transfer, made.color_space, made.color_range) == (
        "bt709",
        "bt709",
        "smpte170m",
        "tv",
    )
    assert video().sar == 1


def planned(codec: str, crfs: tuple[float, ...], *, most_kbps: int = 9000) -> FittedRung:
    target = Rung(
        name=codec,
        box_width=160,
        box_height=90,
        bitrate_bps=100_000,
        max_bitrate_bps=most_kbps * 1000,
        buffer_bits=most_kbps * 1000,
        preset={"h264": "veryfast", "av1": "12"}[codec],
        codec=codec,
    )
    return FittedRung(rung=target, width=160, height=90, crfs=crfs)


def test_a_chunk_of_two_codecs_has_a_quality_for_each_segment(clip: Path, tools: Tools, tmp_path: Path) -> None:
    """200 frames of 48: four segments and a short one. A codec with one CRF an encode is encoded segment by segment."""
    crfs = (30.0, 40.0, 30.25, 30.0, 30.0)
    request = request_for(clip, tools, planned("h264", crfs), planned("av1", crfs))
    seen: list[float] = []
    encode(request, tmp_path, tools=tools, on_progress=seen.append)
    assert seen == sorted(seen) and seen[-1] == 1
    assert {path.name for path in tmp_path.iterdir()} == {f"{codec}.{variant}.mp4" for codec in CODECS for variant in "ab"}
    for codec in CODECS:
        bits = {variant: segment_bits(tmp_path / f"{codec}.{variant}.mp4", tools=tools) for variant in "ab"}
        assert len(bits["a"]) == 5
        assert bits["a"][1] < 0.85 * min(bits["a"][0], bits["a"][2])
        assert bits["a"] != bits["b"]
        for variant in "ab":
            decoded = decode_all(tmp_path / f"{codec}.{variant}.mp4", kind="video")
            assert (decoded.frames, decoded.error_lines, decoded.first, decoded.last) == (200, (), 0, Fraction(199, 25))


@pytest.mark.parametrize("codec", sorted(CODECS))
def test_a_segment_over_its_rate_is_encoded_again_and_the_others_are_left(
    codec: str, clip: Path, tools: Tools, tmp_path: Path
) -> None:
    """The second segment is asked for in a quality its rung has no bits for."""
    free, held = tmp_path / "free", tmp_path / "held"
    crfs = (40.0, 14.0, 40.0, 40.0, 40.0)
    for folder, most_kbps in ((free, 9000), (held, 300)):
        folder.mkdir()
        request = request_for(clip, tools, planned(codec, crfs, most_kbps=most_kbps))
        encode(request, folder, tools=tools, on_progress=lambda _: None)
    before, after = (segment_bits(folder / f"{codec}.a.mp4", tools=tools) for folder in (free, held))
    most = 300_000 * float(request.grid.segment_seconds)
    assert before[1] > 1.5 * most and max(before[0], *before[2:]) < most
    assert 0.6 * most < after[1] <= SEGMENT_TOLERANCE * most
    # The third had to recover an x264 buffer that the second had emptied at first.
    assert all(abs(after[place] / before[place] - 1) < 0.1 for place in (0, 3, 4))
    assert [path.name for path in sorted(held.iterdir())] == [f"{codec}.a.mp4", f"{codec}.b.mp4"]


def test_the_variants_of_every_codec_share_their_headers(clip: Path, tools: Tools, tmp_path: Path) -> None:
    """Join refuses pieces of other headers: A and B can share an init segment when it takes them behind one another."""
    rungs = tuple(planned(codec, (30.0,) * 5) for codec in sorted(CODECS))
    request = request_for(clip, tools, *rungs)
    encode(request, tmp_path, tools=tools, on_progress=lambda _: None)
    for codec in CODECS:
        pieces = [
            Piece(path=tmp_path / f"{codec}.{variant}.mp4", first_frame=first, frames=48)
            for variant, first in (("a", 0), ("b", 48))
        ]
        join(pieces, tmp_path / f"{codec}.mp4")
        assert decode_all(tmp_path / f"{codec}.mp4", kind="video").error_lines == ()
