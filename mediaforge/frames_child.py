"""The child behind frames.py: PyAV on untrusted bytes. A request comes on stdin, numbers and one report go to stdout.

Everything it says on stderr is a complaint of the codec libraries; decode_all counts those lines as errors.
"""

import hashlib
import itertools
import json
import math
import os
import sys
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, BinaryIO

import av
import av.logging
from av.container import InputContainer
from av.video.reformatter import Interpolation, VideoReformatter

from mediaforge.frames_mux import join, stitch
from mediaforge.frames_needed import needed
from mediaforge.frames_opening import Refused, first_stream, opened, origin_of, packets_of
from mediaforge.frames_wire import FRAME, FRAME_HEADER, REPORT, REPORT_HEADER, SOUND, SOUND_HEADER

MAX_REPORTED_LINES = 20
MAX_SOUND_HOURS = 48  # an hour of coded silence takes kilobytes: a small file could keep us busy for ever
MAX_BACK_SECONDS = 5  # what begins so much earlier than the end of what was heard is no overlap
NEAR_SECONDS = 4  # of film up to the next span: decoding on costs less than going back to a keyframe
MAX_GAP_SECONDS = 600  # a longer hole in the sound's times is no hole but nonsense


def main() -> None:
    request = json.load(sys.stdin)
    out = sys.stdout.buffer
    works = {"frames": _frames, "sound": _sound, "decode": _decode, "join": join, "stitch": stitch}
    try:
        report = works[request["work"]](request, out)
    except (av.FFmpegError, Refused) as error:
        report = {"error": _sentence(error)}
    except BrokenPipeError:  # the reader has seen enough
        os._exit(0)
    text = json.dumps(report).encode()
    out.write(REPORT_HEADER.pack(REPORT, len(text)) + text)
    out.flush()


def _sentence(error: Exception) -> str:
    if isinstance(error, av.FFmpegError):
        return f"cannot be decoded ({error.strerror or error}); check that it is a whole media file"
    return str(error)


def _frames(request: dict[str, Any], out: BinaryIO) -> dict[str, Any]:
    av.logging.set_level(None)
    with opened(request) as container:
        stream = first_stream(container, "video")
        if request["quick"]:
            # Half the work, at most a few frames' gap. Without the loop filter pictures are blockier, not other pictures.
            stream.codec_context.skip_frame = "BIDIR"
            stream.codec_context.options |= {"skip_loop_filter": "all"}
            # A second thread would only wait for the reader, and costs 5 to 10 % of CPU time.
            stream.codec_context.thread_count = 1
        tick = 0
        scaler = VideoReformatter()  # one for all pictures: preparing it costs more than a picture
        sparse = Fraction(request["fps"]) if request["quick"] and request["fps"] else None
        for seconds, frame in _spanned(container, stream, request, sparse=sparse):
            if request["fps"]:
                # The first picture at or after each tick; half a millisecond forgives a container's rounded times.
                if seconds + Fraction(1, 2000) < tick / Fraction(request["fps"]):
                    continue
                tick = math.floor((seconds + Fraction(1, 2000)) * Fraction(request["fps"])) + 1
            width, height = _target(request, frame, aspect=stream.sample_aspect_ratio or 1)
            kind = "rgb24" if request["rgb"] else "gray"
            image = scaler.reformat(frame, width=width, height=height, format=kind, interpolation=Interpolation.AREA)
            channels = 3 if request["rgb"] else 1
            out.write(FRAME_HEADER.pack(FRAME, seconds.numerator, seconds.denominator, height, width, channels))
            # Row by row, for rows may be padded. Not by numpy: loading it takes longer than decoding a few pictures.
            pixels, row = memoryview(image.planes[0]), image.planes[0].line_size
            out.write(b"".join(pixels[at : at + width * channels] for at in range(0, row * height, row)))
    return {}


