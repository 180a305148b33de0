"""SPEKE 2.0 and 2.1 ("Secure Packager and Encoder Key Exchange", AWS): we send a CPIX document with holes, and get it filled.

2.0 exchanges CPIX 2.3, 2.1 exchanges CPIX 2.4. We choose the KIDs; every key has one usage rule, its track type our label.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from mediaforge import __version__
from mediaforge.errors import KeySourceError
from mediaforge.package.keys import OutsideKey
from mediaforge.package.keysources.cpix import Cpix, CpixKey, DrmSignal, Version, outside_keys, rule_for
from mediaforge.package.keysources.cpix_read import read_cpix
from mediaforge.package.keysources.cpix_write import write_cpix
from mediaforge.package.keysources.https import Server, post
from mediaforge.package.keysources.pem import Signer
from mediaforge.package.keysources.source import KeyWish
from mediaforge.package.pssh import PLAYREADY, WIDEVINE

SpekeVersion = Literal["2.0", "2.1"]
CPIX_VERSIONS: MappingProxyType[SpekeVersion, Version] = MappingProxyType({"2.0": "2.3", "2.1": "2.4"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SpekeServer:
    """`recipient`: who the keys shall be encrypted to; None leaves them to TLS alone."""

    server: Server
    version: SpekeVersion = "2.0"
    recipient: Signer | None = None

    @property
    def origin(self) -> str:
        return "speke"

    def fetch(self, wish: KeyWish) -> tuple[OutsideKey, ...]:
        asked = request_document(wish, self.version)
        certificate = None if self.recipient is None else self.recipient.certificate
        answer = post(
            self.server,
            write_cpix(asked, certificate=certificate),
            {
                "Content-Type": "application/xml",
                "X-Speke-Version": self.version,
                "X-Speke-User-Agent": f"mediaforge/{__version__}",
            },
        )
        version = answer.headers.get("x-speke-version", self.version)
        if version != self.version:
            raise KeySourceError(self.server.name, f"speaks SPEKE {version[:10]!r} and not {self.version}; correct `version`")
        filled = read_cpix(
            answer.body,
            source=self.server.name,
            private_key=None if self.recipient is None else self.recipient.key,
            only_encrypted=self.recipient is not None,
        )
        return _checked(asked, filled, source=self.server.name)


def request_document(wish: KeyWish, version: SpekeVersion) -> Cpix:
    """What we ask: keys, signalling and the encryption contract."""
    return Cpix(
        content_id=wish.title,
        keys=tuple(CpixKey(kid=kid, scheme=wish.scheme) for kid in wish.kids),
        signals=tuple(DrmSignal(system=system, kid=kid) for kid in wish.kids for system in (WIDEVINE, PLAYREADY)),
        rules=tuple(rule_for(kid, label) for kid, label in zip(wish.kids, wish.labels, strict=True)),
        version=CPIX_VERSIONS[version],
    )


def _checked(asked: Cpix, filled: Cpix, *, source: str) -> tuple[OutsideKey, ...]:
    """The answer must be to our question: the same content, the same KIDs for the same labels, the same scheme."""
    if filled.content_id != asked.content_id or any(key.content_id not in ("", asked.content_id) for key in filled.keys):
        raise KeySourceError(source, f"answered for another content than {asked.content_id}; its keys are not taken")
    if {key.kid for key in filled.keys} != {key.kid for key in asked.keys}:
        raise KeySourceError(source, "answered with other KIDs than those asked for; its keys are not taken")
    if any(key.scheme not in ("", asked.keys[0].scheme) for key in filled.keys):
        raise KeySourceError(source, f"answered for another scheme than {asked.keys[0].scheme}; its keys are not taken")
    labels = {rule.kid: rule.track_type for rule in asked.rules}
    keys = outside_keys(filled, source=source)
    turned = next((key for key in keys if labels[key.kid] != key.label), None)
    if turned is not None:
        raise KeySourceError(source, f"gave key {turned.kid.hex()} to {turned.label} and not to {labels[turned.kid]}")
    return keys
