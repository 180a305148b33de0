"""Copies made to mislead, to burden or to escape, each in a folder of its own. Small and quickly made, all of them."""

import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

Ffmpeg = Callable[..., None]
Maker = Callable[[Path, Ffmpeg], Path]

_HUGE = 16_000
_SHAPES = ("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=12:duration=4")
_CODER = ("-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-pix_fmt", "yuv420p", "-g", "12")


def shapes(path: Path, ffmpeg: Ffmpeg, *options: str) -> Path:
    ffmpeg(*_SHAPES, *_CODER, *options, path)
    return path


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def garbage(folder: Path, ffmpeg: Ffmpeg) -> Path:
    return written(folder / "copy.mp4", bytes((7 * number * number) % 251 for number in range(200_000)))


def text(folder: Path, ffmpeg: Ffmpeg) -> Path:
    return written(folder / "copy.mov", b"This is no film.\n" * 1000)


def empty(folder: Path, ffmpeg: Ffmpeg) -> Path:
    return written(folder / "copy.mp4", b"")


def archive(folder: Path, ffmpeg: Ffmpeg) -> Path:
    """A film in an archive in an archive: nothing here unpacks."""
    film = shapes(folder / "film.mp4", ffmpeg)
    for name, inner in (("inner.zip", film), ("copy.mkv", folder / "inner.zip")):
        with zipfile.ZipFile(folder / name, "w") as zipped:
            zipped.write(inner, "film.mp4")
    return folder / "copy.mkv"


def zeros(folder: Path, ffmpeg: Ffmpeg) -> Path:
    """A gigabyte that is none on the disk."""
    with (folder / "copy.ts").open("wb") as file:
        file.truncate(1 << 30)
    return folder / "copy.ts"


def subtitles(folder: Path, ffmpeg: Ffmpeg) -> Path:
    source = written(folder / "lines.srt", b"1\n00:00:00,000 --> 00:00:02,000\nno film\n")
    ffmpeg("-i", source, "-c:s", "srt", folder / "copy.mkv")
    return folder / "copy.mkv"


