"""The shipped film is what it says, its subtitles belong to it, and its generator draws the same film again."""

import importlib
import re
import sys
from collections.abc import Iterator
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from mediaforge.frames import read_frames
from mediaforge.tools import Tools
from mediaforge.transcode.probe import probe

SAMPLES = Path(__file__).parent.parent / "samples"
FILM = SAMPLES / "atlas-720p25.mp4"
SECONDS, FPS = 64, 25
SIZE_LIMIT = 8_000_000  # all samples together: every clone carries them for ever
RLM = "\u200f"
CUE = re.compile(r"\d+\n00:(\d\d):(\d\d\.\d{3}) --> 00:(\d\d):(\d\d\.\d{3})\n(.+(?:\n.+)?)")


@pytest.fixture(scope="module")
def film() -> Iterator[ModuleType]:
    """The generator's film module; samples/ is no package of ours, so it is only on the path here."""
    sys.path.insert(0, str(SAMPLES))
    try:
        yield importlib.import_module("atlas.film")
    finally:
        sys.path.remove(str(SAMPLES))


def cues(language: str) -> list[tuple[float, float, str]]:
    head, *blocks = (SAMPLES / f"atlas.{language}.vtt").read_text(encoding="utf-8").rstrip("\n").split("\n\n")
    assert head == "WEBVTT"
    found = [CUE.fullmatch(block) for block in blocks]
    assert all(found), f"a block of atlas.{language}.vtt is no cue: {blocks[found.index(None)]!r}"
    return [(60 * int(m[1]) + float(m[2]), 60 * int(m[3]) + float(m[4]), m[5]) for m in found if m]


def test_the_film_is_a_720p25_master_with_stereo_sound(tools: Tools) -> None:
    master = probe(FILM, tools=tools)
    assert master.video is not None
    assert (master.video.width, master.video.height, master.video.sar) == (1280, 720, 1)
    assert (master.video.codec, master.video.pixel_format, master.video.fps) == ("h264", "yuv420p", FPS)
    assert (master.video.color_space, master.video.color_range) == ("bt709", "tv")
    assert not master.video.is_interlaced
    assert master.video.duration == SECONDS
    assert [(track.codec, track.sample_rate, track.channels) for track in master.audio] == [("aac", 48_000, 2)]
    assert abs(master.duration - SECONDS) < Fraction(1, FPS)


def test_all_samples_together_stay_small() -> None:
    files = [path for path in SAMPLES.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in files) <= SIZE_LIMIT


@pytest.mark.parametrize("language", ["ar", "fr"])
def test_cues_follow_each_other_inside_the_film(language: str) -> None:
    times = [moment for start, end, _ in cues(language) for moment in (start, end)]
    assert len(times) >= 2 * 12
    assert times == sorted(times)
    assert len(set(times)) == len(times)
    assert times[0] >= 0
    assert times[-1] <= SECONDS


def test_both_languages_speak_at_the_same_times() -> None:
    assert [cue[:2] for cue in cues("ar")] == [cue[:2] for cue in cues("fr")]


def test_arabic_lines_run_from_right_to_left() -> None:
    """WebVTT has no direction: every line opens with RLM, and what runs the other way is isolated (FSI ... PDI)."""
    for _, _, text in cues("ar"):
        for line in text.split("\n"):
            assert line.startswith(RLM)
            assert not re.search(r"[A-Za-z0-9]", re.sub("\u2068[^\u2068\u2069]*\u2069", "", line))


def test_shots_are_uneven_and_fill_the_film(film: ModuleType) -> None:
    lengths = [shot.frames for shot in film.SHOTS]
    assert sum(lengths) == film.FRAMES == SECONDS * FPS
    assert len(lengths) >= 10
    assert all(2.5 * FPS <= length <= 8 * FPS for length in lengths)
    assert len(set(lengths)) > len(lengths) / 2


@pytest.mark.parametrize("name", ["palms", "rugs", "end"])
def test_a_frame_is_drawn_the_same_twice(film: ModuleType, name: str) -> None:
    shot = next(shot for shot in film.SHOTS if shot.name == name)
    digests = set()
    for _ in range(2):
        film.scene.cache_clear()
        digests.add(sha256(film.render(shot, 1.4, 160, 90).tobytes()).hexdigest())
    assert len(digests) == 1


@pytest.mark.parametrize("name", ["palms", "rugs", "end"])
def test_the_film_is_what_the_generator_draws(film: ModuleType, name: str) -> None:
    """Colours of a grid of 16x9 patches, which a codec leaves alone."""
    index = [shot.name for shot in film.SHOTS].index(name)
    number = sum(shot.frames for shot in film.SHOTS[:index]) + 35
    shown = next(iter(read_frames(FILM, size=(160, 90), rgb=True, start=number / FPS - 0.01, end=(number + 1) / FPS)))
    drawn = cv2.resize(film.frame(number, 1280, 720), (160, 90), interpolation=cv2.INTER_AREA)
    patches = [picture.astype(float).reshape(9, 10, 16, 10, 3).mean(axis=(1, 3)) for picture in (shown.image, drawn)]
    assert np.abs(patches[0] - patches[1]).mean() < 5
