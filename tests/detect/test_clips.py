"""From files to matches: excerpts encoded again are found where they were taken, and strangers are not found."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mediaforge.detect.index import Index
from mediaforge.detect.match import Match, Verdict, find_matches
from mediaforge.detect.video import MAX_SIDE, QUERY_FPS, SAMPLE_FPS, Fingerprint, fingerprint
from mediaforge.frames import read_frames

# Title -> where its excerpt of 10 s begins. chair20, chair22 and chair22_logo are one take, cut and branded.
TAKEN: Mapping[str, float] = {
    "bbb480.mp4": 14.16,
    "bikes.mp4": 0,
    "chair20.mp4": 7.35,
    "chair22.mp4": 1.61,
    "chair22_logo.mp4": 8.77,
    "cockatoo.mp4": 2.8,
    "film-720p25-60s.mp4": 35.46,
    "intel-bottle-detection.mp4": 21.12,  # a fixed camera: only small differences tell one second from another
    "leaf-deer-720p.mp4": 5.16,
    "mma_demo.mp4": 0,
    "tos-battle.webm": 42.56,
}
SAME_TAKE = {"chair20", "chair22", "chair22_logo"}


def seen_in(copy: Path) -> Fingerprint:
    return fingerprint(read_frames(copy, fps=QUERY_FPS, max_side=MAX_SIDE))


def index_of(folder: Path, files: list[Path]) -> Index:
    index = Index(folder)
    for file in files:
        index.add(file.stem, fingerprint(read_frames(file, fps=SAMPLE_FPS, max_side=MAX_SIDE, quick=True)))
    return index


def excerpt(ffmpeg: Callable[..., None], source: Path, to: Path, *, start: float, seconds: float) -> Path:
    coder = ("-c:v", "libx264", "-crf", "33", "-preset", "ultrafast", "-threads", "1")
    ffmpeg("-ss", str(start), "-t", str(seconds), "-i", source, "-an", *coder, to)
    return to


def check_span(match: Match, start: float, seconds: float, within: float) -> None:
    assert float(match.query.start) == pytest.approx(0, abs=within)
    assert float(match.query.end) == pytest.approx(seconds, abs=within)
    assert float(match.reference.start) == pytest.approx(start, abs=within)
    assert float(match.reference.end) == pytest.approx(start + seconds, abs=within)


def test_an_excerpt_of_a_generated_film_is_found(tmp_path: Path, ffmpeg: Callable[..., None]) -> None:
    title, stranger = tmp_path / "title.mp4", tmp_path / "stranger.mp4"
    coder = ("-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-pix_fmt", "yuv420p")
    zoom = "mandelbrot=size=320x180:rate=25:end_scale=0.02:end_pts=400"
    ffmpeg("-f", "lavfi", "-t", "14", "-i", zoom, *coder, title)
    ffmpeg("-f", "lavfi", "-t", "8", "-i", "cellauto=size=320x180:rate=25:seed=4", *coder, stranger)
    index = index_of(tmp_path / "index", [title])
    copy = excerpt(ffmpeg, title, tmp_path / "copy.mp4", start=4.3, seconds=7)
    found = find_matches(seen_in(copy), index.load())
    assert [match.title for match in found] == ["title"]
    check_span(found[0], 4.3, 7, within=0.3)
    assert find_matches(seen_in(stranger), index.load()) == ()


@pytest.fixture(scope="module")
def shared_index(shared_media: Path, tmp_path_factory: pytest.TempPathFactory) -> Index:
    return index_of(tmp_path_factory.mktemp("index"), [shared_media / name for name in TAKEN])


@pytest.mark.media
@pytest.mark.parametrize("name", TAKEN)
def test_ten_seconds_of_a_real_clip_are_found_in_their_title_and_in_no_other(
    name: str, shared_media: Path, shared_index: Index, tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    source, start = shared_media / name, TAKEN[name]
    query = seen_in(excerpt(ffmpeg, source, tmp_path / "copy.mp4", start=start, seconds=10))
    found = find_matches(query, shared_index.load())
    own = next(match for match in found if match.title == source.stem)
    kin = SAME_TAKE if source.stem in SAME_TAKE else {source.stem}
    assert {match.title for match in found} <= kin
    assert own.verdict is Verdict.MATCH
    assert own.score >= 0.97 * found[0].score
    check_span(own, start, 10, within=1)
    assert find_matches(query, index_without(kin, shared_index, tmp_path / "others").load()) == ()


def index_without(titles: set[str], index: Index, folder: Path) -> Index:
    """The index before these titles were added: an excerpt of theirs is of an unknown film then."""
    others = Index(folder)
    for title in set(index.titles()) - titles:
        others.adopt(title, index)
    return others
