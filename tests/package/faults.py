"""Broken packages: what may go wrong between an encoder and a viewer, each made of a good package, with the rule it breaks.

The good package is that of `conftest.py`: rungs v060 (160x90) and v120 (256x144) in both variants, trick play (128x72), Opus
and AAC in Darija, French subtitles, 4 segments.
"""

import re
import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mediaforge.package.boxes import find
from mediaforge.package.record import Scheme

LOW, HIGH, AAC, TEXT = "video/v060", "video/v120", "audio/ary-aac64", "text/fr"
CBCS, CENC = Scheme.CBCS, Scheme.CENC
MPD, MASTER = "manifest.mpd", "master.m3u8"
PLAYLIST = f"{LOW}/media.m3u8"


@dataclass(frozen=True, slots=True)
class Fault:
    """`rule`: the id that must be reported; `name` tells it apart; `breaks` does it to a package folder of the given scheme."""

    rule: str
    name: str
    breaks: Callable[[Path], object]
    scheme: Scheme = CBCS


def text(name: str, old: str, new: str, count: int = -1) -> Callable[[Path], object]:
    """Put other words into a manifest."""

    def change(folder: Path) -> None:
        before = (folder / name).read_bytes().decode()
        assert old in before, f"{name} does not say {old}"
        (folder / name).write_bytes(before.replace(old, new, count).encode())

    return change


def pattern(name: str, old: str, new: str, count: int = 0) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        before = (folder / name).read_text(encoding="utf-8")
        after = re.sub(old, new, before, count=count, flags=re.MULTILINE)
        assert after != before, f"{name} says nothing like {old}"
        (folder / name).write_text(after, encoding="utf-8")

    return change


