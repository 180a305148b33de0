"""A file from anywhere opened by PyAV: what may be opened, how large its pictures may be. Of the child `frames_child` only."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal

import av
from av.container import InputContainer

from mediaforge.tools import INPUT_FORMATS

THREADS = 2
MAX_SIDE = 8192  # larger pictures are refused: no master of ours needs them, and one frame would be gigabytes


class Refused(Exception):
    """A file is no such file, or not as it must be: a sentence for the user."""


def opened(request: dict[str, Any]) -> InputContainer:
    options = {"protocol_whitelist": "file", "format_whitelist": INPUT_FORMATS}
    if request["key"]:
        options["decryption_key"] = request["key"]
    paths = [Path(path) for path in request["paths"]]
    source: Any = f"file:{paths[0]}" if len(paths) == 1 else _Chain(paths)
    container: InputContainer = av.open(source, "r", container_options=options)
    for stream in container.streams.video:
        if max(stream.width, stream.height) > MAX_SIDE:
            raise Refused(f"pictures of {stream.width}x{stream.height} are larger than {MAX_SIDE}; this is no film")
        stream.codec_context.options = {"max_pixels": str(MAX_SIDE * MAX_SIDE)}  # pictures may grow on the way
        stream.codec_context.thread_count = THREADS
        stream.thread_type = "AUTO"
    return container


def first_stream(container: InputContainer, kind: Literal["video", "audio"]) -> Any:
    streams = container.streams.video if kind == "video" else container.streams.audio
    if not streams:
        raise Refused(f"has no {'picture' if kind == 'video' else 'sound'}")
    return streams[0]


def origin_of(stream: Any) -> int:
    return stream.start_time or 0


def packets_of(container: InputContainer, stream: Any) -> Iterator[Any]:
    return (packet for packet in container.demux(stream) if packet.dts is not None)


class _Chain(io.RawIOBase):
    """Several files read as one, without a copy of them."""

    def __init__(self, paths: list[Path]) -> None:
        super().__init__()
        self.paths = paths
        self.starts = [0]
        for path in paths:
            self.starts.append(self.starts[-1] + path.stat().st_size)
        self.at = 0
        self.open_index = -1
        self.file: BinaryIO | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self.at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self.at, os.SEEK_END: self.starts[-1]}[whence]
        return self.at

    def tell(self) -> int:
        return self.at

    def read(self, size: int = -1) -> bytes:
        if self.at >= self.starts[-1]:
            return b""
        index = next(i for i in range(len(self.paths)) if self.at < self.starts[i + 1])
        if index != self.open_index:
            if self.file is not None:
                self.file.close()
            self.file, self.open_index = self.paths[index].open("rb"), index
        assert self.file is not None
        self.file.seek(self.at - self.starts[index])
        left = self.starts[index + 1] - self.at
        data = self.file.read(left if size < 0 else min(size, left))
        self.at += len(data)
        return data
