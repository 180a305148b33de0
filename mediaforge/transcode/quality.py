"""How good a rendition looks: VMAF v1, for a phone or a television, frame by frame against the master (never by shrinking the
display: facts-transcode 5c).

Frame n of a rendition is held against frame n of the master on the title's grid, reached the way the encoder reaches it.
One ffmpeg looks at all renditions: the master is decoded and scaled once. Only the frames asked for are scaled and scored;
their neighbours are shown to libvmaf too, as it measures motion between pictures that follow one another (VMAF counts the
smaller of the motions before and behind a frame; without its neighbours a frame lost up to 10 points). Every frame can be
glanced at in the same decode.
"""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mediaforge.confinement import Limits
from mediaforge.errors import ToolError
from mediaforge.ladder import Screen
from mediaforge.media import Master, VideoTrack
from mediaforge.tools import FFMPEG_PROGRESS, FFMPEG_QUIET, Tools, media_input, run
from mediaforge.transcode.clean import cleaning_filters, input_matrix, output_matrix
from mediaforge.transcode.glance import Glance, glance_graph, read_glance

# Seen from five picture heights, a phone in the hand, and from three, a television (Netflix/vmaf, models_v1.md).
MODELS = {Screen.PHONE: "vmaf_v1.0.16_5d0h", Screen.TV: "vmaf_v1.0.16_3d0h"}
_LEAST_SIDE = 360
_LIMITS = Limits(memory_bytes=16 << 30)
_RUN = 3  # a frame and its two neighbours


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a rendition: VMAF of the sample (frames scored,), and every frame at a glance."""

    scores: NDArray[np.float64]
    glance: Glance


def score_frames(
    renditions: Sequence[Path],
    master: Master,
    frames: Sequence[range],
    *,
    fps: Fraction,
    tools: Tools,
    screen: Screen = Screen.PHONE,
) -> tuple[NDArray[np.float64], ...]:
    """VMAF of the given frames of each rendition, 0 to 100: an array (frames,) for each.

    `fps` is the grid's rate. `frames` are numbers on the grid: the same consecutive ones for all, or for each at least three
    apart and then neither the title's first nor its last. Files are read from the first to the last of all, no further.
    Raises ToolError.
    """
    is_whole = all(one.step == 1 for one in frames)
    margin = 0 if is_whole else 1
    span = range(min(one[0] for one in frames) - margin, max(one[-1] for one in frames) + margin + 1)
    video = _picture(master)
    with tempfile.TemporaryDirectory() as folder:
        if is_whole:
            graph = _whole_graph(len(renditions), video, length=len(span), fps=fps, screen=screen)
        else:
            graph = _run_graph(_placed(frames, span), video, length=len(span), fps=fps, screen=screen)
        _look(renditions, master, graph, begin=span.start, fps=fps, to=Path(folder), tools=tools)
        return _scores(Path(folder), master, frames, skipped=0 if is_whole else 1)


def score_and_glance(
    renditions: Sequence[Path],
    master: Master,
    frames: Sequence[range],
    *,
    span: range,
    fps: Fraction,
    tools: Tools,
    screen: Screen = Screen.PHONE,
) -> tuple[Seen, ...]:
    """VMAF of frames at least three apart, and a glance at every frame of a span in which they all have two neighbours."""
    video = _picture(master)
    with tempfile.TemporaryDirectory() as folder:
        graph = _run_graph(_placed(frames, span), video, length=len(span), fps=fps, screen=screen, with_glances=True)
        _look(renditions, master, graph, begin=span.start, fps=fps, to=Path(folder), tools=tools)
        scores = _scores(Path(folder), master, frames, skipped=1)
        return tuple(Seen(one, read_glance(Path(folder), number, frames=len(span))) for number, one in enumerate(scores))


def _placed(frames: Sequence[range], span: range) -> list[range]:
    """The frames by their places in the span."""
    for one in frames:
        assert one.step >= _RUN and span.start < one[0] and one[-1] < span.stop - 1
    return [range(one.start - span.start, one.stop - span.start, one.step) for one in frames]


def _look(renditions: Sequence[Path], master: Master, graph: str, *, begin: int, fps: Fraction, to: Path, tools: Tools) -> None:
    """Show the files from frame `begin` on to a graph that leaves its logs in a folder."""
    argv: list[str | Path] = [tools.ffmpeg, *FFMPEG_QUIET, *FFMPEG_PROGRESS]
    argv += _input(master.path, start=_picture(master).start + (begin - Fraction(1, 4)) / fps)
    for path in renditions:
        # Drawn grain is nowhere the master's own: it is left out of what is compared.
        argv += ["-export_side_data", "film_grain", *_input(path, start=(begin - Fraction(1, 4)) / fps)]
    argv += ["-filter_complex_threads", "1", "-filter_complex", graph, "-f", "null", "-"]
    run(argv, name="ffmpeg", limits=_LIMITS, cwd=to, watchdog_seconds=600)


def _scores(folder: Path, master: Master, frames: Sequence[range], *, skipped: int) -> tuple[NDArray[np.float64], ...]:
    """What the graph's libvmaf left, without the lead-in."""
    scores = tuple(read_scores(folder / _log(number))[skipped:] for number in range(len(frames)))
    for found, wanted in zip(scores, frames, strict=True):
        if len(found) != len(wanted):
            raise ToolError("libvmaf", f"scored {len(found)} of {len(wanted)} frames of {master.path.name}; release it again")
    return scores


