"""The sound, held against the limits. Pure."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mediaforge.transcode.qc.finding import Finding, QcLimits, Severity
from mediaforge.transcode.qc.runs import runs
from mediaforge.transcode.qc.seen import HOP, Sound

_LOUD_DB = -50.0  # a channel is missed, and a phase tells something, where the other or both are as loud as this
_FULL_SCALE_DB = -0.05
_FLAT_DB = 10.0  # samples stay at the peak three at a time and more; those of a sound merely at full scale do not
_NEARLY_ALL = 0.9
_FLIPPED = -0.5


def judge_sound(sound: Sound, *, picture_seconds: float, limits: QcLimits) -> Iterator[Finding]:
    """Findings of the first sound track, in no order."""
    yield from _silence(sound, limits)
    yield from _loudness(sound, limits)
    yield from _clipping(sound, limits)
    yield from _channels(sound, limits)
    yield from _phase(sound, limits)
    yield from _sync(sound, picture_seconds, limits)


def _silence(sound: Sound, limits: QcLimits) -> Iterator[Finding]:
    silent = sound.rms.max(axis=1) < limits.silence_db
    if silent.all():
        message = "the sound is silent from beginning to end; find the right track"
        yield _of(sound, "silence", Severity.ERROR, (0, len(silent)), sound.seconds, limits.silence, "s", message)
        return
    for start, end in runs(silent, least=_steps(limits.silence)):
        seconds = (end - start) * HOP
        at_edge = start == 0 or end == len(silent)
        limit = limits.edge if at_edge else limits.silence
        if seconds >= limit:
            severity = Severity.NOTICE if at_edge else Severity.WARNING
            yield _of(sound, "silence", severity, (start, end), seconds, limit, "s", f"silent for {seconds:.1f} s")


def _loudness(sound: Sound, limits: QcLimits) -> Iterator[Finding]:
    whole = (0, len(sound.rms))
    if sound.loudness_lufs is None:
        return
    if abs(sound.loudness_lufs - limits.loudness_lufs) > limits.loudness_lu:
        way = "louder" if sound.loudness_lufs > limits.loudness_lufs else "quieter"
        message = f"{sound.loudness_lufs:.1f} LUFS, {way} than EBU R 128's {limits.loudness_lufs:g}"
        yield _of(sound, "loudness", Severity.NOTICE, whole, sound.loudness_lufs, limits.loudness_lufs, "LUFS", message)
    if sound.true_peak_dbtp > limits.true_peak_dbtp:
        message = f"peaks reach {sound.true_peak_dbtp:+.1f} dBTP: encoded, they distort; lower the level"
        yield _of(sound, "true_peak", Severity.WARNING, whole, sound.true_peak_dbtp, limits.true_peak_dbtp, "dBTP", message)
    if sound.range_lu > limits.range_lu:
        message = f"a loudness range of {sound.range_lu:.1f} LU: on a telephone the quiet is lost or the loud hurts"
        yield _of(sound, "loudness_range", Severity.NOTICE, whole, sound.range_lu, limits.range_lu, "LU", message)


def _clipping(sound: Sound, limits: QcLimits) -> Iterator[Finding]:
    clipped = np.any((sound.peak >= _FULL_SCALE_DB) & (sound.flat >= _FLAT_DB), axis=1)
    for start, end in runs(clipped, least=_steps(limits.clipped), bridge=_steps(limits.clipping_pause)):
        seconds = float(clipped[start:end].sum()) * HOP
        message = f"clipped: for {seconds:.1f} s the peaks are cut off flat at full scale; take it from before the limiter"
        yield _of(sound, "clipping", Severity.WARNING, (start, end), seconds, limits.clipped, "s", message)


def _channels(sound: Sound, limits: QcLimits) -> Iterator[Finding]:
    """Of a stereo pair only: surrounds and LFE may be silent for as long as they like."""
    if sound.rms.shape[1] != 2:
        return
    loud = sound.rms.max(axis=1) >= _LOUD_DB
    for channel, name in enumerate(("left", "right")):
        dead = loud & (sound.rms[:, channel] < limits.silence_db)
        for start, end in runs(dead, least=_steps(limits.dead_channel), bridge=_steps(limits.clipping_pause)):
            seconds = float(dead[start:end].sum()) * HOP
            severity = Severity.ERROR if dead.sum() >= _NEARLY_ALL * loud.sum() else Severity.WARNING
            message = f"nothing on the {name} channel for {seconds:.1f} s, while the other one is heard"
            yield _of(sound, "channel", severity, (start, end), seconds, limits.dead_channel, "s", message)


def _phase(sound: Sound, limits: QcLimits) -> Iterator[Finding]:
    if sound.phase is None:
        return
    against: NDArray[np.bool_] = np.asarray((sound.rms.min(axis=1) >= _LOUD_DB) & (sound.phase < 0))
    for start, end in runs(against, least=_steps(limits.antiphase), bridge=_steps(HOP)):
        mean = float(sound.phase[start:end][against[start:end]].mean())
        severity = Severity.ERROR if mean < _FLIPPED else Severity.WARNING
        message = (
            f"left and right stand against each other (correlation {mean:.2f}): in mono they cancel; turn one of them over"
        )
        yield _of(sound, "phase", severity, (start, end), mean, 0.0, "correlation", message)


def _sync(sound: Sound, picture_seconds: float, limits: QcLimits) -> Iterator[Finding]:
    end = sound.start + sound.seconds
    if abs(sound.start) > limits.sync:
        way = "late" if sound.start > 0 else "early"
        message = f"the sound begins {abs(sound.start):.1f} s too {way}; check that it fits the picture"
        first, last = sorted((0.0, sound.start))
        yield Finding.of("sync", Severity.WARNING, (first, last), abs(sound.start), limits.sync, "s", message)
    apart = end - picture_seconds
    if abs(apart) > limits.sync:
        severity = Severity.ERROR if abs(apart) > limits.sync_gross else Severity.WARNING
        way = "longer" if apart > 0 else "shorter"
        message = f"the sound is {abs(apart):.1f} s {way} than the picture; check that both are whole and of one version"
        first, last = sorted((end, picture_seconds))
        yield Finding.of("sync", severity, (first, last), abs(apart), limits.sync, "s", message)


def _steps(seconds: float) -> int:
    return round(seconds / HOP)


def _of(  # noqa: PLR0917 - a row of a table
    sound: Sound, check: str, severity: Severity, span: tuple[int, int], value: float, limit: float, unit: str, message: str
) -> Finding:
    """A finding on steps of the sound."""
    start, end = (sound.start + step * HOP for step in span)
    return Finding.of(check, severity, (start, end), value, limit, unit, message)
