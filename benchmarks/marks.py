"""What the marks cost and what they are worth: quality, A against B, flicker, strength, reading after an attack, time.

    python benchmarks/marks.py [FOLDER] [--clips film-720p25-60s.mp4 ...] [--seconds 8] [--kbps 500 3000]

Every clip is encoded at 640x360 plainly, by divergence and by pattern; figures stand beside what is asked.
"""

import argparse
import json
import re
import resource
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from mediaforge.frames import read_frames
from mediaforge.ladder import FittedRung, Rung
from mediaforge.marking import keyed_pattern
from mediaforge.media import Chunk, Grid, Master, Variant, gop_frames
from mediaforge.tools import Tools, locate_tools
from mediaforge.transcode.codecs.h264 import AQ_STRENGTH
from mediaforge.transcode.encoder import EncodeRequest, encode, rendition_name
from mediaforge.transcode.probe import probe
from mediaforge.watermark.correlate import read_symbol
from mediaforge.watermark.pattern import pattern_key
from mediaforge.watermark.strength import head_strengths
from mediaforge.watermark.variants import encoder_options

SAMPLE = Path(__file__).parent.parent / "samples" / "atlas-720p25.mp4"
CLIPS = {  # where to begin, in frames
    "film-720p25-60s.mp4": 480,
    "tos-battle.webm": 720,
    "bbb480.mp4": 120,
    "leaf-deer-720p.mp4": 120,
    "chair20.mp4": 0,
    "carphone.mp4": 0,
}
SIZE = (640, 360)
SECRET = bytes(range(32))
ATTACKS = {"crf 33": ["-crf", "33"], "240p crf 30": ["-vf", "scale=426:240", "-crf", "30"]}


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("folder", type=Path, nargs="?", help="of --clips; the shipped sample without one")
    words.add_argument("--clips", nargs="*", default=list(CLIPS))
    words.add_argument("--seconds", type=int, default=8)
    words.add_argument("--kbps", nargs="*", type=int, default=[500, 3000])
    asked = words.parse_args()
    tools = locate_tools({})
    for path in [asked.folder / name for name in asked.clips] if asked.folder else [SAMPLE]:
        if not path.is_file():
            print(f"{path.name}: not there, left out")
            continue
        for kbps in asked.kbps:
            with tempfile.TemporaryDirectory(prefix="marks-") as folder:
                _clip(path, Path(folder), first=CLIPS.get(path.name, 0), seconds=asked.seconds, kbps=kbps, tools=tools)