def playlist(folder: Path, ffmpeg: Ffmpeg) -> Path:
    """It names a file beside it, one of the machine, and a host."""
    shapes(folder / "secret.ts", ffmpeg)
    pieces = "".join(f"#EXTINF:2,\n{name}\n" for name in ("secret.ts", "file:///etc/hostname", "http://10.0.0.1/a.ts"))
    return written(folder / "copy.mp4", f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n{pieces}#EXT-X-ENDLIST\n".encode())


def concat_script(folder: Path, ffmpeg: Ffmpeg) -> Path:
    shapes(folder / "secret.mp4", ffmpeg)
    return written(folder / "copy.mp4", b"ffconcat version 1.0\nfile secret.mp4\n")


def manifest(folder: Path, ffmpeg: Ffmpeg) -> Path:
    shapes(folder / "secret.mp4", ffmpeg)
    body = '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT4S"><Period><AdaptationSet>'
    body += '<Representation id="v" bandwidth="1"><BaseURL>secret.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>'
    return written(folder / "copy.mp4", body.encode())


def reference_movie(folder: Path, ffmpeg: Ffmpeg) -> Path:
    """A QuickTime data reference to another file (ISO/IEC 14496-12, 8.7.2): the samples are to come from there."""
    film = shapes(folder / "secret.mov", ffmpeg).read_bytes()
    inside = b"url \x00\x00\x00\x01"  # flags 1: the samples are in this file
    assert film.count(inside) == 1
    return written(folder / "copy.mov", film.replace(inside, b"url \x00\x00\x00\x00"))


def huge_picture(folder: Path, ffmpeg: Ffmpeg) -> Path:
    """16,000 x 16,000 in a megabyte: nearly the most that libav takes for a picture at all."""
    return _png_film(folder, ffmpeg, side=_HUGE)


def hidden_huge_picture(folder: Path, ffmpeg: Ffmpeg) -> Path:
    """The same, but the container says 160 x 90."""
    film = _png_film(folder, ffmpeg, side=_HUGE)
    return written(film, _resized(film.read_bytes(), (_HUGE, _HUGE), (160, 90)))


def growing_picture(folder: Path, ffmpeg: Ffmpeg) -> Path:
    """One of 640 x 640, then one of 16,000 x 16,000."""
    pictures = written(folder / "pictures.png", _png(640) + _png(_HUGE))
    ffmpeg("-f", "png_pipe", "-framerate", "25", "-i", pictures, "-c", "copy", folder / "copy.mkv")
    return folder / "copy.mkv"


def claimed_huge_picture(folder: Path, ffmpeg: Ffmpeg) -> Path:
    """Small pictures, of which the container says that they are 16,384 x 16,384."""
    film = shapes(folder / "film.mkv", ffmpeg, "-vf", "scale=320:256")
    return written(folder / "copy.mkv", _resized(film.read_bytes(), (320, 256), (16_384, 16_384)))


def _resized(matroska: bytes, former: tuple[int, int], new: tuple[int, int]) -> bytes:
    """Other PixelWidth and PixelHeight (RFC 9559, 5.1.4.1.28.6 and .7), in as many bytes."""
    elements = [struct.pack(">BBHBBH", 0xB0, 0x82, width, 0xBA, 0x82, height) for width, height in (former, new)]
    assert matroska.count(elements[0]) == 1
    return matroska.replace(elements[0], elements[1])


def _png_film(folder: Path, ffmpeg: Ffmpeg, *, side: int) -> Path:
    picture = written(folder / "picture.png", _png(side))
    ffmpeg("-f", "png_pipe", "-framerate", "25", "-i", picture, "-c", "copy", folder / "copy.mkv")
    return folder / "copy.mkv"


@cache
def _png(side: int) -> bytes:
    """A black square."""
    rows = zlib.compressobj(1)
    row = bytes(side + 1)
    data = b"".join(rows.compress(row) for _ in range(side)) + rows.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", data), (b"IEND", b"")
    parts = (struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def one_frame(folder: Path, ffmpeg: Ffmpeg) -> Path:
    return shapes(folder / "copy.mp4", ffmpeg, "-frames:v", "1")


def no_frame(folder: Path, ffmpeg: Ffmpeg) -> Path:
    """A whole header with tracks, and not one picture: an init segment."""
    film = shapes(folder / "whole.mp4", ffmpeg, "-movflags", "empty_moov+frag_keyframe").read_bytes()
    return written(folder / "copy.mp4", film[: film.index(b"moof") - 4])


def truncated_tail(folder: Path, ffmpeg: Ffmpeg) -> Path:
    """The index lies at the end and is gone."""
    film = shapes(folder / "whole.mp4", ffmpeg).read_bytes()
    return written(folder / "copy.mp4", film[: len(film) * 2 // 3])


def huge_metadata(folder: Path, ffmpeg: Ffmpeg) -> Path:
    """8 MB of title, in a file of a few pictures."""
    tags = written(folder / "tags.txt", b";FFMETADATA1\ntitle=" + b"x" * (8 << 20) + b"\n")
    film = shapes(folder / "film.mkv", ffmpeg)
    ffmpeg("-i", film, "-i", tags, "-map", "0", "-map_metadata", "1", "-c", "copy", folder / "copy.mkv")
    return folder / "copy.mkv"


def long_claim(folder: Path, ffmpeg: Ffmpeg) -> Path:
    """Four seconds that say they are 49 days."""
    film = shapes(folder / "copy.mp4", ffmpeg)
    content = bytearray(film.read_bytes())
    for kind, at in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20)):  # ISO/IEC 14496-12, 8.2.2, 8.3.2, 8.4.2
        place = content.index(kind) + at
        content[place : place + 4] = struct.pack(">I", 0xFFFFFFF0)
    return written(film, bytes(content))


def wild_times(folder: Path, ffmpeg: Ffmpeg) -> Path:
    """Pictures some days apart, and then back again."""
    ffmpeg(*_SHAPES, *_CODER, "-bsf:v", "setts=ts=if(between(N\\,12\\,20)\\,TS+1e12\\,TS)", "-f", "mpegts", folder / "copy.ts")
    return folder / "copy.ts"


def changing_size(folder: Path, ffmpeg: Ffmpeg) -> Path:
    first = shapes(folder / "a.ts", ffmpeg)
    ffmpeg("-i", first, "-vf", "scale=320:240", *_CODER, folder / "b.ts")
    return written(folder / "copy.ts", first.read_bytes() + (folder / "b.ts").read_bytes())


# What each is told. "" where it is looked at like any other copy, and shows nothing.
TOLD: Mapping[Maker, str] = MappingProxyType(
    {
        garbage: "cannot be read as media",
        text: "cannot be read as media",
        empty: "is empty",
        archive: "cannot be read as media",
        zeros: "cannot be read as media",
        subtitles: "holds neither picture nor sound",
        playlist: "cannot be read as media",
        concat_script: "cannot be read as media",
        manifest: "cannot be read as media",
        reference_movie: "",
        huge_picture: "pictures of 16000x16000 are larger than 8192; this is no film",
        hidden_huge_picture: "pictures of 16000x16000 are larger than 8192; this is no film",
        claimed_huge_picture: "",
        one_frame: "",
        no_frame: "",
        truncated_tail: "cannot be read as media",
        huge_metadata: "",
        long_claim: "",
        wild_times: "",
        changing_size: "",
    }
)