def shown_size(width: int, height: int) -> tuple[int, int]:
    """The size to compare at: the master's, a small one's a whole number of times (libvmaf cannot look at smaller pictures)."""
    times = -(-_LEAST_SIDE // min(width, height))
    return width * times, height * times


def read_scores(log: Path) -> NDArray[np.float64]:
    """Score by frame (frames,) of a log that libvmaf wrote with log_fmt=json. Raises ToolError where it holds none."""
    try:
        frames = json.loads(log.read_bytes())["frames"]
    except (OSError, ValueError, KeyError) as error:
        raise ToolError("libvmaf", f"left no scores in {log.name}; run it again", transient=True) from error
    if not frames:
        raise ToolError("libvmaf", "was shown no frame; check that rendition and master are of one film")
    return np.array([frame["metrics"][_metric(frame["metrics"])] for frame in frames], dtype=np.float64)


def _metric(metrics: dict[str, float]) -> str:
    """The name under which libvmaf reports the model's score; other entries are its features."""
    return next(name for name in metrics if name.startswith("vmaf"))


def _picture(master: Master) -> VideoTrack:
    assert master.video is not None
    return master.video


def _input(path: Path, *, start: Fraction) -> list[str | Path]:
    """A file from `start` on: a quarter of a frame early, as the encoder does, so that no rounding can lose a frame."""
    seek = ["-ss", f"{float(start):.6f}"] if start > 0 else []
    return ["-threads", "1", *seek, *media_input(path)]


def _whole_graph(count: int, video: VideoTrack, *, length: int, fps: Fraction, screen: Screen) -> str:
    """Every frame, one after the other."""
    timed = "settb=1/25,setpts=N"  # only the order counts; setpts=N/FPS/TB would round frames into one another
    ends = [f"[reference{number}]" for number in range(count)]
    parts = [f"[0:{video.index}]{_on_grid(video, length, fps=fps)}{_shown(video)},{timed},split={count}{''.join(ends)}"]
    for number, end in enumerate(ends):
        parts.append(f"[{number + 1}:v:0]{_constant_rate(length, fps=fps)}{_scaled(video)},{timed}[rendition{number}]")
        parts.append(f"[rendition{number}]{end}{_vmaf(number, every=1, screen=screen)}")
    return ";".join(parts)


def _run_graph(
    places: Sequence[range], video: VideoTrack, *, length: int, fps: Fraction, screen: Screen, with_glances: bool = False
) -> str:
    """Runs of three frames with the middle one, whose place is given, scored.

    n_subsample=3 scores pictures 0, 3, 6 ... but measures motion on all; so the first run gets two more pictures in front.
    Picture 0 is scored for nothing. Motion is measured on the reference only: a rendition's frame stands for its neighbours.
    """
    timed = "settb=1/25,setpts=N"
    ends = [f"[reference{number}]" for number in range(len(places))]
    anyones = "+".join(_is_near("n", one) for one in places)
    tap = "split=2[glanced][shown];[shown]" if with_glances else ""
    parts = [
        f"[0:{video.index}]{_on_grid(video, length, fps=fps)}{timed},{tap}select='{anyones}',{_shown(video)},"
        f"split={len(places)}{''.join(ends)}"
    ]
    if with_glances:
        parts += glance_graph(len(places), pixel_format=video.pixel_format, size=shown_size(*video.display_size))
    for number, one in enumerate(places):
        # A picture's time is still its place here.
        parts.append(
            f"[reference{number}]select='{_is_near('pts', one)}',{timed},tpad=start=2:start_mode=clone,{timed}[runs{number}]"
        )
        tap = f"split=2[glanced{number}][asked{number}];[asked{number}]" if with_glances else ""
        parts.append(
            f"[{number + 1}:v:0]{_constant_rate(length, fps=fps)}{tap}select='{_is_one_of(one)}',{_scaled(video)},"
            f"settb=1/{_RUN},setpts={_RUN}*(N+1),fps={_RUN}:start_time=0,tpad=stop=2:stop_mode=clone,"
            f"trim=end_frame={2 + _RUN * len(one)},{timed}[rendition{number}]"
        )
        parts.append(f"[rendition{number}][runs{number}]{_vmaf(number, every=_RUN, screen=screen)}")
    return ";".join(parts)


def _is_near(place: str, places: range) -> str:
    """An ffmpeg expression: whether a place is one of `places` or beside it."""
    first, last = places[0] - 1, places[-1] + 1
    return f"between({place},{first},{last})*lt(mod({place}-{first},{places.step}),{_RUN})"


def _is_one_of(places: range) -> str:
    return f"between(n,{places[0]},{places[-1]})*eq(mod(n-{places[0]},{places.step}),0)"


def _on_grid(video: VideoTrack, length: int, *, fps: Fraction) -> str:
    """The master on the grid, as the encoder's graph puts it there; what needs a frame's neighbours comes first."""
    woven = "".join(f"{name}={_options(options)}," for name, options in cleaning_filters(video) if name == "bwdif")
    return f"{woven}{_constant_rate(length, fps=fps)}"


def _constant_rate(length: int, *, fps: Fraction) -> str:
    return f"fps={fps}:start_time=0:round=near,tpad=stop=2:stop_mode=clone,trim=end_frame={length},"


def _shown(video: VideoTrack) -> str:
    clean = "".join(f"{name}={_options(options)}," for name, options in cleaning_filters(video) if name != "bwdif")
    colour = f":in_color_matrix={input_matrix(video)}:out_color_matrix={output_matrix(video)}:out_range=tv"
    return f"{clean}{_scaled(video, colour)}"


def _scaled(video: VideoTrack, colour: str = "") -> str:
    width, height = shown_size(*video.display_size)
    return f"scale={width}:{height}:flags=bicubic{colour},setsar=1,format=yuv420p10le"


def _options(options: dict[str, str]) -> str:
    return ":".join(f"{key}={value}" for key, value in options.items())


def _vmaf(number: int, *, every: int, screen: Screen) -> str:
    log = f"log_fmt=json:log_path={_log(number)}"
    return f"libvmaf=model=version={MODELS[screen]}:n_threads=1:n_subsample={every}:{log}:shortest=1"


def _log(number: int) -> str:
    return f"vmaf-{number}.json"
