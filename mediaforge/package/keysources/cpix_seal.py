"""Content keys inside a CPIX document encrypted to a certificate: CPIX 2.4, 8.1, with the algorithms of 8.1.6.

document key   AES-256-CBC (PKCS #7) around every content key, its IV in front
MAC key        HMAC-SHA512 over IV and cipher text, verified before anything is decrypted
delivery key   the recipient's RSA key (OAEP, MGF1, SHA-1) around both of them
"""

import hmac
import os
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

# OAEP does not rest on SHA-1 being free of collisions; xmlenc's rsa-oaep-mgf1p, which CPIX demands, knows no other.
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.padding import PKCS7

BLOCK_BYTES = 16
DOCUMENT_KEY_BYTES = 32
MAC_KEY_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentKeys:
    """The two secrets of one document."""

    document: bytes
    mac: bytes

    def __post_init__(self) -> None:
        if len(self.document) != DOCUMENT_KEY_BYTES:
            raise ValueError(f"the document key has {len(self.document)} bytes and not {DOCUMENT_KEY_BYTES}")

    def __repr__(self) -> str:
        return "DocumentKeys(***)"


def new_document_keys() -> DocumentKeys:
    return DocumentKeys(document=os.urandom(DOCUMENT_KEY_BYTES), mac=os.urandom(MAC_KEY_BYTES))


def seal(secret: bytes, keys: DocumentKeys) -> tuple[bytes, bytes]:
    """The cipher value (IV and cipher text) and its MAC."""
    iv = os.urandom(BLOCK_BYTES)
    padder = PKCS7(8 * BLOCK_BYTES).padder()
    encryptor = Cipher(AES256(keys.document), CBC(iv)).encryptor()
    value = iv + encryptor.update(padder.update(secret) + padder.finalize()) + encryptor.finalize()
    return value, hmac.digest(keys.mac, value, "sha512")


def unseal(value: bytes, mac: bytes, keys: DocumentKeys) -> bytes:
    """The secret. Raises ValueError where the value is not what its sender wrote."""
    if not hmac.compare_digest(hmac.digest(keys.mac, value, "sha512"), mac):
        raise ValueError("its MAC does not fit: the value was changed on its way")
    if len(value) < 2 * BLOCK_BYTES or len(value) % BLOCK_BYTES:
        raise ValueError("its encrypted value is not whole blocks")
    decryptor = Cipher(AES256(keys.document), CBC(value[:BLOCK_BYTES])).decryptor()
    unpadder = PKCS7(8 * BLOCK_BYTES).unpadder()
    padded = decryptor.update(value[BLOCK_BYTES:]) + decryptor.finalize()
    return unpadder.update(padded) + unpadder.finalize()


def wrap(secret: bytes, key: RSAPublicKey) -> bytes:
    return key.encrypt(secret, _oaep())


def unwrap(value: bytes, key: RSAPrivateKey) -> bytes:
    """Raises ValueError where `value` was not wrapped for this key."""
    return key.decrypt(value, _oaep())


def _oaep() -> OAEP:
    return OAEP(mgf=MGF1(SHA1()), algorithm=SHA1(), label=None)  # noqa: S303 (see the import)
