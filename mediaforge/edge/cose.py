"""The COSE messages of a session token: COSE_Mac0 or COSE_Sign1 around the claims, COSE_Encrypt0 around the pattern (RFC 9052).

The frame of what comes in is read here byte by byte, and only in the forms that we write: no CBOR decoder sees a byte
before its tag has been verified.
"""

import hmac
from dataclasses import dataclass

import cbor2
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

HMAC_256_64 = 4  # RFC 9053, 3.1: the tag cut to 8 bytes; only RFC 8392's examples have it
HMAC_256 = 5
ES256 = -7  # RFC 9053, 2.1
A256GCM = 3  # RFC 9053, 4.1
NONCE_BYTES = 12

_TAG_BYTES = {HMAC_256_64: 8, HMAC_256: 32}
_NUMBER_BYTES = 32  # of r and of s
_CWT = b"\xd8\x3d"  # tag 61, RFC 8392, 6; wanted always, so that a token has one spelling
_MAC0 = b"\xd1\x84"  # tag 17, an array of four
_SIGN1 = b"\xd2\x84"  # tag 18
_KID = b"\xa1\x04"  # the unprotected header: a map with kid alone
_ENCRYPT0 = 16
_ALGORITHM, _IV = 1, 5  # header labels, RFC 9052, 3.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Framed:
    """A CWT taken apart, nothing of it verified. `seal`: the tag of a COSE_Mac0, or the signature of a COSE_Sign1."""

    signed: bool
    protected: bytes
    kid: bytes
    payload: bytes
    seal: bytes


def mac0(payload: bytes, *, kid: bytes, key: bytes, algorithm: int = HMAC_256) -> bytes:
    """A CWT: `payload` under an HMAC with SHA-256, tagged 61 and 17."""
    protected = _map(_ALGORITHM, algorithm)
    return _framed(_MAC0, protected, kid, payload, _tag(protected, payload, key, algorithm))


def sign1(payload: bytes, *, kid: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """A CWT: `payload` signed with ECDSA on P-256 and SHA-256, tagged 61 and 18. The nonce is that of RFC 6979."""
    protected = _map(_ALGORITHM, ES256)
    signature = key.sign(_signature_structure(protected, payload), ec.ECDSA(SHA256(), deterministic_signing=True))
    pair = b"".join(number.to_bytes(_NUMBER_BYTES, "big") for number in decode_dss_signature(signature))  # RFC 9053, 2.1
    return _framed(_SIGN1, protected, kid, payload, pair)


def split_cwt(message: bytes) -> Framed:
    """What a CWT is made of. Raises ValueError."""
    frame = message[len(_CWT) :][: len(_MAC0)]
    if not message.startswith(_CWT) or frame not in (_MAC0, _SIGN1):
        raise ValueError("no COSE_Mac0 and no COSE_Sign1 of a CWT")
    protected, rest = _string(message[len(_CWT + frame) :])
    if not rest.startswith(_KID):
        raise ValueError("the unprotected header is not a kid alone")
    kid, rest = _string(rest[len(_KID) :])
    payload, rest = _string(rest)
    seal, rest = _string(rest)
    if rest:
        raise ValueError("bytes after the end")
    return Framed(signed=frame == _SIGN1, protected=protected, kid=kid, payload=payload, seal=seal)


# The algorithm is ours to choose, never the message's: each of the two below knows one, and has a key of its own for it.


def is_tagged(cwt: Framed, key: bytes, *, algorithm: int = HMAC_256) -> bool:
    """Whether this is a COSE_Mac0 made with `key` and `algorithm`."""
    expected = _tag(_map(_ALGORITHM, algorithm), cwt.payload, key, algorithm)
    return not cwt.signed and cwt.protected == _map(_ALGORITHM, algorithm) and hmac.compare_digest(cwt.seal, expected)


def is_signed(cwt: Framed, key: ec.EllipticCurvePublicKey) -> bool:
    """Whether this is a COSE_Sign1 made with ES256 and the private half of `key`."""
    if not cwt.signed or cwt.protected != _map(_ALGORITHM, ES256) or len(cwt.seal) != 2 * _NUMBER_BYTES:
        return False
    pair = (int.from_bytes(half, "big") for half in (cwt.seal[:_NUMBER_BYTES], cwt.seal[_NUMBER_BYTES:]))
    try:
        key.verify(encode_dss_signature(*pair), _signature_structure(cwt.protected, cwt.payload), ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


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


def _framed(frame: bytes, protected: bytes, kid: bytes, payload: bytes, seal: bytes) -> bytes:
    return _CWT + frame + _dump(protected) + _KID + _dump(kid) + _dump(payload) + _dump(seal)


def _signature_structure(protected: bytes, payload: bytes) -> bytes:
    return _dump(["Signature1", protected, b"", payload])  # RFC 9052, 4.4; no external data


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