def _spanned(
    container: InputContainer, stream: Any, request: dict[str, Any], *, sparse: Fraction | None
) -> Iterator[tuple[Fraction, Any]]:
    """The pictures within each span, with their seconds; with `heads` only the first ones of each closed GOP, with
    `sparse` without those that so many ticks a second do not need."""
    origin = origin_of(stream)
    frames: Iterator[Any] = iter(())
    reached: Fraction | None = None  # where the last span was left...
    over: list[Any] = []  # ... by this picture, which may be of the next
    for start, end in request["spans"]:
        if reached is None or not reached <= start < reached + NEAR_SECONDS:
            if start > 0 or reached is not None:
                container.seek(int(origin + (start - 0.5) / stream.time_base), stream=stream)
            frames, over = _decoded(container, stream, request, sparse=sparse), []
        seen, over = itertools.chain(over, frames), []
        for frame in seen:
            if frame.pts is None:
                continue
            reached = seconds = (frame.pts - origin) * stream.time_base
            if seconds < start:
                continue
            if end is not None and seconds >= end:
                over = [frame]
                break
            yield seconds, frame


def _decoded(container: InputContainer, stream: Any, request: dict[str, Any], *, sparse: Fraction | None) -> Iterator[Any]:
    if request["rough"]:
        return _rough(container, stream)
    if request["heads"]:
        return _heads(container, stream, request["heads"])
    return _sparse(container, stream, sparse) if sparse else container.decode(stream)


def _sparse(container: InputContainer, stream: Any, fps: Fraction) -> Iterator[av.VideoFrame]:
    """The pictures that `fps` ticks a second need, and some between them."""
    packets = (packet for packet in packets_of(container, stream) if packet.pts is not None)
    origin, tick = origin_of(stream), stream.time_base
    for packet in needed(packets, fps=fps, seconds=lambda packet: (packet.pts - origin) * tick):
        yield from stream.codec_context.decode(packet)
        if packet is None:
            stream.codec_context.flush_buffers()
    yield from stream.codec_context.decode(None)


def _rough(container: InputContainer, stream: Any) -> Iterator[Any]:
    """As players do with what was recorded or cut badly: a broken packet is passed over, and where times jump they go on."""
    second, broken, shift, step = int(1 / stream.time_base), 0, 0, 0
    last, decoded = origin_of(stream), False
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.FFmpegError as error:
            if isinstance(error, MemoryError):
                raise
            broken += 1
            continue
        for frame in frames:
            if frame.pts is None:
                continue
            ahead = frame.pts + shift - last
            if not -second <= ahead <= MAX_GAP_SECONDS * second:
                shift, ahead = shift + step - ahead, step
            elif decoded and ahead <= 0:
                continue  # out of order, and not by a jump
            elif decoded:
                step = ahead
            last, decoded = last + ahead, True
            frame.pts = last
            yield frame
    if broken and not decoded:
        raise Refused("has pictures that cannot be decoded; check that it is a whole media file")


def _heads(container: InputContainer, stream: Any, count: int) -> Iterator[av.VideoFrame]:
    """The first pictures of every closed GOP, in the order of decoding; the others are not decoded."""
    left = 0
    for packet in packets_of(container, stream):
        left = count if packet.is_keyframe else left
        if left:
            yield from stream.codec_context.decode(packet)
            left -= 1
            if not left:
                yield from stream.codec_context.decode(None)
                stream.codec_context.flush_buffers()
    if left:
        yield from stream.codec_context.decode(None)


def _target(request: dict[str, Any], frame: av.VideoFrame, *, aspect: Fraction | int) -> tuple[int, int]:
    if request["size"]:
        return request["size"][0], request["size"][1]
    width, height = round(frame.width * aspect), frame.height
    if request["max_side"]:
        scale = min(1.0, request["max_side"] / max(width, height))
        width, height = max(2, round(width * scale)), max(2, round(height * scale))
    return width, height