def body(name: str, path: str, at: int, value: bytes) -> Callable[[Path], object]:
    """Overwrite bytes of a box's body; a negative place counts from its end."""

    def change(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        box = find(bytes(data), path)
        assert box is not None, f"{name} has no {path}"
        begin = (box.body if at >= 0 else box.end) + at
        assert data[begin : begin + len(value)] != value
        data[begin : begin + len(value)] = value
        (folder / name).write_bytes(data)

    return change


def kind(name: str, path: str, new: bytes) -> Callable[[Path], object]:
    """Give a box another type."""

    def change(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        box = find(bytes(data), path)
        assert box is not None, f"{name} has no {path}"
        data[box.start + 4 : box.start + 8] = new
        (folder / name).write_bytes(data)

    return change


def number(name: str, path: str, at: int, change_by: int, size: int = 4) -> Callable[[Path], object]:
    """Count a number in a box up or down."""

    def change(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        box = find(bytes(data), path)
        assert box is not None, f"{name} has no {path}"
        begin = box.body + at
        value = int.from_bytes(data[begin : begin + size], "big") + change_by
        data[begin : begin + size] = value.to_bytes(size, "big")
        (folder / name).write_bytes(data)

    return change


def replaced(name: str, old: bytes, new: bytes) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        data = (folder / name).read_bytes()
        assert old in data
        (folder / name).write_bytes(data.replace(old, new))

    return change


def appended(name: str, more: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes() + more)


def copied(source: str, target: str) -> Callable[[Path], object]:
    return lambda folder: shutil.copy(folder / source, folder / target)


def removed(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def swapped(one: str, other: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        (folder / one).rename(folder / "aside")
        (folder / other).rename(folder / one)
        (folder / "aside").rename(folder / other)

    return change


def cut(name: str, share: float) -> Callable[[Path], object]:
    """Leave only the beginning of a file."""

    def change(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: min(len(data) - 1, int(len(data) * share))])

    return change


def all_of(*changes: Callable[[Path], object]) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        for one in changes:
            one(folder)

    return change


def sample(name: str, index: int, change_entry: Callable[[list[int]], None]) -> Callable[[Path], object]:
    """Change one row of a picture's trun: [size, flags, composition offset]."""

    def change(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        box = find(bytes(data), "moof/traf/trun")
        assert box is not None
        at = box.body + 12 + 12 * index  # version and flags, count, offset of the data
        row = list(struct.unpack_from(">III", data, at))
        change_entry(row)
        struct.pack_into(">III", data, at, *row)
        (folder / name).write_bytes(data)

    return change


def ranges(name: str, change_row: Callable[[int, int], tuple[int, int]], *, iv_bytes: int) -> Callable[[Path], object]:
    """Change the first clear and protected range of the first sample."""

    def change(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        box = find(bytes(data), "moof/traf/senc")
        assert box is not None
        at = box.body + 8 + iv_bytes + 2
        struct.pack_into(">HI", data, at, *change_row(*struct.unpack_from(">HI", data, at)))
        (folder / name).write_bytes(data)

    return change


def grown(name: str, more: int) -> Callable[[Path], object]:
    """Make the last picture of a segment larger, everything said of it as well."""

    def change(folder: Path) -> None:
        data = (folder / name).read_bytes()
        trun, mdat = find(data, "moof/traf/trun"), find(data, "mdat")
        assert trun is not None and mdat is not None
        out = bytearray(data + bytes(more))
        count = int.from_bytes(data[trun.body + 4 : trun.body + 8], "big")
        at = trun.body + 12 + 12 * (count - 1)
        out[at : at + 4] = (int.from_bytes(out[at : at + 4], "big") + more).to_bytes(4, "big")
        out[mdat.start : mdat.start + 4] = (mdat.end - mdat.start + more).to_bytes(4, "big")
        (folder / name).write_bytes(out)

    return change


def emptied(name: str) -> Callable[[Path], object]:
    """Give the second picture of a segment to the third."""

    def change(folder: Path) -> None:
        taken = 0

        def empty(row: list[int]) -> None:
            nonlocal taken
            taken, row[0] = row[0], 0

        def fill(row: list[int]) -> None:
            row[0] += taken

        sample(name, 1, empty)(folder)
        sample(name, 2, fill)(folder)

    return change


def variant_again(folder: Path) -> None:
    for path in (folder / LOW).glob("*.m4s"):
        shutil.copy(path, folder / "b" / LOW / path.name)


def same_kid(folder: Path) -> None:
    """The sound under the pictures' KID."""
    boxes = {}
    for name in (LOW, AAC):
        data = (folder / name / "init.mp4").read_bytes()
        boxes[name] = data.index(b"tenc") + 12
    kid = (folder / LOW / "init.mp4").read_bytes()[boxes[LOW] : boxes[LOW] + 16]
    for name in (AAC, "audio/ary-opus24"):
        path = folder / name / "init.mp4"
        data = path.read_bytes()
        at = data.index(b"tenc") + 12
        path.write_bytes(data[:at] + kid + data[at + 16 :])


def late_key(folder: Path) -> None:
    path = folder / PLAYLIST
    lines = path.read_text(encoding="utf-8").splitlines()
    keys = [line for line in lines if line.startswith("#EXT-X-KEY")]
    rest = [line for line in lines if not line.startswith("#EXT-X-KEY")]
    at = rest.index("1.m4s") + 1
    path.write_text("\n".join([*rest[:at], *keys, *rest[at:]]) + "\n", encoding="utf-8")


def no_sync(row: list[int]) -> None:
    row[1] |= 0x10000


def second_sync(row: list[int]) -> None:
    row[1] &= ~0x10000


def later(row: list[int]) -> None:
    row[2] += 256


SEGMENT = f"{LOW}/2.m4s"
INIT = f"{LOW}/init.mp4"
STBL = "moov/trak/mdia/minf/stbl"
FAIRPLAY_LINE = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://film",KEYFORMATVERSIONS="1",KEYFORMAT="com.apple.streamingkeydelivery"'
KEY_LINE = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="data:text/plain;base64,AAAA",KEYFORMAT="identity"'

# One for each rule at the least. Rules that need keys, time or a browser have tests of their own: see NOT_HERE.
FAULTS: tuple[Fault, ...] = (
    Fault("package.readable", "a segment cut in its mdat", cut(SEGMENT, 0.9)),
    Fault("package.dash.readable", "an MPD cut in half", cut(MPD, 0.5)),
    Fault("package.hls.readable", "a playlist that is none", text(PLAYLIST, "#EXTM3U", "#M3U")),
    Fault(
        "package.hls.readable",
        "a byte order mark",
        lambda folder: (folder / PLAYLIST).write_bytes(b"\xef\xbb\xbf" + (folder / PLAYLIST).read_bytes()),
    ),
    Fault("package.digests", "a stale segment of B", copied(SEGMENT, f"b/{SEGMENT}")),
    Fault("package.digests.manifests", "a comment in a manifest", appended(MASTER, b"# edited\n")),
    Fault("package.files.present", "a segment that is gone", removed(SEGMENT)),
    Fault("package.files.referenced", "a file that nobody names", copied(SEGMENT, f"{LOW}/9.mp4")),
    Fault("package.languages", "a sound in another language", text(MPD, 'lang="ary"', 'lang="zgh"')),
    Fault("package.size", "swapped rungs", swapped(LOW, HIGH)),
    Fault("package.init.brands", "no brand of CMAF", replaced(INIT, b"cmfc", b"none")),
    Fault("package.init.brands", "no brand with fragments", replaced(INIT, b"iso8isom", b"isomisom")),
    Fault("package.init.boxes", "media in the init segment", appended(INIT, b"\0\0\0\x0cmdatabcd")),
    Fault("package.init.track", "a track that is off", body(INIT, "moov/trak/tkhd", 0, b"\0\0\0\x06")),
    Fault("package.init.track", "a second description", body(INIT, f"{STBL}/stsd", 4, b"\0\0\0\x02")),
    Fault("package.init.extends", "defaults of another track", body(INIT, "moov/mvex/trex", 4, b"\0\0\0\x02")),
    Fault("package.init.extends", "another default description", body(INIT, "moov/mvex/trex", 8, b"\0\0\0\x02")),
    Fault("package.init.empty", "samples in the init segment", body(INIT, f"{STBL}/stsz", 8, b"\0\0\0\x01")),
    Fault("package.init.handler", "a picture that calls itself sound", body(INIT, "moov/trak/mdia/hdlr", 8, b"soun")),
    Fault("package.init.tkhd", "another size to be shown in", body(INIT, "moov/trak/tkhd", -8, (320 << 16).to_bytes(4, "big"))),
    Fault("package.init.edit", "an edit that stands still", body(INIT, "moov/trak/edts/elst", 16, bytes(4))),
    Fault("package.init.edit", "an edit that waits", body(INIT, "moov/trak/edts/elst", 12, b"\xff\xff\xff\xff")),
    Fault("package.init.timescale", "a rung in other ticks", number(INIT, "moov/trak/mdia/mdhd", 12, 1)),
    Fault("package.init.codec", "no parameter sets", body(INIT, f"{STBL}/stsd/encv/avcC", 5, b"\xe0")),
    Fault("package.init.codec", "no configuration", kind(INIT, f"{STBL}/stsd/encv/avcC", b"free")),
    Fault("package.init.sound", "another sampling rate", replaced(f"{AAC}/init.mp4", b"\xbb\x80\0\0", b"\xac\x44\0\0")),
    Fault("package.init.shared", "an init segment of B", copied(INIT, f"b/{INIT}")),
    Fault("package.segment.boxes", "a box behind the media", appended(SEGMENT, b"\0\0\0\x08free")),
    Fault("package.segment.brands", "no brand of segments", replaced(SEGMENT, b"cmfs", b"none")),
    Fault("package.segment.sequence", "a number twice", body(f"{LOW}/3.m4s", "moof/mfhd", 4, b"\0\0\0\x02")),
    Fault("package.segment.track", "another track", body(SEGMENT, "moof/traf/tfhd", 4, b"\0\0\0\x02")),
    Fault("package.segment.description", "another description", body(SEGMENT, "moof/traf/tfhd", 8, b"\0\0\0\x02")),
    Fault("package.segment.base", "offsets from nowhere", body(SEGMENT, "moof/traf/tfhd", 1, b"\0")),
    Fault("package.segment.data", "samples a byte off", number(SEGMENT, "moof/traf/trun", 8, 1)),
    Fault("package.segment.samples", "an empty sample", emptied(SEGMENT)),
    Fault("package.segment.order", "two pictures at once", sample(SEGMENT, 5, later)),
    Fault("package.segment.gop", "a second key frame", sample(SEGMENT, 9, second_sync)),
    Fault("package.segment.aux", "IVs that are somewhere else", number(SEGMENT, "moof/traf/saio", 8, 1)),
    Fault("package.segment.aux", "IVs of another length", number(SEGMENT, "moof/traf/saiz", 4, 1, size=1)),
    Fault("package.segment.cover", "a range too long", ranges(SEGMENT, lambda c, p: (c + 16, p), iv_bytes=0)),
    Fault("package.segment.blocks", "a part of a block", ranges(SEGMENT, lambda c, p: (c + 1, p - 1), iv_bytes=8), CENC),
    Fault("package.segment.open", "a picture in clear", ranges(SEGMENT, lambda c, p: (c + p, 0), iv_bytes=0)),
    Fault("package.segment.groups", "keys by sample groups", kind(f"{AAC}/2.m4s", "moof/traf/sbgp", b"sgpd")),
    Fault("package.frames", "a last segment that is gone", removed(f"b/{LOW}/4.m4s")),
    Fault("package.times", "a segment twice", copied(f"b/{SEGMENT}", f"b/{LOW}/3.m4s")),
    Fault("package.times", "a gap in the sound", number(f"{AAC}/3.m4s", "moof/traf/tfdt", 4, 1024)),
    Fault("package.sync", "no key frame to begin with", sample(SEGMENT, 0, no_sync)),
    Fault(
        "package.rate",
        "a rung declared too low",
        pattern("mediaforge.json", r'"max_bitrate_bps": \d+', '"max_bitrate_bps": 9000'),
    ),
    Fault("package.mix.times", "B a tick later", number(f"b/{SEGMENT}", "moof/traf/tfdt", 4, 1)),
    Fault("package.mix.size", "B much larger", grown(f"b/{SEGMENT}", 60_000)),
    Fault("package.mix.apart", "B is A", variant_again),
    Fault("package.mix.marks", "a segment of B is that of A", copied(f"{LOW}/2.m4s", f"b/{LOW}/2.m4s")),
    Fault("package.mix.marks", "called unmarked", text("mediaforge.json", '"unmarked": []', '"unmarked": [1]', 1)),
    Fault("package.trick.pictures", "a picture that is gone", removed("trick/4.m4s")),
    Fault(
        "package.trick.pictures",
        "a segment of a rung",
        all_of(*(copied(f"{LOW}/{name}", f"trick/{name}") for name in ("1.m4s", "init.mp4"))),
    ),
    Fault("package.trick.dash", "trick play as a rung", pattern(MPD, r"<EssentialProperty[^>]*/>", "")),
    Fault("package.trick.dash", "trick play of one set of two", pattern(MPD, r'(trickmode" value=")\d+ ', r"\g<1>")),
    Fault(
        "package.trick.dash",
        "a rung as trick play",
        pattern(MPD, r'(?s)(trickmode" value="[^>]*/>.*?initialization=")trick', rf"\g<1>{LOW}"),
    ),
    Fault("package.trick.dash", "no speed", text(MPD, ' maxPlayoutRate="48"', "")),
    Fault("package.trick.dash", "as many pictures as a rung", text(MPD, 'frameRate="25/48"', 'frameRate="25"')),
    Fault(
        "package.trick.hls",
        "trick play as a rung",
        pattern(MASTER, r'^#EXT-X-I-FRAME-STREAM-INF:(.*),URI="(.*)"$', r"#EXT-X-STREAM-INF:\1\n\2"),
    ),
    Fault("package.trick.hls", "no trick play", pattern(MASTER, r"^#EXT-X-I-FRAME-STREAM-INF:.*\n", "")),
    Fault("package.trick.hls", "the I-frames of a marked rung", text(MASTER, 'URI="trick/media.m3u8"', f'URI="{PLAYLIST}"')),
    Fault("package.trick.hls", "pictures that may be others", text("trick/media.m3u8", "#EXT-X-I-FRAMES-ONLY\n", "")),
    Fault("package.trick.hls", "another size", text(MASTER, "RESOLUTION=128x72", "RESOLUTION=1280x720")),
    Fault("package.trick.hls", "another codec", text(MASTER, "avc1.64000a", "avc1.640028")),
    Fault("package.size", "another size of trick play", pattern("mediaforge.json", r'"width": 128', '"width": 130')),
    Fault("package.times", "a trick play picture late", number("trick/2.m4s", "moof/traf/tfdt", 4, 512)),
    Fault("package.iv", "an IV of trick play twice", copied("trick/2.m4s", "trick/3.m4s"), CENC),
    Fault(
        "package.hls.rates",
        "trick play at a rate too low",
        pattern(MASTER, r"(I-FRAME-STREAM-INF:BANDWIDTH=)\d+", r"\g<1>1000"),
    ),
    Fault("package.scheme", "another scheme", body(INIT, f"{STBL}/stsd/encv/sinf/schm", 4, b"cenc")),
    Fault("package.scheme", "another pattern", body(INIT, f"{STBL}/stsd/encv/sinf/schi/tenc", 5, b"\x55")),
    Fault("package.kid.labels", "one KID for pictures and sound", same_kid),
    Fault("package.kid.init", "another KID", body(INIT, f"{STBL}/stsd/encv/sinf/schi/tenc", 8, bytes(16))),
    Fault("package.kid.dash", "another KID in the MPD", pattern(MPD, r'default_KID="[0-9a-f]{8}', 'default_KID="00000000', 1)),
    Fault("package.kid.hls", "another KID in a playlist", pattern(PLAYLIST, r"KEYID=0x[0-9a-f]{8}", "KEYID=0x00000000")),
    Fault("package.kid.hls", "no key lines", pattern(PLAYLIST, r"^#EXT-X-KEY.*\n", "")),
    Fault(
        "package.hls.identity", "a KID as a key", text(PLAYLIST, "#EXTINF:1.920,\n1.m4s", f"{KEY_LINE}\n#EXTINF:1.920,\n1.m4s")
    ),
    Fault(
        "package.hls.fairplay",
        "FairPlay that is not signalled",
        text(PLAYLIST, "#EXTINF:1.920,\n1.m4s", f"{FAIRPLAY_LINE}\n#EXTINF:1.920,\n1.m4s"),
    ),
    Fault(
        "package.playready.address",
        "a header that leads elsewhere",
        replaced(INIT, "/rights".encode("utf-16-le"), "/wrongs".encode("utf-16-le")),
    ),
    Fault("package.dash.laurl", "another licence server", text(MPD, "https://wv.example.ma/", "https://old.example.ma/", 1)),
    Fault("package.dash.laurl", "no licence server", pattern(MPD, "<dashif:Laurl.*</dashif:Laurl>", "", 1)),
    Fault("package.iv", "an IV twice", copied(SEGMENT, f"b/{SEGMENT}"), CENC),
    Fault("package.dash.times", "a segment shorter than it is", text(MPD, 'd="24576"', 'd="24000"')),
    Fault(
        "package.dash.times",
        "another length",
        text(MPD, 'mediaPresentationDuration="PT6S"', 'mediaPresentationDuration="PT7S"'),
    ),
    Fault("package.dash.rates", "a rate too low", pattern(MPD, r'bandwidth="\d+"', 'bandwidth="1000"', 1)),
    Fault("package.dash.sap", "no access points", text(MPD, 'startWithSAP="1"', "")),
    Fault("package.hls.times", "a length that is not so", text(PLAYLIST, "#EXTINF:1.920", "#EXTINF:1.820")),
    Fault("package.hls.times", "a target too short", text(PLAYLIST, "TARGETDURATION:2", "TARGETDURATION:1")),
    Fault("package.hls.rates", "a rate too low", pattern(MASTER, r":BANDWIDTH=\d+", ":BANDWIDTH=1000")),
    Fault("package.hls.text", "subtitles in MP4", pattern("text/fr/media.m3u8", r"\.vtt$", ".m4s")),
    Fault("package.hls.text", "a segment of subtitles that is none", text("text/fr/1.vtt", "WEBVTT", "VTT")),
    Fault("package.hls.text", "subtitles of another segment", copied("text/fr/1.vtt", "text/fr/4.vtt")),
    Fault("package.hls.text", "subtitles with another zero", text("text/fr/2.vtt", "MPEGTS:0", "MPEGTS:900000")),
    Fault("package.digests", "another word in a subtitle", text("text/fr/1.vtt", "كان", "ليس")),
    Fault("package.hls.form", "no end", text(PLAYLIST, "#EXT-X-ENDLIST", "")),
    Fault("package.hls.form", "no init segment", pattern(PLAYLIST, "^#EXT-X-MAP.*\n", "")),
    Fault("package.hls.form", "an old version", text(MASTER, "#EXT-X-VERSION:6", "#EXT-X-VERSION:3")),
    Fault("package.hls.form", "subtitles left out of CODECS", text(MASTER, ",wvtt", "")),
    Fault("package.dash.static", "a live MPD", text(MPD, 'type="static"', 'type="dynamic"')),
    Fault("package.dash.profile", "another profile", text(MPD, "isoff-live", "isoff-main")),
    Fault("package.dash.buffer", "no buffer", text(MPD, 'minBufferTime="PT2S"', 'minBufferTime="PT0S"')),
    Fault("package.dash.period", "a Period that begins late", text(MPD, '<Period id="0">', '<Period id="0" start="PT5S">')),
    Fault("package.dash.ids", "an id twice", text(MPD, '<Representation id="1"', '<Representation id="0"')),
    Fault("package.dash.aligned", "segments not aligned", text(MPD, 'segmentAlignment="true"', 'segmentAlignment="false"', 1)),
    Fault("package.dash.mime", "another type", text(MPD, 'mimeType="video/mp4"', 'mimeType="video/webm"', 1)),
    Fault("package.dash.codecs", "another profile of the codec", text(MPD, "avc1.64000b", "avc1.42c00b")),
    Fault("package.dash.language", "subtitles in no language", text(MPD, ' lang="fr"', "")),
    Fault("package.dash.role", "subtitles that are none", text(MPD, 'value="subtitle"', 'value="sign"')),
    Fault("package.dash.switching", "a set that is not there", pattern(MPD, r'(switching:2016" value=")\d+', r"\g<1>77", 1)),
    Fault("package.dash.framerate", "another frame rate", text(MPD, 'frameRate="25"', 'frameRate="30"', 1)),
    Fault(
        "package.dash.channels", "no channels", text(MPD, 'configuration:2011" value="2"', 'configuration:2011" value="0"', 1)
    ),
    Fault(
        "package.dash.channels", "another sampling rate", text(MPD, 'audioSamplingRate="48000"', 'audioSamplingRate="44100"', 1)
    ),
    Fault("package.dash.template", "segments counted from 2", text(MPD, 'startNumber="1"', 'startNumber="2"', 1)),
    Fault("package.dash.template", "other ticks", text(MPD, 'timescale="12800"', 'timescale="12801"', 1)),
    Fault("package.dash.urls", "a base address", text(MPD, "<Period", "<BaseURL>https://old.example/</BaseURL><Period")),
    Fault("package.dash.protection", "no scheme and KID", pattern(MPD, r'<ContentProtection value="cbcs"[^>]*>', "")),
    Fault(
        "package.dash.protection",
        "a property before the protection",
        pattern(MPD, r"(<ContentProtection value=)", r'<SupplementalProperty schemeIdUri="urn:a" value="1"/>\1', 1),
    ),
    Fault("package.dash.protection", "a system in capitals", text(MPD, "urn:uuid:edef8ba9", "urn:uuid:EDEF8BA9")),
    Fault("package.dash.pro", "another PlayReady object", pattern(MPD, "<mspr:pro>....", "<mspr:pro>AAAA", 1)),
    Fault("package.dash.rungs", "rates in the wrong order", pattern(MPD, r'bandwidth="\d+"', 'bandwidth="9000000"', 1)),
    Fault("package.hls.bytes", "two kinds of line ends", text(PLAYLIST, "1.m4s\n", "1.m4s\r\n")),
    Fault("package.hls.once", "a version twice", text(PLAYLIST, "#EXT-X-VERSION:6", "#EXT-X-VERSION:6\n#EXT-X-VERSION:6")),
    Fault("package.hls.version", "a version too old for EXT-X-MAP", text(PLAYLIST, "#EXT-X-VERSION:6", "#EXT-X-VERSION:4")),
    Fault("package.hls.pairs", "a rung twice", pattern(MASTER, r"^(video/v060/media.m3u8)$", r"\1\n\1", 1)),
    Fault("package.hls.vod", "no type", text(PLAYLIST, "#EXT-X-PLAYLIST-TYPE:VOD", "")),
    Fault("package.hls.independent", "segments that may depend", text(MASTER, "#EXT-X-INDEPENDENT-SEGMENTS", "")),
    Fault("package.hls.pairs", "a segment without a length", text(PLAYLIST, "#EXTINF:1.920,\n2.m4s", "2.m4s")),
    Fault("package.hls.target", "a target too long", text(PLAYLIST, "TARGETDURATION:2", "TARGETDURATION:9")),
    Fault("package.hls.numbers", "a break", text(PLAYLIST, "2.m4s", "2.m4s\n#EXT-X-DISCONTINUITY")),
    Fault(
        "package.hls.numbers", "segments counted from 7", text(PLAYLIST, "#EXT-X-MAP", "#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-MAP")
    ),
    Fault("package.hls.urls", "an address elsewhere", text(PLAYLIST, "2.m4s", "https://old.example/2.m4s")),
    Fault("package.hls.streams", "no frame rate", text(MASTER, ",FRAME-RATE=25.000", "")),
    Fault(
        "package.hls.average",
        "an average above the peak",
        pattern(MASTER, r"AVERAGE-BANDWIDTH=\d+", "AVERAGE-BANDWIDTH=99000000"),
    ),
    Fault("package.hls.resolution", "another size", text(MASTER, "RESOLUTION=160x90", "RESOLUTION=176x90")),
    Fault("package.hls.resolution", "another frame rate", text(MASTER, "FRAME-RATE=25.000", "FRAME-RATE=50.000", 1)),
    Fault("package.hls.range", "no range", text(MASTER, ",VIDEO-RANGE=SDR", "", 1)),
    Fault("package.hls.codecs", "another level", text(MASTER, "avc1.64000b", "avc1.640028", 1)),
    Fault("package.hls.groups", "a group that is not there", text(MASTER, 'AUDIO="aac64"', 'AUDIO="aac96"', 1)),
    Fault("package.hls.names", "a name twice", pattern(MASTER, r"^(#EXT-X-MEDIA:TYPE=AUDIO.*)$", r"\1\n\1", 1)),
    Fault(
        "package.hls.choice",
        "a default that may not be chosen",
        text(MASTER, "DEFAULT=YES,AUTOSELECT=YES", "DEFAULT=YES,AUTOSELECT=NO"),
    ),
    Fault(
        "package.hls.choice", "subtitles that are on", text(MASTER, "DEFAULT=NO,AUTOSELECT=YES", "DEFAULT=YES,AUTOSELECT=YES")
    ),
    Fault("package.hls.channels", "no channels", text(MASTER, ',CHANNELS="2"', "", 1)),
    Fault("package.hls.key.place", "keys after the first segment", late_key),
    Fault("package.hls.key.versions", "a key line of no format", text(PLAYLIST, ',KEYFORMATVERSIONS="1"', "")),
    Fault("package.hls.key.iv", "another IV", pattern(PLAYLIST, r"IV=0x[0-9a-f]{8}", "IV=0x00000000")),
    Fault("package.hls.key.open", "a key by its address", text(PLAYLIST, "METHOD=SAMPLE-AES", "METHOD=AES-128")),
)

# They need the title's keys, a browser, or other subtitles: test_verify.py, test_play.py and test_imsc.py.
NOT_HERE = frozenset(
    {
        "package.decode",
        "package.imsc.cues",
        "package.imsc.document",
        "package.key.checksum",
        "package.play",
        "package.play.refused",
    }
)
