"""Widevine's key server (the "Common Encryption API" that shaka-packager speaks): JSON, the request signed by AES or RSA.

The server chooses the KIDs, and gives the same again for the same content id.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

# What the protocol prescribes; a forged request would gain nothing by a collision that its signer did not make.
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.padding import PKCS7

from mediaforge.errors import KeyServerError, KeySourceError
from mediaforge.package.keys import KEY_BYTES, OutsideKey
from mediaforge.package.keysources.https import Server, post
from mediaforge.package.keysources.source import KeyWish
from mediaforge.package.pssh import parse_widevine

Sign = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class WidevineServer:
    """`signer` is our name there; `sign` makes what proves it."""

    server: Server
    signer: str
    sign: Sign
    policy: str = ""

    def __repr__(self) -> str:
        return f"WidevineServer({self.server.name}, signer={self.signer!r}, sign=***)"

    @property
    def origin(self) -> str:
        return "widevine"

    def fetch(self, wish: KeyWish) -> tuple[OutsideKey, ...]:
        request = request_message(wish, policy=self.policy)
        envelope = {"request": _b64(request), "signature": _b64(self.sign(request)), "signer": self.signer}
        answer = post(self.server, msgspec.json.encode(envelope), {"Content-Type": "application/json"})
        return read_answer(answer.body, wish, source=self.server.name)


def request_message(wish: KeyWish, *, policy: str) -> bytes:
    """What is signed. The fields stand in the packager's order."""
    return msgspec.json.encode(
        {
            "content_id": _b64(wish.title.encode()),
            "policy": policy,
            "tracks": [{"type": label} for label in wish.labels],
            "drm_types": ["WIDEVINE"],
            "protection_scheme": wish.scheme.upper(),
        }
    )


def aes_signature(key: bytes, iv: bytes) -> Sign:
    """SHA-1 of the request under AES-256-CBC with PKCS #7, as shaka-packager's `--aes_signing_key` does it."""

    def sign(request: bytes) -> bytes:
        padder = PKCS7(AES256.block_size).padder()
        digest = hashlib.sha1(request).digest()  # noqa: S324 (see the import)
        encryptor = Cipher(AES256(key), CBC(iv)).encryptor()
        return encryptor.update(padder.update(digest) + padder.finalize()) + encryptor.finalize()

    return sign


def rsa_signature(key: RSAPrivateKey) -> Sign:
    """RSASSA-PSS with SHA-1 and a salt of 20 bytes, as shaka-packager's `--rsa_signing_key_path` does it."""
    return lambda request: key.sign(request, PSS(MGF1(SHA1()), SHA1.digest_size), SHA1())  # noqa: S303 (see the import)


def read_answer(body: bytes, wish: KeyWish, *, source: str) -> tuple[OutsideKey, ...]:
    """The keys that the server gave. Raises KeySourceError, KeyServerError."""
    try:
        answer = msgspec.json.decode(msgspec.json.decode(body, type=_Envelope).response, type=_Answer)
    except (msgspec.MsgspecError, ValueError):
        raise KeySourceError(source, "answered with what is no answer of a Widevine key server; check its address") from None
    if answer.status != "OK":
        status = answer.status if re.fullmatch(r"[A-Z_]{1,40}", answer.status) else "an unknown status"
        raise KeyServerError(source, f"refused with {status}; check the signer, its key and the policy")
    return tuple(_key(track, wish, source) for track in answer.tracks if track.type in wish.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Envelope:
    response: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pssh:
    data: bytes
    drm_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Track:
    type: str
    key_id: bytes
    key: bytes
    pssh: tuple[_Pssh, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status: str
    tracks: tuple[_Track, ...] = ()


def _key(track: _Track, wish: KeyWish, source: str) -> OutsideKey:
    for what, value in (("KID", track.key_id), ("key", track.key)):
        if len(value) != KEY_BYTES:
            raise KeySourceError(source, f"gave {track.type} a {what} of {len(value)} bytes and not {KEY_BYTES}")
    for row in track.pssh:
        if row.drm_type not in ("", "WIDEVINE"):
            continue
        try:
            data = parse_widevine(row.data)
        except ValueError as error:
            raise KeySourceError(source, f"gave {track.type} a PSSH that cannot be read: {error}") from None
        if data.key_ids and track.key_id not in data.key_ids:
            raise KeySourceError(source, f"gave {track.type} a PSSH for another KID; its keys are not taken")
        if data.content_id and data.content_id != wish.title.encode():
            raise KeySourceError(
                source, f"gave {track.type} a PSSH for another content than {wish.title}; its keys are not taken"
            )
    return OutsideKey(kid=track.key_id, key=track.key, label=track.type)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
