"""What a DRM system reads to ask for a licence: the pssh box (ISO/IEC 23001-7, 8.1) and the data of the systems we signal.

    common      the box itself lists the KIDs (version 1; W3C "cenc" initialisation data)
    Widevine    a protocol buffer: key_ids = 2 (repeated bytes), protection_scheme = 9 (the four characters as a number)
    PlayReady   a PlayReady object holding a WRMHEADER, XML in UTF-16-LE: 4.0.0.0 for cenc, 4.3.0.0 for cbcs

Pure: bytes in, values out. Malformed bytes raise ValueError with what is wrong; who knows the file says where.
"""

import base64
import struct
import uuid
from dataclasses import dataclass, replace

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
_KEY_IDS, _SCHEME = 2, 9  # field numbers of Widevine's message
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
    key_ids: tuple[bytes, ...]
    scheme: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayReadyHeader:
    """`checksums` are in the order of `kids`; empty where the header has none (4.3 with AESCBC)."""

    version: str
    kids: tuple[bytes, ...]
    checksums: tuple[bytes, ...]


def parse_pssh(box: bytes) -> Pssh:
    """Read one whole pssh box, size and type included."""
    if len(box) < 32 or box[4:8] != b"pssh" or int.from_bytes(box[:4], "big") != len(box):
        raise ValueError("this is no whole pssh box")
    version, at = box[8], 28
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
    """Read the two fields that the packager writes; others are passed over."""
    found: list[bytes] = []
    scheme = ""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        field, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            if field == _SCHEME:
                scheme = value.to_bytes(4, "big").decode("latin-1")
        elif wire == _BYTES:
            length, at = _varint(data, at)
            if at + length > len(data):
                raise ValueError("the Widevine data ends inside a field")
            if field == _KEY_IDS:
                found.append(data[at : at + length])
            at += length
        elif wire in _SKIPPED:
            at += _SKIPPED[wire]
        else:
            raise ValueError(f"the Widevine data has a field of unknown kind {wire}")
    return WidevineData(key_ids=tuple(found), scheme=scheme)


def build_widevine(data: WidevineData) -> bytes:
    """The message with `key_ids` and `protection_scheme`, as the packager writes it."""
    ids = b"".join(bytes([_KEY_IDS << 3 | _BYTES, len(kid)]) + kid for kid in data.key_ids)
    scheme = bytes([_SCHEME << 3 | _VARINT]) + _packed(int.from_bytes(data.scheme.encode(), "big"))
    return ids + (scheme if data.scheme else b"")


def parse_playready(data: bytes) -> PlayReadyHeader:
    """Read the WRMHEADER of a PlayReady object (Microsoft, "PlayReady Header Specification")."""
    try:
        root = etree.fromstring(_wrmheader(data), etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, struct.error) as error:
        raise ValueError(f"the PlayReady header is no XML ({error})") from error
    rows = root.findall(f"{_WRM}DATA/{_WRM}KID")  # 4.0
    values = [(row.text or "", root.findtext(f"{_WRM}DATA/{_WRM}CHECKSUM") or "") for row in rows]
    for row in root.iterfind(f"{_WRM}DATA/{_WRM}PROTECTINFO/{_WRM}KIDS/{_WRM}KID"):  # 4.2 and later
        values.append((row.get("VALUE") or "", row.get("CHECKSUM") or ""))
    return PlayReadyHeader(
        version=root.get("version") or "",
        kids=tuple(_turned(base64.b64decode(kid)) for kid, _ in values),
        checksums=tuple(base64.b64decode(check) for _, check in values if check),
    )


def build_playready(header: PlayReadyHeader) -> bytes:
    """A PlayReady object: version 4.0.0.0 for AES-CTR (one KID and its checksum), 4.3.0.0 for AES-CBC (any number)."""
    values = [base64.b64encode(_turned(kid)).decode() for kid in header.kids]
    if header.version == "4.0.0.0":
        checksum = base64.b64encode(header.checksums[0]).decode() if header.checksums else ""
        inner = f"<PROTECTINFO><KEYLEN>16</KEYLEN><ALGID>AESCTR</ALGID></PROTECTINFO><KID>{values[0]}</KID>" + (
            f"<CHECKSUM>{checksum}</CHECKSUM>" if checksum else ""
        )
    else:
        kids = "".join(f'<KID ALGID="AESCBC" VALUE="{value}"></KID>' for value in values)
        inner = f"<PROTECTINFO><KIDS>{kids}</KIDS></PROTECTINFO>"
    text = f'<WRMHEADER xmlns="{_WRM[1:-1]}" version="{header.version}"><DATA>{inner}</DATA></WRMHEADER>'
    record = text.encode("utf-16-le")
    return struct.pack("<IHHH", 10 + len(record), 1, _WRM_RECORD, len(record)) + record


def playready_checksum(kid: bytes, key: bytes) -> bytes:
    """What a 4.0 header says about its key: the first 8 bytes of the KID (as a GUID) encrypted with the key."""
    encryptor = Cipher(AES(key), ECB()).encryptor()  # noqa: S305 (see the import)
    return (encryptor.update(_turned(kid)) + encryptor.finalize())[:8]


def _wrmheader(data: bytes) -> bytes:
    if len(data) < 10 or int.from_bytes(data[:4], "little") != len(data):
        raise ValueError("the PlayReady object does not hold what it announces")
    at = 6
    for _ in range(int.from_bytes(data[4:6], "little")):
        kind, length = struct.unpack_from("<HH", data, at)
        if kind == _WRM_RECORD:
            # lxml wants bytes with a byte order mark or a declaration for UTF-16.
            return b"\xff\xfe" + data[at + 4 : at + 4 + length]
        at += 4 + length
    raise ValueError("the PlayReady object has no WRMHEADER")


def _turned(kid: bytes) -> bytes:
    """A KID as a little-endian GUID, and back."""
    return uuid.UUID(bytes=kid).bytes_le


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
