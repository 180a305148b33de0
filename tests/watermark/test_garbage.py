"""Pictures that show no film at all are laid over none, and name nobody."""

from fractions import Fraction
from pathlib import Path

import pytest

from mediaforge.media import Grid
from mediaforge.tools import FFMPEG_QUIET, Tools, run
from mediaforge.watermark.extract import Reference, extract
from mediaforge.watermark.trace import Outcome, accuse

GRID = Grid(fps=Fraction(12), gop_frames=12, frames=72)  # six segments of a second
EVERYBODY = [(f"recipient-{number}", number) for number in range(200)]
GARBAGE = {
    "noise": "nullsrc=size=160x90:rate=12,geq=random(1)*255:128:128",
    "black": "color=black:size=160x90:rate=12",
    "a still card": "smptebars=size=160x90:rate=12",
}


def make(tools: Tools, source: str, to: Path, *options: str) -> Path:
    coder = ["-t", "6", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-g", "12"]
    run([tools.ffmpeg, *FFMPEG_QUIET, "-f", "lavfi", "-i", source, *coder, *options, to], name="ffmpeg", timeout_seconds=60)
    return to


@pytest.fixture(scope="module")
def reference(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    folder = tmp_path_factory.mktemp("title")
    a, b = (make(tools, "testsrc2=size=160x90:rate=12", folder / f"{crf}.mp4", "-crf", crf) for crf in ("30", "32"))
    return Reference(rung="v", a=a, b=b)


def test_the_title_itself_is_read(reference: Reference) -> None:
    """So that what is asked of garbage below could fail."""
    read = extract(reference.a, [reference], GRID)
    assert read.alignment is not None
    assert read.symbols


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_is_inconclusive(kind: str, reference: Reference, tools: Tools, tmp_path: Path) -> None:
    read = extract(make(tools, GARBAGE[kind], tmp_path / "leak.mp4"), [reference], GRID)
    assert read.alignment is None
    assert read.symbols == ()
    verdict = accuse(read, secret=bytes(32), recipients=EVERYBODY, false_accusation=0.5)
    assert (verdict.verdict, verdict.accusations) == (Outcome.INCONCLUSIVE, ())