def _sound(request: dict[str, Any], out: BinaryIO) -> dict[str, Any]:
    av.logging.set_level(None)
    rate = request["rate"]
    sent = broken = 0
    with opened(request) as container:
        tracks = container.streams.audio
        if request["track"] >= len(tracks):
            raise Refused(f"has no sound track {request['track'] + 1}" if tracks else "has no sound")
        stream = tracks[request["track"]]
        origin = _sound_origin(container, stream)
        resampler: av.AudioResampler | None = None
        shape: object = None
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:  # as players do: the next packet may be whole
                broken += 1
                continue
            for frame in frames:
                if resampler is None or shape != (frame.format.name, frame.layout.name, frame.sample_rate):
                    shape = (frame.format.name, frame.layout.name, frame.sample_rate)
                    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
                if frame.time is not None and not -MAX_BACK_SECONDS <= frame.time - origin - sent / rate <= MAX_GAP_SECONDS:
                    origin = frame.time - sent / rate  # no hole but nonsense, or another recording behind the first
                wanted = sent if frame.time is None else round((frame.time - origin) * rate)
                # Once begun, a little off is a container's rounded times and the resampler's delay.
                slack = rate // 5 if sent else 0
                frame.pts = None
                data = b"".join(bytes(part.planes[0])[: 2 * part.samples] for part in resampler.resample(frame))
                sent += _send_sound(data, missing=wanted - sent, slack=slack, rate=rate, out=out)
                if sent > MAX_SOUND_HOURS * 3600 * rate:
                    raise Refused(f"has more than {MAX_SOUND_HOURS} h of sound; cut it into pieces")
        if resampler is not None:
            data = b"".join(bytes(part.planes[0])[: 2 * part.samples] for part in resampler.resample(None))
            sent += _send_sound(data, missing=0, slack=0, rate=rate, out=out)
    if broken and not sent:
        raise Refused("has sound that cannot be decoded; check that it is a whole media file")
    return {}


def _send_sound(data: bytes, *, missing: int, slack: int, rate: int, out: BinaryIO) -> int:
    """Send samples, after silence where `missing` samples lie before them, or without those that come too early."""
    if slack < missing <= MAX_GAP_SECONDS * rate:
        data = bytes(2 * missing) + data
    elif missing < -slack:
        data = data[2 * -missing :]
    if data:
        out.write(SOUND_HEADER.pack(SOUND, len(data) // 2) + data)
    return len(data) // 2


def _sound_origin(container: InputContainer, stream: Any) -> float:
    """When the first picture is, or the sound itself where there is none, in seconds of the file's clock."""
    first: Any = container.streams.video[0] if container.streams.video else stream
    return float(origin_of(first) * first.time_base)


def _decode(request: dict[str, Any], out: BinaryIO) -> dict[str, Any]:
    digest = hashlib.sha256()
    frames = samples = 0
    first: Fraction | None = None
    last = Fraction(0)
    with _complaints() as complaints:
        try:
            with opened(request) as container:
                stream = first_stream(container, request["kind"])
                for frame in container.decode(stream):
                    if request["kind"] == "video" and frame.is_corrupt:
                        complaints.append(f"frame {frames} is corrupt")
                    frames += 1
                    samples += getattr(frame, "samples", 0)
                    moment = (frame.pts or 0) * frame.time_base
                    first = moment if first is None else min(first, moment)
                    last = max(last, moment)
                    for plane in frame.planes:
                        digest.update(plane)
        except av.FFmpegError as error:
            complaints.append(f"after {frames} frames: {error}")
    return {
        "frames": frames,
        "samples": samples,
        "first": str(first or Fraction(0)),
        "last": str(last),
        "error_lines": complaints[:MAX_REPORTED_LINES],
        "digest": digest.hexdigest(),
    }


class _complaints:  # noqa: N801 (used as `with _complaints()`)
    """The lines that libav prints to stderr while the block runs, as a list filled at its end."""

    def __enter__(self) -> list[str]:
        av.logging.restore_default_callback()  # to stderr: PyAV's own callback takes the GIL in decoder threads
        av.logging.set_libav_level(av.logging.ERROR)
        self.lines: list[str] = []
        self.file = tempfile.TemporaryFile()
        self.stderr = os.dup(2)
        os.dup2(self.file.fileno(), 2)
        return self.lines

    def __exit__(self, *_: object) -> None:
        os.dup2(self.stderr, 2)
        self.file.seek(0)
        self.lines.extend(line.strip() for line in self.file.read().decode("utf-8", "replace").splitlines() if line.strip())
        self.file.close()


if __name__ == "__main__":
    main()