def _clip(path: Path, folder: Path, *, first: int, seconds: int, kbps: int, tools: Tools) -> None:
    master = probe(path, tools=tools)
    fps = master.video.fps
    gop = gop_frames(fps)
    grid = Grid(fps=fps, gop_frames=gop, frames=max(1, round(seconds * fps) // gop) * gop)
    # The master is cut where the excerpt begins, so that the grid begins there too.
    cut = replace(master.video, start=master.video.start + Fraction(first) / fps)
    request = _request(replace(master, video=cut), grid, kbps=kbps)
    source = _source(request, folder, tools)
    plain, diverging, patterned = (folder / kind for kind in ("plain", "divergence", "pattern"))
    cpu = {
        "plain": _encode(replace(request, differing={Variant.A: {}}), plain, tools),
        "divergence": _encode(request, diverging, tools),
        "pattern": _encode(replace(request, patterns={"v": keyed_pattern(pattern_key(SECRET), None)}), patterned, tools),
    }
    base = _scores(plain / "v.a.mp4", source, tools)
    print(f"\n{path.name} {kbps} kbit/s: plain VMAF {base['vmaf']:.2f}, PSNR-U/V {base['u']:.2f}/{base['v']:.2f} dB")
    for kind, at, vmaf_asked in (("divergence", diverging, 0.05), ("pattern", patterned, 0.5)):
        a, b = (_scores(at / rendition_name("v", variant), source, tools) for variant in Variant)
        size = sum((at / rendition_name("v", variant)).stat().st_size for variant in Variant) / 2
        loss = base["vmaf"] - (a["vmaf"] + b["vmaf"]) / 2
        colour = max(base[plane] - min(a[plane], b[plane]) for plane in "uv")
        print(
            f"  {kind:10} VMAF loss {loss:+.2f} (asked {vmaf_asked}), A-B {a['vmaf'] - b['vmaf']:+.2f} (0.2), PSNR-U/V loss "
            f"{colour:+.2f} dB (0.1 for divergence), size {size / (plain / 'v.a.mp4').stat().st_size:.3f}, "
            f"CPU {cpu[kind] / cpu['plain']:.2f} of the plain encode"
        )
        pair = [at / rendition_name("v", variant) for variant in Variant]
        strengths = head_strengths(*pair, grid)
        print(f"             strength {' '.join(f'{strength:.2f}' for strength in strengths)} luma levels")
        flicker, planted = _flicker(pair, grid)
        print(f"             flicker at switches {flicker:+.3f} sigma (1), the same with 2 levels planted {planted:+.1f}")
        for attack, options in ATTACKS.items():
            print(f"             z after {attack}: {' '.join(f'{z:+.1f}' for z in _read(pair, grid, folder, options, tools))}")
    twice = _two_pass(source, folder, kbps, gop, tools)
    print(f"  A+B in one pass: {cpu['divergence'] / twice:.2f} of a plain two-pass encode (asked 1.75)")


def _request(master: Master, grid: Grid, *, kbps: int) -> EncodeRequest:
    target = Rung(
        name="v",
        box_width=SIZE[0],
        box_height=SIZE[1],
        bitrate_bps=kbps * 1000,
        max_bitrate_bps=kbps * 1250,
        buffer_bits=kbps * 1250,
        preset="medium",
    )
    return EncodeRequest(
        master=master,
        grid=grid,
        chunk=Chunk(index=0, first_frame=0, frames=grid.frames),
        rungs=(FittedRung(rung=target, width=SIZE[0], height=SIZE[1]),),
        differing={variant: encoder_options(variant, SECRET, 0, aq_strength=AQ_STRENGTH) for variant in Variant},
    )


def _source(request: EncodeRequest, folder: Path, tools: Tools) -> Path:
    """What the encoders see, near enough to lossless to be scored against, made by the same graph."""
    (folder / "source").mkdir()
    fine = replace(request.rungs[0].rung, bitrate_bps=80_000_000, max_bitrate_bps=400_000_000, buffer_bits=800_000_000)
    rung = replace(request.rungs[0], rung=replace(fine, preset="ultrafast"))
    asked = replace(request, rungs=(rung,), differing={Variant.A: {}})
    encode(asked, folder / "source", tools=tools, on_progress=lambda _: None)
    return folder / "source" / "v.a.mp4"


def _encode(request: EncodeRequest, to: Path, tools: Tools) -> float:
    to.mkdir()
    with _cpu() as spent:
        encode(request, to, tools=tools, on_progress=lambda _: None)
    return spent[0]


class _cpu:  # noqa: N801 (used as `with _cpu()`)
    """CPU seconds of the children that ended in the block."""

    def __enter__(self) -> list[float]:
        self.spent, self.before = [0.0], self._now()
        return self.spent

    def __exit__(self, *_: object) -> None:
        self.spent[0] = self._now() - self.before

    def _now(self) -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime


def _scores(made: Path, source: Path, tools: Tools) -> dict[str, float]:
    log = made.with_suffix(".json")
    graph = f"[0:v][1:v]libvmaf=log_fmt=json:log_path={log}:n_threads=1:feature=name=psnr"
    _ffmpeg(tools, "-i", made, "-i", source, "-lavfi", graph, "-f", "null", "-")
    pooled = json.loads(log.read_text())["pooled_metrics"]
    return {"vmaf": pooled["vmaf"]["mean"], "u": pooled["psnr_cb"]["mean"], "v": pooled["psnr_cr"]["mean"]}


def _flicker(pair: list[Path], grid: Grid) -> tuple[float, float]:
    """How much more light and texture jump at segment boundaries where A and B alternate than where they do not.

    In sigmas of that difference between plain boundaries; and the same with every second segment 2 levels lighter.
    """
    a, b = (np.stack([frame.image for frame in read_frames(path, size=(320, 180))]).astype(np.float32) for path in pair)
    turns = (np.arange(grid.frames) // grid.gop_frames) % 2
    switched = np.where(turns[:, None, None] == 1, b, a)
    planted = switched + 2.0 * turns[:, None, None]
    plain = [_jumps(pictures, grid) for pictures in (a, b)]
    mean, spread = (plain[0] + plain[1]) / 2, np.abs(plain[0] - plain[1]).std() + 0.05
    return tuple(float(np.mean(_jumps(pictures, grid) - mean) / spread) for pictures in (switched, planted))


def _jumps(pictures: np.ndarray, grid: Grid) -> np.ndarray:
    """Of every boundary: the jump in the mean of 12x10 tiles and in their spread, in levels."""
    tiles = pictures.reshape(len(pictures), 18, 10, 32, 10)
    light, texture = tiles.mean(axis=(2, 4)), tiles.std(axis=(2, 4))
    at = range(grid.gop_frames, grid.frames, grid.gop_frames)
    return np.array([np.abs(light[i] - light[i - 1]).mean() + np.abs(texture[i] - texture[i - 1]).mean() for i in at])


def _read(pair: list[Path], grid: Grid, folder: Path, options: list[str], tools: Tools) -> Iterator[float]:
    """z of each segment of an attacked A (+) and, every second one, of an attacked B, turned so that + is right."""
    leaks = [folder / f"leak-{number}.mp4" for number in range(2)]
    for path, leak in zip(pair, leaks, strict=True):
        _ffmpeg(tools, "-i", path, "-c:v", "libx264", "-preset", "veryfast", *options, "-y", leak)
    pictures = [[frame.image.astype(np.float32) for frame in read_frames(path, size=(320, 180))] for path in (*pair, *leaks)]
    for segment in range(grid.segments):
        span = slice(segment * grid.gop_frames, (segment + 1) * grid.gop_frames, 2)
        a, b, *copies = (rows[span] for rows in pictures)
        reading = read_symbol(copies[segment % 2], a, b)
        yield 0.0 if reading is None else (1 - 2 * (segment % 2)) * reading.rho / reading.sigma


def _two_pass(source: Path, folder: Path, kbps: int, gop: int, tools: Tools) -> float:
    rate = f"{kbps}k"
    common = ["-c:v", "libx264", "-preset", "medium", "-threads", "1", "-b:v", rate, "-passlogfile", folder / "log"]
    common += ["-x264-params", f"keyint={gop}:min-keyint={gop}:scenecut=0"]
    with _cpu() as spent:
        _ffmpeg(tools, "-i", source, *common, "-pass", "1", "-f", "null", "-")
        _ffmpeg(tools, "-i", source, *common, "-pass", "2", "-y", folder / "two.mp4")
    return spent[0]


def _ffmpeg(tools: Tools, *words: str | Path) -> None:
    done = subprocess.run([tools.ffmpeg, "-nostdin", "-loglevel", "error", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, re.sub(r"\s+", " ", done.stderr[-400:])


if __name__ == "__main__":
    main()
