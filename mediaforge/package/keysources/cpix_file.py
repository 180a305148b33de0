"""A CPIX document on the disk as a source of keys: what a partner or a key service sent, asked for one title and its labels."""

from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509 import Certificate

from mediaforge.errors import KeySourceError
from mediaforge.package.keys import OutsideKey
from mediaforge.package.keysources.cpix import outside_keys, title_of
from mediaforge.package.keysources.cpix_read import read_cpix
from mediaforge.package.keysources.hostile import MOST_XML_BYTES
from mediaforge.package.keysources.source import KeyWish


@dataclass(frozen=True, slots=True, kw_only=True)
class CpixFile:
    """`private_key` opens encrypted keys; `signed_by` is who must have signed."""

    path: Path
    private_key: RSAPrivateKey | None = field(default=None, repr=False)
    signed_by: Certificate | None = None

    @property
    def origin(self) -> str:
        return "cpix"

    def fetch(self, wish: KeyWish) -> tuple[OutsideKey, ...]:
        """The keys wished for; a document may hold more. Raises KeySourceError."""
        source = str(self.path)
        document = read_cpix(read_document(self.path), source=source, private_key=self.private_key, signed_by=self.signed_by)
        named = title_of(document, source=source)
        if named not in ("", wish.title):
            raise KeySourceError(source, f"holds keys of {named[:80]!r}, not of {wish.title}; name the document of this title")
        other = next((key.scheme for key in document.keys if key.scheme not in ("", wish.scheme)), None)
        if other is not None:
            raise KeySourceError(source, f"holds keys for {other[:8]!r} and not for {wish.scheme}; choose that --scheme")
        return tuple(key for key in outside_keys(document, source=source) if key.label in wish.labels)


def read_document(path: Path) -> bytes:
    """The bytes of a document, or one more than a reader takes. Raises KeySourceError."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_XML_BYTES + 1)
    except OSError as error:
        raise KeySourceError(path, f"cannot be read ({error.strerror}); name another file") from error
