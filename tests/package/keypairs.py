"""Key pairs and self-signed certificates, made once a test run."""

import datetime
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mediaforge.package.keysources.pem import Signer

EXPIRED = "expired"  # the name of a pair whose certificate ended in January 2026


def pair(name: str, bits: int = 2048) -> Signer:
    """The same name is the same pair."""
    return _made(name, bits)


@cache
def _made(name: str, bits: int) -> Signer:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    end = start + datetime.timedelta(days=10 if name == EXPIRED else 36_500)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(start).not_valid_after(end)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return Signer(key=key, certificate=builder.sign(key, SHA256()))


def certificate_file(folder: Path, name: str, bits: int = 2048) -> Path:
    path = folder / f"{name}.crt"
    path.write_bytes(pair(name, bits).certificate.public_bytes(Encoding.PEM))
    return path


def secret_file(folder: Path, name: str, bits: int = 2048) -> Path:
    """Key and certificate in one file, as `--sign-with` wants it."""
    signer = pair(name, bits)
    path = folder / f"{name}.pem"
    path.write_bytes(
        signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + signer.certificate.public_bytes(Encoding.PEM)
    )
    path.chmod(0o600)
    return path
