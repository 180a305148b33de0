from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from mediaforge.errors import MediaError, SettingsError
from mediaforge.media import Grid
from mediaforge.package.keys import ContentKey
from mediaforge.package.plan import AudioInput, PackageRequest, TextInput, VideoInput
from mediaforge.package.pyshaka import flag_file, packager_argv
from mediaforge.package.record import Scheme, System
from mediaforge.package.runs import plan_links, plan_runs

REQUEST = PackageRequest(
    title="film",
    grid=Grid(fps=Fraction(25), gop_frames=48, frames=150),
    scheme=Scheme.CBCS,
    systems=(System.WIDEVINE, System.PLAYREADY),
    video=(
        VideoInput(
            rung="low", label="SD", width=16, height=9, bitrate_bps=1, max_bitrate_bps=1, a=Path("/r,1/a"), b=Path("/r,1/b")
        ),
        VideoInput(
            rung="top", label="HD", width=32, height=18, bitrate_bps=2, max_bitrate_bps=2, a=Path("/t/a"), b=Path("/t/b")
        ),
    ),
    audio=(
        AudioInput(name="opus24", language="ary", codec="opus", path=Path("/s/o")),
        AudioInput(name="aac64", language="fr", codec="aac", path=Path("/s/a")),
    ),
    text=(TextInput(language="fr", path=Path("/s/fr.vtt")),),
)
KEYS = tuple(
    ContentKey(kid=bytes([n]) * 16, key=bytes([n + 16]) * 16, iv=bytes([n + 32]) * 16, label=label, title="film")
    for n, label in enumerate(("AUDIO", "SD", "HD"), start=1)
)
DIGESTS = {path: str(path) for path in plan_links(REQUEST).values()}

RUN_A = """\
in=.inputs/low-a.mp4,stream=video,init_segment=video/low/init.mp4,segment_template=video/low/$Number$.m4s,\
playlist_name=video/low/media.m3u8,drm_label=SD
in=.inputs/top-a.mp4,stream=video,init_segment=video/top/init.mp4,segment_template=video/top/$Number$.m4s,\
playlist_name=video/top/media.m3u8,drm_label=HD
in=.inputs/ary-opus24.mp4,stream=audio,init_segment=audio/ary-opus24/init.mp4,\
segment_template=audio/ary-opus24/$Number$.m4s,playlist_name=audio/ary-opus24/media.m3u8,drm_label=AUDIO,lang=ary,\
hls_group_id=opus24,hls_name=الدارجة
in=.inputs/fr-aac64.mp4,stream=audio,init_segment=audio/fr-aac64/init.mp4,segment_template=audio/fr-aac64/$Number$.m4s,\
playlist_name=audio/fr-aac64/media.m3u8,drm_label=AUDIO,lang=fr,hls_group_id=aac64,hls_name=Français
in=.inputs/fr.vtt,stream=text,format=vtt+mp4,init_segment=text/fr/init.mp4,segment_template=text/fr/$Number$.m4s,\
playlist_name=text/fr/media.m3u8,lang=fr,hls_group_id=text,hls_name=Français
--flagfile=/dev/fd/7
--protection_scheme=cbcs
--protection_systems=Widevine,PlayReady,CommonSystem
--clear_lead=0
--create_session_keys
--segment_duration=1.920000100
--nogenerate_sidx_in_media_segments
--single_threaded
--use_fake_clock_for_muxer
--io_cache_size=0
--io_block_size=1048576
--quiet
--mpd_output=manifest.mpd
--generate_static_live_mpd
--hls_master_playlist_output=master.m3u8
--hls_playlist_type=VOD
--per_playlist_target_duration
--default_text_language=zxx
--default_language=ary"""

RUN_B = """\
in=.inputs/low-b.mp4,stream=video,init_segment=b/video/low/init.mp4,segment_template=b/video/low/$Number$.m4s,\
playlist_name=b/video/low/media.m3u8,drm_label=SD
in=.inputs/top-b.mp4,stream=video,init_segment=b/video/top/init.mp4,segment_template=b/video/top/$Number$.m4s,\
playlist_name=b/video/top/media.m3u8,drm_label=HD
--flagfile=/dev/fd/7
--protection_scheme=cbcs
--protection_systems=Widevine,PlayReady,CommonSystem
--clear_lead=0
--segment_duration=1.920000100
--nogenerate_sidx_in_media_segments
--single_threaded
--use_fake_clock_for_muxer
--io_cache_size=0
--io_block_size=1048576
--quiet"""


def test_the_arguments_are_these() -> None:
    a, b = plan_runs(REQUEST, KEYS, digests=DIGESTS)
    assert "\n".join(packager_argv(a, flags_fd=7)) == RUN_A
    assert "\n".join(packager_argv(b, flags_fd=7)) == RUN_B


def test_the_flag_file_holds_a_key_a_label_with_its_constant_iv() -> None:
    a, b = plan_runs(REQUEST, KEYS, digests=DIGESTS)
    rows = [f"label={key.label}:key_id={key.kid.hex()}:key={key.key.hex()}:iv={key.iv.hex()}" for key in KEYS]
    assert flag_file(a).decode() == f"--enable_raw_key_encryption\n--keys={','.join(rows)}\n"
    assert flag_file(b) == flag_file(a)


