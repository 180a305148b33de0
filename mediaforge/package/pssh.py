"""What a DRM system reads to ask for a licence: the pssh box (ISO/IEC 23001-7, 8.1) and the data of the systems we signal.

    common      the box itself lists the KIDs (version 1; W3C "cenc" initialisation data)
    Widevine    a protocol buffer: key_ids = 2 (repeated bytes), provider = 3, content_id = 4, protection_scheme = 9 (the
                four characters as a number)
    PlayReady   a PlayReady object holding a WRMHEADER, XML in UTF-16-LE: 4.0.0.0 for cenc, 4.3.0.0 for cbcs

Pure: bytes in, values out, and the same bytes out again. Malformed bytes raise ValueError with what is wrong; who knows
the file says where.
"""

import base64
import struct
import uuid
from dataclasses import dataclass, replace
from typing import Literal
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES

# ECB of one block is what the PlayReady header specification prescribes for its key check; nothing is encrypted with it.
from cryptography.hazmat.primitives.ciphers.modes import ECB
from lxml import etree

COMMON = uuid.UUID("1077efec-c0b2-4d02-ace3-3c1e52e2fb4b").bytes
WIDEVINE = uuid.UUID("edef8ba9-79d6-4ace-a3c8-27dcd51d21ed").bytes
PLAYREADY = uuid.UUID("9a04f079-9840-4286-ab92-e65be0885f95").bytes

SYSTEM_NAMES = {COMMON: "common", WIDEVINE: "Widevine", PLAYREADY: "PlayReady"}

_WRM = "{http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader}"
_WRM_RECORD = 1  # the record type of a WRMHEADER inside a PlayReady object
_MOST_RECORD_BYTES = 0xFFFF  # a record says its length in 16 bits
_KID_BYTES, _CHECKSUM_BYTES = 16, 8
_KEY_IDS, _PROVIDER, _CONTENT_ID, _SCHEME = 2, 3, 4, 9  # field numbers of Widevine's message
_VARINT, _BYTES = 0, 2  # wire types of protocol buffers
_SKIPPED = {1: 8, 5: 4}  # ... and the sizes of the fixed ones, which carry nothing we read


@dataclass(frozen=True, slots=True, kw_only=True)
class Pssh:
    """One pssh box. `kids` are those of the box itself (version 1); those inside `data` are read by `key_ids`."""

    system: bytes
    version: int
    kids: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class WidevineData:
    """`provider` and `content_id` are what Widevine's own key server puts in; the packager leaves them out."""

    key_ids: tuple[bytes, ...]
    scheme: str
    provider: str = ""
    content_id: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayReadyHeader:
    """`checksums` are in the order of `kids`; empty where the header has none, as with AESCBC. `la_url` is where players ask.

    4.0 takes one KID, with AES-CTR alone; 4.3 any number, and either cipher.
    """

    version: str
    kids: tuple[bytes, ...]
    checksums: tuple[bytes, ...]
    algorithm: Literal["AESCTR", "AESCBC"] = "AESCTR"
    la_url: str = ""


