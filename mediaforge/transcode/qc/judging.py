"""What was measured, held against the limits: findings in the order of their time. Pure."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mediaforge.media import VideoTrack
from mediaforge.transcode.qc.finding import Finding, QcLimits, Severity
from mediaforge.transcode.qc.flashes import flash_trains
from mediaforge.transcode.qc.judging_sound import judge_sound
from mediaforge.transcode.qc.runs import runs
from mediaforge.transcode.qc.seen import Seen

_SEEN = 10  # so many frames must have shown their fields before anything is said of a whole film
_NEARLY_ALL = 0.9
_TELECINE = 0.3  # of film in 60 fields two frames in five are combed
_ONE_ORDER = 0.8
_FIELD_WINDOW = 4  # seconds that are judged as one
_BAR_SHARE = 5  # per cent of the looks that may show something in the bars: subtitles, noise


def judge(seen: Seen, video: VideoTrack, limits: QcLimits) -> tuple[Finding, ...]:
    """All findings, the earliest first, and of those the gravest."""
    found = [
        *_black(seen, limits),
        *_frozen(seen, limits),
        *_combed(seen, video, limits),
        *_bars(seen, video, limits),
        *_flashes(seen, limits),
    ]
    if seen.sound is not None:
        found += judge_sound(seen.sound, picture_seconds=seen.seconds, limits=limits)
    return tuple(sorted(found, key=lambda one: (one.start, list(Severity).index(one.severity), one.check)))


def _black(seen: Seen, limits: QcLimits) -> Iterator[Finding]:
    for piece in seen.black:
        at_edge = piece.start < 0.5 or piece.end > seen.seconds - 0.5
        limit = limits.edge if at_edge else limits.black
        if piece.seconds < limit:
            continue
        severity = Severity.NOTICE if at_edge else Severity.ERROR if piece.seconds >= limits.black_hole else Severity.WARNING
        if at_edge and piece.seconds > _NEARLY_ALL * seen.seconds:
            severity = Severity.ERROR
        message = f"the picture is black for {piece.seconds:.1f} s"
        yield Finding.of("black", severity, (piece.start, piece.end), piece.seconds, limit, "s", message)


def _frozen(seen: Seen, limits: QcLimits) -> Iterator[Finding]:
    for piece in seen.frozen:
        black = sum(max(0.0, min(piece.end, one.end) - max(piece.start, one.start)) for one in seen.black)
        if piece.seconds >= limits.freeze and black < piece.seconds / 2:
            message = f"the picture stands still for {piece.seconds:.1f} s; a still or a title card may do so, a film not"
            yield Finding.of("freeze", Severity.WARNING, (piece.start, piece.end), piece.seconds, limits.freeze, "s", message)


def _combed(seen: Seen, video: VideoTrack, limits: QcLimits) -> Iterator[Finding]:
    """The fields as they are, against the container's word."""
    known = ~np.isnan(seen.fields)
    if known.sum() < _SEEN:
        return
    # Combs of fields come in one order; moving stripes look combed now in one, now in the other.
    order, whole = np.nan_to_num(seen.fields), (0.0, seen.seconds)
    share = abs(float(order.sum() / known.sum()))
    if not video.is_interlaced:
        if share * known.sum() < 0.5 * np.abs(order).sum():
            return
        for first, behind in runs(_mostly(order, known, window=round(_FIELD_WINDOW * seen.fps)), least=1):
            places = first + np.flatnonzero(order[first:behind])
            start, end = (places[0] / seen.fps, (places[-1] + 1) / seen.fps) if len(places) else (0.0, 0.0)
            if end - start >= limits.combed:
                message = f"combed for {end - start:.1f} s, and the file says {video.field_order}; deinterlace it, or mark it"
                yield Finding.of("combing", Severity.ERROR, (start, end), end - start, limits.combed, "s", message)
        return
    if share < 1 - _NEARLY_ALL:
        message = (
            f"marked interlaced ({video.field_order}) but hardly a frame is combed; mark it progressive, or it loses sharpness"
        )
        yield Finding.of("combing", Severity.WARNING, whole, 100 * share, 100 * (1 - _NEARLY_ALL), "%", message)
        return
    against = float(np.mean(order[order != 0] != (-1 if video.field_order.startswith("b") else 1)))
    if against > _NEARLY_ALL:
        message = f"its fields come in the other order than the file says ({video.field_order}); mend that, or movement jerks"
        yield Finding.of("field_order", Severity.ERROR, whole, 100 * against, 100 * _NEARLY_ALL, "%", message)


def _mostly(order: NDArray[np.float64], known: NDArray[np.bool_], *, window: int) -> NDArray[np.bool_]:
    """Whether the frames around each are combed, and nearly all in one order; stills between tell nothing and follow."""
    ones = np.ones(min(max(3, window), len(order)))
    told, combed, net = (np.convolve(row, ones, "same") for row in (known, np.abs(order), order))
    in_one_order = (told >= _SEEN) & (combed >= _TELECINE * told) & (np.abs(net) >= _ONE_ORDER * combed) & (combed > 0)
    place = np.maximum.accumulate(np.where(told >= _SEEN, np.arange(len(order)), 0))  # the last before that was sure
    return np.asarray(in_one_order[place])


def _bars(seen: Seen, video: VideoTrack, limits: QcLimits) -> Iterator[Finding]:
    """What is black in nearly every look, at opposite edges."""
    if not len(seen.bars):
        return
    left, right, top, bottom = 100 * np.percentile(seen.bars, _BAR_SHARE, axis=0)
    wide, high = float(left + right), float(top + bottom)
    if max(wide, high) < limits.bars_percent:
        return
    lines = [
        round(share * of / 100)
        for share, of in ((left, video.width), (right, video.width), (top, video.height), (bottom, video.height))
    ]
    both = min(wide, high) >= limits.bars_percent
    words = "bars all around" if both else "pillar bars" if wide > high else "letterbox bars"
    message = (
        f"{words}: {lines[0]} + {lines[1]} columns left and right, {lines[2]} + {lines[3]} lines above and below; crop them"
    )
    severity = Severity.WARNING if both else Severity.NOTICE
    yield Finding.of("crop", severity, (0.0, seen.seconds), max(wide, high), limits.bars_percent, "%", message)


def _flashes(seen: Seen, limits: QcLimits) -> Iterator[Finding]:
    for piece, worst in flash_trains(seen.turns or (), fps=seen.fps, limit=limits.flashes_a_second):
        message = (
            f"{worst:g} flashes in a second over a quarter of the screen: dangerous to people with photosensitive epilepsy"
        )
        yield Finding.of(
            "flashes", Severity.ERROR, (piece.start, piece.end), worst, limits.flashes_a_second, "flashes/s", message
        )
