from collections.abc import Callable
from pathlib import Path

from mediaforge.tools import Tools
from mediaforge.transcode.probe import probe
from mediaforge.transcode.quality import measure


def test_a_coarser_rendition_scores_lower(clip: Path, tools: Tools, tmp_path: Path, ffmpeg: Callable[..., None]) -> None:
    scores = []
    for crf in ("12", "45"):
        rendition = tmp_path / f"{crf}.mp4"
        ffmpeg("-i", clip, "-an", "-t", "2", "-c:v", "libx264", "-preset", "veryfast", "-crf", crf, rendition)
        quality = measure(rendition, probe(clip, tools=tools), fps="25/1", tools=tools)
        assert quality.frames == 10 and quality.p5 <= quality.mean
        scores.append(quality.mean)
    assert scores[0] > 90 > scores[1] + 20
