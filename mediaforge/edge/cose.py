"""The two COSE messages of a session token: COSE_Mac0 around the claims, COSE_Encrypt0 around the pattern (RFC 9052, 5.2, 6.2).

The frame of what comes in is read here byte by byte, and only in the one form that we write: no CBOR decoder sees a byte
before its tag has been verified.
"""

import hmac

import cbor2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HMAC_256_64 = 4  # RFC 9053, 3.1: the tag cut to 8 bytes; only RFC 8392's examples have it
HMAC_256 = 5
A256GCM = 3  # RFC 9053, 4.1
NONCE_BYTES = 12

_TAG_BYTES = {HMAC_256_64: 8, HMAC_256: 32}
_CWT = b"\xd8\x3d"  # tag 61, RFC 8392, 6; wanted always, so that a token has one spelling
_MAC0 = b"\xd1\x84"  # tag 17, an array of four
_KID = b"\xa1\x04"  # the unprotected header: a map with kid alone
_ENCRYPT0 = 16
_ALGORITHM, _IV = 1, 5  # header labels, RFC 9052, 3.1


def mac0(payload: bytes, *, kid: bytes, key: bytes, algorithm: int = HMAC_256) -> bytes:
    """A CWT: `payload` under an HMAC with SHA-256, tagged 61 and 17."""
    protected = _map(_ALGORITHM, algorithm)
    fields = (_dump(protected) + _KID + _dump(kid), _dump(payload), _dump(_tag(protected, payload, key, algorithm)))
    return _CWT + _MAC0 + b"".join(fields)


def split_mac0(message: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """The protected header, kid, payload and tag of a Mac0, none of them verified. Raises ValueError."""
    frame = _CWT + _MAC0
    if not message.startswith(frame):
        raise ValueError("no COSE_Mac0 of a CWT")
    protected, rest = _string(message[len(frame) :])
    if not rest.startswith(_KID):
        raise ValueError("the unprotected header is not a kid alone")
    kid, rest = _string(rest[len(_KID) :])
    payload, rest = _string(rest)
    tag, rest = _string(rest)
    if rest:
        raise ValueError("bytes after the end")
    return protected, kid, payload, tag


def open_mac0(message: bytes, key: bytes, *, algorithm: int = HMAC_256) -> bytes | None:
    """The payload, or None where it was not made with `key` and `algorithm`. Raises ValueError where it is no Mac0."""
    protected, _, payload, tag = split_mac0(message)
    expected = _tag(_map(_ALGORITHM, algorithm), payload, key, algorithm)
    # The algorithm is ours to choose, never the message's.
    if protected != _map(_ALGORITHM, algorithm) or not hmac.compare_digest(tag, expected):
        return None
    return payload


def encrypt0(plain: bytes, *, key: bytes, nonce: bytes) -> bytes:
    """`plain` under AES-256-GCM, tagged 16. Never two with the same nonce under one key."""
    protected = _map(_ALGORITHM, A256GCM)
    sealed = AESGCM(key).encrypt(nonce, plain, _encrypt_structure(protected))
    return cbor2.dumps(cbor2.CBORTag(_ENCRYPT0, [protected, {_IV: nonce}, sealed]))


def open_encrypt0(message: bytes, key: bytes) -> bytes:
    """What `encrypt0` hid; `message` is taken from a verified token. Raises ValueError."""
    decoded = cbor2.loads(message)
    if not isinstance(decoded, cbor2.CBORTag) or decoded.tag != _ENCRYPT0:
        raise ValueError("no COSE_Encrypt0")
    try:
        protected, unprotected, sealed = decoded.value
        if protected != _map(_ALGORITHM, A256GCM):
            raise ValueError("not A256GCM")
        return AESGCM(key).decrypt(unprotected[_IV], sealed, _encrypt_structure(protected))
    except (TypeError, KeyError, InvalidTag) as error:
        raise ValueError(f"cannot be opened ({type(error).__name__})") from None


def _tag(protected: bytes, payload: bytes, key: bytes, algorithm: int) -> bytes:
    structure = _dump(["MAC0", protected, b"", payload])  # RFC 9052, 6.3; no external data
    return hmac.digest(key, structure, "sha256")[: _TAG_BYTES[algorithm]]


def _encrypt_structure(protected: bytes) -> bytes:
    return _dump(["Encrypt0", protected, b""])  # RFC 9052, 5.3


def _map(label: int, value: int) -> bytes:
    return _dump({label: value})


def _dump(value: object) -> bytes:
    return cbor2.dumps(value, canonical=True)


def _string(data: bytes) -> tuple[bytes, bytes]:
    """A byte string in its shortest form, and what follows (RFC 8949, 3 and 4.2.1)."""
    first = data[0] if data else 0
    size = {0x58: 1, 0x59: 2}.get(first, 0)
    length = int.from_bytes(data[1 : 1 + size], "big") if size else first - 0x40
    start = 1 + size
    if not (size or 0x40 <= first < 0x58) or length > len(data) - start or _dump(b"\0" * length)[:start] != data[:start]:
        raise ValueError("no byte string in its shortest form")
    return data[start : start + length], data[start + length :]
