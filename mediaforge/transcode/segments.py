"""The segments of a chunk: the quality each is to have, the bits it took, and what to try where those are too many."""

import math
from pathlib import Path

from mediaforge.confinement import Limits
from mediaforge.ladder import FittedRung
from mediaforge.media import Chunk, Grid
from mediaforge.tools import Tools, media_input, run
from mediaforge.transcode.codecs import codec

SEGMENT_TOLERANCE = 1.10  # a segment's rate over its rung's: what players' safety margins swallow
_BEYOND = 0.125  # octaves below the rung's rate that a segment coded again aims at: to code it a third time costs as much
_CRF_STEP = 0.25
_LIMITS = Limits(memory_bytes=4 << 30)


def chunk_segments(chunk: Chunk, grid: Grid) -> range:
    """The numbers of a chunk's segments. Pure."""
    first = chunk.first_frame // grid.gop_frames
    return range(first, first - (-chunk.frames // grid.gop_frames))


def chunk_crfs(crfs: tuple[float, ...], chunk: Chunk, grid: Grid) -> tuple[float, ...]:
    """The CRFs of a chunk's segments, out of one for every segment of the title. Pure."""
    segments = chunk_segments(chunk, grid)
    return crfs[segments.start : segments.stop]


def coarser(rung: FittedRung, segment: int, bits: int, grid: Grid) -> float | None:
    """The CRF to try for a segment that took so many bits; None where it keeps its rung's rate, or nothing is coarser. Pure."""
    of = codec(rung.rung.codec)
    coarsest = of.coarsest(rung.rung.preset)
    # Against a whole segment's time: a short last one is mostly its key frame, and players buffer bits, not rates.
    excess = bits / float(grid.segment_seconds) / rung.rung.max_bitrate_bps
    if excess <= SEGMENT_TOLERANCE or rung.crfs[segment] >= coarsest:
        return None
    wanted = rung.crfs[segment] + of.octave * (math.log2(excess) + _BEYOND)
    return min(coarsest, math.ceil(wanted / _CRF_STEP) * _CRF_STEP)


def segment_bits(rendition: Path, *, tools: Tools) -> tuple[int, ...]:
    """Bits of every segment (closed GOP) of a rendition."""
    argv = [tools.ffprobe, "-v", "error", "-of", "csv=p=0", "-show_entries", "packet=size,flags", *media_input(rendition)]
    sizes: list[int] = []
    for line in run(argv, name="ffprobe", limits=_LIMITS, timeout_seconds=300).stdout.decode().split():
        size, flags = line.split(",")[:2]
        if "K" in flags or not sizes:
            sizes.append(0)
        sizes[-1] += 8 * int(size)
    return tuple(sizes)
