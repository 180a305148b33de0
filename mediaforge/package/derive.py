"""Secrets from a secret: HKDF-SHA256 (RFC 5869) over words, so that every use has bytes of its own."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derived(secret: bytes, length: int, *context: str) -> bytes:
    """`length` bytes that are always the same for the same words and say nothing about `secret`."""
    # Each word carries its length, so that ("ab", "c") and ("a", "bc") are two contexts.
    words = [word.encode() for word in ("mediaforge", *context)]
    info = b"".join(len(word).to_bytes(4, "big") + word for word in words)
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(secret)
