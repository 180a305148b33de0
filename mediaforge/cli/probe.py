"""`probe`: what a master is, what is wrong with it, what will be done to it."""

from fractions import Fraction
from pathlib import Path

import click

from mediaforge.cli.arguments import FILE, ladder_option
from mediaforge.cli.command import Call, Command
from mediaforge.cli.output import clock, rate, size
from mediaforge.cli.shipped import find_ladder
from mediaforge.cli.tables import print_lines
from mediaforge.ladder import FittedRung, Ladder, fit_rungs
from mediaforge.ladderfile import load_ladder
from mediaforge.media import AudioTrack, Grid, Master, VideoTrack
from mediaforge.tools import locate_tools
from mediaforge.transcode.chunks import plan_chunks, plan_grid
from mediaforge.transcode.clean import findings as picture_findings
from mediaforge.transcode.passthrough import PASSED_CODECS
from mediaforge.transcode.probe import probe, read_timeline


@click.command("probe", cls=Command)
@click.argument("master", type=FILE)
@ladder_option
@click.pass_obj
def command(call: Call, /, *, master: Path, ladder: str) -> None:
    """Say what a master is, what is wrong with it, and what will be done to it.

    \b
    Example:
      mediaforge probe film.mov
      mediaforge probe film.mov --ladder ./ours.toml --json
    """
    chosen = load_ladder(find_ladder(ladder))
    tools = locate_tools(call.settings.tools)
    probed = probe(master, tools=tools)
    if probed.video is not None:
        read_timeline(probed, tools=tools)  # a file cut short says so here, not after an hour of encoding
    found = _findings(probed)
    plan = _plan(probed, probed.video, chosen) if probed.video else ()
    call.printer.answer(
        {"master": _data(probed), "findings": found, "plan": plan}, lambda: _print(probed, findings=found, plan=plan)
    )


def _findings(master: Master) -> tuple[str, ...]:
    found = picture_findings(master.video) if master.video else ("no picture: it cannot be released",)
    if not master.audio:
        found += ("no sound: bring it with --audio FILE:LANGUAGE, or the package will be silent",)
    return found


def _plan(master: Master, video: VideoTrack, ladder: Ladder) -> tuple[str, ...]:
    grid = plan_grid(fps=video.fps, seconds=video.duration or master.duration)
    sounds = ladder.audio if master.audio else ()
    if ladder.policy is None:
        rungs = tuple(_rung_sentence(rung) for rung in fit_rungs(ladder, *video.display_size))
    else:
        rungs = (f"at most {ladder.policy.most_rungs} rungs, chosen for this title: see `ladder plan`",)
    return (
        _grid_sentence(grid),
        f"{len(plan_chunks(grid))} chunks, each decoded once for all rungs and both variants",
        *rungs,
        *(f"sound {target.name}: {target.codec} at {rate(target.bitrate_bps)}" for target in sounds),
        *(_passed_sentence(master, codec) for codec in ladder.passthrough),
    )


def _passed_sentence(master: Master, codec: str) -> str:
    languages = [track.language for track in master.audio if PASSED_CODECS.get(track.codec) == codec]
    if not languages:
        return f"sound {codec}: none in this master to pass through; bring it with --audio FILE:LANGUAGE"
    return f"sound {codec}: passed through ({', '.join(dict.fromkeys(languages))})"


def _grid_sentence(grid: Grid) -> str:
    length = f"{float(grid.segment_seconds):.3f}".rstrip("0").rstrip(".")
    return f"{grid.segments} segments of {length} s ({grid.gop_frames} frames), each a closed GOP and a watermark position"


def _rung_sentence(rung: FittedRung) -> str:
    return f"rung {rung.rung.name}: {rung.width}x{rung.height} at {rate(rung.rung.bitrate_bps)} ({rung.label} key)"


def _data(master: Master) -> dict[str, object]:
    return {
        "path": master.path,
        "bytes": master.size_bytes,
        "container": master.container,
        "duration": master.duration,
        "video": _video(master.video) if master.video else None,
        "audio": master.audio,
        "subtitles": master.subtitles,
    }


def _video(video: VideoTrack) -> dict[str, object]:
    return {
        "index": video.index,
        "codec": video.codec,
        "width": video.width,
        "height": video.height,
        "sar": _ratio(video.sar),
        "dar": _ratio(video.dar),
        "fps": video.fps,
        "field_order": video.field_order,
        "pixel_format": video.pixel_format,
        "color_space": video.color_space,
        "color_transfer": video.color_transfer,
        "color_primaries": video.color_primaries,
        "color_range": video.color_range,
        "start": video.start,
        "duration": video.duration,
    }


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}:{value.denominator}"


def _print(master: Master, *, findings: tuple[str, ...], plan: tuple[str, ...]) -> None:
    print_lines(f"{master.path.name}: {master.container}, {clock(master.duration)}, {size(master.size_bytes)}")
    if master.video:
        print_lines("  picture: " + _picture_words(master.video))
    print_lines(*("  sound: " + _sound_words(track) for track in master.audio))
    print_lines(*(f"  subtitles: {track.codec}, {track.language}" for track in master.subtitles))
    print_lines("Findings", *(f"  - {sentence}" for sentence in findings or ("nothing unusual",)))
    print_lines("Plan", *(f"  - {sentence}" for sentence in plan or ("nothing can be made of it",)))


def _picture_words(video: VideoTrack) -> str:
    fps = f"{float(video.fps):.3f}".rstrip("0").rstrip(".")
    shape = f"{video.width}x{video.height} ({_ratio(video.dar)})"
    return f"{video.codec} {shape}, {fps} frames/s, {video.field_order}, {video.pixel_format}"


def _sound_words(track: AudioTrack) -> str:
    return f"{track.codec} {track.layout}, {track.sample_rate} Hz, {track.language}"
