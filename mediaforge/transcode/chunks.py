"""The timeline cut into chunks on the keyframe grid. Pure."""

from fractions import Fraction

from mediaforge.media import Chunk, Grid, gop_frames

# Long enough that rate control settles and process starts cost nothing, short enough that a kill loses little and a
# minute of film still keeps two cores busy to its end.
CHUNK_SECONDS = 16
FAST_FPS = 30  # above it half the rate is still a film's


def plan_grid(*, fps: Fraction, seconds: Fraction) -> Grid:
    """The grid of a title: constant frame rate, at least one frame.

    A fast film's odd last frame is left out, so that small pictures can be shown at half the rate (shapes.py).
    """
    frames = max(1, round(seconds * fps))
    return Grid(fps=fps, gop_frames=gop_frames(fps), frames=frames - frames % 2 if fps > FAST_FPS else frames)


def plan_chunks(grid: Grid) -> tuple[Chunk, ...]:
    """Whole GOPs, as evenly as they go, about CHUNK_SECONDS each; the last one takes the rest."""
    wanted = max(1, round(grid.duration / CHUNK_SECONDS))
    gops = -(-grid.segments // wanted)
    size = gops * grid.gop_frames
    return tuple(
        Chunk(index=index, first_frame=first, frames=min(size, grid.frames - first))
        for index, first in enumerate(range(0, grid.frames, size))
    )
