"""A session's token: a CWT (RFC 8392) that says which title, until when, and, encrypted, which variant of each segment.

ETSI TS 104 002 V1.1.1, 5.4, direct mode: the pattern travels in the token, so an edge needs no secret of the watermark. Bit
`position` of the pattern, counted from the first byte's highest bit, is 0 for variant A and 1 for variant B. Pure: times,
nonces and ids are passed in.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec

from mediaforge.edge.cose import encrypt0, is_signed, is_tagged, mac0, open_encrypt0, sign1, split_cwt
from mediaforge.errors import CheckError

MOST_TOKEN_CHARACTERS = 16_384
MOST_POSITIONS = 0xFFFF  # wmpatlen is a uint of two bytes
CLOCK_SECONDS = 30  # how far the clock of who mints may go before that of the edge

# RFC 8392, 3.1
_AUDIENCE, _EXPIRES, _NOT_BEFORE, _ISSUED, _ID = 3, 4, 5, 6, 7
# ETSI TS 104 002, table 1
_WM_VERSION, _WM_VENDOR, _WM_LENGTH, _WM_PATTERN = 300, 301, 302, 304
# Ours: integers below -65536 are for private use (RFC 8392, 9.1). The standard names no claim for a title or a client.
_TITLE, _ADDRESS, _COOKIE = -65_537, -65_538, -65_539

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # SP 800-186, 3.2.1.3

_VERSION = 1
_VENDOR = 255  # no vendor id is registered for mediaforge; the edge and who mints are the same house


class Refusal(StrEnum):
    """Why a request got nothing. A client is never told; it is what the log says."""

    MALFORMED = "malformed token"
    SIGNATURE = "token of no key of ours"
    EXPIRED = "expired token"
    EARLY = "token from the future"
    TITLE = "token of another title"
    ADDRESS = "token of another address"
    COOKIE = "token without its cookie"
    PATH = "no such path"
    METHOD = "neither GET nor HEAD"


class TokenRefused(CheckError):
    """`session` is the short name of the session (`session_name`), empty where the token is not proven to be ours."""

    def __init__(self, refusal: Refusal, session: str = "") -> None:
        super().__init__(f"the request is refused: {refusal}; mint a new token with `mediaforge edge token`")
        self.refusal = refusal
        self.session = session


class Algorithm(StrEnum):
    """What seals a token; the standard wants both (TS 104 002, 5.4)."""

    HS256 = "hs256"  # who verifies could also mint
    ES256 = "es256"  # who verifies has a public key only


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeKey:
    """32 bytes each for the tag and for the pattern, and a key on P-256; `kid` says in a token which key it wants."""

    kid: bytes
    mac: bytes = field(repr=False)
    pattern: bytes = field(repr=False)
    signer: ec.EllipticCurvePrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Times in Unix seconds. `variants` is "ABBA...", a letter a segment, and as secret as a key.

    `address`: the only client that may use it, empty for any. `cookie`: the SHA-256 of the cookie that must come along.
    """

    session_id: bytes
    title: str
    variants: str = field(repr=False)
    issued: int
    expires: int
    address: str = ""
    cookie: bytes = b""


def signing_key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    """The private key on P-256 that stands for 64 secret bytes: as many that its bias is nothing (FIPS 186-5, A.2.1)."""
    return ec.derive_private_key(int.from_bytes(secret, "big") % (_P256_ORDER - 1) + 1, ec.SECP256R1())


def mint_token(session: Session, key: EdgeKey, *, nonce: bytes, algorithm: Algorithm = Algorithm.HS256) -> str:
    """The token, base64url without padding. `nonce`: 12 bytes, random for each token."""
    if not 0 < len(session.variants) <= MOST_POSITIONS:
        what = f"a token holds 1 to {MOST_POSITIONS} segments, not {len(session.variants)}; use longer segments"
        raise CheckError(what)
    claims: dict[int, Any] = {
        _EXPIRES: session.expires,
        _ISSUED: session.issued,
        _ID: session.session_id,
        _WM_VERSION: _VERSION,
        _WM_VENDOR: _VENDOR,
        _WM_LENGTH: len(session.variants),
        # As bytes with the tagged message in them: one of the forms of 5.4, and the one that a CDN's module reads.
        _WM_PATTERN: encrypt0(pattern_bytes(session.variants), key=key.pattern, nonce=nonce),
        _TITLE: session.title,
    }
    if session.address:
        claims[_ADDRESS] = session.address
    if session.cookie:
        claims[_COOKIE] = session.cookie
    payload = cbor2.dumps(claims, canonical=True)
    if algorithm is Algorithm.ES256:
        message = sign1(payload, kid=key.kid, key=key.signer)
    else:
        message = mac0(payload, kid=key.kid, key=key.mac)
    return base64.urlsafe_b64encode(message).rstrip(b"=").decode()