@pytest.mark.parametrize("scheme", [Scheme.CBCS, Scheme.CENC])
def test_no_key_stands_in_argv_or_repr(scheme: Scheme) -> None:
    for planned in plan_runs(replace(REQUEST, scheme=scheme), KEYS, digests=DIGESTS):
        shown = " ".join(packager_argv(planned, flags_fd=3)) + repr(planned)
        for key in (*KEYS, *planned.keys):
            assert key.key.hex() not in shown
            assert key.iv.hex() not in shown


def test_every_cenc_stream_has_a_label_and_an_iv_of_its_own() -> None:
    a, b = plan_runs(replace(REQUEST, scheme=Scheme.CENC), KEYS, digests=DIGESTS)
    assert [key.label for key in a.keys] == ["AUDIO.ary-opus24", "AUDIO.fr-aac64", "SD.low", "HD.top"]
    assert [key.label for key in b.keys] == [key.label for key in a.keys]  # equal pssh boxes, equal init segments
    assert [key.kid for key in a.keys] == [key.kid for key in b.keys]
    ivs = {key.iv for key in a.keys} | {key.iv for key in b.keys if not key.label.startswith("AUDIO")}
    assert len(ivs) == 6
    assert {stream.label for stream in (*a.streams, *b.streams) if stream.kind != "text"} == {key.label for key in a.keys}


def test_another_encode_never_shares_a_key_stream_in_cenc() -> None:
    request = replace(REQUEST, scheme=Scheme.CENC)
    before, _ = plan_runs(request, KEYS, digests=DIGESTS)
    after, _ = plan_runs(request, KEYS, digests={path: f"{digest} again" for path, digest in DIGESTS.items()})
    assert {key.iv for key in before.keys}.isdisjoint(key.iv for key in after.keys)
    assert plan_runs(request, KEYS, digests=DIGESTS)[0] == before


@pytest.mark.parametrize(("segments", "seconds"), [(0, "0"), (1, "0.960"), (2, "2.880")])
def test_a_clear_lead_ends_in_the_middle_of_its_last_segment(segments: int, seconds: str) -> None:
    """Segments of sound end some milliseconds before or after those of pictures; half a segment is out of their reach."""
    for planned in plan_runs(replace(REQUEST, clear_segments=segments), KEYS, digests=DIGESTS):
        assert f"--clear_lead={seconds}" in packager_argv(planned, flags_fd=7)


def test_behind_a_clear_lead_cenc_counts_from_another_iv() -> None:
    """The first encrypted sample is another one: from the same IV it would share its key stream with the first of the title."""
    without, lead, longer = (
        plan_runs(replace(REQUEST, scheme=Scheme.CENC, clear_segments=segments), KEYS, digests=DIGESTS) for segments in range(3)
    )
    for planned in zip(without, lead, longer, strict=True):
        ivs = [key.iv for run in planned for key in run.keys]
        assert len(set(ivs)) == len(ivs)


def test_in_clear_there_is_no_flag_file_and_no_label() -> None:
    a, b = plan_runs(replace(REQUEST, scheme=Scheme.NONE), (), digests=DIGESTS)
    assert a.keys == b.keys == ()
    assert all(stream.label is None for stream in a.streams)
    assert not any("protection" in part or "flagfile" in part for part in packager_argv(a, flags_fd=None))


def test_without_variant_b_there_is_one_run() -> None:
    video = tuple(replace(row, b=None) for row in REQUEST.video)
    assert len(plan_runs(replace(REQUEST, video=video), KEYS, digests=DIGESTS)) == 1


def test_paths_stay_out_of_the_descriptors() -> None:
    """A comma would end a descriptor; and two streams from one path would get one language."""
    assert plan_links(REQUEST)[".inputs/low-a.mp4"] == Path("/r,1/a")
    assert "/r,1" not in RUN_A


@pytest.mark.parametrize(
    ("change", "error", "reason"),
    [
        ({"scheme": Scheme.CENC, "systems": (System.FAIRPLAY,)}, SettingsError, "FairPlay plays cbcs only"),
        ({"video": ()}, SettingsError, "no rung"),
        ({"video": (REQUEST.video[0], replace(REQUEST.video[1], b=None))}, MediaError, "no variant B"),
        ({"clear_segments": 4}, SettingsError, "leaves nothing of film to encrypt"),
        ({"audio": (REQUEST.audio[0], REQUEST.audio[0])}, MediaError, "second sound in 'ary'"),
        ({"text": (REQUEST.text[0], REQUEST.text[0])}, MediaError, "second subtitles in 'fr'"),
        ({"video": (replace(REQUEST.video[0], label="UHD"),)}, SettingsError, "needs a key for UHD"),
    ],
)
def test_what_cannot_play_is_refused(change: dict[str, object], error: type[Exception], reason: str) -> None:
    with pytest.raises(error, match=reason):
        plan_runs(replace(REQUEST, **change), KEYS, digests=DIGESTS)  # type: ignore[arg-type]