def parse_pssh(box: bytes) -> Pssh:
    """Read one whole pssh box, size and type included."""
    if len(box) < 32 or box[4:8] != b"pssh" or int.from_bytes(box[:4], "big") != len(box):
        raise ValueError("this is no whole pssh box")
    version, at = box[8], 28
    if version > 1:
        raise ValueError(f"the pssh box has version {version}; there are 0 and 1")
    kids: tuple[bytes, ...] = ()
    if version > 0:
        count = int.from_bytes(box[at : at + 4], "big")
        at += 4
        kids = tuple(box[at + 16 * i : at + 16 * (i + 1)] for i in range(min(count, len(box) // 16)))
        at += 16 * count
    data = box[at + 4 :]
    if at + 4 > len(box) or int.from_bytes(box[at : at + 4], "big") != len(data):
        raise ValueError("the pssh box does not hold what it announces")
    return Pssh(system=box[12:28], version=version, kids=kids, data=data)


def build_pssh(pssh: Pssh) -> bytes:
    """The whole box of `pssh`."""
    kids = struct.pack(">I", len(pssh.kids)) + b"".join(pssh.kids) if pssh.version else b""
    body = bytes([pssh.version, 0, 0, 0]) + pssh.system + kids + struct.pack(">I", len(pssh.data)) + pssh.data
    return struct.pack(">I4s", 8 + len(body), b"pssh") + body


def key_ids(pssh: Pssh) -> tuple[bytes, ...]:
    """The KIDs that the box asks a licence for, wherever its system puts them."""
    if pssh.kids:
        return pssh.kids
    if pssh.system == WIDEVINE:
        return parse_widevine(pssh.data).key_ids
    if pssh.system == PLAYREADY:
        return parse_playready(pssh.data).kids
    return ()


def without_repeats(pssh: Pssh) -> Pssh:
    """The same box naming each KID once."""
    once = replace(pssh, kids=tuple(dict.fromkeys(pssh.kids)))
    if pssh.system != WIDEVINE:
        return once
    data = parse_widevine(pssh.data)
    return replace(once, data=build_widevine(replace(data, key_ids=tuple(dict.fromkeys(data.key_ids)))))


def parse_widevine(data: bytes) -> WidevineData:
    """Read the fields that we write; others are passed over."""
    found: list[bytes] = []
    texts = {_PROVIDER: b"", _CONTENT_ID: b""}
    scheme = ""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        field, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            if field == _SCHEME:
                scheme = _scheme_name(value)
        elif wire == _BYTES:
            length, at = _varint(data, at)
            if at + length > len(data):
                raise ValueError("the Widevine data ends inside a field")
            if field == _KEY_IDS:
                found.append(data[at : at + length])
            elif field in texts:
                texts[field] = data[at : at + length]
            at += length
        elif wire in _SKIPPED:
            at += _SKIPPED[wire]
        else:
            raise ValueError(f"the Widevine data has a field of unknown kind {wire}")
    if at > len(data):
        raise ValueError("the Widevine data ends inside a number")
    if any(len(kid) != _KID_BYTES for kid in found):
        raise ValueError(f"the Widevine data has a KID that is not {_KID_BYTES} bytes long")
    try:
        provider = texts[_PROVIDER].decode()
    except UnicodeDecodeError as error:
        raise ValueError("the Widevine data names a provider that is no UTF-8") from error
    return WidevineData(key_ids=tuple(found), scheme=scheme, provider=provider, content_id=texts[_CONTENT_ID])


def build_widevine(data: WidevineData) -> bytes:
    """The message, its fields in the order of their numbers, as the packager writes it."""
    ids = b"".join(_field(_KEY_IDS, kid) for kid in data.key_ids)
    provider = _field(_PROVIDER, data.provider.encode()) if data.provider else b""
    content_id = _field(_CONTENT_ID, data.content_id) if data.content_id else b""
    scheme = (
        bytes([_SCHEME << 3 | _VARINT]) + _packed(int.from_bytes(data.scheme.encode("latin-1"), "big")) if data.scheme else b""
    )
    return ids + provider + content_id + scheme


def parse_playready(data: bytes) -> PlayReadyHeader:
    """Read the WRMHEADER of a PlayReady object (Microsoft, "PlayReady Header Specification")."""
    try:
        text = _wrmheader(data)
        if "<!DOCTYPE".encode("utf-16-le") in text:  # entities are declared there; headers have none
            raise ValueError("the PlayReady header declares a document type; it has none")
        # lxml wants bytes with a byte order mark or a declaration for UTF-16.
        root = etree.fromstring(b"\xff\xfe" + text, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, struct.error) as error:
        raise ValueError(f"the PlayReady header is no XML ({error})") from error
    rows = root.findall(f"{_WRM}DATA/{_WRM}KID")  # 4.0
    values = [(row.text or "", root.findtext(f"{_WRM}DATA/{_WRM}CHECKSUM") or "") for row in rows]
    names = [root.findtext(f"{_WRM}DATA/{_WRM}PROTECTINFO/{_WRM}ALGID") or "AESCTR"]
    for row in root.iterfind(f"{_WRM}DATA/{_WRM}PROTECTINFO/{_WRM}KIDS/{_WRM}KID"):  # 4.2 and later
        values.append((row.get("VALUE") or "", row.get("CHECKSUM") or ""))
        names.append(row.get("ALGID") or "AESCTR")
    return PlayReadyHeader(
        version=root.get("version") or "",
        kids=tuple(_turned(_unb64(kid, _KID_BYTES)) for kid, _ in values),
        checksums=tuple(_unb64(check, _CHECKSUM_BYTES) for _, check in values if check),
        algorithm=_algorithm(names[-1]),
        la_url=root.findtext(f"{_WRM}DATA/{_WRM}LA_URL") or "",
    )


def build_playready(header: PlayReadyHeader) -> bytes:
    """A PlayReady object. 4.0.0.0 holds one KID for AES-CTR and its checksum; 4.3.0.0 any number, with checksums for AES-CTR.

    Raises ValueError for what the version cannot say.
    """
    if header.checksums and (len(header.checksums) != len(header.kids) or header.algorithm != "AESCTR"):
        raise ValueError("a PlayReady header has a checksum for each KID or for none, and none with AESCBC")
    inner = _protection_40(header) if header.version == "4.0.0.0" else _protection_43(header)
    place = f"<LA_URL>{escape(header.la_url)}</LA_URL>" if header.la_url else ""
    text = f'<WRMHEADER xmlns="{_WRM[1:-1]}" version="{header.version}"><DATA>{inner}{place}</DATA></WRMHEADER>'
    record = text.encode("utf-16-le")
    if len(record) + 10 > _MOST_RECORD_BYTES:
        raise ValueError(f"a PlayReady header of {len(record)} bytes is too long; shorten its address or list fewer KIDs")
    return struct.pack("<IHHH", 10 + len(record), 1, _WRM_RECORD, len(record)) + record


def playready_checksum(kid: bytes, key: bytes) -> bytes:
    """What a 4.0 header says about its key: the first 8 bytes of the KID (as a GUID) encrypted with the key."""
    encryptor = Cipher(AES(key), ECB()).encryptor()  # noqa: S305 (see the import)
    return (encryptor.update(_turned(kid)) + encryptor.finalize())[:8]


def _protection_40(header: PlayReadyHeader) -> str:
    if len(header.kids) != 1 or header.algorithm != "AESCTR":
        raise ValueError("a PlayReady header 4.0 holds one KID, for AESCTR; take version 4.3.0.0")
    checksum = f"<CHECKSUM>{_b64(header.checksums[0])}</CHECKSUM>" if header.checksums else ""
    info = "<PROTECTINFO><KEYLEN>16</KEYLEN><ALGID>AESCTR</ALGID></PROTECTINFO>"
    return f"{info}<KID>{_b64(_turned(header.kids[0]))}</KID>{checksum}"


def _protection_43(header: PlayReadyHeader) -> str:
    checksums = [f' CHECKSUM="{_b64(checksum)}"' for checksum in header.checksums] or [""] * len(header.kids)
    kids = "".join(
        f'<KID ALGID="{header.algorithm}" VALUE="{_b64(_turned(kid))}"{checksum}></KID>'
        for kid, checksum in zip(header.kids, checksums, strict=True)
    )
    return f"<PROTECTINFO><KIDS>{kids}</KIDS></PROTECTINFO>"


def _algorithm(name: str) -> Literal["AESCTR", "AESCBC"]:
    if name == "AESCTR":
        return "AESCTR"
    if name == "AESCBC":
        return "AESCBC"
    raise ValueError(f"the PlayReady header names the cipher {name[:20]!r}; there are AESCTR and AESCBC")


def _wrmheader(data: bytes) -> bytes:
    if len(data) < 10 or int.from_bytes(data[:4], "little") != len(data):
        raise ValueError("the PlayReady object does not hold what it announces")
    at = 6
    for _ in range(int.from_bytes(data[4:6], "little")):
        kind, length = struct.unpack_from("<HH", data, at)
        if at + 4 + length > len(data):
            break
        if kind == _WRM_RECORD:
            return data[at + 4 : at + 4 + length]
        at += 4 + length
    raise ValueError("the PlayReady object has no WRMHEADER")


def _turned(kid: bytes) -> bytes:
    """A KID as a little-endian GUID, and back."""
    return uuid.UUID(bytes=kid).bytes_le


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unb64(text: str, length: int) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError(f"the PlayReady header has a value that is not base64 ({error})") from error
    if len(data) != length:
        raise ValueError(f"the PlayReady header has a value of {len(data)} bytes where {length} belong")
    return data


def _scheme_name(value: int) -> str:
    if value >> 32:
        raise ValueError("the Widevine data names a scheme that is not four characters")
    return value.to_bytes(4, "big").decode("latin-1")


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | _BYTES]) + _packed(len(content)) + content


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 64:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at
    raise ValueError("the Widevine data ends inside a number")


def _packed(value: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F)
    return bytes([group | 0x80 for group in groups[:-1]] + [groups[-1]])