def verify_token(
    text: str, keys: Mapping[bytes, EdgeKey], *, title: str, now: float, address: str = "", cookie: str = ""
) -> Session:
    """What a token of ours says, where it is valid for this title, now and for who shows it. Raises TokenRefused."""
    key, claims = _authentic(text, keys)
    try:
        session = _session(claims, key)
    except (KeyError, TypeError, ValueError):
        raise TokenRefused(Refusal.MALFORMED) from None
    refusal = _refusal(session, claims, title=title, now=now, address=address, cookie=cookie)
    if refusal is not None:
        raise TokenRefused(refusal, session_name(session))
    return session


def session_name(session: Session) -> str:
    """How a log names a session: enough to find what one session did, too little to be anybody's name or token."""
    return hashlib.sha256(session.session_id).hexdigest()[:12]


def cookie_digest(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()


def pattern_bytes(variants: str) -> bytes:
    """The pattern of "ABBA...": a bit a segment, 1 for B, from the highest bit of the first byte; filled up with zeros."""
    bits = variants.translate({ord("A"): "0", ord("B"): "1"})
    return int(bits.ljust(-len(bits) % 8 + len(bits), "0"), 2).to_bytes(-(-len(bits) // 8), "big")


def pattern_variants(pattern: bytes, length: int) -> str:
    """`pattern_bytes` undone. Raises ValueError where the pattern is not that long."""
    if not length or len(pattern) != -(-length // 8):
        raise ValueError("a pattern of another length")
    bits = f"{int.from_bytes(pattern, 'big'):0{8 * len(pattern)}b}"[:length]
    return bits.translate({ord("0"): "A", ord("1"): "B"})


def _authentic(text: str, keys: Mapping[bytes, EdgeKey]) -> tuple[EdgeKey, dict[Any, Any]]:
    try:
        cwt = split_cwt(_decoded(text))
    except ValueError:
        raise TokenRefused(Refusal.MALFORMED) from None
    key = keys.get(cwt.kid)
    if key is None or not (is_signed(cwt, key.signer.public_key()) if cwt.signed else is_tagged(cwt, key.mac)):
        raise TokenRefused(Refusal.SIGNATURE)
    try:
        claims = cbor2.loads(cwt.payload)
    except cbor2.CBORDecodeError:
        raise TokenRefused(Refusal.MALFORMED) from None
    if not isinstance(claims, dict) or type(claims.get(_NOT_BEFORE, 0)) is not int:
        raise TokenRefused(Refusal.MALFORMED)
    return key, claims


def _decoded(text: str) -> bytes:
    if len(text) > MOST_TOKEN_CHARACTERS or not text.isascii():
        raise ValueError("too long")
    try:
        message = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("no base64url") from None
    # The last character has spare bits: a token has one spelling, so that nobody makes a second one out of it.
    if base64.urlsafe_b64encode(message).rstrip(b"=").decode() != text:
        raise ValueError("another spelling")
    return message


def _session(claims: dict[Any, Any], key: EdgeKey) -> Session:
    if (claims[_WM_VERSION], claims[_WM_VENDOR]) != (_VERSION, _VENDOR):
        raise ValueError("another version or vendor")
    return Session(
        session_id=_of(bytes, claims[_ID]),
        title=_of(str, claims[_TITLE]),
        variants=pattern_variants(open_encrypt0(_of(bytes, claims[_WM_PATTERN]), key.pattern), _of(int, claims[_WM_LENGTH])),
        issued=_of(int, claims[_ISSUED]),
        expires=_of(int, claims[_EXPIRES]),
        address=_of(str, claims.get(_ADDRESS, "")),
        cookie=_of(bytes, claims.get(_COOKIE, b"")),
    )


def _of(kind: Any, value: Any) -> Any:
    if type(value) is not kind:  # not isinstance: True is an int
        raise TypeError(f"a claim is no {kind.__name__}")
    return value


def _refusal(session: Session, claims: dict[Any, Any], *, title: str, now: float, address: str, cookie: str) -> Refusal | None:
    if session.title != title or _AUDIENCE in claims:  # we are nobody's audience (RFC 7519, 4.1.3)
        return Refusal.TITLE
    if now >= session.expires:
        return Refusal.EXPIRED
    if max(session.issued, claims.get(_NOT_BEFORE, 0)) > now + CLOCK_SECONDS:
        return Refusal.EARLY
    if session.address and session.address != address:
        return Refusal.ADDRESS
    if session.cookie and not hmac.compare_digest(session.cookie, cookie_digest(cookie)):
        return Refusal.COOKIE
    return None
