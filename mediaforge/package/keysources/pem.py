"""Certificates and private keys from PEM files, as an operator names them. A private key must be its owner's alone."""

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mediaforge.errors import SettingsError
from mediaforge.package.secretfile import MOST_SECRET_BYTES, read_secret_file

LEAST_RSA_BITS = 2048  # SPEKE asks for 2048; CPIX 2.4, 8.1.6 recommends 3072


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signs: CPIX 2.4, 7.4.1 wants the certificate in every signature."""

    key: RSAPrivateKey
    certificate: x509.Certificate

    def __repr__(self) -> str:
        return f"Signer({self.certificate.subject.rfc4514_string()}, key=***)"


def load_certificate(path: Path) -> x509.Certificate:
    """The first certificate of a PEM file, its key RSA of at least 2048 bits. Raises SettingsError."""
    try:
        content = path.read_bytes()[:MOST_SECRET_BYTES]
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}); name another file") from error
    return _certificate(content, path)


def load_private_key(path: Path) -> RSAPrivateKey:
    """The RSA key of a PEM file. Raises SettingsError."""
    return _private_key(read_secret_file(path), path)


def load_signer(path: Path) -> Signer:
    """A key and its certificate from one PEM file. Raises SettingsError."""
    content = read_secret_file(path)
    signer = Signer(key=_private_key(content, path), certificate=_certificate(content, path))
    if signer.certificate.public_key() != signer.key.public_key():
        raise SettingsError(f"{path} holds a certificate that is not that of its key; put both of one pair into it")
    return signer


def check_rsa(certificate: x509.Certificate, place: Path | str) -> RSAPublicKey:
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey) or key.key_size < LEAST_RSA_BITS:
        raise SettingsError(f"{place}: only RSA certificates of {LEAST_RSA_BITS} bits and more are taken; give such a one")
    return key


def _certificate(content: bytes, path: Path) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificates(content)[0]
    except ValueError as error:
        raise SettingsError(f"{path} holds no X.509 certificate in PEM; give one") from error
    check_rsa(certificate, path)
    return certificate


def _private_key(content: bytes, path: Path) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError) as error:  # TypeError: it is under a passphrase
        raise SettingsError(f"{path} holds no private key in PEM without a passphrase; give one") from error
    if not isinstance(key, RSAPrivateKey) or key.key_size < LEAST_RSA_BITS:
        raise SettingsError(f"{path} holds no RSA key of at least {LEAST_RSA_BITS} bits; give one")
    return key
